SELECT version, script, origin, checksum, checksum_raw, checksum_sql
FROM {schema}.forerun_history

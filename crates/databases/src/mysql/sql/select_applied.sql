SELECT version, script, origin, checksum, checksum_raw, checksum_sql
  FROM {database}.forerun_history
 ORDER BY version

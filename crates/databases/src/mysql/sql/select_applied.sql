SELECT version, script, origin, checksum, NULLIF(checksum_raw, checksum), checksum_sql
  FROM {database}.forerun_history

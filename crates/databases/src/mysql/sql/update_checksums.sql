UPDATE {database}.forerun_history
   SET checksum = {checksum}, checksum_raw = {checksum_raw}, checksum_sql = {checksum_sql}
 WHERE version = {version}

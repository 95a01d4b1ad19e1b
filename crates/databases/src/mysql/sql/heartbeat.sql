UPDATE {database}.forerun_lock
   SET heartbeat_at = UTC_TIMESTAMP(6), expires_at = UTC_TIMESTAMP(6) + INTERVAL {microseconds} MICROSECOND
 WHERE name = 'runner' AND token = {token} AND run_id IS NOT NULL

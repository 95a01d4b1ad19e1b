UPDATE {database}.forerun_lock
   SET token = {token}, run_id = {run_id}, actor = {actor}, host = {host}, app_release = {app_release},
       purpose = {purpose}, backend = {backend},
       acquired_at = UTC_TIMESTAMP(6), heartbeat_at = UTC_TIMESTAMP(6),
       expires_at = UTC_TIMESTAMP(6) + INTERVAL {microseconds} MICROSECOND
 WHERE name = 'runner'

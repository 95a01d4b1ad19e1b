UPDATE main.forerun_lock
SET heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2)
WHERE name = 'runner' AND token = ?1 AND run_id IS NOT NULL

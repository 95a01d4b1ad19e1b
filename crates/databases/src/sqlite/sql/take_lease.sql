UPDATE main.forerun_lock
SET token = token + 1, run_id = ?1, actor = ?2, host = ?3, app_release = ?4, purpose = ?5, backend = ?6,
    acquired_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?7)
WHERE name = 'runner'
RETURNING token

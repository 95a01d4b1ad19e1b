SELECT format, token, run_id, actor, host, app_release, purpose, backend,
       CAST(unixepoch('now', 'subsec') - unixepoch(acquired_at, 'subsec') AS integer) AS held_seconds,
       CAST(unixepoch('now', 'subsec') - unixepoch(heartbeat_at, 'subsec') AS integer) AS heartbeat_seconds,
       CAST(round(unixepoch(expires_at, 'subsec') - unixepoch('now', 'subsec')) AS integer) AS expires_in_seconds,
       coalesce(expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 1) AS expired
FROM main.forerun_lock
WHERE name = 'runner'

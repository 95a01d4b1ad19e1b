SELECT coalesce(expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2), 0)
FROM main.forerun_lock
WHERE name = 'runner' AND token = ?1 AND run_id IS NOT NULL

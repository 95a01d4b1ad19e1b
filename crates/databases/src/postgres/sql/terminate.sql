SELECT pg_terminate_backend(session.pid)
FROM pg_stat_get_activity({process_id}) AS session
WHERE session.pid <> pg_backend_pid()
  AND (session.backend_start IS NULL
       OR to_char(session.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') = {started})

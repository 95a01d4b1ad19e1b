-- The kind of a session of another user is NULL without the role pg_read_all_stats; its name is shown.
SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), coalesce(host(client_addr), '')
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
  AND coalesce(application_name, '') !~ '^forerun '
ORDER BY backend_start

SELECT current_setting('server_version_num'),
       current_setting('server_version'),
       current_database(),
       {schema},
       pg_backend_pid(),
       pg_backend_pid() || '@' || (SELECT to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                                   FROM pg_stat_get_activity(pg_backend_pid())),
       pg_is_in_recovery(),
       current_setting('transaction_read_only')::boolean,
       current_schema()

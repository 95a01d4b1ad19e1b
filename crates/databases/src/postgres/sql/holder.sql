-- `alive` is NULL where the lease names no server session. Sessions of other users show no start time.
SELECT run_id, actor, host, app_release, purpose, backend,
       CASE WHEN backend ~ '^[0-9]{1,9}@' THEN EXISTS (
           SELECT FROM pg_stat_get_activity(split_part(backend, '@', 1)::integer) AS session
           WHERE session.backend_start IS NULL
              OR to_char(session.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                 = split_part(backend, '@', 2)
       ) END,
       token,
       floor(extract(epoch FROM clock_timestamp() - acquired_at))::bigint,
       floor(extract(epoch FROM clock_timestamp() - heartbeat_at))::bigint,
       floor(extract(epoch FROM expires_at - clock_timestamp()))::bigint,
       format
FROM {schema}.forerun_lock
WHERE name = 'runner'

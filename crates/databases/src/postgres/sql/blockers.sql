-- Process id 0 stands for a prepared transaction, which has no process; it holds the lock that we are not granted.
SELECT DISTINCT blocker.pid::text,
       coalesce(session.usename::text, ''),
       CASE WHEN session.backend_type IS DISTINCT FROM 'client backend' THEN coalesce(session.backend_type, '')
            ELSE coalesce(session.application_name, '') END,
       CASE WHEN session.backend_type IS DISTINCT FROM 'client backend' THEN ''
            ELSE coalesce(session.client_hostname, host(session.client_addr), 'local') END,
       coalesce(session.state, ''),
       floor(extract(epoch FROM clock_timestamp() - session.xact_start))::bigint,
       left(regexp_replace(coalesce(session.query, ''), '^BEGIN ISOLATION LEVEL READ COMMITTED; (SET LOCAL [^;]*; )+(SELECT pg_backend_pid[(][)], txid_current[(][)]; )?', ''), 200)
FROM unnest(pg_blocking_pids({process_id})) AS blocker (pid)
LEFT JOIN pg_stat_activity AS session ON session.pid = blocker.pid
WHERE blocker.pid <> 0
UNION ALL
SELECT 'prepared transaction ' || quote_literal(prepared.gid),
       prepared.owner::text, '', '', 'prepared',
       floor(extract(epoch FROM clock_timestamp() - prepared.prepared))::bigint,
       'COMMIT PREPARED or ROLLBACK PREPARED ends it'
FROM pg_prepared_xacts AS prepared
WHERE 0 = ANY (pg_blocking_pids({process_id}))
  AND EXISTS (
      SELECT FROM pg_locks AS wanted
      JOIN pg_locks AS held ON held.locktype = wanted.locktype
          AND held.database IS NOT DISTINCT FROM wanted.database
          AND held.relation IS NOT DISTINCT FROM wanted.relation
          AND held.page IS NOT DISTINCT FROM wanted.page
          AND held.tuple IS NOT DISTINCT FROM wanted.tuple
          AND held.virtualxid IS NOT DISTINCT FROM wanted.virtualxid
          AND held.transactionid IS NOT DISTINCT FROM wanted.transactionid
          AND held.classid IS NOT DISTINCT FROM wanted.classid
          AND held.objid IS NOT DISTINCT FROM wanted.objid
      -- Every transaction holds a lock on its own id: that ties the lock to the prepared transaction.
      JOIN pg_locks AS own ON own.virtualtransaction = held.virtualtransaction AND own.pid IS NULL
          AND own.locktype = 'transactionid' AND own.transactionid = prepared.transaction
      WHERE wanted.pid = {process_id} AND NOT wanted.granted
        AND held.pid IS NULL AND held.granted
  )

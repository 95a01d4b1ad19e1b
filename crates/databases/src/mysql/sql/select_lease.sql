SELECT token, run_id, actor, host, app_release, purpose, backend,
       TIMESTAMPDIFF(SECOND, acquired_at, UTC_TIMESTAMP(6)),
       TIMESTAMPDIFF(SECOND, heartbeat_at, UTC_TIMESTAMP(6)),
       TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at),
       COALESCE(expires_at <= UTC_TIMESTAMP(6), 1),
       format
  FROM {database}.forerun_lock
 WHERE name = 'runner'

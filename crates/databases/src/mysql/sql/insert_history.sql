INSERT INTO {database}.forerun_history
       (version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, statements,
        started_at, finished_at, duration_ms, run_id, app_release, applied_by, tool_version)
SELECT {version}, {description}, {script}, {kind}, {phase}, {origin}, {checksum}, {checksum_raw},
        {checksum_sql}, {statements}, {started_at}, {finished_at}, {duration_ms}, {run_id}, {app_release},
        {applied_by}, {tool_version}
  FROM {database}.forerun_lock
 WHERE name = 'runner' AND token = {token}
   FOR UPDATE

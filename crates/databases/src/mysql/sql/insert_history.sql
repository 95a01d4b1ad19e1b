INSERT INTO {database}.forerun_history
       (version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, statements,
        started_at, finished_at, duration_ms, run_id, app_release, applied_by, tool_version)
VALUES ({version}, {description}, {script}, {kind}, {phase}, {origin}, {checksum}, {checksum_raw},
        {checksum_sql}, {statements}, {started_at}, {finished_at}, {duration_ms}, {run_id}, {app_release},
        {applied_by}, {tool_version})

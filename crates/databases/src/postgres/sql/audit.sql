SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), run_id, event, version, statement, attempt,
       message, detail, actor, host, app_release, tool_version
FROM {schema}.forerun_audit
WHERE {version} IS NULL OR version = {version}
ORDER BY id

INSERT INTO main.forerun_audit
    (run_id, event, version, statement, attempt, message, detail, actor, host, app_release, tool_version)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)

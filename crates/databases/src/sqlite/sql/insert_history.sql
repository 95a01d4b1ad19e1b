INSERT INTO main.forerun_history
    (version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, statements,
     started_at, finished_at, duration_ms, run_id, app_release, applied_by, tool_version, unused_since, deployment)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)

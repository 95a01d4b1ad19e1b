SELECT version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, statements,
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       duration_ms, run_id, app_release, applied_by, tool_version, {ledger}
FROM {schema}.forerun_history

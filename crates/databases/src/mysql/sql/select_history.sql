SELECT version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, statements,
       DATE_FORMAT(started_at, '%Y-%m-%dT%H:%i:%s.%fZ'), DATE_FORMAT(finished_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
       duration_ms, run_id, app_release, applied_by, tool_version, {ledger}
  FROM {database}.forerun_history

SELECT id, DATE_FORMAT(`at`, '%Y-%m-%dT%H:%i:%s.%fZ'), run_id, event, version, statement, attempt, message,
       detail, actor, host, app_release, tool_version
  FROM {database}.forerun_audit
 WHERE {condition}
 ORDER BY id

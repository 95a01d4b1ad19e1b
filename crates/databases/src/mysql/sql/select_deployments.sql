SELECT id, app_release, previous_release, status, directory_version,
       DATE_FORMAT(started_at, '%Y-%m-%dT%H:%i:%s.%fZ'), DATE_FORMAT(migrated_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
       DATE_FORMAT(completed_at, '%Y-%m-%dT%H:%i:%s.%fZ'), run_id, opened_by
  FROM {database}.forerun_deployment

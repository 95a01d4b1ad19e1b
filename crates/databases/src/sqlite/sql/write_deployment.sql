INSERT OR REPLACE INTO main.forerun_deployment
    (id, app_release, previous_release, status, directory_version, started_at, migrated_at, completed_at, run_id,
     opened_by)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)

UPDATE {schema}.forerun_lock
SET token = token + {step},
    run_id = NULL, actor = NULL, host = NULL, app_release = NULL, purpose = NULL, backend = NULL,
    acquired_at = NULL, heartbeat_at = NULL, expires_at = NULL
WHERE name = 'runner' AND token = {token}

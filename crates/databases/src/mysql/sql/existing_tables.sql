SELECT {hint} TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, LOWER(CREATE_OPTIONS)
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE()
  AND TABLE_NAME NOT IN ('forerun_lock', 'forerun_history', 'forerun_audit', 'forerun_journal', 'forerun_deployment'){visible}

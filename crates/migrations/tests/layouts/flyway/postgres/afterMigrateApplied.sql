INSERT INTO run (event) VALUES ('afterMigrateApplied');

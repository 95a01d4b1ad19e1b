INSERT INTO run (event) VALUES ('afterMigrate');

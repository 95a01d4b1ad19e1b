INSERT INTO run VALUES ('afterMigrate');

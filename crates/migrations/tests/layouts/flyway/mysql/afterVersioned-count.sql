INSERT INTO run VALUES ('afterVersioned');

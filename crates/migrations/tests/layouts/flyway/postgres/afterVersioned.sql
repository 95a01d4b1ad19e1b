INSERT INTO run (event) VALUES ('afterVersioned');

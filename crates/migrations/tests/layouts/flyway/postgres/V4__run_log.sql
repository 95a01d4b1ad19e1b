CREATE TABLE note (text text NOT NULL);
INSERT INTO note VALUES ('in schema ${flyway:defaultSchema} by ${flyway:user} on ${flyway:database}, ${flyway:environment}');

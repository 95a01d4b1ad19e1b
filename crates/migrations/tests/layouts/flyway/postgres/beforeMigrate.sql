CREATE TABLE IF NOT EXISTS run (event text NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO run (event) VALUES ('beforeMigrate');

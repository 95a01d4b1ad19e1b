-- forerun:data
INSERT INTO users (id, name) SELECT 3, 'Barbara' FROM pg_sleep(4);

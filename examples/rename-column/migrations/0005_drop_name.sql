-- forerun:contract after=0002,0003,0004 unused-since=1.1.0
DROP TRIGGER users_keep_names_in_step ON users;
DROP FUNCTION users_keep_names_in_step();
ALTER TABLE users DROP COLUMN name;

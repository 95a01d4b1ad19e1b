CREATE FUNCTION nothing() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END; $$;
CREATE TABLE template (text text);
INSERT INTO template VALUES ('Dear ${name}');

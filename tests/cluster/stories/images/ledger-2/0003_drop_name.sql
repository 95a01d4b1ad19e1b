-- forerun:contract after=0002 unused-since=2.0.0
ALTER TABLE people DROP COLUMN name;

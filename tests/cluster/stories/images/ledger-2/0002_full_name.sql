ALTER TABLE people ADD COLUMN full_name text;

ALTER TABLE supplier ADD COLUMN rating integer;

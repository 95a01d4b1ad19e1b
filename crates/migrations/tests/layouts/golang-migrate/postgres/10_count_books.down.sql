DROP FUNCTION count_books(bigint);
ALTER TABLE shelf DROP COLUMN books;

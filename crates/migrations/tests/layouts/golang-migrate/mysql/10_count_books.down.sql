DROP TRIGGER book_added;
ALTER TABLE shelf DROP COLUMN books;

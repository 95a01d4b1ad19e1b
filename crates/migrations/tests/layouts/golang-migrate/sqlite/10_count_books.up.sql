ALTER TABLE shelf ADD COLUMN books INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER book_added AFTER INSERT ON book
BEGIN
    UPDATE shelf SET books = books + 1 WHERE id = NEW.shelf_id;
END;
INSERT INTO book VALUES (2, 1, 'Dunes')

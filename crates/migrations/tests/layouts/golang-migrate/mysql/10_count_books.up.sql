CREATE TRIGGER book_added AFTER INSERT ON book FOR EACH ROW
BEGIN
    # one shelf; not all
    UPDATE shelf SET books = books + 1 WHERE id = NEW.shelf_id;
END;
ALTER TABLE shelf ADD COLUMN books bigint NOT NULL DEFAULT 0;
INSERT INTO book VALUES (2, 1, 'Dunes')

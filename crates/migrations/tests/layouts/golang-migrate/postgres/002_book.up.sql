BEGIN;
CREATE TABLE book (id bigint PRIMARY KEY, shelf_id bigint NOT NULL REFERENCES shelf (id), title text NOT NULL);
INSERT INTO book VALUES (1, 1, 'Tides');
COMMIT;

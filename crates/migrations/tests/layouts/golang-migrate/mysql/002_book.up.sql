CREATE TABLE book (id bigint PRIMARY KEY, shelf_id bigint NOT NULL, title varchar(100) NOT NULL,
    FOREIGN KEY (shelf_id) REFERENCES shelf (id));
INSERT INTO book VALUES (1, 1, 'Tides');

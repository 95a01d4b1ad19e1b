CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id), total REAL);

CREATE TRIGGER purchase_total AFTER INSERT ON purchase WHEN NEW.total < 0
BEGIN
    UPDATE purchase SET total = 0 WHERE id = NEW.id;
    SELECT 'schema ${flyway:defaultSchema}, table ${flyway:table}';
END;

-- +goose Up
CREATE TABLE price_log (item_id bigint NOT NULL, price integer NOT NULL);
-- +goose StatementBegin
-- Its end has no semicolon: the next line is one.
CREATE TRIGGER item_price AFTER UPDATE ON item FOR EACH ROW
BEGIN
    IF new.price <> old.price THEN
        INSERT INTO price_log (item_id, price) VALUES (new.id, new.price);
    END IF;
END
-- +goose StatementEnd
INSERT INTO price_log SELECT id, price FROM item;

-- +goose Down
-- +goose StatementBegin
DROP TRIGGER item_price;
-- +goose StatementEnd
DROP TABLE price_log;

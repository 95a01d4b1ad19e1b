-- +goose Up
CREATE TABLE price_log (item_id bigint NOT NULL, price integer NOT NULL);
-- +goose StatementBegin
-- Its end has no semicolon: the next line is one.
CREATE FUNCTION log_price() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO price_log (item_id, price) VALUES (new.id, new.price);
    RETURN new;
END;
$body$
-- +goose StatementEnd
INSERT INTO price_log SELECT id, price FROM item;

-- +goose Down
-- +goose StatementBegin
DROP FUNCTION log_price();
-- +goose StatementEnd
DROP TABLE price_log;

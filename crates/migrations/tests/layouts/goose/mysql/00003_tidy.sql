--+goose no transaction
-- +goose up

CREATE INDEX item_name ON item (name);

-- +goose down
DROP INDEX item_name ON item;

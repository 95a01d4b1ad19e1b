--+goose no transaction
-- +goose up

CREATE INDEX CONCURRENTLY item_name ON item (name);

-- +goose down
DROP INDEX CONCURRENTLY item_name;

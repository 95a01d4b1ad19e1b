--+goose no transaction
-- +goose up

VACUUM;

-- +goose down
VACUUM;

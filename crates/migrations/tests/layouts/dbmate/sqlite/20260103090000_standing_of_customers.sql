-- migrate:up
ALTER TABLE customer ADD COLUMN standing text;
UPDATE customer SET standing = 'new';
-- migrate:down
UPDATE customer SET standing = NULL;
ALTER TABLE customer DROP COLUMN standing

-- migrate:up transaction:false
VACUUM
-- migrate:down

-- migrate:up
UPDATE customer SET standing = 'friend' WHERE name LIKE 'Ada%';
-- migrate:down
UPDATE customer SET standing = 'regular' WHERE standing = 'friend' -- the end
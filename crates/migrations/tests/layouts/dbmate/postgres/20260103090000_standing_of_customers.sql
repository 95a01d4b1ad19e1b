-- migrate:up
CREATE TYPE standing AS ENUM ('new', 'regular');
ALTER TABLE customer ADD COLUMN standing standing NOT NULL DEFAULT 'new';
-- migrate:down
ALTER TABLE customer DROP COLUMN standing;
DROP TYPE standing

-- migrate:up
ALTER TYPE standing ADD VALUE 'friend'
-- migrate:down

-- migrate:up
UPDATE customer SET standing = 'friend' WHERE name LIKE 'Ada%';
-- migrate:down
UPDATE customer SET standing = 'regular' WHERE standing = 'friend' -- the end
---- tern: disable-tx ----
CREATE INDEX CONCURRENTLY stock_place ON stock (place);

---- create above / drop below ----
-- The index goes the same way.
---- tern: disable-tx ----
DROP INDEX CONCURRENTLY stock_place;

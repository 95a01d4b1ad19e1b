---- tern: disable-tx ----
CREATE INDEX CONCURRENTLY orders_placed_at ON orders (placed_at);
---- create above / drop below ----

DROP INDEX orders_placed_at;

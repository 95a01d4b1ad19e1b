DROP VIEW IF EXISTS prices;
CREATE VIEW prices AS SELECT id, '${currency}' AS currency FROM orders;

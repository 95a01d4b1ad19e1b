ALTER TABLE stock ADD COLUMN note text;
COMMENT ON TABLE stock IS 'separator: ---- create above and drop below ----';
---- create above / drop below ----
ALTER TABLE stock DROP COLUMN note;
COMMENT ON TABLE stock IS NULL;
---- create above / drop below ----

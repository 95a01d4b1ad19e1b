-- Of products there are none in the first release.
CREATE OR REPLACE VIEW expensive AS SELECT id FROM customer WHERE id > 100;

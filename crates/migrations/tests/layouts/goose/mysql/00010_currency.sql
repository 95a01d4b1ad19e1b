-- +goose Up
-- +goose ENVSUB ON
-- A comment between statements may say $1.
ALTER TABLE item ADD COLUMN currency varchar(3) NOT NULL DEFAULT '${SHOP_CURRENCY:-EUR}';
INSERT INTO item (name, price, currency) VALUES ('${SHOP_GIFT:-Voucher of ${SHOP_NAME:-the shop}}', 1000, '${SHOP_CURRENCY:-EUR}');
UPDATE item SET note = 'costs $$ and \$ $(now)${SHOP_NOTE-}' WHERE name = 'Cup--white';
-- +goose ENVSUB OFF
UPDATE item SET note = '${SHOP_NAME} $1' WHERE note IS NULL;

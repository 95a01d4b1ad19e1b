-- All that V1 to V3 make.
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    greeting text NOT NULL DEFAULT '${greeting}',
    email text
);
COMMENT ON COLUMN customer.email IS 'a price of $${currency} is text, as is $1';
CREATE TABLE "order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer (id),
    currency char(3) NOT NULL DEFAULT '${currency}',
    total numeric(12, 2) NOT NULL DEFAULT 0
);
CREATE FUNCTION add_to_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- ${currency} is a value here too
    IF NEW.total < 0 THEN
        RAISE EXCEPTION 'a total is not negative; % is', NEW.total;
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER check_total BEFORE INSERT OR UPDATE ON "order" FOR EACH ROW EXECUTE FUNCTION add_to_order();
CREATE INDEX order_customer ON "order" (customer_id);
CREATE TABLE template (name text PRIMARY KEY, text text NOT NULL);
INSERT INTO template VALUES ('invoice', 'Dear $${name}, you owe us $${total}.');
UPDATE template SET text = replace(text, '$$', '$');
GRANT SELECT ON customer, template TO ${reader};

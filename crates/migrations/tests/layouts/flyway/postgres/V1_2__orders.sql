CREATE TABLE "order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer (id),
    currency char(3) NOT NULL DEFAULT '${CURRENCY}',
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

CREATE FUNCTION count_books(of_shelf bigint) RETURNS bigint LANGUAGE plpgsql AS $body$
BEGIN
    -- one shelf; not all
    RETURN (SELECT count(*) FROM book WHERE shelf_id = of_shelf);
END;
$body$;
ALTER TABLE shelf ADD COLUMN books bigint;
UPDATE shelf SET books = count_books(id)

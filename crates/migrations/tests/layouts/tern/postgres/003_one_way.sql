CREATE FUNCTION free_places() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM stock);
END;
$$;

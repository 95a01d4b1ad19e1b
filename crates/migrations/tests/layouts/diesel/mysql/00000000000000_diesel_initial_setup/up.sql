-- The first one.
SELECT 1;

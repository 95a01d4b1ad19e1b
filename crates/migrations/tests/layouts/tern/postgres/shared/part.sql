-- A template that nobody includes.
SELECT 1;

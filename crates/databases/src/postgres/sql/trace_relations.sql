SELECT c.oid, CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN '' ELSE n.nspname::text END, c.relname::text,
       c.relkind::text, c.relfilenode, coalesce(i.indrelid, 0), pg_catalog.pg_stat_get_xact_numscans(c.oid),
       CASE WHEN c.relispartition THEN (SELECT p.inhparent FROM pg_catalog.pg_inherits p WHERE p.inhrelid = c.oid LIMIT 1) ELSE 0 END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'

WITH own AS (
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), member AS (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
), found AS (
    SELECT DISTINCT 3 AS place, d.classid, d.objid FROM pg_catalog.pg_depend d JOIN own ON own.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.deptype = 'n' AND d.objsubid = 0
      AND d.classid <> 'pg_catalog.pg_extension'::regclass AND d.classid <> 'pg_catalog.pg_default_acl'::regclass
    UNION ALL
    SELECT 1, 'pg_catalog.pg_event_trigger'::regclass, e.oid FROM pg_catalog.pg_event_trigger e
    UNION ALL
    SELECT 2, 'pg_catalog.pg_publication'::regclass, p.oid FROM pg_catalog.pg_publication p
    UNION ALL
    SELECT 4, 'pg_catalog.pg_foreign_data_wrapper'::regclass, f.oid FROM pg_catalog.pg_foreign_data_wrapper f
    UNION ALL
    SELECT 5, 'pg_catalog.pg_extension'::regclass, e.oid FROM pg_catalog.pg_extension e WHERE e.extname <> 'plpgsql'
    UNION ALL
    SELECT 6, 'pg_catalog.pg_namespace'::regclass, own.oid FROM own
)
SELECT (pg_catalog.pg_identify_object(found.classid, found.objid, 0)).type,
       (pg_catalog.pg_identify_object(found.classid, found.objid, 0)).identity
FROM found
WHERE NOT EXISTS (SELECT FROM member WHERE member.classid = found.classid AND member.objid = found.objid)
ORDER BY found.place, 1, 2

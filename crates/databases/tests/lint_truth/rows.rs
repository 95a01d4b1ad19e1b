//! A few rows in every table, by the types of its columns: each value another one, and none that an example writes.

use forerun_migrations::trace::Tracer;
use forerun_sql::Dialect;

const POSTGRES: &str = "
SELECT format('INSERT INTO %s (%s) SELECT %s FROM generate_series(41, 60) g', c.oid::regclass,
              string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
              string_agg(format('(%s)::%s', CASE
                  WHEN t.typcategory = 'N' THEN 'g'
                  WHEN t.typcategory = 'S' THEN 'g || ''@'''
                  WHEN t.typcategory = 'B' THEN 'true'
                  WHEN t.typcategory = 'D' THEN 'date ''2026-01-01'' + g::int'
                  WHEN t.typcategory = 'E' THEN format('(enum_range(NULL::%s))[1]', t.oid::regtype)
                  WHEN t.typcategory = 'A' THEN '''{}'''
                  WHEN t.typname IN ('json', 'jsonb') THEN '''{}'''
                  WHEN t.typname = 'uuid' THEN 'gen_random_uuid()'
                  ELSE 'NULL' END, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     AND a.attidentity = ''
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY c.oid ORDER BY c.oid";

const MARIADB: &str = "
SELECT CONCAT('INSERT INTO `', TABLE_NAME, '` (', GROUP_CONCAT('`', COLUMN_NAME, '`' ORDER BY ORDINAL_POSITION), ') SELECT ',
              GROUP_CONCAT(CASE
                  WHEN DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double')
                      THEN 'seq'
                  WHEN DATA_TYPE IN ('enum', 'set') THEN '1'
                  WHEN DATA_TYPE IN ('date', 'datetime', 'timestamp') THEN '''2026-01-01'''
                  WHEN DATA_TYPE = 'uuid' THEN 'uuid()'
                  WHEN DATA_TYPE LIKE '%char' OR DATA_TYPE LIKE '%text' THEN 'CONCAT(''\"'', seq, ''\"'')'
                  ELSE 'NULL' END ORDER BY ORDINAL_POSITION),
              ' FROM seq_41_to_60')
FROM information_schema.COLUMNS JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME)
WHERE TABLE_SCHEMA = DATABASE() AND EXTRA NOT LIKE '%GENERATED%' AND TABLE_TYPE = 'BASE TABLE'
GROUP BY TABLE_NAME ORDER BY CREATE_TIME, TABLE_NAME";

/// Fills the tables as far as their constraints let it; a table may depend on another one that comes later.
pub async fn fill(dialect: Dialect, tracer: &mut Tracer) {
    let made = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MARIADB,
        Dialect::Sqlite => return,
    };
    let session = tracer.observer().session();
    let inserts = session.rows(made).await.expect("reads the catalog");
    let inserts: Vec<String> = inserts.into_iter().flatten().flatten().collect();
    let mut left = inserts;
    for _ in 0..2 {
        let mut again = Vec::new();
        for insert in left {
            if session.run(&insert).await.is_err() {
                again.push(insert);
            }
        }
        left = again;
    }
    for insert in left {
        eprintln!("no rows: {insert}");
    }
}

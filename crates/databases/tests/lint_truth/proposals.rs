//! What is proposed for statements that say more than the examples of the rules: it runs, and at its end the database has all
//! that was asked for.

use forerun_sql::Dialect;
use forerun_sql::lint::{Example, rule};

use crate::offered;
use crate::scratch::Scratch;

/// A statement, what it says more, and a question that fails where that is not there in the end.
struct Case {
    rule: &'static str,
    before: &'static str,
    found: &'static str,
    then: &'static str,
}

const ORDERS: &str =
    "CREATE SCHEMA app; CREATE TABLE app.orders (id bigint PRIMARY KEY, note text, total int);";

const ON_POSTGRES: &[Case] = &[
    Case {
        rule: "bc-rename-table",
        before: ORDERS,
        found: "ALTER TABLE app.orders RENAME TO purchases;",
        then: "SELECT id, note FROM app.purchases;",
    },
    Case {
        rule: "bc-rename-view",
        before: "CREATE SCHEMA app; CREATE VIEW app.ones AS SELECT 1 AS one;",
        found: "ALTER VIEW app.ones RENAME TO units;",
        then: "SELECT one FROM app.units;",
    },
    Case {
        rule: "pg-add-column-serial",
        before: ORDERS,
        found: "ALTER TABLE app.orders ADD COLUMN number serial, ADD COLUMN zone text;",
        then: "INSERT INTO app.orders (id, zone) SELECT 7, 'a' WHERE nextval(pg_get_serial_sequence('app.orders', 'number')) > 0;",
    },
    Case {
        rule: "pg-add-column-serial",
        before: ORDERS,
        found: "ALTER TABLE app.orders ADD COLUMN number int GENERATED ALWAYS AS IDENTITY;",
        then: "SELECT nextval(pg_get_serial_sequence('app.orders', 'number'));",
    },
    Case {
        rule: "pg-concurrently-partitioned",
        before: "CREATE SCHEMA app; CREATE TABLE app.visits (day int NOT NULL) PARTITION BY RANGE (day);\n\
                 CREATE TABLE app.visits_1 PARTITION OF app.visits FOR VALUES FROM (1) TO (9);",
        found: "CREATE INDEX CONCURRENTLY visits_day ON app.visits (day);",
        then: "SELECT 1 / (indisvalid::int) FROM pg_index WHERE indexrelid = 'app.visits_day'::regclass;",
    },
    Case {
        rule: "pg-unique-constraint",
        before: ORDERS,
        found: "ALTER TABLE app.orders ADD CONSTRAINT once UNIQUE (note) DEFERRABLE INITIALLY DEFERRED;",
        then: "SELECT 1 / (condeferrable AND condeferred)::int FROM pg_constraint WHERE conname = 'once';",
    },
    Case {
        rule: "pg-unique-constraint",
        before: ORDERS,
        found: "ALTER TABLE app.orders ADD CONSTRAINT once UNIQUE NULLS NOT DISTINCT (note);",
        then: "SELECT 1 / indnullsnotdistinct::int FROM pg_index WHERE indexrelid = 'app.once'::regclass;",
    },
    Case {
        rule: "pg-unique-constraint",
        before: ORDERS,
        found: "ALTER TABLE app.orders ADD CONSTRAINT once UNIQUE (note) INCLUDE (total) WITH (fillfactor=70) USING INDEX TABLESPACE pg_default;",
        then: "SELECT 1 / (indnatts = 2 AND indnkeyatts = 1 AND reloptions = '{fillfactor=70}')::int\n\
               FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indexrelid = 'app.once'::regclass;",
    },
    Case {
        rule: "pg-primary-key",
        before: "CREATE TABLE visits (id int NOT NULL, note text);",
        found: "ALTER TABLE visits ADD PRIMARY KEY (id) INCLUDE (note) DEFERRABLE;",
        then: "SELECT 1 / (condeferrable)::int FROM pg_constraint WHERE conname = 'visits_pkey';",
    },
    Case {
        rule: "pg-fk-index",
        before: "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY);",
        found: "ALTER TABLE orders ADD COLUMN customer_id bigint REFERENCES customers, ADD COLUMN note text;",
        then: "SELECT customer_id, note, 1 / convalidated::int FROM orders, pg_constraint WHERE conname = 'orders_customer_id_fkey';",
    },
    Case {
        rule: "dd-unique-duplicates",
        before: ORDERS,
        found: "CREATE UNIQUE INDEX CONCURRENTLY once ON app.orders (note) NULLS NOT DISTINCT WHERE total > 0;",
        then: "SELECT 'app.once'::regclass;",
    },
    Case {
        rule: "pg-index-concurrently",
        before: ORDERS,
        found: "ALTER TABLE app.orders ADD COLUMN zone text;\nCREATE INDEX by_zone ON app.orders (zone);\n\
                CREATE INDEX IF NOT EXISTS by_note ON app.orders (note);\nCOMMENT ON INDEX app.by_note IS 'x';",
        then: "SELECT 'app.by_zone'::regclass, 'app.by_note'::regclass;",
    },
];

const ON_MARIADB: &[Case] = &[
    Case {
        rule: "my-copy",
        before: "CREATE TABLE a (id int PRIMARY KEY, s int, n int);",
        found: "alter table a add column d int, add column u char(36) default (uuid());",
        then: "SELECT d, u FROM a;",
    },
    Case {
        rule: "my-copy",
        before: "CREATE TABLE a (id int PRIMARY KEY, s int, n int);",
        found: "ALTER TABLE a MODIFY s bigint, ADD COLUMN z int;",
        then: "SELECT s_new, z FROM a;",
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE a (id int PRIMARY KEY, s int, n int);",
        found: "ALTER TABLE a RENAME COLUMN s TO t, ADD COLUMN z int;",
        then: "SELECT t, z FROM a;",
    },
    Case {
        rule: "my-fk-add",
        before: "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, u_id int);",
        found: "ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (u_id) REFERENCES u (id), ADD COLUMN z int;",
        then: "SELECT z FROM a;",
    },
    Case {
        rule: "bc-drop-column",
        before: "CREATE TABLE a (id int PRIMARY KEY, s int, n int);",
        found: "ALTER TABLE a DROP COLUMN s, ADD COLUMN z int, DROP COLUMN n;",
        then: "SELECT id, z FROM a;",
    },
];

async fn nothing_is_lost(dialect: Dialect, cases: &'static [Case]) {
    let Some(scratch) = Scratch::of(dialect) else {
        return;
    };
    let mut wrong = Vec::new();
    for case in cases {
        let example = Example {
            dialect,
            before: case.before,
            found: case.found,
            instead: &[],
            claims: &[],
        };
        let all = offered(rule(case.rule).expect("is a rule"), &example);
        if all.is_empty() {
            wrong.push(format!("{}: nothing for {:?}", case.rule, case.found));
        }
        for offered in all {
            let mut files: Vec<&str> = offered.iter().map(String::as_str).collect();
            files.push(case.then);
            if let Err(error) = scratch.trace(case.before, &files).await {
                wrong.push(format!("{}: {error}\n  of {files:?}", case.rule));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn on_postgres_what_is_offered_does_all_that_was_asked_for() {
    nothing_is_lost(Dialect::Postgres, ON_POSTGRES).await;
}

#[tokio::test]
async fn on_mariadb_what_is_offered_does_all_that_was_asked_for() {
    nothing_is_lost(Dialect::Mysql, ON_MARIADB).await;
}

//! Judged with the catalog of the target: views, and what a database says that they use; partitions.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

mod adopted;

use adopted::{adopted, expect, found, json, lint, message};
use forerun_test_support::{PostgresServer, ScratchProject};

#[test]
fn views_and_expressions_are_of_their_columns() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE SCHEMA app; CREATE TABLE app.customers (email text, name varchar(20)); \
         CREATE TABLE customers (email text, name varchar(20)); CREATE VIEW v AS SELECT name FROM customers; \
         CREATE INDEX ON customers (lower(email)); CREATE INDEX ON app.customers (email, (email || name))",
    );
    let project = adopted(
        &database.url,
        "ALTER TABLE customers ALTER COLUMN name TYPE varchar(50);\n\
         ALTER TABLE app.customers ALTER COLUMN name TYPE varchar(50);\n",
    );
    expect(
        &found(&json(&lint(&project))),
        &["1 pg-alter-type-dependents", "2 pg-alter-type"],
        &["1 pg-alter-type", "2 pg-alter-type-dependents"],
    );
}

#[test]
fn what_a_view_uses_the_database_knows() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", &database.url);
    project.migration(
        "0001_before.sql",
        "CREATE TABLE customers (cid uuid PRIMARY KEY, email varchar(20), total varchar(9));\n\
         CREATE TABLE other (cid uuid, total varchar(9));\n\
         CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM customers;\n\
         CREATE VIEW joined AS SELECT c.email, o.total FROM customers c JOIN other o ON o.cid = c.cid;\n\
         CREATE VIEW early AS SELECT * FROM other;\n\
         ALTER TABLE other ADD COLUMN late varchar(9);\n",
    );
    let _ = project
        .run(&["migrate", "up", "--lint", "off"])
        .expect_code(0);
    project.migration(
        "0002_pending.sql",
        "ALTER TABLE customers ALTER COLUMN total TYPE varchar(10);\n\
         ALTER TABLE customers ALTER COLUMN email TYPE varchar(30);\n\
         ALTER TABLE other ALTER COLUMN late TYPE varchar(10);\n\
         ALTER TABLE customers DROP COLUMN total;\n\
         ALTER TABLE other DROP COLUMN total;\n",
    );
    let document = json(&lint(&project));
    expect(
        &found(&document),
        &["2 pg-alter-type-dependents", "5 pg-drop-used-column"],
        &[
            "1 pg-alter-type-dependents",
            "3 pg-alter-type-dependents",
            "4 pg-drop-used-column",
        ],
    );
    assert_eq!(
        message(&document, "pg-drop-used-column"),
        "PostgreSQL refuses this: view `early` and view `joined` use `other.total`"
    );
}

#[test]
fn what_is_proposed_for_a_column_that_a_view_uses_runs() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE a (id int PRIMARY KEY, s int, n int); CREATE VIEW v AS SELECT s FROM a; \
         CREATE MATERIALIZED VIEW w AS SELECT s + 1 AS t FROM v;",
    );
    let project = adopted(&database.url, "ALTER TABLE a DROP COLUMN s;\n");
    let document = json(&lint(&project));
    for rule in ["pg-drop-used-column", "bc-drop-column"] {
        let mut findings = document["findings"].as_array().unwrap().iter();
        let finding = findings.find(|one| one["rule"] == rule).unwrap();
        let instead = finding["instead"][0].as_str().unwrap();
        database.execute(&format!("BEGIN; {instead}\n; ROLLBACK;"));
    }
    let refused = database.query(
        "SELECT count(*) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         WHERE a.attname = 's' AND a.attrelid = 'a'::regclass AND d.classid = 'pg_rewrite'::regclass",
    );
    assert_eq!(refused.trim(), "1");
}

#[test]
fn an_index_of_a_partitioned_table_is_proposed_by_partition() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE SCHEMA app; CREATE TABLE app.part (id int, d date, v int) PARTITION BY RANGE (d); \
         CREATE TABLE app.y PARTITION OF app.part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id); \
         CREATE TABLE app.y_1 PARTITION OF app.y FOR VALUES IN (1); \
         CREATE TABLE hollow (id int) PARTITION BY RANGE (id);",
    );
    let project = adopted(
        &database.url,
        "CREATE UNIQUE INDEX pv ON app.part USING btree (d, id);\nCREATE INDEX h ON hollow (id);\n",
    );
    let document = json(&lint(&project));
    expect(
        &found(&document),
        &["1 pg-index-concurrently"],
        &["2 pg-index-concurrently"],
    );
    let findings = document["findings"].as_array().unwrap().iter();
    let mut own = findings.filter(|one| one["rule"] == "pg-index-concurrently");
    let instead = own.next().unwrap()["instead"].as_array().unwrap().clone();
    for statement in &instead {
        database.execute(statement.as_str().unwrap());
    }
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.pv'::regclass";
    assert_eq!(database.query(valid).trim(), "t");
}

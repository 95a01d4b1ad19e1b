//! Migrations as teams, frameworks and dump programs write them: what is no alarm, and what is one.

use super::{judge, script};
use crate::Dialect::{self, Mysql, Postgres, Sqlite};
use crate::lint::{Finding, Linter, Settings, unknown};

const ORDERS: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, state varchar(20) DEFAULT NULL, note text);";

fn findings(dialect: Dialect, before: &[&str], text: &str) -> Vec<Finding> {
    let mut linter = Linter::new(dialect, Settings::default());
    before
        .iter()
        .for_each(|before| linter.learn(&script(dialect, before)));
    judge(&mut linter, dialect, text)
}

fn found(dialect: Dialect, before: &[&str], text: &str) -> Vec<&'static str> {
    let findings = findings(dialect, before, text);
    findings.iter().map(|finding| finding.rule.id).collect()
}

fn nothing(dialect: Dialect, before: &[&str], text: &str) {
    assert_eq!(found(dialect, before, text), [""; 0], "{text}");
}

/// What is proposed for the first finding of this rule.
fn instead(dialect: Dialect, before: &[&str], text: &str, rule: &str) -> Vec<String> {
    let findings = findings(dialect, before, text);
    let mut own = findings.iter().filter(|finding| finding.rule.id == rule);
    own.next().unwrap().instead.clone()
}

#[test]
fn a_dump_that_makes_itself_room_drops_nothing() {
    for dialect in [Postgres, Mysql, Sqlite] {
        let dump = format!("DROP TABLE IF EXISTS orders;\n{ORDERS}\nDROP VIEW IF EXISTS v;");
        nothing(dialect, &[], &dump);
    }
    let later = ["CREATE TABLE other (id bigint PRIMARY KEY);"];
    let drop = "DROP TABLE IF EXISTS orders;";
    assert_eq!(found(Mysql, &later, drop), ["bc-drop-table"]);
    assert_eq!(found(Mysql, &[], "DROP TABLE orders;"), ["bc-drop-table"]);
}

#[test]
fn a_table_that_is_made_anew_without_its_rows_is_told() {
    let anew = format!("DROP TABLE orders;\n{ORDERS}");
    for dialect in [Postgres, Sqlite] {
        assert_eq!(found(dialect, &[ORDERS], &anew), ["bc-drop-table"]);
    }
    let replaced = "CREATE OR REPLACE TABLE orders (id bigint PRIMARY KEY);";
    assert_eq!(found(Mysql, &[ORDERS], replaced), ["bc-drop-table"]);
    // As Rails does it on SQLite.
    let copied = format!(
        "CREATE TEMPORARY TABLE aorders AS SELECT * FROM orders;\n{anew}\n\
         INSERT INTO orders SELECT * FROM aorders;\nDROP TABLE aorders;"
    );
    nothing(Sqlite, &[ORDERS], &copied);
}

#[test]
fn a_table_made_anew_outside_of_a_transaction_is_missed_meanwhile() {
    // As Prisma does it.
    let rebuilt = "PRAGMA foreign_keys=OFF;\nCREATE TABLE new_orders (id bigint PRIMARY KEY, state varchar(20), note text);\n\
                   INSERT INTO new_orders SELECT * FROM orders;\nDROP TABLE orders;\n\
                   ALTER TABLE new_orders RENAME TO orders;\nPRAGMA foreign_keys=ON;";
    let script = script(Sqlite, rebuilt);
    let mut linter = Linter::new(Sqlite, Settings::default());
    linter.learn(&super::script(Sqlite, ORDERS));
    let findings = linter.judge(&crate::lint::File {
        name: "0002_x.sql",
        script: &script,
        contract: false,
        transaction: false,
    });
    let dropped = findings
        .iter()
        .find(|finding| finding.rule.id == "bc-drop-table")
        .unwrap();
    // A contract file would not help: it is the transaction that is missing.
    assert!(dropped.message.contains("until the new table"));
    assert_eq!(dropped.instead, [""; 0]);
}

#[test]
fn default_null_is_no_default_that_goes() {
    let modified = "ALTER TABLE orders MODIFY state varchar(20), ALGORITHM=INSTANT;";
    nothing(Mysql, &[ORDERS], modified);
}

#[test]
fn a_type_that_gives_way_to_a_wider_one_is_not_renamed() {
    let before = [
        "CREATE TYPE mood AS ENUM ('good', 'bad');\nCREATE TABLE days (id bigint PRIMARY KEY, mood mood);",
    ];
    let swap = |labels: &str| {
        format!(
            "ALTER TYPE mood RENAME TO mood_old;\nCREATE TYPE mood AS ENUM ({labels});\n\
             ALTER TABLE days ALTER COLUMN mood TYPE mood USING mood::text::mood;\nDROP TYPE mood_old;"
        )
    };
    let wider = found(Postgres, &before, &swap("'good', 'fair', 'bad'"));
    assert!(wider.contains(&"pg-alter-type"), "{wider:?}");
    let named = |list: &[&str]| {
        list.iter()
            .any(|id| id.ends_with("-type") && id.starts_with("bc-drop"))
            || list.contains(&"bc-rename-type")
    };
    assert!(!named(&wider), "{wider:?}");
    let narrower = found(Postgres, &before, &swap("'good'"));
    assert!(narrower.contains(&"bc-remove-enum-value"), "{narrower:?}");
    assert!(!named(&narrower), "{narrower:?}");
}

#[test]
fn what_a_dump_makes_has_no_owner_or_right_before() {
    let dump = "CREATE SCHEMA app;\nCREATE SEQUENCE app.ids;\nALTER TABLE app.ids OWNER TO postgres;\n\
                CREATE TABLE app.notes (id bigint PRIMARY KEY);\n\
                REVOKE ALL ON SCHEMA app FROM PUBLIC;\nREVOKE ALL ON SEQUENCE app.ids FROM PUBLIC;\n\
                REVOKE ALL ON TABLE app.notes FROM PUBLIC;\nREVOKE ALL ON \"app\".\"notes\" FROM PUBLIC;";
    nothing(Postgres, &[ORDERS], dump);
    for revoke in [
        "REVOKE ALL ON orders FROM app;",
        "REVOKE ALL ON SCHEMA public FROM app;",
        "REVOKE ALL ON FUNCTION f(int) FROM app;",
        "REVOKE admins FROM app;",
    ] {
        assert_eq!(
            found(Postgres, &[ORDERS], revoke),
            ["bc-privileges"],
            "{revoke}"
        );
    }
}

#[test]
fn a_transaction_around_the_whole_file_is_told_once() {
    let whole = "BEGIN;\nCREATE TABLE notes (id bigint PRIMARY KEY);\nCOMMIT;";
    assert_eq!(found(Postgres, &[], whole), ["x-tx-control"]);
    let parts = "BEGIN;\nCREATE TABLE a (id bigint PRIMARY KEY);\nCOMMIT;\nBEGIN;\n\
                 CREATE TABLE b (id bigint PRIMARY KEY);\nCOMMIT;";
    assert_eq!(found(Postgres, &[], parts).len(), 4);
    // Where the file is not one transaction, each of these commits together with what is recorded of it.
    let outside = format!("{parts}\nREINDEX INDEX CONCURRENTLY a_pkey;");
    let controls = |text: &str| {
        let found = found(Postgres, &[], text);
        found.iter().filter(|id| **id == "x-tx-control").count()
    };
    assert_eq!(controls(&outside), 0);
    assert_eq!(controls(&format!("{outside}\nCOMMIT;")), 1);
    assert_eq!(controls(&format!("{outside}\nBEGIN;")), 1);
}

#[test]
fn partitions_are_dropped_with_their_rows() {
    let before = [
        "CREATE TABLE visits (day int PRIMARY KEY) PARTITION BY RANGE (day) (PARTITION p1 VALUES LESS THAN (9));",
    ];
    for word in ["DROP", "TRUNCATE"] {
        let text = format!("ALTER TABLE visits {word} PARTITION p1;");
        let found = found(Mysql, &before, &text);
        assert!(found.contains(&"ds-truncate"), "{found:?}");
    }
}

#[test]
fn what_is_proposed_for_an_index_says_when_it_need_not_be_there() {
    let dropped = instead(
        Postgres,
        &[ORDERS],
        "DROP INDEX IF EXISTS orders_note;",
        "pg-drop-index-concurrently",
    );
    assert_eq!(dropped, ["DROP INDEX CONCURRENTLY IF EXISTS orders_note;"]);
    let made = "CREATE INDEX IF NOT EXISTS orders_note ON orders (note);";
    assert_eq!(
        instead(Postgres, &[ORDERS], made, "pg-index-concurrently"),
        ["CREATE INDEX CONCURRENTLY orders_note ON orders (note);"]
    );
}

#[test]
fn what_the_server_would_refuse_is_not_proposed() {
    let copied = "ALTER TABLE orders MODIFY id int NOT NULL, ALGORITHM=COPY;";
    assert_eq!(
        instead(Mysql, &[ORDERS], copied, "my-explicit-lock"),
        [""; 0]
    );
}

#[test]
fn the_rule_that_was_meant_is_named() {
    for (id, meant) in [
        ("drop-colunm", "`bc-drop-column`"),
        ("index-concurrently", "`pg-index-concurrently`"),
        ("pg-indx", "`pg-index-concurrently`"),
        (
            "require-concurrent-index-creation",
            "`pg-index-concurrently`",
        ),
    ] {
        assert!(unknown(id).contains(meant), "{}", unknown(id));
    }
    for id in ["no-such-rule", "squash", "x"] {
        assert!(!unknown(id).contains("did you mean"), "{}", unknown(id));
    }
}

#[test]
fn all_views_give_way_to_another_type() {
    let before = [
        "CREATE TABLE sales (id bigint PRIMARY KEY, total numeric(10, 2));",
        "CREATE VIEW big AS SELECT id, total FROM sales;\n\
         CREATE MATERIALIZED VIEW sums AS SELECT sum(total) AS total FROM sales;",
    ];
    let change = "ALTER TABLE sales ALTER COLUMN total TYPE numeric(12, 2);";
    assert_eq!(
        instead(Postgres, &before, change, "pg-alter-type-dependents"),
        [format!(
            "DROP VIEW big;\nDROP MATERIALIZED VIEW sums;\n{change}\n\
             CREATE MATERIALIZED VIEW sums AS SELECT sum(total) AS total FROM sales;\n\
             CREATE VIEW big AS SELECT id, total FROM sales;"
        )]
    );
}

#[test]
fn an_index_leaves_its_column_in_the_migration_before() {
    let file = "BEGIN;\nALTER TABLE orders ADD COLUMN region text;\nCREATE INDEX IF NOT EXISTS by_region ON orders (region);\n\
                CREATE INDEX by_note ON orders (note);\nCOMMENT ON COLUMN orders.region IS 'where';\nCOMMIT;";
    let rule = "pg-index-concurrently";
    assert_eq!(
        instead(Postgres, &[ORDERS], file, rule),
        [
            "ALTER TABLE orders ADD COLUMN region text;",
            "CREATE INDEX CONCURRENTLY by_region ON orders (region);",
            "CREATE INDEX CONCURRENTLY by_note ON orders (note);",
            "COMMENT ON COLUMN orders.region IS 'where';",
        ]
    );
    // Nothing before it that it could need.
    let alone = "UPDATE orders SET note = '' WHERE id = 1;\nCREATE INDEX by_note ON orders (note);\nDROP TABLE orders;";
    assert_eq!(
        instead(Postgres, &[ORDERS], alone, rule),
        ["CREATE INDEX CONCURRENTLY by_note ON orders (note);"]
    );
}

#[test]
fn a_new_column_refuses_null_when_everybody_writes_it() {
    let file = "ALTER TABLE orders ADD COLUMN region text, ADD COLUMN zone text, ALTER COLUMN region SET NOT NULL;\n\
                COMMENT ON COLUMN orders.region IS 'where';";
    assert_eq!(
        instead(Postgres, &[ORDERS], file, "bc-required-column"),
        [
            "ALTER TABLE orders ADD COLUMN region text, ADD COLUMN zone text;\nCOMMENT ON COLUMN orders.region IS 'where';",
            "-- forerun:contract unused-since=<release>\n\
             ALTER TABLE orders ADD CONSTRAINT orders_region_not_null CHECK (region IS NOT NULL) NOT VALID;",
            "-- forerun:data\n-- forerun:no-transaction\n-- one such statement for each range of keys\n\
             UPDATE orders SET region = <value> WHERE id BETWEEN 1 AND 10000 AND region IS NULL;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_region_not_null;",
            "ALTER TABLE orders ALTER COLUMN region SET NOT NULL;\n\
             ALTER TABLE orders DROP CONSTRAINT orders_region_not_null;",
        ]
    );
}

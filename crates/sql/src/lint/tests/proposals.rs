//! What is written instead of a statement or a file: nothing of it is lost, and all of it is what was asked for.

use super::{in_transaction, judge, script};
use crate::Dialect::{self, Mysql, Postgres, Sqlite};
use crate::lint::{File, Finding, Linter, Replaces, Server, Settings};

fn findings(settings: Settings, dialect: Dialect, before: &[&str], text: &str) -> Vec<Finding> {
    let mut linter = Linter::new(dialect, settings);
    before
        .iter()
        .for_each(|before| linter.learn(&script(dialect, before)));
    judge(&mut linter, dialect, text)
}

/// What is proposed for the first finding of a rule, and in place of what.
fn proposed(dialect: Dialect, before: &str, text: &str, rule: &str) -> (Replaces, Vec<String>) {
    let findings = findings(Settings::default(), dialect, &[before], text);
    let mut own = findings.into_iter().filter(|one| one.rule.id == rule);
    let own = own.next().unwrap_or_else(|| panic!("{rule}: {text}"));
    (own.replaces, own.instead)
}

fn of_statement(dialect: Dialect, before: &str, text: &str, rule: &str) -> Vec<String> {
    let (replaces, files) = proposed(dialect, before, text, rule);
    assert_eq!(replaces, Replaces::Statement, "{text}");
    files
}

const ORDERS: &str = "CREATE SCHEMA app;\nCREATE TABLE app.orders (id bigint PRIMARY KEY, note text, total int);\n\
                      CREATE VIEW app.sums AS SELECT id, total FROM app.orders;";

#[test]
fn what_is_in_a_schema_is_proposed_with_it() {
    let table = "ALTER TABLE app.orders RENAME TO purchases;";
    assert_eq!(
        of_statement(Postgres, ORDERS, table, "bc-rename-table")[0],
        format!("{table}\nCREATE VIEW app.orders AS SELECT * FROM app.purchases;")
    );
    let view = "ALTER VIEW app.sums RENAME TO totals;";
    assert_eq!(
        of_statement(Postgres, ORDERS, view, "bc-rename-view")[0],
        format!("{view}\nCREATE VIEW app.sums AS SELECT * FROM app.totals;")
    );
    for serial in ["serial", "int GENERATED ALWAYS AS IDENTITY"] {
        let column = format!("ALTER TABLE app.orders ADD COLUMN k {serial};");
        let files = of_statement(Postgres, ORDERS, &column, "pg-add-column-serial");
        assert!(
            files[0].contains("\nCREATE SEQUENCE app.orders_k_seq OWNED BY app.orders.k;")
                && files[0].ends_with("SET DEFAULT nextval('app.orders_k_seq');")
                && files[1].contains("SET k = nextval('app.orders_k_seq')"),
            "{files:?}"
        );
    }
    let renamed = "RENAME TABLE app.clients TO app.customers;";
    assert_eq!(
        of_statement(
            Mysql,
            "CREATE TABLE app.clients (id int PRIMARY KEY);",
            renamed,
            "bc-rename-table"
        )[0],
        "CREATE VIEW app.customers AS SELECT * FROM app.clients;"
    );
}

#[test]
fn a_unique_constraint_stays_what_it_is() {
    let before = "CREATE TABLE a (id bigint PRIMARY KEY, note text, total int);";
    for (written, index, constraint) in [
        (
            "(note) DEFERRABLE INITIALLY DEFERRED",
            "(note)",
            " DEFERRABLE INITIALLY DEFERRED",
        ),
        ("NULLS NOT DISTINCT (note)", "(note) NULLS NOT DISTINCT", ""),
        (
            "NULLS DISTINCT (note) NOT DEFERRABLE",
            "(note)",
            " NOT DEFERRABLE",
        ),
        (
            "(note) INCLUDE (total, \"Id\") WITH (fillfactor = 70, a.b=off) USING INDEX TABLESPACE fast",
            "(note) INCLUDE (total, \"Id\") WITH (fillfactor = 70, a.b = off) TABLESPACE fast",
            "",
        ),
    ] {
        let text = format!("ALTER TABLE a ADD CONSTRAINT u UNIQUE {written};");
        assert_eq!(
            of_statement(Postgres, before, &text, "pg-unique-constraint"),
            [
                format!("CREATE UNIQUE INDEX CONCURRENTLY u ON a {index};"),
                format!("ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX u{constraint};"),
            ]
        );
    }
    let column = "ALTER TABLE a ADD COLUMN x int UNIQUE NULLS NOT DISTINCT DEFERRABLE;";
    assert_eq!(
        of_statement(Postgres, before, column, "pg-unique-constraint"),
        [
            "ALTER TABLE a ADD COLUMN x int;",
            "CREATE UNIQUE INDEX CONCURRENTLY a_x_key ON a (x) NULLS NOT DISTINCT;",
            "ALTER TABLE a ADD CONSTRAINT a_x_key UNIQUE USING INDEX a_x_key DEFERRABLE;",
        ]
    );
    let key = "ALTER TABLE a ADD CONSTRAINT k PRIMARY KEY (id) INCLUDE (note) DEFERRABLE;";
    let files = of_statement(
        Postgres,
        "CREATE TABLE a (id bigint NOT NULL, note text);",
        key,
        "pg-primary-key",
    );
    assert_eq!(
        files,
        [
            "CREATE UNIQUE INDEX CONCURRENTLY k ON a (id) INCLUDE (note);",
            "ALTER TABLE a ADD CONSTRAINT k PRIMARY KEY USING INDEX k DEFERRABLE;",
        ]
    );
}

#[test]
fn duplicates_are_counted_as_the_index_counts_them() {
    let before = "CREATE TABLE a (id bigint PRIMARY KEY, note text, total int);";
    let asked = |text: &str| {
        let files = of_statement(Postgres, before, text, "dd-unique-duplicates");
        let query = files.first().and_then(|file| file.lines().nth(1));
        query.unwrap_or_default().to_owned()
    };
    assert_eq!(
        asked("ALTER TABLE a ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (note);"),
        "SELECT note FROM a GROUP BY note HAVING count(*) > 1 LIMIT 1;"
    );
    assert_eq!(
        asked("CREATE UNIQUE INDEX u ON a (note) NULLS NOT DISTINCT WHERE total > 0 OR id = 1;"),
        "SELECT note FROM a WHERE (total > 0 OR id = 1) GROUP BY note HAVING count(*) > 1 LIMIT 1;"
    );
    assert_eq!(
        asked("CREATE UNIQUE INDEX u ON a (note) WHERE total > 0;"),
        "SELECT note FROM a WHERE note IS NOT NULL AND (total > 0) GROUP BY note HAVING count(*) > 1 LIMIT 1;"
    );
    assert_eq!(asked("CREATE UNIQUE INDEX u ON a (note, lower(note));"), "");
    // Each row has the same NULL in a new column.
    let new = "ALTER TABLE a ADD COLUMN x int UNIQUE NULLS NOT DISTINCT;";
    assert_eq!(
        asked(&format!("{new}\nCREATE UNIQUE INDEX u ON a (total);")),
        "SELECT total FROM a WHERE total IS NOT NULL GROUP BY total HAVING count(*) > 1 LIMIT 1;"
    );
}

#[test]
fn an_index_for_a_foreign_key_comes_with_the_key() {
    let rule = "pg-fk-index";
    let examples = crate::lint::rule(rule).unwrap().examples;
    for example in examples {
        let files = of_statement(Postgres, example.before, example.found, rule);
        assert_eq!(files, example.instead, "{}", example.found);
    }
    let before = "CREATE TABLE customers (id bigint PRIMARY KEY);\n\
                  CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);";
    let key =
        "ALTER TABLE orders ADD COLUMN z int, ADD FOREIGN KEY (customer_id) REFERENCES customers;";
    assert_eq!(
        of_statement(Postgres, before, key, rule),
        [
            "ALTER TABLE orders ADD COLUMN z int;",
            "CREATE INDEX CONCURRENTLY orders_customer_id ON orders (customer_id);",
            "ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;",
            "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;",
        ]
    );
}

#[test]
fn other_actions_of_a_statement_survive_everywhere() {
    const TABLE: &str = "CREATE TABLE a (id int PRIMARY KEY, s int, n int, note varchar(20));";
    for (dialect, text, rule, first) in [
        (
            Mysql,
            "alter table a add column d int, add column u char(36) default (uuid());",
            "my-copy",
            "alter table a add column d int, ALGORITHM=INSTANT;",
        ),
        (
            Mysql,
            "ALTER TABLE a MODIFY s bigint, MODIFY n bigint, ADD COLUMN z int;",
            "my-copy",
            "ALTER TABLE a MODIFY n bigint, ADD COLUMN z int;",
        ),
        (
            Mysql,
            "ALTER TABLE a RENAME COLUMN s TO t, ADD COLUMN z int;",
            "bc-rename-column",
            "ALTER TABLE a ADD COLUMN z int, ALGORITHM=INSTANT;",
        ),
        (
            Postgres,
            "ALTER TABLE ONLY a ADD COLUMN z int, ADD COLUMN c int NOT NULL;",
            "bc-required-column",
            "ALTER TABLE ONLY a ADD COLUMN z int;",
        ),
        (
            Postgres,
            "ALTER TABLE a DROP COLUMN s, ADD COLUMN z int;",
            "bc-drop-column",
            "ALTER TABLE a ADD COLUMN z int;",
        ),
    ] {
        let files = of_statement(dialect, TABLE, text, rule);
        assert_eq!(files[0], first, "{files:?}");
        assert!(files.len() > 1, "{files:?}");
    }
    // What goes together stays together.
    let both = "ALTER TABLE a DROP COLUMN IF EXISTS s, DROP COLUMN n;";
    assert_eq!(
        of_statement(Postgres, TABLE, both, "bc-drop-column"),
        [format!(
            "-- forerun:contract unused-since=<release>\n{both}"
        )]
    );
}

#[test]
fn a_file_is_proposed_whole_with_what_it_allows() {
    let before = "CREATE TABLE a (id bigint PRIMARY KEY, note text);\nCREATE TABLE b (id bigint PRIMARY KEY);";
    let file = "-- forerun:contract after=0001 unused-since=2.5.0\n-- forerun:allow pg-lock-table \"short\"\n\
                -- forerun:allow bc-drop-table \"nobody uses it\"\n\
                ALTER TABLE a ADD COLUMN region text;\nCREATE INDEX a_region ON a (region);\n\
                CREATE INDEX IF NOT EXISTS a_note ON a (note);\n\
                -- forerun:assert \"b is empty\"\nSELECT 1 FROM b;\n-- the old one\n\
                -- forerun:allow ds-drop-nonempty \"asked\"\nLOCK TABLE b;";
    let head = "-- forerun:contract after=0001 unused-since=2.5.0\n";
    let (replaces, files) = proposed(Postgres, before, file, "pg-index-concurrently");
    assert_eq!(replaces, Replaces::File);
    assert_eq!(
        files,
        [
            format!("{head}ALTER TABLE a ADD COLUMN region text;"),
            format!("{head}CREATE INDEX CONCURRENTLY a_region ON a (region);"),
            format!("{head}CREATE INDEX CONCURRENTLY a_note ON a (note);"),
            format!(
                "-- forerun:allow pg-lock-table \"short\"\n{head}-- forerun:assert \"b is empty\"\nSELECT 1 FROM b;\n\
                 -- forerun:allow ds-drop-nonempty \"asked\"\nLOCK TABLE b;"
            ),
        ]
    );
    // It is said once.
    let findings = findings(Settings::default(), Postgres, &[before], file);
    let own = findings
        .iter()
        .filter(|one| one.rule.id == "pg-index-concurrently");
    let parts: Vec<usize> = own.map(|one| one.instead.len()).collect();
    assert_eq!(parts, [4, 0]);
}

#[test]
fn what_sets_a_timeout_is_taken_out_of_the_whole_file() {
    let before = "CREATE TABLE a (id bigint PRIMARY KEY, note text);";
    let file = "SET lock_timeout = '2s';\n-- forerun:allow bc-drop-column \"unused\"\nALTER TABLE a DROP COLUMN note;";
    assert_eq!(
        proposed(Postgres, before, file, "pg-timeout-override"),
        (
            Replaces::File,
            vec![
                "-- forerun:timeout lock=2s\n-- forerun:allow bc-drop-column \"unused\"\nALTER TABLE a DROP COLUMN note;"
                    .to_owned()
            ]
        )
    );
}

/// Judges a file together with those before it that are pending as well.
fn pending(dialect: Dialect, applied: &str, files: &[&str]) -> Vec<&'static str> {
    let mut linter = Linter::new(dialect, Settings::default());
    linter.learn(&script(dialect, applied));
    linter.together_from_here();
    let judged = files.iter().flat_map(|text| {
        let script = script(dialect, text);
        linter.judge(&File {
            name: "0002_x.sql",
            script: &script,
            contract: text.contains("forerun:contract"),
            transaction: in_transaction(dialect, &script),
        })
    });
    judged.map(|finding| finding.rule.id).collect()
}

#[test]
fn a_contract_migration_is_later_than_what_is_pending_before_it() {
    let users = "CREATE TABLE users (id bigint PRIMARY KEY);";
    let column = "ALTER TABLE users ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();";
    let files = of_statement(Postgres, users, column, "pg-add-column-volatile-default");
    assert!(files[2].contains("NOT VALID") && files[2].contains("forerun:contract"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let found = pending(Postgres, users, &files);
    assert!(!found.contains(&"x-contract-without-break"), "{found:?}");

    let orders =
        "CREATE TABLE orders (id bigint PRIMARY KEY, amount int, INDEX orders_amount (amount));";
    let hide = "ALTER TABLE orders ALTER INDEX orders_amount IGNORED;";
    let drop = "DROP INDEX orders_amount ON orders;";
    let contract = format!("-- forerun:contract unused-since=2.5.0\n{drop}");
    assert_eq!(pending(Mysql, orders, &[hide, &contract]), [""; 0]);
    // Without waiting nobody sees what is missing.
    assert_eq!(
        pending(Mysql, orders, &[hide, drop]),
        ["my-invisible-first"]
    );
}

#[test]
fn what_is_certain_to_be_instant_need_not_be_asked_for() {
    let table = "CREATE TABLE t (id bigint PRIMARY KEY, note text, n int) ENGINE=InnoDB;";
    let added = "ALTER TABLE t ADD COLUMN x int;";
    let found = |mariadb: Option<bool>, version: (u32, u32), table: &str, text: &str| {
        let settings = Settings {
            server: Server {
                version: Some(version),
                mariadb,
            },
            ..Settings::default()
        };
        let findings = findings(settings, Mysql, &[table], text);
        findings
            .iter()
            .any(|one| one.rule.id == "my-assert-algorithm")
    };
    assert!(!found(Some(true), (10, 11), table, added));
    assert!(!found(
        Some(true),
        (11, 4),
        table,
        "ALTER TABLE t DROP COLUMN n, ADD x int FIRST;"
    ));
    for (mariadb, version, table) in [
        (Some(true), (10, 3), table),
        (Some(false), (8, 4), table),
        (None, (10, 11), table),
        (Some(true), (10, 11), &table.replace(" ENGINE=InnoDB", "")),
    ] {
        assert!(
            found(mariadb, version, table, added),
            "{mariadb:?} {version:?} {table}"
        );
    }
    // An index goes with its column, which takes more than the definition.
    let indexed = table.replace("n int", "n int, INDEX (n)");
    assert!(found(
        Some(true),
        (10, 11),
        &indexed,
        "ALTER TABLE t DROP COLUMN n;"
    ));
}

#[test]
fn what_is_proposed_on_mysql_asks_for_what_is_not_certain() {
    let table = "CREATE TABLE t (id bigint PRIMARY KEY, n int) ENGINE=InnoDB;";
    let added = "ALTER TABLE t ADD COLUMN x int NOT NULL;";
    let instead = |settings: Settings| {
        let findings = findings(settings, Mysql, &[table], added);
        let mut own = findings
            .into_iter()
            .filter(|one| one.rule.id == "bc-required-column");
        own.next().unwrap().instead
    };
    assert_eq!(
        instead(Settings::default()),
        ["ALTER TABLE t ADD COLUMN x int, ALGORITHM=INSTANT;"]
    );
    let server = Server {
        version: Some((10, 11)),
        mariadb: Some(true),
    };
    let plain = ["ALTER TABLE t ADD COLUMN x int;"];
    assert_eq!(
        instead(Settings {
            server,
            ..Settings::default()
        }),
        plain
    );
    assert_eq!(
        instead(Settings {
            disabled: vec!["my-assert-algorithm".to_owned()],
            ..Settings::default()
        }),
        plain
    );
}

#[test]
fn a_key_is_not_proposed_as_the_same_statement_again() {
    for dialect in [Postgres, Mysql, Sqlite] {
        let text = "ALTER TABLE t ADD COLUMN x int PRIMARY KEY;";
        let (_, files) = proposed(
            dialect,
            "CREATE TABLE t (n int);",
            text,
            "bc-required-column",
        );
        assert_eq!(files, [""; 0], "{dialect:?}");
    }
}

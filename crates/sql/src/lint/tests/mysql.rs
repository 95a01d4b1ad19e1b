//! What the rules for MySQL and MariaDB say of a file, beside their examples.

use super::script;
use crate::Dialect;
use crate::lint::{File, Linter, Server, Settings, Severity};

/// The rules (`my-…` only) that find something, for a server.
fn found_on(mariadb: Option<bool>, before: &str, text: &str) -> Vec<&'static str> {
    let server = Server {
        version: None,
        mariadb,
    };
    let mut linter = Linter::new(
        Dialect::Mysql,
        Settings {
            server,
            ..Settings::default()
        },
    );
    linter.learn(&script(Dialect::Mysql, before));
    let script = script(Dialect::Mysql, text);
    let findings = linter.judge(&File {
        name: "0002_x.sql",
        script: &script,
        contract: false,
        transaction: false,
    });
    let ids = findings.iter().map(|finding| finding.rule.id);
    ids.filter(|id| id.starts_with("my-")).collect()
}

fn found(before: &str, text: &str) -> Vec<&'static str> {
    found_on(None, before, text)
}

#[test]
fn a_column_of_a_unique_key_with_others_is_kept_by_mariadb() {
    let table = "CREATE TABLE a (id int PRIMARY KEY, s int, e int, x int, UNIQUE KEY us (s, e), KEY by_x (x, s));";
    let about = |mariadb, text: &str| {
        let server = Server {
            version: None,
            mariadb,
        };
        let settings = Settings {
            server,
            ..Settings::default()
        };
        let mut linter = Linter::new(Dialect::Mysql, settings);
        linter.learn(&script(Dialect::Mysql, table));
        let script = script(Dialect::Mysql, text);
        let findings = linter.judge(&File {
            name: "0002_x.sql",
            script: &script,
            contract: true,
            transaction: false,
        });
        let own = findings.into_iter().filter(|one| {
            one.rule.id == "my-drop-indexed-column" || one.rule.id == "my-inplace-rebuild"
        });
        own.map(|one| (one.rule.id, one.severity, one.message, one.instead))
            .collect::<Vec<_>>()
    };
    let refused = about(Some(true), "ALTER TABLE a DROP COLUMN e;");
    let [(rule, severity, message, instead)] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (*rule, *severity),
        ("my-drop-indexed-column", Severity::Error)
    );
    assert_eq!(
        message,
        "MariaDB refuses this: `a.e` is in the unique key `us`, with a column that stays"
    );
    assert!(
        instead[0].contains("ALTER TABLE a DROP INDEX us;\nALTER TABLE a DROP COLUMN e"),
        "{instead:?}"
    );
    let either = about(None, "ALTER TABLE a DROP COLUMN e;");
    assert!(
        either[0]
            .2
            .ends_with("MySQL writes the whole table anew, and MariaDB refuses it")
    );
    let shortened = about(Some(true), "ALTER TABLE a DROP COLUMN x;");
    assert!(
        shortened[0]
            .2
            .ends_with("MariaDB writes the whole table anew"),
        "{shortened:?}"
    );
    for runs in [
        "ALTER TABLE a DROP COLUMN e, DROP INDEX us;",
        "ALTER TABLE a DROP COLUMN e, DROP COLUMN s, DROP COLUMN x;",
    ] {
        let findings = about(Some(true), runs);
        assert!(
            findings.iter().all(|one| one.1 < Severity::Error),
            "{runs} {findings:?}"
        );
    }
}

#[test]
fn a_server_that_copies_online_is_asked_to() {
    let server = Server {
        version: Some((11, 4)),
        mariadb: Some(true),
    };
    let settings = Settings {
        server,
        ..Settings::default()
    };
    let mut linter = Linter::new(Dialect::Mysql, settings);
    linter.learn(&script(Dialect::Mysql, TABLE));
    let script = script(Dialect::Mysql, "ALTER TABLE t MODIFY a bigint;");
    let findings = linter.judge(&File {
        name: "0002_x.sql",
        script: &script,
        contract: false,
        transaction: false,
    });
    let copy = findings
        .iter()
        .find(|finding| finding.rule.id == "my-copy")
        .unwrap();
    assert_eq!(
        copy.instead,
        ["ALTER TABLE t MODIFY a bigint, ALGORITHM=COPY, LOCK=NONE;"]
    );
}

const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b varchar(50), INDEX i (a));";
const NOTHING: [&str; 0] = [];

#[test]
fn a_table_that_is_made_in_the_same_file_is_nobodys_yet() {
    let text = format!(
        "{TABLE} ALTER TABLE t MODIFY a bigint; ALTER TABLE t ADD FULLTEXT (b); ALTER TABLE t FORCE;"
    );
    assert_eq!(found("", &text), NOTHING);
}

#[test]
fn a_copy_that_the_server_is_told_to_refuse_is_told_of_only_when_it_is_certain() {
    assert_eq!(found(TABLE, "ALTER TABLE t MODIFY a bigint;"), ["my-copy"]);
    assert_eq!(
        found(TABLE, "ALTER TABLE t MODIFY a bigint, LOCK=NONE;"),
        ["my-copy"]
    );
    // Nobody knows what the column was.
    assert_eq!(found("", "ALTER TABLE t MODIFY a bigint;"), ["my-copy"]);
    assert_eq!(
        found("", "ALTER TABLE t MODIFY a bigint, ALGORITHM=INSTANT;"),
        NOTHING
    );
    // MariaDB from 11.2.
    assert_eq!(
        found(
            TABLE,
            "ALTER TABLE t MODIFY a bigint, ALGORITHM=COPY, LOCK=NONE;"
        ),
        NOTHING
    );
}

#[test]
fn what_is_asked_for_is_said_once() {
    assert_eq!(
        found(TABLE, "ALTER TABLE t MODIFY a bigint, ALGORITHM=COPY;"),
        ["my-explicit-lock"]
    );
    assert_eq!(
        found(TABLE, "CREATE INDEX j ON t (b) LOCK=SHARED;"),
        ["my-explicit-lock"]
    );
    assert_eq!(
        found(
            TABLE,
            "CREATE INDEX j ON t (b) ALGORITHM=INPLACE LOCK=NONE;"
        ),
        NOTHING
    );
}

#[test]
fn a_foreign_key_is_added_in_place_when_rows_are_not_looked_up() {
    let before =
        "CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE t (id bigint PRIMARY KEY, a bigint);";
    let add = "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id);";
    assert_eq!(found(before, add), ["my-fk-add"]);
    assert_eq!(
        found(before, &format!("SET foreign_key_checks = 0; {add}")),
        NOTHING
    );
    let on_again = format!("SET foreign_key_checks = 0; SET foreign_key_checks = 1; {add}");
    assert_eq!(found(before, &on_again), ["my-fk-add"]);
}

#[test]
fn a_reference_with_a_column_depends_on_the_server() {
    let text = "CREATE TABLE c (id bigint PRIMARY KEY, p bigint REFERENCES p (id));";
    assert_eq!(found_on(Some(true), "", text), NOTHING);
    assert_eq!(found_on(Some(false), "", text), ["my-inline-references"]);
    let text = "ALTER TABLE t ADD COLUMN p bigint REFERENCES p (id);";
    assert_eq!(found_on(Some(true), TABLE, text), ["my-fk-add"]);
    assert_eq!(found_on(Some(false), TABLE, text), ["my-inline-references"]);
}

#[test]
fn an_index_that_goes_with_a_column_depends_on_the_server() {
    let text = "ALTER TABLE t DROP COLUMN a, ALGORITHM=INPLACE;";
    assert_eq!(found_on(Some(true), TABLE, text), NOTHING);
    assert_eq!(
        found_on(Some(false), TABLE, text),
        ["my-drop-indexed-column"]
    );
    let text = "ALTER TABLE t ADD COLUMN c int, DROP INDEX i, ADD INDEX i (a, b);";
    assert_eq!(found_on(Some(true), TABLE, text), ["my-mixed-instant"]);
}

#[test]
fn an_index_that_was_hidden_before_may_go() {
    let hidden = format!("{TABLE} ALTER TABLE t ALTER INDEX i INVISIBLE;");
    assert_eq!(found(&hidden, "DROP INDEX i ON t;"), NOTHING);
    let shown_again = format!("{hidden} ALTER TABLE t ALTER INDEX i VISIBLE;");
    assert_eq!(
        found(&shown_again, "DROP INDEX i ON t;"),
        ["my-invisible-first"]
    );
    let at_once = "ALTER TABLE t ALTER INDEX i INVISIBLE; DROP INDEX i ON t;";
    assert_eq!(found(TABLE, at_once), ["my-invisible-first"]);
}

#[test]
fn a_primary_key_that_is_replaced_is_no_copy() {
    let text = "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a);";
    assert_eq!(found(TABLE, text), ["my-inplace-rebuild"]);
    assert_eq!(found(TABLE, "ALTER TABLE t DROP PRIMARY KEY;"), ["my-copy"]);
}

#[test]
fn rows_of_new_tables_are_no_reason_to_worry_about_commits() {
    let text = "CREATE TABLE k (id bigint PRIMARY KEY); INSERT INTO k VALUES (1); CREATE INDEX j ON t (b);";
    assert_eq!(found(TABLE, text), NOTHING);
    let text = "INSERT INTO t (id) VALUES (1); CREATE INDEX j ON t (b);";
    assert_eq!(found(TABLE, text), ["my-implicit-commit"]);
}

#[test]
fn a_definition_that_says_what_it_gives_up_is_meant() {
    let before = "CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL DEFAULT 1);";
    assert_eq!(
        found(before, "ALTER TABLE t MODIFY a int NULL DEFAULT NULL;"),
        ["my-inplace-rebuild"]
    );
    let lost = found(before, "ALTER TABLE t CHANGE a b int NOT NULL;");
    assert!(lost.contains(&"my-modify-loses-attributes"), "{lost:?}");
}

/// What one rule says first of a file: how bad it is, the message, and what to write instead.
fn said(id: &str, before: &str, text: &str) -> Option<(Severity, String, Vec<String>)> {
    let mut linter = Linter::new(Dialect::Mysql, Settings::default());
    linter.learn(&script(Dialect::Mysql, before));
    let findings = super::judge(&mut linter, Dialect::Mysql, text);
    let mut own = findings.into_iter().filter(|own| own.rule.id == id);
    own.next()
        .map(|own| (own.severity, own.message, own.instead))
}

#[test]
fn a_whole_table_is_updated_range_by_range() {
    let (severity, message, instead) = said("my-mass-dml", TABLE, "UPDATE t SET a = 1;").unwrap();
    assert_eq!(severity, Severity::Error);
    assert!(message.contains("`t`"), "{message}");
    let ranged = "-- forerun:data\n-- forerun:no-transaction\n-- one such statement for each range of keys\nUPDATE t SET a = 1 WHERE id BETWEEN 1 AND 10000;";
    assert_eq!(instead, [ranged]);
    let (_, _, instead) = said("my-mass-dml", TABLE, "UPDATE t SET a = 1 WHERE 1;").unwrap();
    assert_eq!(instead, [ranged]);
    for fine in [
        "UPDATE t SET a = 1 WHERE b = 'x';",
        "UPDATE t SET a = 1 ORDER BY id LIMIT 1000;",
        "UPDATE t JOIN u ON u.id = t.id SET t.a = u.a;",
        "DELETE FROM t;",
        "CREATE TABLE new (a int); UPDATE new SET a = 1;",
    ] {
        assert_eq!(said("my-mass-dml", TABLE, fine), None, "{fine}");
    }
}

#[test]
fn work_in_place_for_which_writes_wait_has_its_reason() {
    let reason = |before: &str, text: &str| said("my-lock-shared-inplace", before, text).unwrap().1;
    let full_text = "CREATE TABLE t (id bigint PRIMARY KEY, b text, c text, FULLTEXT (b));";
    for (before, text, wanted) in [
        (
            TABLE,
            "ALTER TABLE t ADD FULLTEXT (b);",
            "the first `FULLTEXT` index",
        ),
        (
            full_text,
            "ALTER TABLE t ADD FULLTEXT (c);",
            "it is a `FULLTEXT` index",
        ),
        (
            TABLE,
            "ALTER TABLE t ADD SPATIAL INDEX (b);",
            "it is a `SPATIAL` index",
        ),
        (
            TABLE,
            "ALTER TABLE t ADD n int AUTO_INCREMENT UNIQUE;",
            "`n` is `AUTO_INCREMENT`",
        ),
        (
            full_text,
            "ALTER TABLE t ADD n int;",
            "the table has a `FULLTEXT` index",
        ),
    ] {
        let message = reason(before, text);
        assert!(message.contains(wanted), "{text}: {message}");
    }
}

#[test]
fn an_engine_without_transactions_is_a_warning() {
    let severity = |engine: &str| {
        let text = format!("CREATE TABLE n (id bigint PRIMARY KEY) ENGINE={engine};");
        said("my-engine", "", &text).map(|(severity, _, _)| severity)
    };
    for engine in ["MyISAM", "aria", "MEMORY", "CSV", "ARCHIVE"] {
        assert_eq!(severity(engine), Some(Severity::Warning), "{engine}");
    }
    // A note, for those who ask for it.
    assert_eq!(severity("ROCKSDB"), None);
    let mut linter = super::after(Dialect::Mysql, "", crate::lint::rule("my-engine").unwrap());
    let text = "CREATE TABLE n (id bigint PRIMARY KEY) ENGINE=ROCKSDB;";
    let findings = super::judge(&mut linter, Dialect::Mysql, text);
    let own = findings.iter().find(|own| own.rule.id == "my-engine");
    assert_eq!(own.map(|own| own.severity), Some(Severity::Info));
    assert_eq!(severity("InnoDB"), None);
    let text = "CREATE TEMPORARY TABLE n (id bigint) ENGINE=MEMORY;";
    assert_eq!(said("my-engine", "", text), None);
}

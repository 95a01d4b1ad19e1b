//! What the rules for SQLite say of a file, beside their examples.

use super::{in_transaction, script};
use crate::Dialect;
use crate::lint::{File, Finding, Linter, Server, Settings};

fn findings(version: Option<(u32, u32)>, before: &str, text: &str) -> Vec<Finding> {
    let server = Server {
        version,
        mariadb: None,
    };
    let mut linter = Linter::new(
        Dialect::Sqlite,
        Settings {
            server,
            ..Settings::default()
        },
    );
    linter.learn(&script(Dialect::Sqlite, before));
    let script = script(Dialect::Sqlite, text);
    let transaction = in_transaction(Dialect::Sqlite, &script);
    linter.judge(&File {
        name: "0002_x.sql",
        script: &script,
        contract: true,
        transaction,
    })
}

/// What these rules say, by rule.
fn messages(rule: &str, before: &str, text: &str) -> Vec<String> {
    let findings = findings(None, before, text).into_iter();
    let own = findings.filter(|finding| finding.rule.id == rule);
    own.map(|finding| finding.message).collect()
}

const TABLE: &str = "CREATE TABLE t (id integer PRIMARY KEY, a int, b int);";

#[test]
fn indexes_that_are_built_anew_keep_writers_waiting() {
    assert_eq!(
        messages("lt-long-write", TABLE, "REINDEX t;"),
        ["every writer of the file waits while indexes are built anew"]
    );
}

#[test]
fn a_trigger_that_writes_to_a_dropped_column_is_found_before_it_fails() {
    let dropped = |trigger: &str| {
        let before = format!("{TABLE} CREATE TABLE log (x int); {trigger}");
        messages(
            "lt-drop-used-column",
            &before,
            "ALTER TABLE t DROP COLUMN a;",
        )
    };
    let late = dropped("CREATE TRIGGER g AFTER INSERT ON log BEGIN UPDATE t SET a = 1; END;");
    assert_eq!(
        late,
        ["whatever fires the trigger `g` fails from here on, because it writes to `t.a`"]
    );
    let refused =
        dropped("CREATE TRIGGER g AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (NEW.a); END;");
    assert_eq!(
        refused,
        ["SQLite refuses this: the trigger `g` names `t.a`"]
    );
    let other = dropped(
        "CREATE TRIGGER g AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (NEW.ab + NEW.b); END;",
    );
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn constraints_of_the_column_itself_go_with_it() {
    let dropped =
        |table: &str| messages("lt-drop-used-column", table, "ALTER TABLE t DROP COLUMN a;").len();
    assert_eq!(
        dropped("CREATE TABLE t (id integer PRIMARY KEY, a int CHECK (a > 0), b int);"),
        0
    );
    assert_eq!(
        dropped("CREATE TABLE t (id integer PRIMARY KEY, a int REFERENCES t (id), b int);"),
        0
    );
    assert_eq!(
        dropped("CREATE TABLE t (id integer PRIMARY KEY, a int, b int, CHECK (a > b));"),
        1
    );
    assert_eq!(
        dropped("CREATE TABLE t (id integer PRIMARY KEY, a int UNIQUE, b int);"),
        1
    );
    assert_eq!(
        dropped("CREATE TABLE t (id integer PRIMARY KEY, a int, b int AS (a + 1));"),
        1
    );
}

#[test]
fn a_rebuild_with_foreign_keys_on_or_in_pieces_is_found() {
    let before = format!(
        "{TABLE} CREATE TABLE c (id integer PRIMARY KEY, t int REFERENCES t (id) ON DELETE CASCADE);"
    );
    let rebuild = "CREATE TABLE n (id integer PRIMARY KEY, a int, b int); INSERT INTO n SELECT * FROM t; \
                   DROP TABLE t; ALTER TABLE n RENAME TO t;";
    assert!(messages("lt-rebuild", &before, rebuild).is_empty());
    let with_keys = messages(
        "lt-rebuild",
        &before,
        &format!("PRAGMA foreign_keys = ON; BEGIN; {rebuild} COMMIT;"),
    );
    assert_eq!(
        with_keys,
        [
            "with foreign keys on this deletes the rows of `c` that refer to `t`, or fails because of them"
        ]
    );
    let in_pieces = messages(
        "lt-rebuild",
        &before,
        &format!("PRAGMA foreign_keys = OFF; {rebuild}"),
    );
    assert_eq!(
        in_pieces,
        [
            "this file is not one transaction: when something fails after this statement, there is no `t`"
        ]
    );
}

#[test]
fn a_pragma_between_transactions_does_something() {
    let text = "PRAGMA foreign_keys = OFF; BEGIN; DELETE FROM t WHERE id = 1; COMMIT; PRAGMA foreign_keys = ON;";
    assert!(messages("lt-pragma-in-tx", TABLE, text).is_empty());
    let text = "BEGIN; PRAGMA foreign_keys = OFF; COMMIT;";
    assert_eq!(messages("lt-pragma-in-tx", TABLE, text).len(), 1);
}

#[test]
fn what_newer_versions_have_is_refused_by_older_ones() {
    let count = |version| {
        let found = findings(version, TABLE, "ALTER TABLE t ALTER COLUMN a SET NOT NULL;");
        found
            .iter()
            .filter(|finding| finding.rule.id == "lt-version")
            .count()
    };
    assert_eq!(
        (count(None), count(Some((3, 40))), count(Some((3, 53)))),
        (0, 1, 0)
    );
}

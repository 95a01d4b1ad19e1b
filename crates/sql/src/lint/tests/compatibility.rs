//! What breaks the release before, what does not, and what is asked of rows.

use super::{judge, script};
use crate::Dialect::{self, Mysql, Postgres, Sqlite};
use crate::lint::{ALL, Kind, Linter, Settings};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), name text);";

/// What is found in `text` after `before`, of the kinds that are judged here, in order.
fn found(dialect: Dialect, before: &str, text: &str) -> Vec<&'static str> {
    let mut linter = Linter::new(dialect, Settings::default());
    linter.learn(&script(dialect, before));
    let findings = judge(&mut linter, dialect, text);
    let kept = findings.iter().filter(|finding| {
        matches!(finding.rule.kind, Kind::Breaks | Kind::Data) || finding.rule.id.starts_with("x-")
    });
    kept.map(|finding| finding.rule.id).collect()
}

fn nothing(dialect: Dialect, before: &str, text: &str) {
    assert_eq!(found(dialect, before, text), [""; 0], "{text}");
}

#[test]
fn what_is_made_in_the_same_migration_may_go_again() {
    nothing(
        Postgres,
        "",
        "CREATE TABLE t (a int); ALTER TABLE t RENAME COLUMN a TO b; ALTER TABLE t ADD COLUMN c int NOT NULL; \
         ALTER TABLE t DROP COLUMN b; ALTER TABLE t RENAME TO u; DROP TABLE u;",
    );
    nothing(
        Postgres,
        USERS,
        "CREATE TEMPORARY TABLE kept AS SELECT id FROM users; DROP TABLE kept;",
    );
    nothing(
        Postgres,
        USERS,
        "CREATE VIEW v AS SELECT id FROM users; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
         DROP VIEW v; DROP FUNCTION f();",
    );
}

#[test]
fn in_a_contract_file_nothing_breaks() {
    nothing(
        Postgres,
        USERS,
        "-- forerun:contract after=0001 unused-since=2.5.0\nALTER TABLE users DROP COLUMN email;\n\
         ALTER TABLE users ALTER COLUMN name DROP NOT NULL;",
    );
    assert_eq!(
        found(
            Postgres,
            USERS,
            "-- forerun:contract\nALTER TABLE users ADD COLUMN age int;"
        ),
        ["x-contract-without-break"]
    );
    // Taking away what nobody names is what a contract file is for as well.
    nothing(
        Postgres,
        "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users (email);",
        "-- forerun:contract\nDROP INDEX CONCURRENTLY users_email;",
    );
    // It does not make losing rows any better.
    assert_eq!(
        found(Postgres, USERS, "-- forerun:contract\nDELETE FROM users;"),
        ["ds-delete-without-where"]
    );
}

#[test]
fn a_renamed_table_may_keep_its_old_name_as_a_view() {
    nothing(
        Postgres,
        USERS,
        "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people;",
    );
    // MySQL commits between the two; SQLite cannot write through the view.
    assert_eq!(
        found(
            Mysql,
            USERS,
            "RENAME TABLE users TO people; CREATE VIEW users AS SELECT * FROM people;"
        ),
        ["bc-rename-table"]
    );
    assert_eq!(
        found(
            Sqlite,
            USERS,
            "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people;"
        ),
        ["bc-rename-table"]
    );
    // One statement, and at no time is there no table with this name.
    nothing(
        Mysql,
        USERS,
        "CREATE TABLE users_new (id bigint PRIMARY KEY, email varchar(200), name text); \
         RENAME TABLE users TO users_old, users_new TO users;",
    );
    assert_eq!(
        found(
            Mysql,
            USERS,
            "CREATE TABLE users_new (id bigint PRIMARY KEY, name text); \
             RENAME TABLE users TO users_old, users_new TO users;"
        ),
        ["bc-drop-column"]
    );
}

#[test]
fn a_table_that_is_built_anew_is_not_dropped() {
    let rebuild = "CREATE TABLE users_new (id integer PRIMARY KEY, email text, name text, age integer);\n\
                   INSERT INTO users_new (id, email, name) SELECT id, email, name FROM users;\n\
                   DROP TABLE users;\n\
                   ALTER TABLE users_new RENAME TO users;";
    nothing(Sqlite, USERS, rebuild);
    // Outside of a transaction of forerun the file brings its own.
    let own = format!(
        "PRAGMA foreign_keys = OFF;\nBEGIN;\n{rebuild}\nCOMMIT;\nPRAGMA foreign_keys = ON;"
    );
    nothing(Sqlite, USERS, &own);
    let none = format!("PRAGMA foreign_keys = OFF;\n{rebuild}");
    assert!(found(Sqlite, USERS, &none).contains(&"bc-drop-table"));
}

#[test]
fn a_default_that_goes_at_once_is_no_default() {
    assert_eq!(
        found(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN age integer DEFAULT 0 NOT NULL; ALTER TABLE users ALTER COLUMN age DROP DEFAULT;"
        ),
        ["bc-required-column"]
    );
    assert_eq!(
        found(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN age integer; ALTER TABLE users ALTER COLUMN age SET NOT NULL;"
        ),
        ["bc-required-column"]
    );
    nothing(
        Postgres,
        USERS,
        "ALTER TABLE users ADD COLUMN age integer NOT NULL DEFAULT 0; ALTER TABLE users ADD COLUMN number bigserial;",
    );
}

#[test]
fn a_restriction_of_new_columns_restricts_nobody() {
    nothing(
        Postgres,
        USERS,
        "ALTER TABLE users ADD COLUMN age integer, ADD CONSTRAINT grown CHECK (age > 17), ADD UNIQUE (age);",
    );
    let both = "ALTER TABLE users ADD COLUMN age integer; \
                ALTER TABLE users ADD CONSTRAINT c CHECK (age > 17 OR name IS NULL) NOT VALID;";
    assert_eq!(found(Postgres, USERS, both), ["bc-new-restriction"]);
}

#[test]
fn not_null_by_way_of_a_check_is_said_once() {
    let mut linter = Linter::new(Postgres, Settings::default());
    linter.learn(&script(Postgres, USERS));
    let mut breaks = |text: &str| {
        let findings = judge(&mut linter, Postgres, text);
        let breaks = findings
            .iter()
            .filter(|finding| finding.rule.kind == Kind::Breaks);
        breaks.map(|finding| finding.rule.id).collect::<Vec<_>>()
    };
    assert_eq!(
        breaks("ALTER TABLE users ADD CONSTRAINT c CHECK (name IS NOT NULL) NOT VALID;"),
        ["bc-set-not-null"]
    );
    assert_eq!(breaks("ALTER TABLE users VALIDATE CONSTRAINT c;"), [""; 0]);
    assert_eq!(
        breaks(
            "ALTER TABLE users ALTER COLUMN name SET NOT NULL; ALTER TABLE users DROP CONSTRAINT c;"
        ),
        [""; 0]
    );
}

#[test]
fn a_question_asked_before_is_enough() {
    let ask = "-- forerun:assert \"no e-mail twice\"\n\
               SELECT email FROM users GROUP BY email HAVING count(*) > 1;\n\
               CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);";
    assert_eq!(found(Postgres, USERS, ask), ["bc-new-restriction"]);
    let other = ask.replace("FROM users", "FROM people");
    assert_eq!(
        found(Postgres, USERS, &other),
        ["bc-new-restriction", "dd-unique-duplicates"]
    );
}

#[test]
fn what_comes_back_in_the_transaction_was_replaced() {
    let before = format!(
        "{USERS}\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n\
         CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();\n\
         CREATE VIEW names AS SELECT name FROM users;"
    );
    nothing(
        Postgres,
        &before,
        "DROP TRIGGER touched ON users; \
         CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
    );
    assert_eq!(
        found(
            Postgres,
            &before,
            "DROP VIEW names; CREATE VIEW names AS SELECT id, name FROM users;"
        ),
        ["bc-replace-view"]
    );
    nothing(
        Postgres,
        &before,
        "CREATE OR REPLACE VIEW names AS\n  SELECT name FROM users;",
    );
    // Nobody but the trigger calls it.
    assert_eq!(
        found(
            Postgres,
            &before,
            "DROP TRIGGER touched ON users; DROP FUNCTION touch();"
        ),
        ["bc-drop-trigger"]
    );
}

#[test]
fn types_that_hold_as_much_are_not_narrower() {
    let narrows = |dialect, from: &str, to: &str| {
        let before = format!("CREATE TABLE t (id bigint PRIMARY KEY, a {from});");
        let change = match dialect {
            Mysql => format!("ALTER TABLE t MODIFY a {to};"),
            _ => format!("ALTER TABLE t ALTER COLUMN a TYPE {to};"),
        };
        found(dialect, &before, &change).contains(&"bc-narrow-type")
    };
    for (from, to) in [
        ("bigint", "integer"),
        ("text", "varchar(10)"),
        ("varchar(20)", "varchar(10)"),
        ("numeric(10, 2)", "numeric(10, 4)"),
        ("numeric", "integer"),
    ] {
        assert!(narrows(Postgres, from, to), "{from} to {to}");
    }
    for (from, to) in [
        ("integer", "bigint"),
        ("varchar(20)", "text"),
        ("varchar(10)", "varchar(20)"),
        ("numeric(10, 2)", "numeric(12, 4)"),
        ("text", "jsonb"),
        ("integer[]", "integer"),
    ] {
        assert!(!narrows(Postgres, from, to), "{from} to {to}");
    }
    assert!(narrows(Mysql, "int unsigned", "int"));
    assert!(narrows(Mysql, "int", "int unsigned"));
    assert!(narrows(Mysql, "text", "varchar(100)"));
    assert!(!narrows(Mysql, "int unsigned", "bigint"));
}

#[test]
fn labels_of_mysql_are_compared() {
    let before = "CREATE TABLE notes (id bigint PRIMARY KEY, mood enum('good', 'bad'));";
    let change = |labels: &str| {
        let text = format!("ALTER TABLE notes MODIFY mood enum({labels});");
        let all = found(Mysql, before, &text);
        all.into_iter()
            .filter(|id| id.ends_with("enum-value"))
            .collect::<Vec<_>>()
    };
    assert_eq!(change("'good', 'bad', 'so-so'"), ["bc-add-enum-value"]);
    assert_eq!(
        change("'good', 'poor'"),
        ["bc-remove-enum-value", "bc-add-enum-value"]
    );
    assert_eq!(change("'bad', 'good'"), [""; 0]);
}

#[test]
fn a_type_whose_name_goes_to_another_one_is_judged_by_its_values() {
    let before = "CREATE TYPE mood AS ENUM ('good', 'bad'); \
                  CREATE TABLE notes (id bigint PRIMARY KEY, mood mood);";
    let swapped = |labels: &str| {
        format!(
            "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ({labels}); \
             ALTER TABLE notes ALTER COLUMN mood TYPE mood USING mood::text::mood; DROP TYPE mood_old;"
        )
    };
    let removes = ["bc-remove-enum-value"];
    assert_eq!(found(Postgres, before, &swapped("'good'")), removes);
    nothing(Postgres, before, &swapped("'bad', 'good', 'so-so'"));
    // Made under another name first.
    let after = "CREATE TYPE mood_new AS ENUM ('good'); \
                 ALTER TABLE notes ALTER COLUMN mood TYPE mood_new USING mood::text::mood_new; \
                 DROP TYPE mood; ALTER TYPE mood_new RENAME TO mood;";
    assert!(found(Postgres, before, after).contains(&"bc-remove-enum-value"));
    // Nobody says what of it is missed, only that it is another type; and a name that is gone is gone.
    let other = "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS (label text);";
    assert_eq!(found(Postgres, before, other), ["bc-rename-type"]);
    let gone = "ALTER TYPE mood RENAME TO mood_old;";
    assert_eq!(found(Postgres, before, gone), ["bc-rename-type"]);
}

/// A schema in which everything has happened that the examples tell of, in whatever order: nothing fails, and what is
/// found is in the text.
#[test]
fn every_example_can_be_judged_after_all_others() {
    let settings = Settings {
        enabled: ALL.iter().map(|rule| rule.id.to_owned()).collect(),
        ..Settings::default()
    };
    for dialect in [Postgres, Mysql, Sqlite] {
        let mut linter = Linter::new(dialect, settings.clone());
        let examples = ALL.iter().flat_map(|rule| rule.examples);
        let own: Vec<_> = examples
            .filter(|example| example.dialect == dialect)
            .collect();
        for example in own.iter().chain(own.iter().rev()) {
            linter.learn(&script(dialect, example.before));
            for finding in judge(&mut linter, dialect, example.found) {
                let length = example.found.len() as u64;
                assert!(finding.end.offset <= length, "{}", finding.rule.id);
                assert!(!finding.message.ends_with('.'), "{}", finding.message);
            }
        }
    }
}

use forerun_sql::Dialect;

use super::super::{DirectoryWarning, MAX_STATEMENTS, ScriptSummary};
use super::{directory, read_at, without_folder};
use crate::history::{Kind, Phase, Version};

/// Inspects a script; errors without the name of the temporary folder.
fn inspect(dialect: Dialect, text: &str) -> Result<ScriptSummary, String> {
    let folder = directory(&[("1_a.sql", text)]);
    let found = read_at(folder.path()).unwrap();
    let summary = found.migrations[0].up.inspect(dialect);
    summary.map_err(|error| without_folder(&error.to_string(), folder.path()))
}

fn postgres(text: &str) -> Result<ScriptSummary, String> {
    inspect(Dialect::Postgres, text)
}

#[track_caller]
fn refused(dialect: Dialect, text: &str, expected: &str) {
    let message = inspect(dialect, text).map(|_| "no error").unwrap_err();
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn statements_are_described() {
    let summary =
        postgres("-- a table\nCREATE TABLE t (\n  a int\n);\n\nINSERT INTO t VALUES (1);\n")
            .unwrap();
    assert_eq!(
        (summary.kind, summary.no_transaction, summary.wrapped),
        (Kind::Schema, false, false)
    );
    assert_eq!(
        (summary.statement_count, summary.outside_transaction),
        (2, 0)
    );
    let [first, second] = &summary.statements[..] else {
        panic!("two statements")
    };
    assert_eq!(
        (first.index, first.preview.as_str()),
        (1, "CREATE TABLE t ( a int )")
    );
    assert_eq!(
        (second.index, second.position.line, second.position.column),
        (2, 6, 1)
    );
    assert_eq!(summary.warnings, []);
}

#[test]
fn directives_before_the_first_statement_count_for_the_script() {
    let text = "-- forerun:data\n-- forerun:timeout statement=10m lock=2s\n-- forerun:no-transaction\nSELECT 1;";
    let summary = postgres(text).unwrap();
    assert_eq!((summary.kind, summary.no_transaction), (Kind::Data, true));
    assert_eq!(summary.timeouts.statement.unwrap().as_secs(), 600);
    assert_eq!(summary.timeouts.lock.unwrap().as_secs(), 2);
}

#[test]
fn directives_in_the_wrong_place_are_errors() {
    refused(
        Dialect::Postgres,
        "SELECT 1;\n  -- forerun:data\nSELECT 2;",
        "1_a.sql:2:3: forerun:data is about the whole script: move it above the first statement",
    );
    refused(
        Dialect::Postgres,
        "SELECT 1;\n-- forerun:no-transaction\n",
        "1_a.sql:2:1: forerun:no-transaction is",
    );
    refused(
        Dialect::Postgres,
        "-- forerun:timeout lock=1s\n-- forerun:timeout lock=2s\nSELECT 1;",
        "1_a.sql:2:1: this limit is set by an earlier",
    );
    refused(
        Dialect::Postgres,
        "-- forerun:dta\nSELECT 1;",
        "1_a.sql:1:1: ",
    );
}

#[test]
fn backfills_are_refused_everywhere() {
    refused(
        Dialect::Postgres,
        "SELECT 1;\n-- forerun:backfill table=users key=id\nSELECT 2;",
        "1_a.sql:2:1: forerun:backfill is not supported by this version yet",
    );
}

#[test]
fn a_contract_has_conditions() {
    let summary = postgres("SELECT 1;").unwrap();
    assert_eq!(summary.phase(), Phase::Expand);
    let summary =
        postgres("-- forerun:contract after=0007,2.0 unused-since=2.5.0\nSELECT 1;").unwrap();
    assert_eq!(summary.phase(), Phase::Contract);
    let contract = summary.contract.unwrap();
    assert_eq!(contract.after, [Version::from(7), Version::from(2)]);
    assert_eq!(contract.unused_since.as_deref(), Some("2.5.0"));
    for (script, expected) in [
        (
            "SELECT 1;\n-- forerun:contract\nSELECT 2;",
            "1_a.sql:2:1: forerun:contract is about the whole script",
        ),
        (
            "-- forerun:contract after=1\n-- forerun:contract unused-since=2\nSELECT 2;",
            "1_a.sql:2:1: there is another forerun:contract at line 1, column 1",
        ),
        (
            "-- forerun:contract after=7a\nSELECT 2;",
            "1_a.sql:1:1: \"7a\" is not a version",
        ),
    ] {
        refused(Dialect::Postgres, script, expected);
    }
}

#[test]
fn an_exemption_belongs_to_the_script_or_to_a_statement() {
    let summary = postgres(
        "-- forerun:allow drop-table \"nobody uses it\"\nSELECT 1;\n-- forerun:allow drop-column 'since 2.5'\nSELECT 2;",
    )
    .unwrap();
    let allows: Vec<_> = summary
        .allows
        .iter()
        .map(|allow| (allow.rule.as_str(), allow.position.line, allow.statement))
        .collect();
    assert_eq!(
        allows,
        [("drop-table", 1, None), ("drop-column", 3, Some(2))]
    );
    refused(
        Dialect::Postgres,
        "SELECT 1;\n-- forerun:allow drop-table \"x\"\n",
        "1_a.sql:2:1: there is no statement after this forerun:allow",
    );
}

#[test]
fn an_assert_belongs_to_one_query() {
    let summary =
        postgres("SELECT 1;\n-- forerun:assert \"no x\"\nSELECT x FROM t;\nDELETE FROM t;")
            .unwrap();
    let asserts: Vec<_> = summary
        .statements
        .iter()
        .map(|statement| statement.assert.as_deref())
        .collect();
    assert_eq!(asserts, [None, Some("no x"), None]);
    refused(
        Dialect::Postgres,
        "-- forerun:assert \"no x\"\nDELETE FROM t;",
        "1_a.sql:1:1: forerun:assert must stand directly before a query",
    );
    refused(
        Dialect::Postgres,
        "-- forerun:assert \"a\"\n-- forerun:assert \"b\"\nSELECT 1;",
        "1_a.sql:2:1: there is another forerun:assert at line 1, column 1",
    );
    refused(
        Dialect::Postgres,
        "SELECT 1;\n-- forerun:assert \"a\"\n",
        "1_a.sql:2:1: there is no query after this forerun:assert",
    );
}

#[test]
fn unterminated_constructs_name_their_start() {
    refused(
        Dialect::Postgres,
        "SELECT 1;\nSELECT 'abc;\n\n",
        "1_a.sql:2:8: unterminated",
    );
    refused(
        Dialect::Postgres,
        "SELECT $x$ abc;\n\n",
        "1_a.sql:1:8: unterminated",
    );
}

#[test]
fn a_wrapped_script_is_recognised() {
    for text in [
        "BEGIN; CREATE TABLE t(a int); COMMIT;",
        "-- note\nbegin transaction;\nSELECT 1;\nend;\n-- done\n",
        "START TRANSACTION; SAVEPOINT a; SELECT 1; ROLLBACK TO SAVEPOINT a; COMMIT WORK",
    ] {
        assert!(postgres(text).unwrap().wrapped, "{text}");
    }
    assert!(
        inspect(Dialect::Sqlite, "BEGIN IMMEDIATE; SELECT 1; COMMIT;")
            .unwrap()
            .wrapped
    );
    assert!(
        !postgres("SAVEPOINT a; SELECT 1; RELEASE a;")
            .unwrap()
            .wrapped
    );
    let explicit = "-- forerun:no-transaction\nBEGIN; SELECT 1; COMMIT;";
    assert!(
        !postgres(explicit).unwrap().wrapped,
        "groups of a script without transaction are run as written"
    );
}

#[test]
fn other_transaction_control_is_refused_with_advice() {
    for (text, place) in [
        ("SELECT 1; COMMIT;", "1:11: `COMMIT`"),
        ("SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;", "2:1: `BEGIN`"),
        ("BEGIN; SELECT 1; COMMIT; SELECT 2;", "1:18: `COMMIT`"),
        (
            "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 1; COMMIT;",
            "1:18: `COMMIT`",
        ),
        ("BEGIN; SELECT 1;", "1:1: `BEGIN`"),
        ("BEGIN; SELECT 1; ROLLBACK;", "1:18: `ROLLBACK`"),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
            "1:1: `BEGIN ISOLATION LEVEL SERIALIZABLE`",
        ),
    ] {
        let message = postgres(text).map(|_| text).unwrap_err();
        assert!(
            message.starts_with(&format!("1_a.sql:{place}")),
            "{message}"
        );
        assert!(message.contains("Remove it"), "{message}");
    }
}

#[test]
fn groups_without_transaction_must_be_complete() {
    let script = |rest: &str| format!("-- forerun:no-transaction\n{rest}");
    let summary = postgres(&script(
        "BEGIN; SELECT 1; COMMIT; SELECT 2; BEGIN; SELECT 3; ROLLBACK;",
    ))
    .unwrap();
    assert_eq!((summary.statement_count, summary.wrapped), (7, false));
    for (rest, expected) in [
        (
            "BEGIN; SELECT 1;",
            "1_a.sql:2:1: `BEGIN` begins a transaction that is never ended",
        ),
        (
            "SELECT 1; COMMIT;",
            "1_a.sql:2:11: `COMMIT` ends a transaction that was not begun",
        ),
        (
            "BEGIN; BEGIN; COMMIT;",
            "1_a.sql:2:8: `BEGIN` begins a transaction inside another one",
        ),
        (
            "BEGIN; VACUUM; COMMIT;",
            "1_a.sql:2:8: `VACUUM` cannot run inside a transaction",
        ),
    ] {
        refused(Dialect::Postgres, &script(rest), expected);
    }
    refused(
        Dialect::Postgres,
        "BEGIN; CREATE INDEX CONCURRENTLY i ON t(a); COMMIT;",
        "1_a.sql:1:8: `CREATE INDEX",
    );
    // The usual way to rebuild a table on SQLite: this setting does nothing inside a transaction.
    let rebuild = "PRAGMA foreign_keys=OFF; BEGIN; DROP TABLE t; COMMIT; PRAGMA foreign_keys=ON;";
    assert!(inspect(Dialect::Sqlite, rebuild).is_ok());
    // MySQL commits by itself where others refuse.
    assert!(
        inspect(
            Dialect::Mysql,
            "SET autocommit=0; INSERT INTO t VALUES (1); COMMIT;"
        )
        .is_ok()
    );
}

#[test]
fn empty_scripts_are_a_warning_for_up_only() {
    for text in ["", "-- nothing here\n", "\u{feff}", ";;\n"] {
        let summary = postgres(text).unwrap();
        assert_eq!(summary.statement_count, 0, "{text:?}");
        assert_eq!(
            summary.warnings,
            [DirectoryWarning::EmptyScript {
                file: "1_a.sql".to_owned()
            }]
        );
    }
    let folder = directory(&[("1_a.up.sql", ""), ("1_a.down.sql", "")]);
    let found = read_at(folder.path()).unwrap();
    let down = found.migrations[0]
        .down
        .as_ref()
        .unwrap()
        .inspect(Dialect::Postgres)
        .unwrap();
    assert_eq!(down.warnings, []);
}

#[test]
fn copy_rows_are_no_statements() {
    let summary = postgres("COPY t FROM STDIN;\n1\n2;\n\\.\nSELECT 1;").unwrap();
    assert!(summary.has_copy);
    assert_eq!(summary.statement_count, 2);
}

#[test]
fn statements_beyond_the_limit_are_counted_only() {
    let summary = postgres(&"SELECT 1;\n".repeat(MAX_STATEMENTS + 5)).unwrap();
    assert_eq!(summary.statements.len(), MAX_STATEMENTS);
    assert_eq!(summary.statement_count, MAX_STATEMENTS as u64 + 5);
}

#[test]
fn the_sql_checksum_ignores_comments_only() {
    let checksum = |text| postgres(text).unwrap().sql_checksum;
    assert_eq!(checksum("SELECT 1;"), checksum("-- why\nSELECT   1 ;\n"));
    assert_ne!(checksum("SELECT 1;"), checksum("SELECT 2;"));
}

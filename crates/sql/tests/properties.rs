//! Properties that hold for every script: its pieces are the script, positions are true, how it is
//! read does not matter, and on SQLite the statements are those of SQLite itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, Read};

use forerun_sql::{
    Dialect, Piece, Position, SplitError, Splitter, SqlHasher, classify, parse_directives,
};
use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::fallible_iterator::FallibleIterator;

/// What a script was cut into, without borrows; chunks of rows are joined.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    all: Vec<u8>,
    statements: Vec<String>,
    rows: Vec<u8>,
    error: Option<String>,
}

/// Cuts a script and checks what must hold for any.
fn cut(dialect: Dialect, reader: impl BufRead, script: &[u8]) -> Outcome {
    let mut splitter = Splitter::new(reader, dialect);
    let mut hasher = SqlHasher::new(dialect);
    let mut found = Outcome::default();
    loop {
        let before = splitter.position();
        let piece = match splitter.next_piece() {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(error) => {
                assert!(!matches!(error, SplitError::Io(_)), "{error}");
                found.error = Some(error.to_string());
                break;
            }
        };
        match piece {
            Piece::Statement(statement) | Piece::Client(statement) => {
                assert_eq!(statement.leading_position, before);
                assert!(!statement.text.is_empty());
                let offset = statement.position.offset as usize;
                assert!(script[offset..].starts_with(statement.text.as_bytes()));
                assert_eq!(statement.position, Position::START.after(&script[..offset]));
                let _ = parse_directives(dialect, &statement.leading, before);
                classify(dialect, &statement.text);
                hasher.statement(&statement);
                for part in [&statement.leading, &statement.text, &statement.terminator] {
                    found.all.extend_from_slice(part.as_bytes());
                }
                if statement.index > 0 {
                    found.statements.push(statement.text);
                    assert_eq!(statement.index, found.statements.len() as u64);
                }
            }
            Piece::CopyData(rows) => {
                assert!(!rows.is_empty());
                hasher.copy_data(rows);
                found.all.extend_from_slice(rows);
                found.rows.extend_from_slice(rows);
            }
            Piece::CopyEnd(end) => found.all.extend_from_slice(end),
            Piece::Trailing(text) => {
                assert!(!text.is_empty());
                found.all.extend_from_slice(text.as_bytes());
            }
        }
        assert_eq!(splitter.bytes_read(), found.all.len() as u64);
        assert_eq!(splitter.position(), Position::START.after(&found.all));
    }
    assert!(script.starts_with(&found.all));
    if found.error.is_none() {
        assert_eq!(found.all.len(), script.len());
    }
    found
}

/// Hands out a few bytes at a time.
struct Trickle<'a> {
    rest: &'a [u8],
    step: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.step.min(buffer.len()).min(self.rest.len());
        let (now, later) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.rest = later;
        Ok(length)
    }
}

const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite];

/// Whatever begins, ends or hides something in one of the dialects.
const FRAGMENTS: [&str; 84] = [
    ";",
    ";;",
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "(",
    ")",
    "$",
    "$$",
    "$a$",
    "$1",
    "\\",
    "\\.\n",
    "\n\\.\n",
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    "-",
    "--",
    "-- ",
    "#",
    "/",
    "*",
    "/*",
    "*/",
    "/*!",
    "/*!50003 ",
    "/*M!",
    "/*+",
    "//",
    "E'",
    "U&'",
    "U&\"",
    "N'",
    "a",
    "é",
    "\u{feff}",
    "1",
    "1.5",
    ".",
    ",",
    "=",
    ":",
    "@",
    "<",
    ">",
    "BEGIN",
    "ATOMIC",
    "NOT",
    "END",
    "CASE",
    "WHEN",
    "THEN",
    "IF",
    "LOOP",
    "WHILE",
    "DO",
    "REPEAT",
    "UNTIL",
    "CREATE ",
    "OR REPLACE ",
    "FUNCTION ",
    "PROCEDURE ",
    "TRIGGER ",
    "EVENT ",
    "PACKAGE ",
    "BODY ",
    "DECLARE ",
    "HANDLER FOR ",
    "FOR EACH ROW ",
    "AS ",
    "RETURN ",
    "SELECT ",
    "COPY t FROM STDIN",
    "COPY t FROM STDIN;\n",
    "\\restrict x\n",
    "\nDELIMITER $$\n",
    "DELIMITER ;\n",
    "-- forerun:data\n",
];

fn any_script() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        8 => select(&FRAGMENTS[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => select(&FRAGMENTS[..]).prop_map(|fragment| format!("{fragment} ")),
    ];
    prop::collection::vec(fragment, 0..60).prop_map(|fragments| fragments.concat())
}

fn statement(dialect: Dialect) -> BoxedStrategy<&'static str> {
    let common = [
        "SELECT 1",
        "SELECT 'it''s; fine' AS a",
        "INSERT INTO t (a, b) VALUES (1, 'x;y')",
        "UPDATE t SET a = CASE WHEN b = ';' THEN 1 ELSE 2 END",
        "SELECT a/* ; ' */+1 FROM t -- ; ' \"\n WHERE b = 1",
        "CREATE TABLE \"q;\" (a int, b text DEFAULT ';')",
        "BEGIN",
        "COMMIT",
    ];
    let own: &[&str] = match dialect {
        Dialect::Postgres => &[
            "DO $x$ BEGIN PERFORM 1; END $x$",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END",
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
            "SELECT E'a\\';', /* /* ; */ */ U&'\\0061;', $$;$$",
            "COPY t TO STDOUT",
        ],
        Dialect::Mysql => &[
            "CREATE PROCEDURE p() BEGIN IF a THEN SELECT IF(1, 2, 3); END IF; WHILE 1 DO SELECT 1; END WHILE; END",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; END",
            "BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; SELECT 1; END",
            "/*!40101 SET NAMES utf8; */",
            "SELECT 'a\\';' # ; '\n, `b;`",
        ],
        Dialect::Sqlite => &[
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 2; END",
            "CREATE TEMP TRIGGER h AFTER DELETE ON t BEGIN DELETE FROM t WHERE a = ';'; END",
            "SELECT [a;], `b;` FROM t",
        ],
    };
    let all: Vec<&'static str> = common.iter().chain(own).copied().collect();
    select(all).boxed()
}

fn trivia(dialect: Dialect) -> impl Strategy<Value = &'static str> {
    select(match dialect {
        Dialect::Mysql => &[
            "",
            " ",
            "\n",
            "\r\n",
            "-- ; '\n",
            "/* ; ' */",
            "# ; \"\n",
            ";",
            "--\n",
        ][..],
        _ => &[
            "",
            " ",
            "\n",
            "\r\n",
            "-- ; '\n",
            "--x\r\n",
            "/* ; ' */",
            ";",
            " ; ",
        ],
    })
}

/// Statements with what stands before each.
fn script(dialect: Dialect) -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    prop::collection::vec((trivia(dialect), statement(dialect)), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pieces_are_the_script(script in any_script(), dialect in select(&DIALECTS[..])) {
        cut(dialect, script.as_bytes(), script.as_bytes());
    }

    #[test]
    fn any_bytes_are_survived(script in prop::collection::vec(any::<u8>(), 0..200), dialect in select(&DIALECTS[..])) {
        cut(dialect, &script[..], &script);
    }

    #[test]
    fn reading_in_small_steps_changes_nothing(
        script in any_script(),
        dialect in select(&DIALECTS[..]),
        step in 1_usize..9,
    ) {
        let whole = cut(dialect, script.as_bytes(), script.as_bytes());
        let trickle = Trickle { rest: script.as_bytes(), step };
        let capacity = step.max(2) - 1;
        let stepwise = cut(dialect, std::io::BufReader::with_capacity(capacity, trickle), script.as_bytes());
        prop_assert_eq!(whole, stepwise);
    }

    #[test]
    fn statements_are_found(
        (dialect, parts) in select(&DIALECTS[..]).prop_flat_map(|dialect| (Just(dialect), script(dialect))),
        terminated in any::<bool>(),
    ) {
        let mut text = String::new();
        for (index, (before, statement)) in parts.iter().enumerate() {
            text.push_str(before);
            text.push_str(statement);
            if terminated || index + 1 < parts.len() {
                text.push(';');
            }
        }
        let found = cut(dialect, text.as_bytes(), text.as_bytes());
        prop_assert_eq!(found.error, None);
        let expected: Vec<&str> = parts.iter().map(|(_, statement)| *statement).collect();
        prop_assert_eq!(found.statements, expected);
    }

    #[test]
    fn layout_does_not_change_the_digest(
        (dialect, parts) in select(&DIALECTS[..]).prop_flat_map(|dialect| (Just(dialect), script(dialect))),
    ) {
        let digest = |between: bool| {
            let mut text = String::new();
            for (before, statement) in &parts {
                if between {
                    text.push_str(before);
                }
                text.push_str(statement);
                text.push_str(if between { ";" } else { " ;\n" });
            }
            let mut splitter = Splitter::new(text.as_bytes(), dialect);
            let mut hasher = SqlHasher::new(dialect);
            while let Some(piece) = splitter.next_piece().unwrap() {
                if let Piece::Statement(statement) = piece {
                    hasher.statement(&statement);
                }
            }
            hasher.finish()
        };
        prop_assert_eq!(digest(true), digest(false));
    }

    #[test]
    fn directives_survive_anything(text in any_script(), dialect in select(&DIALECTS[..])) {
        let _ = parse_directives(dialect, &text, Position::START);
        let _ = parse_directives(dialect, &format!("-- forerun:{text}"), Position::START);
    }
}

/// The statements that SQLite itself finds, or none if it cannot prepare all of them.
fn statements_of_sqlite(script: &str) -> Option<Vec<String>> {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE t (a int, b text, c); CREATE TABLE t2 (a int);")
        .unwrap();
    let mut batch = rusqlite::Batch::new(&connection, script);
    let mut found = Vec::new();
    loop {
        match batch.next() {
            Ok(Some(statement)) => found.push(statement.expanded_sql()?),
            Ok(None) => return Some(found),
            Err(_) => return None,
        }
    }
}

fn agrees_with_sqlite(script: &str) -> bool {
    let Some(expected) = statements_of_sqlite(script) else {
        return false;
    };
    let found = cut(Dialect::Sqlite, script.as_bytes(), script.as_bytes());
    assert_eq!(found.error, None, "{script}");
    assert_eq!(found.statements.len(), expected.len(), "{script}");
    for (ours, theirs) in found.statements.iter().zip(&expected) {
        // SQLite's text also has what stands before the statement, and after the last one.
        assert!(theirs.contains(ours.as_str()), "{script}\n{ours}\n{theirs}");
    }
    true
}

/// Pieces of SQL that SQLite can prepare in many orders.
const SQLITE_FRAGMENTS: [&str; 24] = [
    "SELECT 1",
    "SELECT a FROM t",
    ";",
    ";",
    " ",
    "\n",
    "-- ; '\n",
    "/* ; */",
    "/* \" */",
    " + 1",
    " AS \"x;\"",
    " AS [y;']",
    " AS `z;`",
    ", ';'",
    ", 'it''s;'",
    ", \"a\"",
    ", CASE WHEN 1 THEN 2 END",
    ", x'00'",
    "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM t2; END",
    "CREATE TEMP TRIGGER IF NOT EXISTS h DELETE ON t BEGIN SELECT 1; END",
    "EXPLAIN CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
    "CREATE TABLE IF NOT EXISTS \"trigger\" (begin, [end])",
    "INSERT INTO t (a) VALUES (1)",
    "END",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn statements_are_those_of_sqlite(
        fragments in prop::collection::vec(select(&SQLITE_FRAGMENTS[..]), 0..10),
    ) {
        agrees_with_sqlite(&fragments.concat());
    }
}

#[test]
fn sqlite_scripts_that_must_agree() {
    for script in [
        "SELECT 1; SELECT 2",
        "-- a\nSELECT 1;;/* b */;SELECT ';';",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 2;",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE a WHEN 1 THEN 2 END FROM t; END;SELECT 2",
        "CREATE TABLE [end] (a); SELECT 1 AS [;], \"a\" AS \";\" FROM t;",
    ] {
        assert!(agrees_with_sqlite(script), "{script}");
    }
}

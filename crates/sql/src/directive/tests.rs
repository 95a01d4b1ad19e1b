//! What counts as a directive, and what is said about what nearly does.

use super::*;

fn parse(dialect: Dialect, leading: &str) -> Result<Vec<Directive>, DirectiveError> {
    parse_directives(dialect, leading, Position::START)
}

fn kinds(leading: &str) -> Vec<DirectiveKind> {
    let directives = parse(Dialect::Postgres, leading).unwrap();
    directives.into_iter().map(|found| found.kind).collect()
}

fn message(leading: &str) -> String {
    parse(Dialect::Postgres, leading).unwrap_err().to_string()
}

#[test]
fn all_directives() {
    let leading = "-- Some words.\r\n-- forerun:data\r\n  -- forerun:no-transaction\n\
        -- forerun:timeout statement=10m lock=500ms\n-- forerun:assert \"no \\\"twins\\\"\"\n\
        -- forerun:contract after=0007 unused-since=2.5.0\n-- forerun:backfill table=users key=id\n\
        -- forerun:allow drop-column \"unused since 2.5.0\"\n";
    assert_eq!(
        kinds(leading),
        [
            DirectiveKind::Data,
            DirectiveKind::NoTransaction,
            DirectiveKind::Timeout {
                statement: Some(Duration::from_secs(600)),
                lock: Some(Duration::from_millis(500)),
            },
            DirectiveKind::Assert {
                message: "no \"twins\"".to_owned()
            },
            DirectiveKind::Contract(Contract {
                after: vec!["0007".to_owned()],
                unused_since: Some("2.5.0".to_owned()),
            }),
            DirectiveKind::Backfill {
                arguments: "table=users key=id".to_owned()
            },
            DirectiveKind::Allow {
                rule: "drop-column".to_owned(),
                reason: "unused since 2.5.0".to_owned(),
            },
        ]
    );
}

#[test]
fn conditions_of_a_contract() {
    assert_eq!(
        kinds("-- forerun:contract\n-- forerun:contract unused-since=v2.5 AFTER=7,0008"),
        [
            DirectiveKind::Contract(Contract::default()),
            DirectiveKind::Contract(Contract {
                after: vec!["7".to_owned(), "0008".to_owned()],
                unused_since: Some("v2.5".to_owned()),
            }),
        ]
    );
}

#[test]
fn spacing_and_case_do_not_matter() {
    for comment in [
        "--forerun:data",
        "-- forerun: data",
        "-- Forerun:Data",
        "--\tFORERUN :data  ",
        "--- forerun:data",
        "\u{feff}-- forerun:data",
    ] {
        assert_eq!(kinds(comment), [DirectiveKind::Data], "{comment}");
    }
    for comment in ["# forerun:data\n", "#forerun:data", "-- forerun:data"] {
        let found = parse(Dialect::Mysql, comment).unwrap();
        assert_eq!(found[0].kind, DirectiveKind::Data, "{comment}");
    }
}

#[test]
fn other_comments_are_left_alone() {
    for comment in [
        "-- forerun runs this file",
        "-- forerun data migrations are slow",
        "-- see forerun:data",
        "-- forerun contract migrations come later",
        "-- forerunner: x",
        "/* an example:\n-- forerun:data\n*/",
        "-- forerun",
        "--",
        "",
    ] {
        assert_eq!(kinds(comment), [], "{comment}");
    }
}

#[test]
fn near_misses_are_errors() {
    assert!(message("/* forerun:data */").contains("write -- forerun:data"));
    assert!(message("-- forerun data").contains("write -- forerun:data"));
    assert!(message("-- forerun timeout lock=2s").contains("colon"));
    assert!(message("-- forerun contract").contains("colon"));
    assert!(message("-- forerun allow drop-column \"unused\"").contains("colon"));
    assert!(message("-- forerun:").contains("name of the directive is missing"));
    let unknown = message("-- forerun:date");
    assert!(unknown.contains("did you mean \"data\"?"), "{unknown}");
    assert!(unknown.contains("no-transaction, timeout"), "{unknown}");
    assert!(message("-- forerun:notransaction").contains("\"no-transaction\"?"));
    assert!(!message("-- forerun:zzzzzzzz").contains("did you mean"));
    assert!(message("-- forerun:data please").contains("takes no arguments"));
}

#[test]
fn bad_arguments_show_the_form() {
    for (comment, problem) in [
        ("-- forerun:timeout", "missing"),
        ("-- forerun:timeout 10m", "\"10m\" is not a timeout"),
        ("-- forerun:timeout idle=10m", "unknown timeout \"idle\""),
        ("-- forerun:timeout lock=1s lock=2s", "twice"),
    ] {
        let message = message(comment);
        assert!(message.contains(problem), "{message}");
        assert!(message.contains("statement=10m lock=2s"), "{message}");
    }
    assert!(message("-- forerun:timeout lock=soon").contains("\"soon\" is not a duration"));
    for (comment, problem) in [
        ("-- forerun:assert", "missing"),
        ("-- forerun:assert no twins", "in quotes"),
        ("-- forerun:assert \"no twins", "not closed"),
        ("-- forerun:assert \" \"", "empty"),
        ("-- forerun:assert \"a\" b", "after the closing quote"),
    ] {
        let message = message(comment);
        assert!(message.contains(problem), "{message}");
        assert!(message.contains("no duplicate e-mails"), "{message}");
    }
    for (comment, problem) in [
        ("-- forerun:contract 0007", "\"0007\" is not a condition"),
        (
            "-- forerun:contract before=7",
            "unknown condition \"before\"",
        ),
        (
            "-- forerun:contract after=7 after=8",
            "after is given twice",
        ),
        ("-- forerun:contract after=7, 8", "a version is missing"),
        ("-- forerun:contract unused-since=", "name of one release"),
        ("-- forerun:contract unused-since=\"2\"", "without quotes"),
        (
            "-- forerun:contract unused-since=<release>",
            "stands for the name of a release: write the first one",
        ),
        (
            "-- forerun:contract after=<version>",
            "stands for a version: write the number",
        ),
    ] {
        let message = message(comment);
        assert!(message.contains(problem), "{message}");
        assert!(
            message.contains("after=0007 unused-since=2.5.0"),
            "{message}"
        );
    }
    for (comment, problem) in [
        ("-- forerun:allow", "rule to allow is missing"),
        ("-- forerun:allow \"why\"", "rule to allow is missing"),
        (
            "-- forerun:allow drop_column \"why\"",
            "not the name of a rule",
        ),
        ("-- forerun:allow drop-column", "the reason is missing"),
        (
            "-- forerun:allow drop-column unused",
            "the reason must be in quotes",
        ),
        ("-- forerun:allow drop-column \"\"", "the reason is empty"),
        (
            "-- forerun:allow drop-column \"a\" b",
            "after the closing quote",
        ),
    ] {
        let message = message(comment);
        assert!(message.contains(problem), "{message}");
        assert!(message.contains("drop-column \"unused since"), "{message}");
    }
}

#[test]
fn positions_are_those_of_the_script() {
    let start = Position {
        offset: 100,
        line: 7,
        column: 9,
    };
    let found = parse_directives(Dialect::Postgres, " -- é\n\n  -- forerun:data\n", start).unwrap();
    let position = found[0].position;
    assert_eq!(
        (position.offset, position.line, position.column),
        (110, 9, 3)
    );
    let error = parse_directives(Dialect::Postgres, " -- forerun:date", start).unwrap_err();
    assert!(
        error.to_string().ends_with("(at line 7, column 10)"),
        "{error}"
    );
}

#[test]
fn directives_inside_a_statement_are_refused() {
    let refuse = |dialect, text: &str| {
        let statement = Statement {
            text: text.to_owned(),
            ..Statement::default()
        };
        refuse_inner_directives(dialect, &statement)
    };
    let error = refuse(Dialect::Postgres, "SELECT 1\n-- forerun:data\n+ 1").unwrap_err();
    assert_eq!(error.position.line, 2);
    assert!(error.message.contains("before the statement"));
    let error = refuse(Dialect::Mysql, "--forerun:data\nSELECT 1").unwrap_err();
    assert!(error.message.contains("space after --"));
    assert!(refuse(Dialect::Postgres, "SELECT '-- forerun:data'").is_ok());
    assert!(refuse(Dialect::Sqlite, "CREATE TABLE forerun (data)").is_ok());
}

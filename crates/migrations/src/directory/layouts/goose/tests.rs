use forerun_sql::Dialect;

use super::super::super::{Layout, MigrationDirectory, ReadOptions};
use super::super::sample::{Sample, directory, options, problems, statements, text};
use crate::history::Kind;

const SHOP: &str = "-- The shop.\n\
    -- +goose Up\n\
    CREATE TABLE item (id int);\n\
    -- +goose StatementBegin\n\
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$\n\
    -- +goose StatementEnd\n\
    INSERT INTO item VALUES (1); -- one\n\
    \n\
    -- +goose Down\n\
    DROP TABLE item;\n";

#[test]
fn up_and_down_keep_their_lines() {
    let sample = Sample::new(&[("00001_shop_first.sql", SHOP)]);
    assert_eq!(sample.read.layout.name(), "goose");
    assert_eq!(sample.names(), [("00001", "shop first")]);
    assert_eq!(
        sample.up(0),
        "-- The shop.\n\nCREATE TABLE item (id int);\n\n\
         CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$\n;\n\
         INSERT INTO item VALUES (1); -- one\n\n"
    );
    assert_eq!(
        sample.down(0).unwrap(),
        "\n\n\n\n\n\n\n\n\nDROP TABLE item;\n"
    );
    let migration = &sample.read.migrations[0];
    assert_eq!(migration.up.no_transaction, None);
    let found = statements(&migration.up, Dialect::Postgres);
    let lines: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 5, 7]);
}

#[test]
fn a_semicolon_takes_the_place_of_a_statement_end_only_where_it_is_missing() {
    let up = |text: &str| Sample::new(&[("1_a.sql", text)]).up(0);
    assert_eq!(
        up("-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n"),
        "\n\nSELECT 1;\n"
    );
    assert_eq!(
        up(
            "-- +goose Up\r\n-- +goose StatementBegin\r\nSELECT 1 -- x;\r\n\r\n-- +goose StatementEnd\r\nSELECT 2;"
        ),
        "\n\nSELECT 1 -- x;\r\n\r\n;\r\nSELECT 2;"
    );
    assert_eq!(
        up("-- +goose Up\n-- +goose StatementBegin\nSELECT 1\n-- +goose StatementEnd"),
        "\n\nSELECT 1\n;"
    );
}

#[test]
fn no_transaction_is_about_both_directions() {
    let text = "-- +goose no transaction\n-- +goose UP --\nVACUUM;\n--+goose down\nVACUUM;\n";
    let sample = Sample::new(&[("1_a.sql", text)]);
    let migration = &sample.read.migrations[0];
    let words = Some("-- +goose NO TRANSACTION");
    assert_eq!(migration.up.no_transaction.as_deref(), words);
    assert_eq!(
        migration.down.as_ref().unwrap().no_transaction.as_deref(),
        words
    );
}

#[test]
fn a_file_without_down_cannot_be_reverted_and_an_empty_one_can() {
    let sample = Sample::new(&[
        ("1_a.sql", "-- +goose Up\nSELECT 1"),
        ("2_b.sql", "-- +goose Up\n-- +goose Down\n"),
    ]);
    assert_eq!(sample.down(0), None);
    assert_eq!(sample.down(1).unwrap(), "");
}

#[test]
fn versions_are_ordered_as_numbers() {
    let up = "-- +goose Up\n";
    let sample = Sample::new(&[
        ("10_ten.sql", up),
        ("+3_three.sql", up),
        ("0002_a_b.DOWN.sql", up),
        ("helpers.go", ""),
        ("4_x_test.go", ""),
        ("README.md", ""),
        ("5_x.SQL", ""),
    ]);
    assert_eq!(
        sample.names(),
        [("0002", "a b.DOWN"), ("3", "three"), ("10", "ten")]
    );
    assert_eq!(
        sample.warnings(),
        [
            "`5_x.SQL` looks like a migration but is not read: only files whose names end in .sql are"
        ]
    );
}

#[test]
fn files_that_goose_would_stop_at_are_named_together() {
    let found = problems(
        "goose",
        &[
            ("0_zero.sql", ""),
            ("1_a.sql", "-- +goose Up\n"),
            ("2_b.go", "package migrations"),
            ("99999999999999999999_c.sql", ""),
            ("README.sql", ""),
        ],
    );
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("0_zero.sql: goose takes every .sql file for a migration"));
    assert!(found[1].starts_with("2_b.go: forerun cannot run a migration that is written in Go"));
    assert!(found[2].starts_with("99999999999999999999_c.sql: "));
    assert!(found[3].starts_with("README.sql: "));
}

#[test]
fn what_goose_refuses_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "1_a.sql:1:1: there is no `-- +goose Up`"),
        ("-- nothing\n", "1_a.sql:1:1: there is no `-- +goose Up`"),
        (
            "SELECT 1;\n-- +goose Up\n",
            "1_a.sql:1:1: there is SQL before",
        ),
        (
            "-- +goose Down\n",
            "1_a.sql:1:1: `-- +goose Up` must come before",
        ),
        (
            "-- +goose Up\n-- +goose Up\n",
            "1_a.sql:2:1: there is a second `-- +goose Up`",
        ),
        (
            "-- +goose Up\n-- +goose Down\n-- +goose Down",
            "1_a.sql:3:1: there is a second `-- +goose Down`",
        ),
        (
            "-- +goose Up\n -- +goose Down\n",
            "1_a.sql:2:1: a `-- +goose` comment must stand at the start",
        ),
        (
            "-- +goose Up\n-- see +goose docs\n",
            "1_a.sql:2:1: goose takes every comment with `+goose`",
        ),
        (
            "-- +goose Up\n-- +goose\n",
            "1_a.sql:2:1: goose takes every comment",
        ),
        (
            "-- +goose StatementBegin\n",
            "1_a.sql:1:1: StatementBegin must come after",
        ),
        (
            "-- +goose Up\n-- +goose StatementEnd\n",
            "1_a.sql:2:1: there is no StatementBegin",
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\nx\n",
            "1_a.sql:2:1: there is no StatementEnd",
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n",
            "1_a.sql:3:1: StatementBegin stands in another one",
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\n-- +goose Down\n",
            "1_a.sql:3:1: `-- +goose Down` stands between",
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\n-- x\n-- +goose StatementEnd\n\n-- y\nSELECT 1;\n",
            "1_a.sql:7:1: goose leaves this line out",
        ),
    ] {
        let found = problems("goose", &[("1_a.sql", text)]);
        assert!(found[0].starts_with(expected), "{text:?}: {found:?}");
    }
}

const ENVIRONMENT: &[(&str, &str)] = &[
    ("FOO", "foo"),
    ("EMPTY", ""),
    ("LONG", "läng"),
    ("SECRET", "hush"),
];

fn expanded(lines: &str) -> String {
    let text_of = format!("-- +goose Up\n-- +goose ENVSUB ON\n{lines}");
    let folder = directory(&[("1_a.sql", &text_of)]);
    let read = MigrationDirectory::read(folder.path(), &options("goose", ENVIRONMENT)).unwrap();
    let up = text(&read.migrations[0].up);
    up.strip_prefix("\n\n").unwrap().to_owned()
}

#[test]
fn variables_are_replaced_as_goose_does() {
    for (line, expected) in [
        ("a $FOO ${FOO}${FOO}x;", "a foo foofoox;"),
        (
            "${EMPTY:-e} ${EMPTY-e} ${NONE:-n} ${NONE-n} ${NONE:-};",
            "e  n n ;",
        ),
        ("${NONE:-${FOO}x$FOO};", "fooxfoo;"),
        (
            "${FOO:1} ${FOO:1:1} ${FOO:-1} ${FOO: -1} ${FOO:0:-1} ${FOO:9};",
            "oo o foo o fo ;",
        ),
        ("${FOO?needed} ${FOO:-${NONE?x}};", "foo foo;"),
        ("$$ \\$FOO $( \\\\$FOO \\x $", "$ $FOO $( \\\\foo \\x $"),
        ("é ${FOO} é;", "é foo é;"),
        ("$NONE;", ";"),
    ] {
        assert_eq!(expanded(line), expected, "{line}");
    }
}

#[test]
fn variables_count_only_where_they_are_on_and_in_statements() {
    let lines = "-- costs $1\nSELECT '$FOO',\n-- ${FOO}\n1;\n-- $1\n-- +goose ENVSUB OFF\nSELECT '$FOO$$';\n\
                 -- +goose ENVSUB on\n-- +goose Down\nSELECT '$FOO';";
    assert_eq!(
        expanded(lines),
        "-- costs $1\nSELECT 'foo',\n-- foo\n1;\n-- $1\n\nSELECT '$FOO$$';\n"
    );
    let text_of = "-- +goose Up\n-- +goose ENVSUB ON\n-- +goose Down\nSELECT '$FOO';\n";
    let folder = directory(&[("1_a.sql", text_of)]);
    let read = MigrationDirectory::read(folder.path(), &options("goose", ENVIRONMENT)).unwrap();
    let down = text(read.migrations[0].down.as_ref().unwrap());
    assert_eq!(down, "\n\n\nSELECT 'foo';\n");
}

#[test]
fn an_unset_variable_is_warned_about_and_its_digest_stays() {
    let text_of = "-- +goose Up\n-- +goose ENVSUB ON\nSELECT '$NONE${NONE:-x}$SECRET';\n";
    let folder = directory(&[("1_a.sql", text_of)]);
    let read = |environment| {
        MigrationDirectory::read(folder.path(), &options("goose", environment)).unwrap()
    };
    let (set, unset) = (read(ENVIRONMENT), read(&[("NONE", "x")]));
    let warnings: Vec<String> = set.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "1_a.sql:3: the environment has no NONE, so nothing stands in its place. Set it, or write a default as in \
          ${NONE:-value}"
        ]
    );
    assert_eq!(
        set.migrations[0].up.normalized,
        unset.migrations[0].up.normalized
    );
    assert!(!format!("{set:?}").contains("hush"));
}

#[test]
fn variables_that_goose_cannot_read_are_named_with_their_column() {
    for (line, expected) in [
        (
            "SELECT $1;",
            "1_a.sql:3:8: between ENVSUB ON and ENVSUB OFF a `$` begins a variable",
        ),
        ("é ${};", "1_a.sql:3:3: between ENVSUB ON"),
        (
            "${NONE?why};",
            "1_a.sql:3:1: the environment has no NONE, which is required here",
        ),
        (
            "${NONE:?why};",
            "1_a.sql:3:1: `${NONE:` must be followed by",
        ),
        ("${NONE:1:};", "1_a.sql:3:1: `${NONE:` must be followed by"),
        ("${NONE!};", "1_a.sql:3:1: `${NONE` goes on in a way"),
        ("${NONE:-x;", "1_a.sql:3:1: `${NONE` has no `}`"),
        ("${NONE", "1_a.sql:3:1: `${NONE` goes on in a way"),
    ] {
        let text = format!("-- +goose Up\n-- +goose ENVSUB ON\n{line}\n");
        let found = problems("goose", &[("1_a.sql", &text)]);
        assert!(found[0].starts_with(expected), "{line}: {found:?}");
    }
    let deep = format!(
        "-- +goose Up\n-- +goose ENVSUB ON\n{}",
        "${A:-".repeat(100_000)
    );
    let found = problems("goose", &[("1_a.sql", &deep)]);
    assert!(found[0].contains("more than 32 levels"), "{found:?}");
    let folder = directory(&[("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\n${LONG:2}")]);
    let error =
        MigrationDirectory::read(folder.path(), &options("goose", ENVIRONMENT)).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("the part of LONG begins or ends inside") && !message.contains("läng")
    );
}

#[test]
fn comments_that_mysql_would_not_take_for_some_are_comments() {
    let text_of = "-----\n-- +goose Up\n--note\nSELECT 5--1;\n--\n-- x\n";
    let files = [("1_a.sql", text_of)];
    let folder = directory(&files);
    let up = |dialect| {
        let options = ReadOptions {
            dialect,
            ..ReadOptions::default()
        };
        let read = MigrationDirectory::read(folder.path(), &options).unwrap();
        text(&read.migrations[0].up)
    };
    assert_eq!(
        up(Some(Dialect::Mysql)),
        "-- ---\n\n-- note\nSELECT 5--1;\n--\n-- x\n"
    );
    assert_eq!(
        up(Some(Dialect::Postgres)),
        "-----\n\n--note\nSELECT 5--1;\n--\n-- x\n"
    );
}

#[test]
fn new_files_can_be_read() {
    let rules = Layout::named("goose").unwrap().rules();
    let files = rules.new_files("00007", "add_email", Kind::Data).unwrap();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let sample = Sample::new(&files);
    assert_eq!(sample.names(), [("00007", "add email")]);
    let summary = sample.read.migrations[0]
        .up
        .inspect(Dialect::Sqlite)
        .unwrap();
    assert_eq!(summary.kind, Kind::Data);
    assert!(sample.down(0).is_some());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let options = options("goose", ENVIRONMENT);
        if let Ok(sides) = super::script::sides(&text, &options) {
            for side in [Some(sides.up), sides.down].into_iter().flatten() {
                let mut end = 0;
                for range in &side.keep {
                    assert!(end <= range.start && range.start < range.end && range.end <= text.len());
                    end = range.end;
                }
                let inside = |edit: &super::super::super::script::Edit| {
                    side.keep.iter().any(|range| range.start <= edit.range.start && edit.range.end <= range.end)
                };
                assert!(side.edits.iter().all(inside), "{text:?}");
            }
        }
    }
}

const PIECES: [&str; 22] = [
    "-- +goose Up\n",
    "-- +goose Down\n",
    "-- +goose StatementBegin\r\n",
    "-- +goose StatementEnd\n",
    "-- +goose ENVSUB ON\n",
    "-- +goose ENVSUB OFF",
    "-- +goose NO TRANSACTION\n",
    "\n",
    "\r\n",
    "é;",
    " -- x",
    "--x\n",
    "SELECT 1;\n",
    "$",
    "${LONG",
    ":-",
    ":1",
    "}",
    "\\",
    "{",
    "\u{feff}",
    "\u{a0}",
];

use forerun_sql::Dialect;

use super::super::super::Layout;
use super::super::sample::{Sample, problems, statements};
use crate::history::Kind;

#[test]
fn up_and_down_keep_their_lines() {
    let sample = Sample::new(&[(
        "20260101_add_items.sql",
        "-- The shop.\n-- migrate:up\nCREATE TABLE item (id int);\n\n-- migrate:down\nDROP TABLE item;\n",
    )]);
    assert_eq!(sample.read.layout.name(), "dbmate");
    assert_eq!(sample.names(), [("20260101", "add items")]);
    assert_eq!(
        sample.up(0),
        "-- The shop.\n\nCREATE TABLE item (id int);\n\n"
    );
    assert_eq!(sample.down(0).unwrap(), "\n\n\n\n\nDROP TABLE item;\n");
    assert_eq!(sample.read.migrations[0].up.no_transaction, None);
}

#[test]
fn only_its_spelling_at_the_start_of_a_line_is_a_directive() {
    let sample = Sample::new(&[(
        "1.sql",
        "-- migrate:down\n  -- note\n\n--migrate:up\r\n-- migrate:upgrade\n -- migrate:down\n-- migrate:UP\nSELECT 1;\r\n\
         --\t migrate:down  \r\nSELECT 2",
    )]);
    assert_eq!(sample.names(), [("1", "")]);
    assert_eq!(
        sample.up(0),
        "-- migrate:down\n  -- note\n\n\n-- migrate:upgrade\n -- migrate:down\n-- migrate:UP\nSELECT 1;\r\n"
    );
    assert_eq!(sample.down(0).unwrap(), "\n\n\n\n\n\n\n\n\nSELECT 2");
}

#[test]
fn transaction_false_is_about_its_block() {
    for (options, expected) in [
        ("", None),
        (" transaction:true", None),
        (" transaction:FALSE", None),
        (" transaction: false", None),
        (" transaction:false transaction:true", None),
        (" transaction:false:x", None),
        (
            " transaction:false",
            Some("-- migrate:up transaction:false"),
        ),
        (
            "\tfoo bar:1  transaction:false\r",
            Some("-- migrate:up\tfoo bar:1  transaction:false"),
        ),
        (
            " -- transaction:false",
            Some("-- migrate:up -- transaction:false"),
        ),
    ] {
        let text = format!("-- migrate:up{options}\nVACUUM;\n-- migrate:down\n");
        let sample = Sample::new(&[("1_a.sql", &text)]);
        let migration = &sample.read.migrations[0];
        assert_eq!(
            migration.up.no_transaction.as_deref(),
            expected,
            "{options:?}"
        );
        assert_eq!(migration.down.as_ref().unwrap().no_transaction, None);
    }
}

#[test]
fn each_of_several_pairs_has_its_own_transaction_and_the_last_is_reverted_first() {
    let sample = Sample::new(&[(
        "1_a.sql",
        "-- migrate:up\nCREATE TABLE a (x int); SELECT 1\n-- migrate:down\nSELECT 1; DROP TABLE a -- bye\n\
         -- migrate:up transaction:false\nVACUUM\n-- migrate:down\n-- nothing\n\
         -- migrate:up\nCREATE TABLE b (x int); -- b\n-- migrate:down\nDROP TABLE b -- bye",
    )]);
    let migration = &sample.read.migrations[0];
    let down = migration.down.as_ref().unwrap();
    for script in [&migration.up, down] {
        assert_eq!(
            script.no_transaction.as_deref(),
            Some("several pairs of `-- migrate:up` and `-- migrate:down`")
        );
    }
    let found = |script| {
        let found = statements(script, Dialect::Sqlite).into_iter();
        found
            .map(|(line, text)| format!("{line} {text}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(&migration.up),
        [
            "1 BEGIN",
            "2 CREATE TABLE a (x int)",
            "2 SELECT 1",
            "3 COMMIT",
            "6 VACUUM",
            "10 CREATE TABLE b (x int)"
        ]
    );
    let texts: Vec<String> = statements(down, Dialect::Sqlite)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        texts,
        [
            "DROP TABLE b -- bye",
            "BEGIN",
            "SELECT 1",
            "DROP TABLE a -- bye",
            "COMMIT"
        ]
    );
}

#[test]
fn what_dbmate_refuses_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "1_a.sql:1:1: there is no `-- migrate:up`"),
        (
            "-- migrate:down\n",
            "1_a.sql:1:1: there is no `-- migrate:up`",
        ),
        (
            "-- migrate:up\nSELECT 1;",
            "1_a.sql:1:1: there is no `-- migrate:down`",
        ),
        (
            "-- migrate:up\n-- migrate:up\n-- migrate:down\n",
            "1_a.sql:1:1: there is no `-- migrate:down`",
        ),
        (
            "-- migrate:up\n-- migrate:down\n-- migrate:down\n",
            "1_a.sql:3:1: there are two `-- migrate:down`",
        ),
        (
            "-- a\nSELECT 1;\n-- migrate:up\n-- migrate:down\n",
            "1_a.sql:2:1: dbmate accepts nothing but line comments",
        ),
        (
            "/* a */\n-- migrate:up\n-- migrate:down\n",
            "1_a.sql:1:1: dbmate accepts nothing but line comments",
        ),
    ] {
        let found = problems("dbmate", &[("1_a.sql", text)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{text:?}: {found:?}");
    }
}

#[test]
fn names_without_a_number_are_no_migrations() {
    let text = "-- migrate:up\n-- migrate:down\n";
    let sample = Sample::new(&[
        ("0001_.sql", text),
        ("2x.sql", text),
        ("3.sql", text),
        ("README.sql", "no migration"),
        ("5_x.SQL", ""),
    ]);
    assert_eq!(sample.names(), [("0001", ""), ("2", "x"), ("3", "")]);
    assert_eq!(
        sample.warnings(),
        [
            "`5_x.SQL` looks like a migration but is not read: only files whose names end in .sql are"
        ]
    );
}

#[test]
fn file_names_must_be_in_the_order_of_their_numbers() {
    let text = "-- migrate:up\n-- migrate:down\n";
    let found = problems("dbmate", &[("10_b.sql", text), ("9_a.sql", text)]);
    assert_eq!(
        found,
        [
            "9_a.sql: dbmate runs `10_b.sql` before it, since it goes by the file names, but forerun goes by numbers and 9 \
          comes before 10. Give all versions the same number of digits, with zeros in front"
        ]
    );
}

#[test]
fn new_files_can_be_read() {
    let rules = Layout::named("dbmate").unwrap().rules();
    let files = rules
        .new_files("20260101120000", "add_email", Kind::Data)
        .unwrap();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let sample = Sample::new(&files);
    assert_eq!(sample.names(), [("20260101120000", "add email")]);
    let summary = sample.read.migrations[0]
        .up
        .inspect(Dialect::Sqlite)
        .unwrap();
    assert_eq!(summary.kind, Kind::Data);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(pieces in proptest::collection::vec(0..PIECES.len(), 0..30)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        if let Ok(pairs) = super::pairs(&text) {
            let mut end = 0;
            for block in pairs.iter().flat_map(|pair| [&pair.up, &pair.down]) {
                assert!(end <= block.directive.start && block.directive.end <= block.end);
                assert!(text.get(block.directive.clone()).is_some() && text.get(block.body(&text)).is_some());
                end = block.end;
            }
            assert_eq!(end, text.len());
        }
    }
}

const PIECES: [&str; 13] = [
    "-- migrate:up",
    "-- migrate:down\n",
    "--migrate:up transaction:false\r\n",
    "\n",
    " ",
    "é",
    ";",
    "-- x\n",
    "migrate:",
    "--",
    "transaction:false",
    "SELECT 1;\n",
    "\u{feff}",
];

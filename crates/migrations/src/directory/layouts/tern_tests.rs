use forerun_sql::Dialect;

use super::super::super::{Layout, MigrationDirectory};
use super::super::sample::{Sample, directory, options, problems};
use crate::history::Kind;

const PAIR: &str =
    "CREATE TABLE item (id int);\n\n---- create above / drop below ----\n\nDROP TABLE item;\n";

#[test]
fn the_first_separator_divides_a_file() {
    let sample = Sample::new(&[
        ("001_add_items.sql", PAIR),
        ("002_one_way.sql", "SELECT 1;\n"),
        (
            "003_in_line.sql",
            "SELECT 1; ---- create above / drop below ----\r\nSELECT 2;\n---- create above / drop below ----\n",
        ),
        ("should_be_ignored.sql", "{{ x }}"),
        ("shared/part.sql", "{{ x }}"),
    ]);
    assert_eq!(sample.read.layout.name(), "tern");
    assert_eq!(
        sample.names(),
        [("001", "add items"), ("002", "one way"), ("003", "in line")]
    );
    assert_eq!(sample.up(0), "CREATE TABLE item (id int);\n\n");
    assert_eq!(sample.down(0).unwrap(), "\n\n\n\nDROP TABLE item;\n");
    assert_eq!(sample.down(1), None);
    assert_eq!(sample.up(2), "SELECT 1; ");
    assert_eq!(
        sample.down(2).unwrap(),
        "\nSELECT 2;\n---- create above / drop below ----\n"
    );
}

#[test]
fn disable_tx_is_about_its_direction_and_stands_alone_in_its_line() {
    let sample = Sample::new(&[
        (
            "1_a.sql",
            "  ---- tern: disable-tx ----\nVACUUM;\n---- create above / drop below ----\n-- ---- tern: disable-tx ----\n",
        ),
        (
            "2_b.sql",
            "SELECT 1;\n---- tern: disable-tx ---- x\n---- create above / drop below ----\nVACUUM;\r\n\
             ---- tern: disable-tx ----\r\nSELECT 2;",
        ),
    ]);
    let words = Some("---- tern: disable-tx ----");
    let migrations = &sample.read.migrations;
    assert_eq!(migrations[0].up.no_transaction.as_deref(), words);
    assert_eq!(sample.up(0), "  \nVACUUM;\n");
    assert_eq!(migrations[0].down.as_ref().unwrap().no_transaction, None);
    assert_eq!(migrations[1].up.no_transaction, None);
    assert_eq!(
        migrations[1]
            .down
            .as_ref()
            .unwrap()
            .no_transaction
            .as_deref(),
        words
    );
    assert_eq!(sample.down(1).unwrap(), "\n\n\nVACUUM;\r\n\nSELECT 2;");
}

#[test]
fn templates_and_wrong_numbers_are_named_together() {
    let found = problems(
        "tern",
        &[
            ("0_zero.sql", PAIR),
            ("1_a.sql", PAIR),
            (
                "2_b.sql",
                "SELECT\n 1; {{ template \"shared/part.sql\" . }}",
            ),
            ("2147483648_c.sql", PAIR),
        ],
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("0_zero.sql: tern knows versions from 1"));
    assert!(found[1].starts_with("2147483648_c.sql: tern knows versions from 1"));
    assert!(found[2].starts_with("2_b.sql:2:5: this is a Go template"));
}

#[test]
fn a_gap_is_an_error() {
    let found = problems(
        "tern",
        &[
            ("001_a.sql", PAIR),
            ("003_c.sql", PAIR),
            ("005_c.sql", PAIR),
        ],
    );
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("003_c.sql: version 2 is missing before it"),
        "{found:?}"
    );
    let found = problems("tern", &[("002_b.sql", PAIR)]);
    assert!(
        found[0].starts_with("002_b.sql: version 1 is missing before it"),
        "{found:?}"
    );
    let found = problems(
        "tern",
        &[("1_a.sql", PAIR), ("01_b.sql", PAIR), ("2_c.sql", PAIR)],
    );
    assert!(found[0].contains("have the same version 1"), "{found:?}");
}

#[test]
fn versions_are_ordered_as_numbers() {
    let names: Vec<String> = (1..=11).map(|number| format!("{number}_x.sql")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), PAIR)).collect();
    let sample = Sample::new(&files);
    assert_eq!(sample.names()[9..], [("10", "x"), ("11", "x")]);
}

#[test]
fn it_is_known_by_its_configuration_too() {
    let sample = Sample::new(&[("1_a.sql", "SELECT 1;"), ("tern.conf", "[database]\n")]);
    assert_eq!(sample.read.layout.name(), "tern");
    let sample = Sample::new(&[("1_a.sql", "---- tern: disable-tx ----\nVACUUM;")]);
    assert_eq!(sample.read.layout.name(), "tern");
}

#[test]
fn new_files_can_be_read() {
    let rules = Layout::named("tern").unwrap().rules();
    let files = rules
        .new_files("20260101120000", "add_email", Kind::Data)
        .unwrap();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let folder = directory(&files);
    let read = MigrationDirectory::read(folder.path(), &options("tern", &[])).unwrap();
    assert_eq!(read.migrations[0].version_text, "001");
    let summary = read.migrations[0].up.inspect(Dialect::Postgres).unwrap();
    assert_eq!((summary.kind, summary.statement_count), (Kind::Data, 0));
    assert!(read.migrations[0].down.is_some());
}

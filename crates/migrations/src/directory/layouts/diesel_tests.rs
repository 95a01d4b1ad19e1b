use super::super::super::Layout;
use super::super::sample::{Sample, problems};
use crate::history::{Kind, Version};

#[test]
fn a_directory_is_a_migration() {
    let sample = Sample::new(&[
        ("00000000000000_diesel_initial_setup/up.sql", "SELECT 0;"),
        ("00000000000000_diesel_initial_setup/down.sql", "SELECT -0;"),
        ("2026-01-31-120000_add_items/up.sql", "SELECT 1;"),
        ("2026-02-01-120000-0000_x/up.sql", "SELECT 2;"),
        ("2026-02-01-120000-0000_x/notes.md", ""),
        ("seeds/.keep", ""),
        (".hidden/x.txt", ""),
        (".diesel_lock", ""),
        ("README.md", ""),
    ]);
    assert_eq!(sample.read.layout.name(), "diesel");
    assert_eq!(
        sample.names(),
        [
            ("00000000000000", "diesel initial setup"),
            ("20260131120000", "add items"),
            ("202602011200000000", "x")
        ]
    );
    assert_eq!(sample.up(1), "SELECT 1;");
    assert_eq!(sample.down(0).unwrap(), "SELECT -0;");
    assert_eq!(sample.down(1), None);
    assert_eq!(
        sample.read.migrations[1].up.file_name,
        "2026-01-31-120000_add_items/up.sql"
    );
    assert_eq!(sample.warnings(), [""; 0]);
}

#[test]
fn metadata_decides_about_the_transaction() {
    for (metadata, expected) in [
        ("run_in_transaction = true\n", None),
        (
            "# why\n\"run_in_transaction\"=false",
            Some("run_in_transaction = false in metadata.toml"),
        ),
        ("", Some("metadata.toml without run_in_transaction")),
        (
            "[other]\nrun_in_transaction = true\n",
            Some("metadata.toml without run_in_transaction"),
        ),
    ] {
        let sample = Sample::new(&[
            ("1_a/up.sql", "SELECT 1;"),
            ("1_a/down.sql", "SELECT 2;"),
            ("1_a/metadata.toml", metadata),
        ]);
        let migration = &sample.read.migrations[0];
        assert_eq!(
            migration.up.no_transaction.as_deref(),
            expected,
            "{metadata}"
        );
        let down = migration.down.as_ref().unwrap();
        assert_eq!(down.no_transaction.as_deref(), expected, "{metadata}");
    }
}

#[test]
fn names_without_a_number_come_last() {
    let sample = Sample::new(&[("2_b/up.sql", ""), ("first_c/up.sql", ""), ("1/up.sql", "")]);
    assert_eq!(sample.names(), [("1", ""), ("2", "b"), ("first", "c")]);
    assert_eq!(
        sample.read.migrations[2].version,
        Version::named("first").unwrap()
    );
}

#[test]
fn what_cannot_be_carried_over_is_named_together() {
    let found = problems(
        "diesel",
        &[
            ("10_b/up.sql", ""),
            ("1a_c/up.sql", ""),
            ("9_a/up.sql", ""),
            ("91_d/down.sql", ""),
            ("92_e/up.sql", ""),
            ("92_e/metadata.toml", "x = 1\nrun_in_transaction = no"),
            ("93_f/up.sql", ""),
            ("93_f/metadata.toml", "run_in_transaction = \"no\""),
        ],
    );
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(
        found[0].starts_with("1a_c: its version, the text before the first `_`"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("91_d: there is no up.sql in it"),
        "{found:?}"
    );
    assert!(
        found[2].starts_with("92_e/metadata.toml:2:22: this is not TOML"),
        "{found:?}"
    );
    assert!(
        found[3].starts_with("93_f/metadata.toml: run_in_transaction is neither"),
        "{found:?}"
    );
    assert_eq!(
        found[4..],
        problems("diesel", &[("100_b/up.sql", ""), ("20_c/up.sql", "")])
            .iter()
            .map(|problem| problem
                .replace("100", "10")
                .replace("20", "9")
                .replace("9_c", "9_a"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn scripts_beside_the_directories_are_of_another_layout() {
    let sample = Sample::new(&[("1_a.sql", "SELECT 1;"), ("2_b/up.sql", "SELECT 2;")]);
    assert_eq!(sample.read.layout, Layout::NATIVE);
}

#[test]
fn new_files_can_be_read() {
    let rules = Layout::named("diesel").unwrap().rules();
    let files = rules
        .new_files("20260101120000", "add_email", Kind::Schema)
        .unwrap();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let sample = Sample::new(&files);
    assert_eq!(sample.names(), [("20260101120000", "add email")]);
    assert!(sample.down(0).is_some());
}

use std::path::Path;

use super::super::super::{MigrationDirectory, ReadOptions};
use super::super::sample::{Sample, problems, text};
use super::*;

fn fixture(database: &str) -> MigrationDirectory {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/layouts/refinery")
        .join(database);
    let read = MigrationDirectory::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(read.layout.name(), "refinery");
    read
}

fn order(read: &MigrationDirectory) -> Vec<(&str, bool)> {
    let all = read.migrations.iter();
    all.map(|migration| (migration.version_text.as_str(), migration.any_order))
        .collect()
}

#[test]
fn numbers_make_the_order_and_u_may_be_late() {
    let read = fixture("postgres");
    assert_eq!(
        order(&read),
        [("1", false), ("02", false), ("3", true), ("10", false)]
    );
    assert_eq!(read.migrations[1].description, "customer email");
    assert_eq!(read.migrations[3].up.file_name, "orders/V10__orders.sql");
    assert!(text(&read.migrations[3].up).contains("'Dear ${name}'"));
    assert_eq!(
        text(&read.migrations[1].up),
        "ALTER TABLE customer ADD COLUMN email text;\r\n"
    );
    let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "`V4__left-out.sql`: not read: its name does not look like V1__words.sql or U1__words.sql, with letters, digits \
          and _ in the words"
        ]
    );
    assert_eq!(
        order(&fixture("mysql")),
        [("1", false), ("20260131120000", true)]
    );
    assert_eq!(order(&fixture("sqlite")), [("0", true), ("1", false)]);
    assert_eq!(fixture("sqlite").migrations[1].description, " purchases");
}

#[test]
fn what_cannot_be_carried_over_is_named() {
    let found = problems(
        "refinery",
        &[
            ("V1__x.sql", ""),
            ("U1__y.sql", ""),
            ("sub/V2__x.rs", "fn migration() {}"),
            ("V1.2__x.sql", ""),
            ("V9223372036854775808__x.sql", ""),
            ("mod.rs", ""),
        ],
    );
    let starts = [
        "V1.2__x.sql: `1.2` is no version for refinery: use a whole number of at most 9223372036854775807",
        "V9223372036854775808__x.sql: `9223372036854775808` is no version",
        "sub/V2__x.rs: this is a migration in Rust, which only its own program can run",
        "V1__x.sql: `U1__y.sql` has the same version 1.",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (problem, start) in found.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}\n{start}");
    }
}

#[test]
fn names_are_taken_apart() {
    for (file, expected) in [
        ("V1__x.sql", true),
        ("a/U007__größe_2.sql", true),
        ("V1.5__x.rs", true),
        ("V1_x.sql", false),
        ("V1__.sql", false),
        ("V1__a-b.sql", false),
        ("V1__x.SQL", false),
        ("v1__x.sql", false),
        ("V1.__x.sql", false),
        ("V1.2.3__x.sql", false),
        ("V__x.sql", false),
    ] {
        assert_eq!(parse(file).is_some(), expected, "{file}");
    }
}

#[test]
fn settings_above_the_directory_count() {
    let folder =
        super::super::sample::directory(&[("refinery.toml", ""), ("migrations/V1__x.sql", "${a}")]);
    let read = MigrationDirectory::read(&folder.path().join("migrations"), &ReadOptions::default())
        .unwrap();
    assert_eq!(read.layout.name(), "refinery");
    assert_eq!(text(&read.migrations[0].up), "${a}");
}

#[test]
fn a_new_migration_has_two_underscores() {
    let sample = Sample::new(&[("U1__x.sql", "")]);
    let files = sample
        .read
        .layout
        .rules()
        .new_files("2", "x_y", Kind::Data)
        .unwrap();
    assert_eq!(
        files,
        [(
            "V2__x_y.sql".to_owned(),
            "-- forerun:data\n-- x y\n\n".to_owned()
        )]
    );
}

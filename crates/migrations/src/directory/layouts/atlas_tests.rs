//! Directories of Atlas.

use std::path::Path;

use forerun_sql::Dialect;

use super::super::super::MigrationDirectory;
use super::super::sample::{Sample, directory, options, problems, statements, text};
use super::*;

const ONE: (&str, &str) = ("1_a.sql", "create table a (b int);\n");
const IGNORED: (&str, &str) = ("2_b.sql", "-- atlas:sum ignore\n\nselect 1;\n");
const THREE: (&str, &str) = ("3_c.sql", "select 3;\r\n");
/// Made by Atlas 0.13.1.
const SUM_TEXT: &str = "h1:T5CG35qrX0dgJBSl1HJlomI8GIZquX/0xaFzN2i8EJo=\n\
                        1_a.sql h1:+susjdQvRqCIS3kntAR+vOslf6AoSOA9pVY9AwNMrg0=\n\
                        3_c.sql h1:aR0sDstl0wldT1M7QiwqeqtDP12KxBkvWRtpWWAUfTc=\n";

#[test]
fn a_directory_with_a_sum_is_read_and_the_sum_holds() {
    let sample = Sample::new(&[ONE, IGNORED, THREE, ("atlas.sum", SUM_TEXT)]);
    assert_eq!(sample.read.layout.name(), "atlas");
    assert_eq!(sample.names(), [("1", "a"), ("2", "b"), ("3", "c")]);
    assert_eq!(sample.up(2), "select 3;\r\n");
}

#[test]
fn a_sum_that_does_not_hold_says_what_differs() {
    let sum = ("atlas.sum", SUM_TEXT);
    let edited = ("1_a.sql", "create table a (b text);\n");
    for (files, message) in [
        (vec![edited, IGNORED, THREE, sum], "`1_a.sql` was edited"),
        (vec![IGNORED, THREE, sum], "`1_a.sql` was removed"),
        (
            vec![ONE, IGNORED, THREE, ("4_d.sql", "select 4;"), sum],
            "`4_d.sql` was added. Run `atlas migrate hash`",
        ),
        (
            vec![ONE, ("11_x.sql", "select 11;"), IGNORED, THREE, sum],
            "`11_x.sql` was added, before files that were there already",
        ),
        (
            vec![ONE, IGNORED, THREE, ("atlas.sum", "h1:x\n<<<<<<< ours\n")],
            "perhaps after a merge",
        ),
        (
            vec![
                ONE,
                (
                    "atlas.sum",
                    "h1:x\n1_a.sql h1:+susjdQvRqCIS3kntAR+vOslf6AoSOA9pVY9AwNMrg0=\n",
                ),
            ],
            "its first line does not fit",
        ),
    ] {
        let found = problems("atlas", &files);
        assert!(
            found[0].starts_with("atlas.sum: ") && found[0].contains(message),
            "{found:?}"
        );
    }
}

#[test]
fn directives_at_the_top_of_a_file_count() {
    let sample = Sample::new(&[
        (
            "1_a.sql",
            "-- atlas:txmode none\n-- atlas:nolint\n\nselect 1;\n",
        ),
        ("2_b.sql", "-- atlas:txmode none\nselect 2;\n"),
        ("3_c.sql", "-- atlas:checkpoint v3\n\nselect 3;\n"),
        ("4_d.sql", "-- atlas:delimiter //\nselect 4//\nselect 5//\n"),
        (
            "5_e.sql",
            "-- atlas:txtar\n\n-- down.sql --\nselect 7;\n-- migration.sql --\nselect 6;\n",
        ),
    ]);
    let migrations = &sample.read.migrations;
    assert_eq!(
        migrations[0].up.no_transaction.as_deref(),
        Some("-- atlas:txmode none")
    );
    assert_eq!(
        migrations[1].up.no_transaction, None,
        "a comment of a statement, not of the file"
    );
    let checkpoints: Vec<bool> = migrations
        .iter()
        .map(|migration| migration.checkpoint.is_some())
        .collect();
    assert_eq!(checkpoints, [false, false, true, false, false]);
    assert_eq!(
        sample.up(3),
        "-- atlas:delimiter //\nselect 4;\nselect 5;\n"
    );
    assert_eq!(sample.up(4), "\n\n\n\n\nselect 6;\n");
    assert_eq!(sample.down(4).as_deref(), Some("\n\n\nselect 7;\n"));
}

#[test]
fn what_cannot_be_carried_over_is_named() {
    for (line, message) in [
        (
            "-- atlas:txmode all\n\nselect 1;",
            "1_a.sql:1:1: a file cannot ask for txmode all",
        ),
        (
            "-- atlas:txmode some\n\nselect 1;",
            "there is no txmode `some`",
        ),
        (
            "-- atlas:txmode none\n-- atlas:txmode none\n\nselect 1;",
            "1_a.sql:2:1: there is more than one txmode",
        ),
        ("-- atlas:import other.sql\n", "cannot be carried over"),
        (
            "-- atlas:frob\n\nselect 1;",
            "does not know the directive atlas:frob",
        ),
        (
            "-- atlas:txtar\n\n-- checks.sql --\nselect 1;\n-- migration.sql --\nselect 1;",
            "1_a.sql:3:1: the assertions",
        ),
        (
            "-- atlas:txtar\n\n-- down.sql --\nselect 1;",
            "`-- migration.sql --` is missing",
        ),
        (
            "select 1;\n  {{ template \"x\" }}",
            "1_a.sql:2:3: this is a template",
        ),
        ("-- atlas:delimiter //", "no statement below the delimiter"),
    ] {
        let found = problems("atlas", &[("1_a.sql", line)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(message), "{found:?}");
    }
    let found = problems("atlas", &[("1a_x.sql", "select 1;")]);
    assert!(
        found[0].contains("begins with a digit and is no number"),
        "{found:?}"
    );
}

#[test]
fn an_order_that_is_not_that_of_numbers_is_refused() {
    let found = problems(
        "atlas",
        &[("10_a.sql", "select 1;"), ("9_b.sql", "select 1;")],
    );
    assert!(
        found[0].contains("`10_a.sql`") && found[0].contains("file names"),
        "{found:?}"
    );
}

#[test]
fn names_are_versions_too() {
    let folder = directory(&[
        ("initial.sql", "select 1;"),
        ("20240101_x.sql", "select 2;"),
    ]);
    let read = MigrationDirectory::read(folder.path(), &options("atlas", &[])).unwrap();
    let versions: Vec<&str> = read
        .migrations
        .iter()
        .map(|migration| migration.version.as_str())
        .collect();
    assert_eq!(versions, ["20240101", "initial"]);
    assert_eq!(text(&read.migrations[1].up), "select 1;");
}

#[test]
fn a_sum_over_files_of_another_tool_needs_a_word() {
    let two = |files: &[(&str, &str)]| {
        let folder = directory(files);
        MigrationDirectory::read(folder.path(), &ReadOptions::default())
            .unwrap_err()
            .to_string()
    };
    let sum = ("atlas.sum", "h1:x\n");
    for (files, other) in [
        (
            vec![("1_a.up.sql", ""), ("1_a.down.sql", ""), sum],
            "golang-migrate",
        ),
        (vec![("V1__a.sql", ""), sum], "flyway"),
        (vec![("1_a.sql", "-- +goose Up\nselect 1;\n"), sum], "goose"),
        (
            vec![("1_a.sql", "-- migrate:up\nselect 1;\n"), sum],
            "dbmate",
        ),
        (
            vec![("1_a.sql", "--liquibase formatted sql\n"), sum],
            "liquibase",
        ),
    ] {
        let message = two(&files);
        assert!(
            message.contains("--layout atlas") && message.contains(other),
            "{message}"
        );
    }
}

/// The directories that are run by Atlas too.
#[test]
fn the_directories_with_everything_become_statements() {
    for (name, dialect, count) in [
        ("postgres", Dialect::Postgres, 10),
        ("mysql", Dialect::Mysql, 9),
        ("sqlite", Dialect::Sqlite, 9),
    ] {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/layouts/atlas")
            .join(name);
        let options = ReadOptions {
            dialect: Some(dialect),
            ..ReadOptions::default()
        };
        let read = MigrationDirectory::read(&fixture, &options).unwrap();
        assert_eq!(read.layout.name(), "atlas");
        let found: Vec<String> = read
            .migrations
            .iter()
            .flat_map(|migration| statements(&migration.up, dialect))
            .map(|(_, statement)| statement)
            .collect();
        assert_eq!(found.len(), count, "{name}: {found:#?}");
        assert_eq!(
            found[3], "INSERT INTO customer (id, name) VALUES (2, 'one // two')",
            "{name}"
        );
    }
}

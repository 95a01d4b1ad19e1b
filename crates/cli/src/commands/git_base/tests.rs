//! A directory against its own past, in a real repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use forerun_migrations::directory::{MigrationDirectory, ReadOptions};
use forerun_sql::Dialect;

use super::{Comparison, compare, next_object};

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A repository whose `migrations` were committed with 0001 and 0003.
fn repository() -> tempfile::TempDir {
    let repository = tempfile::tempdir().unwrap();
    let migrations = repository.path().join("migrations");
    fs::create_dir(&migrations).unwrap();
    fs::write(migrations.join("0001_a.sql"), "CREATE TABLE a (id int);\n").unwrap();
    fs::write(
        migrations.join("0003_c.sql"),
        "-- c\nCREATE TABLE c (id int);\n",
    )
    .unwrap();
    fs::write(migrations.join("notes.txt"), "x").unwrap();
    git(repository.path(), &["init", "--quiet"]);
    git(repository.path(), &["add", "."]);
    git(repository.path(), &["commit", "--quiet", "-m", "base"]);
    git(repository.path(), &["branch", "base"]);
    repository
}

fn compared(repository: &Path) -> Comparison {
    let options = ReadOptions::default();
    let directory = MigrationDirectory::read(&repository.join("migrations"), &options).unwrap();
    compare(&directory, &options, "base", Dialect::Postgres).unwrap()
}

fn codes(comparison: &Comparison) -> Vec<&'static str> {
    comparison
        .contradictions
        .iter()
        .map(|contradiction| contradiction.problem.code)
        .collect()
}

#[test]
fn unchanged_or_newer_is_fine() {
    let repository = repository();
    fs::write(
        repository.path().join("migrations/0004_d.sql"),
        "SELECT 1;\n",
    )
    .unwrap();
    let comparison = compared(repository.path());
    assert!(
        comparison.contradictions.is_empty() && comparison.warnings.is_empty(),
        "{comparison:?}"
    );
}

#[test]
fn changed_missing_and_late_ones_are_problems() {
    let repository = repository();
    let migrations = repository.path().join("migrations");
    fs::write(
        migrations.join("0001_a.sql"),
        "CREATE TABLE a (id bigint);\n",
    )
    .unwrap();
    fs::remove_file(migrations.join("0003_c.sql")).unwrap();
    fs::write(migrations.join("0002_b.sql"), "SELECT 1;\n").unwrap();
    assert_eq!(
        codes(&compared(repository.path())),
        ["changed", "missing", "out_of_order"]
    );
}

/// The branch at hand has left `base` before it got 0004 and another 0001 there; it has 0005 itself.
fn behind() -> tempfile::TempDir {
    let repository = repository();
    let root = repository.path();
    let migrations = root.join("migrations");
    git(root, &["checkout", "--quiet", "-b", "feature"]);
    fs::write(migrations.join("0005_e.sql"), "SELECT 1;\n").unwrap();
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "-m", "mine"]);
    git(root, &["checkout", "--quiet", "base"]);
    fs::write(migrations.join("0004_d.sql"), "SELECT 1;\n").unwrap();
    fs::write(migrations.join("0001_a.sql"), "CREATE TABLE a (id text);\n").unwrap();
    fs::remove_file(migrations.join("0003_c.sql")).unwrap();
    git(root, &["add", "--all", "."]);
    git(root, &["commit", "--quiet", "-m", "theirs"]);
    git(root, &["checkout", "--quiet", "feature"]);
    repository
}

#[test]
fn what_others_did_since_is_not_held_against_a_branch() {
    let repository = behind();
    let comparison = compared(repository.path());
    assert!(
        comparison.contradictions.is_empty() && comparison.warnings.is_empty(),
        "{comparison:?}"
    );
    // What it does itself is.
    let migrations = repository.path().join("migrations");
    fs::write(migrations.join("0001_a.sql"), "CREATE TABLE b (id int);\n").unwrap();
    fs::write(migrations.join("0002_b.sql"), "SELECT 1;\n").unwrap();
    fs::write(migrations.join("0004_mine.sql"), "SELECT 2;\n").unwrap();
    assert_eq!(
        codes(&compared(repository.path())),
        ["changed", "version_taken", "out_of_order"]
    );
}

#[test]
fn a_comment_is_a_warning() {
    let repository = repository();
    fs::write(
        repository.path().join("migrations/0003_c.sql"),
        "-- other\r\nCREATE TABLE c (id int);\r\n",
    )
    .unwrap();
    let comparison = compared(repository.path());
    assert!(comparison.contradictions.is_empty(), "{comparison:?}");
    assert_eq!(comparison.warnings.len(), 1);
}

#[test]
fn an_unknown_reference_says_what_to_do() {
    let repository = repository();
    let options = ReadOptions::default();
    let directory =
        MigrationDirectory::read(&repository.path().join("migrations"), &options).unwrap();
    for reference in ["nothere", "--help", ""] {
        let explanation = compare(&directory, &options, reference, Dialect::Postgres)
            .unwrap_err()
            .explain();
        assert_eq!(explanation.exit_code.number(), 2, "{reference}");
        assert!(explanation.advice.last().unwrap().contains("git fetch"));
        let message = &explanation.message;
        assert_eq!(
            message.contains("the reference"),
            reference.is_empty(),
            "{message}"
        );
    }
}

#[test]
fn objects_of_a_batch_are_cut_by_their_size() {
    let mut rest: &[u8] = b"aa blob 3\na\nb\nbb blob 0\n\ncc missing\n";
    assert_eq!(next_object(&mut rest), Some(&b"a\nb"[..]));
    assert_eq!(next_object(&mut rest), Some(&b""[..]));
    assert_eq!(next_object(&mut rest), None);
}

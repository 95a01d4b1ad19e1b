//! What becomes of entries beside the files of a directory.

use std::collections::BTreeSet;

use super::mapping::*;
use super::*;
use crate::directory::{Layout, Repeat, Script};
use crate::history::Origin;
use crate::history::foreign::{Entry, Row, Trouble, UpTo, named};

fn version(text: &str) -> Version {
    Version::parse(text)
        .or_else(|| Version::named(text))
        .unwrap()
}

fn directory(versions: &[&str]) -> MigrationDirectory {
    let migrations = versions.iter().map(|text| {
        let up = Script::for_test(&format!("{text}.sql"), "digest");
        let mut migration = Migration::new(version(text), *text, "words", up);
        if text.starts_with("R__") {
            migration.repeat = Repeat::WhenChanged;
        }
        migration
    });
    let path = std::path::Path::new("migrations");
    MigrationDirectory::new(path, Layout::NATIVE, migrations.collect(), Vec::new()).unwrap()
}

fn entry(text: &str) -> Entry {
    Entry {
        version: version(text),
        row: format!("version_id {text}"),
        description: String::new(),
        checksum: None,
        facts: Facts::default(),
        columns: Row(Vec::new()),
    }
}

fn state(versions: &[&str]) -> State {
    State {
        entries: versions.iter().map(|text| entry(text)).collect(),
        ..State::default()
    }
}

fn one_number(text: &str, ran: bool) -> State {
    State {
        up_to: vec![UpTo {
            version: version(text),
            row: format!("version {text}"),
            ran,
            facts: Facts::default(),
        }],
        ..State::default()
    }
}

fn recorded(versions: &[(&str, Origin)]) -> Recorded {
    Recorded {
        applied: versions
            .iter()
            .map(|(text, origin)| (version(text), *origin))
            .collect(),
        unfinished: BTreeSet::new(),
    }
}

/// Rows as `version` with a file, `(version)` without.
fn items(adoption: &Adoption<'_>) -> Vec<String> {
    let shown = |item: &Item<'_>| match item.migration {
        Some(_) => item.version.to_string(),
        None => format!("({})", item.version),
    };
    adoption.items.iter().map(shown).collect()
}

fn pending_of(adoption: &Adoption<'_>) -> Vec<String> {
    adoption
        .pending
        .iter()
        .map(|migration| migration.version.to_string())
        .collect()
}

fn mapped<'d>(
    directory: &'d MigrationDirectory,
    state: &State,
    recorded: &Recorded,
) -> Adoption<'d> {
    accepting(directory, state, recorded, &Accepted::default())
}

fn accepting<'d>(
    directory: &'d MigrationDirectory,
    state: &State,
    recorded: &Recorded,
    accepted: &Accepted,
) -> Adoption<'d> {
    static OPTIONS: std::sync::LazyLock<ReadOptions> = std::sync::LazyLock::new(Default::default);
    let files = Files {
        directory,
        options: &OPTIONS,
    };
    map(named("goose").unwrap(), state, files, recorded, accepted).unwrap()
}

#[test]
fn entries_are_put_beside_their_files_and_the_rest_is_pending() {
    let directory = directory(&["1", "2", "3", "4"]);
    let adoption = mapped(&directory, &state(&["2", "1"]), &Recorded::default());
    assert_eq!(items(&adoption), ["1", "2"]);
    assert_eq!(pending_of(&adoption), ["3", "4"]);
    assert!(adoption.problems.is_empty() && adoption.warnings.is_empty());
}

#[test]
fn what_is_newer_than_the_directory_is_taken_over_and_a_gap_is_told() {
    let directory = directory(&["1", "3"]);
    let adoption = mapped(
        &directory,
        &state(&["1", "2", "3", "4"]),
        &Recorded::default(),
    );
    assert_eq!(items(&adoption), ["1", "3", "(4)"]);
    assert_eq!(
        adoption.problems,
        [Problem::Missing {
            version: version("2"),
            row: "version_id 2".to_owned()
        }]
    );
    let accepted = Accepted {
        missing: Acceptance::Versions(BTreeSet::from([version("2")])),
        ..Accepted::default()
    };
    let adoption = accepting(
        &directory,
        &state(&["1", "2", "3", "4"]),
        &Recorded::default(),
        &accepted,
    );
    assert_eq!(items(&adoption), ["1", "3", "(2)", "(4)"]);
    assert!(adoption.problems.is_empty());
    let accepted: Vec<_> = adoption.items.iter().map(|item| item.accepted).collect();
    assert_eq!(accepted, [None, None, Some("missing"), None]);
}

#[test]
fn names_without_a_number_are_newer_when_they_come_last() {
    let directory = directory(&["a::1", "a::3"]);
    let adoption = mapped(
        &directory,
        &state(&["a::1", "a::2", "a::3", "a::0"]),
        &Recorded::default(),
    );
    assert_eq!(items(&adoption), ["a::1", "a::3", "(a::0)"]);
    assert_eq!(adoption.problems.len(), 1);
}

#[test]
fn a_second_time_only_what_is_new_is_taken_over() {
    let directory = directory(&["1", "2", "3"]);
    let before = recorded(&[("1", Origin::Adopted), ("2", Origin::Applied)]);
    let adoption = mapped(&directory, &state(&["1", "2", "3"]), &before);
    assert_eq!(
        (items(&adoption), adoption.already),
        (vec!["3".to_owned()], 2)
    );
    let adoption = mapped(&directory, &state(&["2"]), &before);
    assert!(adoption.items.is_empty());
    assert!(
        adoption.warnings[0].contains("version 1 was adopted before"),
        "{adoption:?}"
    );
    assert_eq!(pending_of(&adoption), ["3"]);
}

#[test]
fn one_number_covers_all_files_up_to_it() {
    let directory = directory(&["1", "2", "3", "R__views"]);
    let adoption = mapped(&directory, &one_number("2", true), &Recorded::default());
    assert_eq!(items(&adoption), ["1", "2"]);
    assert_eq!(pending_of(&adoption), ["3", "R__views"]);
    // Newer than the directory.
    let adoption = mapped(&directory, &one_number("7", true), &Recorded::default());
    assert_eq!(items(&adoption), ["1", "2", "3", "(7)"]);
}

#[test]
fn a_number_in_the_middle_needs_its_file_unless_it_was_only_declared() {
    let directory = directory(&["1", "3"]);
    let adoption = mapped(&directory, &one_number("2", true), &Recorded::default());
    assert!(
        matches!(&adoption.problems[..], [Problem::Missing { .. }]),
        "{adoption:?}"
    );
    let adoption = mapped(&directory, &one_number("2", false), &Recorded::default());
    assert_eq!(items(&adoption), ["1", "(2)"]);
    assert!(adoption.problems.is_empty());
}

#[test]
fn troubles_and_attempts_of_our_own_stand_in_the_way() {
    let directory = directory(&["1", "2"]);
    let mut state = state(&["1", "2"]);
    state.problems.push(Trouble {
        message: "dirty".to_owned(),
        advice: "clean it".to_owned(),
    });
    let ours = Recorded {
        unfinished: BTreeSet::from([version("2")]),
        ..Recorded::default()
    };
    let adoption = mapped(&directory, &state, &ours);
    assert!(
        matches!(
            &adoption.problems[..],
            [Problem::Peer { .. }, Problem::Unfinished { .. }]
        ),
        "{adoption:?}"
    );
}

#[test]
fn what_a_checkpoint_stands_for_needs_no_file() {
    let mut directory = directory(&["1", "5", "6"]);
    let up = directory.migrations[1].up.clone();
    directory.migrations[1].checkpoint = Some(up);
    let adoption = mapped(&directory, &state(&["1", "2", "3"]), &Recorded::default());
    assert_eq!(items(&adoption), ["1", "(2)", "(3)"]);
    assert!(adoption.problems.is_empty());
    // A database with a history does not run it.
    assert_eq!(pending_of(&adoption), ["6"]);
}

//! What a team goes through that changes from another tool to forerun, for one tool and one database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Place, installed, succeed};
use crate::story::{Product, Target};

/// Another migration tool.
pub struct Peer {
    /// What forerun calls its layout, and the directory of its fixtures.
    pub layout: &'static str,
    /// Its program.
    pub program: &'static str,
    /// What the names of its own tables begin with.
    pub tables: &'static [&'static str],
    /// Its environment, which forerun is given too.
    pub environment: &'static [(&'static str, &'static str)],
    /// Applies everything, or the first half: what that is, is in the words of the peer.
    pub up: fn(&Place, Option<&str>) -> Command,
    /// Shows what it thinks is applied, after the first half.
    pub status: fn(&Place, &str) -> Command,
    /// Puts beside the directory what the peer wants there.
    pub prepare: fn(&Place),
    /// Takes out of a dump what the peer does to the text of statements, and forerun does not.
    pub reduce: fn(&str) -> String,
}

/// The fixtures that every layout has, by database.
pub fn fixture(layout: &str, product: Product) -> PathBuf {
    let database = match product {
        Product::Postgres => "postgres",
        Product::Mariadb => "mysql",
        Product::Sqlite => "sqlite",
    };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../migrations/tests/layouts")
        .join(layout)
        .join(database)
}

/// What of the journey can be gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Convert {
    /// The directory can be written in the native layout.
    Yes,
    /// The same, but what fills this table runs in every run, and is left out.
    Without(&'static str),
    /// It has something that the native layout has not; forerun says so.
    Refused(&'static str),
}

/// The whole journey on the fixture of a database, with what `half` means to the peer.
pub fn check(peer: &Peer, target: Option<Target<'static>>, half: &str, convert: Convert) {
    let Some(target) = target else {
        return;
    };
    let directory = fixture(peer.layout, target.product);
    let _ = check_directory(peer, &directory, target, half, convert);
}

/// The same on any directory. Gives what the peer alone made of it, unless the peer is not installed.
pub fn check_directory(
    peer: &Peer,
    directory: &Path,
    target: Target<'static>,
    half: &str,
    convert: Convert,
) -> Option<String> {
    let program = installed(peer.program)?;
    let place = |target: Target<'static>| {
        let place = Place::new(&program, directory, target, peer.environment);
        (peer.prepare)(&place);
        place
    };

    // The peer alone: in one go, and in two, since some scripts run in every run.
    let alone = place(target.another());
    succeed(&mut (peer.up)(&alone, None));
    let truth = contents(peer, &alone);
    let in_two = place(target.another());
    succeed(&mut (peer.up)(&in_two, Some(half)));
    succeed(&mut (peer.up)(&in_two, None));
    let truth_in_two = contents(peer, &in_two);

    from_empty(peer, &place(target.another()), &truth);
    take_over(peer, &place(target.another()), half, &truth_in_two);
    converted(peer, &place(target), convert, &alone);
    Some(truth)
}

/// The peer fails in the last of these files. What it left is explained, and nothing is taken over.
pub fn stopped(peer: &Peer, target: Option<Target<'static>>, files: &[(&str, &str)], why: &[&str]) {
    let (Some(program), Some(target)) = (installed(peer.program), target) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let place = Place::new(&program, directory.path(), target, peer.environment);
    (peer.prepare)(&place);
    // Not every peer says so with its exit code.
    let _ = (peer.up)(&place, None).output().unwrap();
    for words in [&["adopt", "--dry-run"][..], &["adopt"]] {
        let (code, text) = forerun_any(&place, words);
        assert_eq!(code, Some(4), "{words:?}\n{text}");
        for part in why {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
    let (code, text) = forerun_any(&place, &["up"]);
    assert_eq!(code, Some(5), "up\n{text}");
    assert!(nothing_recorded(&place));
}

fn nothing_recorded(place: &Place) -> bool {
    let rows = place
        .target
        .try_query("SELECT version FROM forerun_history");
    rows.is_ok_and(|rows| rows.is_empty())
        || place
            .target
            .try_query("SELECT 1 FROM forerun_history")
            .is_err()
}

/// forerun does it all.
fn from_empty(peer: &Peer, place: &Place, truth: &str) {
    forerun(peer, place, &["up"], 0);
    assert_same(&contents(peer, place), truth, "forerun from empty");
    forerun(peer, place, &["status", "--exit-code"], 0);
}

/// The peer does half, forerun adopts and does the rest.
fn take_over(peer: &Peer, place: &Place, half: &str, truth: &str) {
    succeed(&mut (peer.up)(place, Some(half)));
    let seen_by_peer = without_times(&succeed(&mut (peer.status)(place, half)));
    let bookkeeping = peers_own_rows(peer, place);

    // Nothing is run twice by somebody who does not know of `adopt`.
    let refused = forerun_any(place, &["up"]);
    assert_eq!(refused.0, Some(5), "up before adopt: {}", refused.1);
    assert!(refused.1.contains("adopt"), "{}", refused.1);

    forerun(peer, place, &["adopt", "--dry-run"], 0);
    assert!(nothing_recorded(place), "a dry run records nothing");
    forerun(peer, place, &["adopt"], 0);
    let adopted = place.target.query(HISTORY);
    assert!(!adopted.is_empty());
    forerun(peer, place, &["adopt"], 0);
    assert_eq!(place.target.query(HISTORY), adopted, "a second adopt");

    forerun(peer, place, &["up"], 0);
    assert_same(
        &contents(peer, place),
        truth,
        "adopt after the peer did half",
    );
    forerun(peer, place, &["status", "--exit-code"], 0);
    forerun(peer, place, &["adopt"], 0);
    forerun(peer, place, &["up"], 0);
    place.target.assert_left_clean();

    assert_eq!(peers_own_rows(peer, place), bookkeeping, "the peer's table");
    assert_eq!(
        without_times(&succeed(&mut (peer.status)(place, half))),
        seen_by_peer,
        "what the peer sees"
    );
}

/// The directory in the native layout, and forerun does it all.
fn converted(peer: &Peer, place: &Place, convert: Convert, alone: &Place) {
    let arguments = ["convert", "--to", "native", "native"];
    let without: &[&str] = match convert {
        Convert::Yes => &[],
        Convert::Without(table) => &[table],
        Convert::Refused(why) => {
            let refused = forerun_any(place, &arguments);
            assert_ne!(refused.0, Some(0), "{}", refused.1);
            assert!(refused.1.contains(why), "{}", refused.1);
            return;
        }
    };
    forerun(peer, place, &arguments, 0);
    let native = place.project.path().join("native").display().to_string();
    let words = ["--format", "text", "migrate", "up", "--dir", &native];
    let _ = place.project.run(&words).expect_code(0);
    assert_same(
        &contents_without(peer, place, without),
        &contents_without(peer, alone, without),
        "the converted directory",
    );
}

const HISTORY: &str = "SELECT version FROM forerun_history ORDER BY version";

/// Runs `forerun migrate`, with the layout as it is found out.
fn forerun(peer: &Peer, place: &Place, arguments: &[&str], code: i32) -> String {
    let (actual, text) = forerun_any(place, arguments);
    assert_eq!(actual, Some(code), "{}: {arguments:?}\n{text}", peer.layout);
    text
}

fn forerun_any(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let mut words = vec!["--format", "text", "migrate"];
    words.extend(arguments);
    let outcome = place.project.run(&words);
    (
        outcome.code(),
        format!("{}{}", outcome.stdout, outcome.stderr),
    )
}

/// What is in the database, but for the tables of the peer and of forerun.
pub fn contents(peer: &Peer, place: &Place) -> String {
    contents_without(peer, place, &[])
}

fn contents_without(peer: &Peer, place: &Place, tables: &[&str]) -> String {
    let mut without = vec!["forerun_"];
    without.extend(peer.tables);
    without.extend(tables);
    let dump = place.target.dump(&without);
    // What Java's driver adds to the mode of its session is kept with procedures and triggers.
    let dump = dump.replace("IGNORE_SPACE,", "");
    (peer.reduce)(&without_times(&without_name(place, dump)))
}

/// What the peer has in its own tables.
fn peers_own_rows(peer: &Peer, place: &Place) -> String {
    let tables = match place.product() {
        Product::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        Product::Postgres => {
            "SELECT quote_ident(table_name) FROM information_schema.tables \
             WHERE table_schema = 'public' ORDER BY 1"
        }
        Product::Mariadb => {
            "SELECT table_name FROM information_schema.tables \
             WHERE table_schema = database() ORDER BY 1"
        }
    };
    let mut rows = String::new();
    for table in place.target.query(tables).lines() {
        let lower = table.trim_matches('"').to_lowercase();
        if peer.tables.iter().any(|own| lower.starts_with(own)) {
            rows += &place.target.query(&format!("SELECT * FROM {table}"));
            rows += "\n";
        }
    }
    assert!(!rows.trim().is_empty(), "the peer has rows of its own");
    rows
}

/// Every database has a name of its own.
fn without_name(place: &Place, dump: String) -> String {
    match place.product() {
        Product::Sqlite => dump,
        Product::Postgres | Product::Mariadb => {
            dump.replace(&place.target.database().name, "DATABASE")
        }
    }
}

/// `2026-01-31 12:00:00` and what follows of it become a word, and so does a time without a day.
fn without_times(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let forms = ["0000-00-00 00:00:00", "0000/00/00 00:00:00", "00:00:00"];
        if let Some(form) = forms.iter().find(|form| is_like(rest, form)) {
            kept += "TIME";
            let fraction_and_zone = |letter| matches!(letter, '0'..='9' | '.' | '+');
            rest = rest[form.len()..].trim_start_matches(fraction_and_zone);
        } else {
            kept.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    kept
}

/// Whether a text begins with digits where the form has a 0, and with what else is in it.
fn is_like(text: &str, form: &str) -> bool {
    text.len() >= form.len()
        && form
            .bytes()
            .zip(text.bytes())
            .all(|(form, byte)| match form {
                b'0' => byte.is_ascii_digit(),
                form => form == byte,
            })
}

/// Compares two dumps; what differs is shown with the lines around it.
pub fn assert_same(actual: &str, expected: &str, what: &str) {
    if actual == expected {
        return;
    }
    let actual_lines: Vec<&str> = actual.lines().collect();
    let expected_lines: Vec<&str> = expected.lines().collect();
    let same = actual_lines
        .iter()
        .zip(&expected_lines)
        .take_while(|(one, other)| one == other)
        .count();
    let show = |lines: &[&str]| {
        let from = same.saturating_sub(5).min(lines.len());
        let to = (same + 15).min(lines.len());
        lines[from..to].join("\n")
    };
    panic!(
        "{what}: the database differs at line {}\n--- expected\n{}\n--- forerun\n{}",
        same + 1,
        show(&expected_lines),
        show(&actual_lines)
    );
}

//! Three migrations with a statement in the middle, a table in which a second application would be seen, and what must
//! be true in the end.

use forerun_test_support::{RunningCommand, ScratchProject};

use super::target::Target;
use super::{up, up_for_people};

/// A lease so short that nobody waits for it.
pub const SHORT_LEASE: [&str; 2] = ["--lease", "3s"];

/// Three migrations; `standing` is in the middle of the second one.
pub fn migrations(standing: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "0001_first.sql",
            "CREATE TABLE ledger (entry integer NOT NULL);\nINSERT INTO ledger VALUES (1);\n"
                .to_owned(),
        ),
        (
            "0002_second.sql",
            format!("INSERT INTO ledger VALUES (20);\n{standing}INSERT INTO ledger VALUES (21);\n"),
        ),
        (
            "0003_third.sql",
            "CREATE TABLE later (id integer NOT NULL);\nINSERT INTO ledger VALUES (3);\n"
                .to_owned(),
        ),
    ]
}

/// Everything is applied, once, and nothing else is left.
pub fn assert_finished(target: &Target<'_>) {
    assert_eq!(target.applied(), [1, 2, 3], "{target:?}: the history");
    assert_eq!(target.audited(), [1, 2, 3], "{target:?}: the audit");
    assert_eq!(
        target.query("SELECT entry FROM ledger ORDER BY entry"),
        "1\n3\n20\n21",
        "{target:?}"
    );
    target.assert_left_clean();
}

/// What whoever sees the failure does: run it again.
pub fn second_run_finishes(project: &ScratchProject, target: &Target<'_>) {
    let _ = up(project, &[]).run().expect_code(0);
    assert_finished(target);
}

/// A new database on each server, without SQLite.
pub fn servers() -> impl Iterator<Item = Target<'static>> {
    [Target::postgres, Target::mariadb]
        .into_iter()
        .filter_map(|target| target())
}

/// Starts `migrate up`, output for people, with [`SHORT_LEASE`].
pub fn start(project: &ScratchProject, options: &[&str]) -> RunningCommand {
    let mut all = SHORT_LEASE.to_vec();
    all.extend(options);
    up_for_people(project, &all).spawn()
}

/// After an interruption nothing goes on behind our back, and nobody has to wait for a lease.
pub fn assert_let_go(target: &Target<'_>) {
    assert_eq!(target.holder(), "", "{target:?}: the lock is free");
    if let Some(sessions) = target.sessions_query() {
        target.wait_until(&sessions, "0");
    }
}

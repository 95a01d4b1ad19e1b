//! Contract migrations that do not say `unused-since`.

use super::*;
use crate::ledger::NotInRunning;

/// 2.4, 2.5 and, if it is there, 2.6 with directories that end with these versions.
fn case(directories: &[(Option<u32>, DeploymentStatus)]) -> Case {
    let rows = directories.iter().zip(1_i64..).zip(["2.4", "2.5", "2.6"]);
    let rows = rows.map(|(((directory, status), id), release)| Deployment {
        directory_version: directory.map(Version::from),
        ..for_test(id, release, *status)
    });
    Case {
        unused_since: None,
        release: Some("2.7"),
        deployments: rows.collect(),
        ..Case::default()
    }
}

fn held(directories: &[(Option<u32>, DeploymentStatus)]) -> Option<(Option<String>, NotInRunning)> {
    case(directories)
        .holds()
        .into_iter()
        .find_map(|hold| match hold {
            HoldReason::NotInRunning { running, because } => Some((running, because)),
            _ => None,
        })
}

#[test]
fn the_release_that_runs_must_have_the_file() {
    let of = |release: &str, because| Some((Some(release.to_owned()), because));
    let one = (Some(1), Completed);
    assert_eq!(held(&[one, (Some(3), Completed)]), None);
    assert_eq!(held(&[one, (Some(4), Completed)]), None);
    assert_eq!(
        held(&[one, (Some(2), Completed)]),
        of("2.5", NotInRunning::Older)
    );
    assert_eq!(
        held(&[one, (None, Completed)]),
        of("2.5", NotInRunning::Unknown)
    );
    assert_eq!(
        held(&[(Some(2), Completed), (Some(3), Open)]),
        of("2.5", NotInRunning::NotClosed)
    );
    // Rolled back, and the older one was started.
    assert_eq!(
        held(&[one, (Some(3), Completed), (Some(2), Open)]),
        of("2.6", NotInRunning::Started)
    );
    assert_eq!(
        held(&[(Some(1), Superseded), (Some(2), Superseded)]),
        Some((None, NotInRunning::Older))
    );
    // Without a ledger there is nothing to ask.
    assert_eq!(held(&[]), None);
}

#[test]
fn the_first_release_with_the_file_is_the_oldest_that_may_run() {
    let verdict = case(&[
        (Some(1), Completed),
        (Some(3), Failed),
        (Some(3), Completed),
    ])
    .verdict();
    assert_eq!(verdict.unused_since.as_deref(), Some("2.5"));
    let verdict = case(&[(Some(1), Completed), (Some(2), Completed)]).verdict();
    assert_eq!(verdict.unused_since.as_deref(), Some("2.7"));
    assert_eq!(case(&[]).verdict().unused_since, None);
}

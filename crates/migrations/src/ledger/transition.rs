//! How deployments open, end and close: ledger in, rows to write out.

use std::fmt;

use super::{Deployment, DeploymentStatus, last_completed, newest, same_release};
use crate::history::Version;

/// What `migrate up --release` does to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The row as it shall be.
    pub deployment: Deployment,
    /// It was there already.
    pub reopened: bool,
    /// Whether there is anything to write.
    pub changed: bool,
}

/// Who opens, and when.
#[derive(Debug, Clone, Copy)]
pub struct Opener<'a> {
    /// The release.
    pub release: &'a str,
    /// Newest numbered version of its directory.
    pub directory_version: Option<&'a Version>,
    /// Now, RFC 3339.
    pub now: &'a str,
    /// The run.
    pub run_id: &'a str,
    /// User and host.
    pub by: &'a str,
}

/// Opens the deployment of a release, or opens it again.
///
/// The newest row is used again as long as it is of this release and not closed: a Job that is retried, a pod that
/// starts a second time. It is also used when it is completed and there is nothing to run: the release merely starts
/// again. Everything else is a new row: another release, a rollback to an older one, and the same name with something
/// new to run.
pub fn open(deployments: &[Deployment], by: Opener<'_>, has_steps: bool) -> Opening {
    // The same name, with a file that is held: a gate asks which releases had it.
    let is_newer = |latest: &Deployment| {
        let recorded = latest.directory_version.as_ref();
        recorded.is_some_and(|recorded| Some(recorded) < by.directory_version)
    };
    let latest = newest(deployments).filter(|latest| same_release(&latest.release, by.release));
    if let Some(latest) = latest {
        match latest.status {
            DeploymentStatus::Completed if !has_steps && !is_newer(latest) => {
                return Opening {
                    deployment: latest.clone(),
                    reopened: true,
                    changed: false,
                };
            }
            DeploymentStatus::Open | DeploymentStatus::Failed => {
                let done = latest.status == DeploymentStatus::Open && latest.migrated_at.is_some();
                return Opening {
                    deployment: Deployment {
                        status: DeploymentStatus::Open,
                        directory_version: by.directory_version.cloned(),
                        run_id: by.run_id.to_owned(),
                        ..latest.clone()
                    },
                    reopened: true,
                    changed: has_steps || !done || is_newer(latest),
                };
            }
            DeploymentStatus::Completed | DeploymentStatus::Superseded => {}
        }
    }
    let id = newest(deployments).map_or(1, |latest| latest.id + 1);
    let previous_release = last_completed(deployments).map(|last| last.release.clone());
    Opening {
        deployment: Deployment {
            id,
            release: by.release.to_owned(),
            previous_release,
            status: DeploymentStatus::Open,
            directory_version: by.directory_version.cloned(),
            started_at: by.now.to_owned(),
            migrated_at: None,
            completed_at: None,
            run_id: by.run_id.to_owned(),
            opened_by: by.by.to_owned(),
        },
        reopened: false,
        changed: true,
    }
}

/// The row at the end of the run that opened it. One that ended well stays migrated.
pub fn finished(deployment: &Deployment, well: bool, now: &str) -> Deployment {
    let mut deployment = deployment.clone();
    if well {
        deployment.migrated_at = Some(now.to_owned());
    } else {
        deployment.status = DeploymentStatus::Failed;
    }
    deployment
}

/// What `migrate deployed` does to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The row that is completed, as it shall be.
    pub deployment: Deployment,
    /// Rows that were never completed and now never will be, as they shall be.
    pub superseded: Vec<Deployment>,
    /// It was closed before; nothing is to be written.
    pub already: bool,
}

/// Why a deployment cannot be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseProblem {
    /// No release is given, and no deployment is open.
    NothingOpen,
    /// This release was never opened.
    NeverOpened,
    /// Its migrations have not ended well.
    NotMigrated(Box<Deployment>),
    /// Another release was completed after it.
    Later {
        /// The row of the release that was to be closed.
        deployment: Box<Deployment>,
        /// The release that was completed after it.
        by: String,
    },
}

impl fmt::Display for CloseProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingOpen => formatter.write_str("the ledger has no deployment"),
            Self::NeverOpened => formatter.write_str("it was never opened"),
            Self::NotMigrated(row) => write!(
                formatter,
                "its migrations have not ended well (deployment {} is {})",
                row.id,
                row.status.as_str()
            ),
            Self::Later { by, .. } => write!(formatter, "release {by} was completed after it"),
        }
    }
}

/// Closes the deployment of a release; without one, the newest that is open. With `unopened`, a release that `up` never
/// saw is recorded as well.
///
/// # Errors
/// See [`CloseProblem`].
pub fn close(
    deployments: &[Deployment],
    release: Option<&str>,
    unopened: bool,
    by: (&str, &str, &str),
) -> Result<Closing, CloseProblem> {
    let (now, run_id, who) = by;
    let chosen = match release {
        Some(release) => deployments
            .iter()
            .filter(|deployment| same_release(&deployment.release, release))
            .max_by_key(|deployment| deployment.id),
        None => newest(deployments),
    };
    let last = last_completed(deployments);
    let later = |chosen: &Deployment| last.filter(|last| last.id > chosen.id);
    let deployment = match (chosen, release) {
        (None, None) => return Err(CloseProblem::NothingOpen),
        (Some(chosen), _) if later(chosen).is_none() => match chosen.status {
            DeploymentStatus::Completed => {
                return Ok(Closing {
                    deployment: chosen.clone(),
                    superseded: Vec::new(),
                    already: true,
                });
            }
            DeploymentStatus::Open if chosen.migrated_at.is_some() => chosen.clone(),
            _ => return Err(CloseProblem::NotMigrated(Box::new(chosen.clone()))),
        },
        (_, Some(release)) if unopened => {
            let opener = Opener {
                release,
                directory_version: None,
                now,
                run_id,
                by: who,
            };
            Deployment {
                id: newest(deployments).map_or(1, |latest| latest.id + 1),
                ..open(&[], opener, false).deployment
            }
        }
        (None, Some(_)) => return Err(CloseProblem::NeverOpened),
        (Some(chosen), _) => {
            return Err(CloseProblem::Later {
                deployment: Box::new(chosen.clone()),
                by: later(chosen)
                    .map(|last| last.release.clone())
                    .unwrap_or_default(),
            });
        }
    };
    let superseded = deployments
        .iter()
        .filter(|other| other.id < deployment.id)
        .filter(|other| {
            matches!(
                other.status,
                DeploymentStatus::Open | DeploymentStatus::Failed
            )
        })
        .map(|other| Deployment {
            status: DeploymentStatus::Superseded,
            ..other.clone()
        })
        .collect();
    Ok(Closing {
        deployment: Deployment {
            status: DeploymentStatus::Completed,
            previous_release: deployment
                .previous_release
                .clone()
                .or_else(|| last.map(|last| last.release.clone())),
            completed_at: Some(now.to_owned()),
            run_id: run_id.to_owned(),
            ..deployment
        },
        superseded,
        already: false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::for_test;
    use super::*;
    use DeploymentStatus::{Completed, Failed, Open, Superseded};

    const BY: (&str, &str, &str) = ("2026-02-01T00:00:00Z", "run-2", "me@here");

    fn opened(ledger: &[Deployment], release: &str, has_steps: bool) -> (i64, bool, bool) {
        let opener = Opener {
            release,
            directory_version: None,
            now: BY.0,
            run_id: BY.1,
            by: BY.2,
        };
        let opening = open(ledger, opener, has_steps);
        assert!(!opening.changed || opening.deployment.status == Open);
        (opening.deployment.id, opening.reopened, opening.changed)
    }

    #[test]
    fn a_release_opens_once() {
        let unfinished = Deployment {
            migrated_at: None,
            ..for_test(2, "2.5", Open)
        };
        let first = for_test(1, "2.4", Completed);
        for (ledger, release, has_steps, expected) in [
            (vec![], "2.4", true, (1, false, true)),
            (vec![first.clone()], "2.5", false, (2, false, true)),
            // Its Job failed, or died, and runs again.
            (
                vec![first.clone(), for_test(2, "2.5", Failed)],
                "v2.5.0",
                false,
                (2, true, true),
            ),
            (
                vec![first.clone(), unfinished],
                "2.5",
                false,
                (2, true, true),
            ),
            // Another pod of it starts.
            (
                vec![first.clone(), for_test(2, "2.5", Open)],
                "2.5",
                false,
                (2, true, false),
            ),
            (vec![first.clone()], "2.4", false, (1, true, false)),
            // A rollback, and the same name with something new to run.
            (
                vec![first.clone(), for_test(2, "2.5", Open)],
                "2.4",
                false,
                (3, false, true),
            ),
            (vec![first.clone()], "2.4", true, (2, false, true)),
        ] {
            assert_eq!(
                opened(&ledger, release, has_steps),
                expected,
                "{release} {ledger:?}"
            );
        }
    }

    #[test]
    fn a_release_whose_directory_grew_is_opened_for_it() {
        let opened = |status, directory: u32| {
            let opener = Opener {
                release: "2.4",
                directory_version: Some(&Version::from(directory)),
                now: BY.0,
                run_id: BY.1,
                by: BY.2,
            };
            let opening = open(&[for_test(1, "2.4", status)], opener, false);
            let recorded = opening.deployment.directory_version;
            (opening.deployment.id, opening.changed, recorded)
        };
        let version = |number: u32| Some(Version::from(number));
        assert_eq!(opened(Completed, 9), (1, false, version(9)));
        assert_eq!(opened(Completed, 10), (2, true, version(10)));
        assert_eq!(opened(Open, 9), (1, false, version(9)));
        assert_eq!(opened(Open, 10), (1, true, version(10)));
    }

    #[test]
    fn the_release_before_is_the_one_that_was_completed() {
        let ledger = [for_test(1, "2.4", Completed), for_test(2, "2.5", Failed)];
        let opener = Opener {
            release: "2.6",
            directory_version: None,
            now: BY.0,
            run_id: BY.1,
            by: BY.2,
        };
        let opening = open(&ledger, opener, true);
        assert_eq!(opening.deployment.previous_release.as_deref(), Some("2.4"));
    }

    #[test]
    fn closing_supersedes_what_never_was_completed() {
        let ledger = [
            for_test(1, "2.3", Failed),
            for_test(2, "2.4", Completed),
            for_test(3, "2.5", Open),
            for_test(4, "2.4", Open),
        ];
        let closing = close(&ledger, Some("2.4"), false, BY).unwrap();
        assert_eq!(
            (closing.deployment.id, closing.deployment.status),
            (4, Completed)
        );
        let superseded: Vec<_> = closing
            .superseded
            .iter()
            .map(|row| (row.id, row.status))
            .collect();
        assert_eq!(superseded, [(1, Superseded), (3, Superseded)]);
        assert_eq!(close(&ledger, None, false, BY).unwrap(), closing);
    }

    #[test]
    fn closing_twice_is_fine() {
        // Also when the next release has been opened meanwhile.
        let ledger = [for_test(1, "2.4", Completed), for_test(2, "2.5", Open)];
        let closing = close(&ledger, Some("2.4"), false, BY).unwrap();
        assert!(closing.already && closing.superseded.is_empty());
    }

    #[test]
    fn what_cannot_be_closed() {
        let failed = for_test(2, "2.5", Failed);
        let ledger = [for_test(1, "2.4", Completed), failed.clone()];
        let refused = |release, unopened| close(&ledger, release, unopened, BY).unwrap_err();
        assert_eq!(refused(Some("2.6"), false), CloseProblem::NeverOpened);
        assert_eq!(
            refused(Some("2.5"), true),
            CloseProblem::NotMigrated(Box::new(failed))
        );
        assert_eq!(close(&[], None, true, BY), Err(CloseProblem::NothingOpen));
        let back = [for_test(1, "2.4", Completed), for_test(2, "2.5", Completed)];
        assert!(matches!(
            close(&back, Some("2.4"), false, BY),
            Err(CloseProblem::Later { by, .. }) if by == "2.5"
        ));
    }

    #[test]
    fn a_release_without_migrations_can_be_recorded() {
        let ledger = [for_test(1, "2.4", Completed), for_test(2, "2.5", Completed)];
        for release in ["2.6", "2.4"] {
            let closing = close(&ledger, Some(release), true, BY).unwrap();
            let row = closing.deployment;
            assert_eq!(
                (row.id, row.status, row.release.as_str()),
                (3, Completed, release)
            );
            assert_eq!(row.previous_release.as_deref(), Some("2.5"));
        }
        assert!(close(&[], Some("2.6"), true, BY).is_ok());
    }
}

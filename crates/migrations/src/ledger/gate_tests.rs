//! Each gate, shut and open.

use forerun_sql::Position;

use super::super::for_test;
use super::*;
use DeploymentStatus::{Completed, Failed, Open, Superseded};

/// 1 and 2 are expand migrations, 3 is the one that is judged, 4 comes after it.
struct Case {
    after: &'static [u32],
    unused_since: Option<&'static str>,
    release: Option<&'static str>,
    /// Deployments of 1 and 2; `None`: pending.
    applied: [Option<Option<i64>>; 2],
    deployments: Vec<Deployment>,
    sessions: Vec<&'static str>,
    strict: bool,
}

impl Default for Case {
    /// 2.4 is completed with 1, 2.5 with 2; 2.6 is being deployed.
    fn default() -> Self {
        Self {
            after: &[2],
            unused_since: Some("2.5"),
            release: Some("2.6"),
            applied: [Some(Some(1)), Some(Some(2))],
            deployments: vec![for_test(1, "2.4", Completed), for_test(2, "2.5", Completed)],
            sessions: Vec::new(),
            strict: false,
        }
    }
}

impl Case {
    fn verdict(self) -> Verdict {
        let versions: Vec<Version> = (1..=4).map(Version::from).collect();
        let conditions = ContractConditions {
            after: self.after.iter().copied().map(Version::from).collect(),
            unused_since: self.unused_since.map(str::to_owned),
            position: Position::START,
        };
        let candidate = Candidate {
            conditions: &conditions,
            before: versions[..2]
                .iter()
                .map(|version| (version, Phase::Expand))
                .collect(),
            not_before: versions[2..].iter().collect(),
        };
        let applied = versions
            .iter()
            .zip(self.applied)
            .filter_map(|(version, applied)| {
                let earlier = Earlier {
                    deployment: applied?,
                    finished_at: "2026-01-02T00:00:00Z".to_owned(),
                };
                Some((version.clone(), earlier))
            });
        let session = |name: &str| ClientSession {
            backend: "7".to_owned(),
            user: "app".to_owned(),
            application: name.to_owned(),
            client: String::new(),
        };
        let evidence = Evidence {
            release: self.release.map(str::to_owned),
            needs_release: true,
            strict: self.strict,
            deployments: self.deployments,
            applied: applied.collect(),
            sessions: ClientSessions::Known(self.sessions.into_iter().map(session).collect()),
        };
        evaluate(&candidate, &evidence)
    }

    fn holds(self) -> Vec<HoldReason> {
        self.verdict().holds
    }
}

fn versions(numbers: &[u32]) -> Vec<Version> {
    numbers.iter().copied().map(Version::from).collect()
}

#[test]
fn it_runs_a_full_rollout_later() {
    assert_eq!(Case::default().verdict(), Verdict::default());
    let all_before = Case {
        after: &[],
        unused_since: None,
        ..Case::default()
    };
    assert_eq!(all_before.verdict(), Verdict::default());
}

#[test]
fn a_fresh_database_waives_everything() {
    let fresh = |applied, deployments| Case {
        applied,
        deployments,
        release: None,
        ..Case::default()
    };
    assert_eq!(fresh([None, None], vec![]).holds(), []);
    // Its first run failed half way.
    let first = Deployment {
        migrated_at: None,
        ..for_test(1, "2.6", Failed)
    };
    assert_eq!(
        fresh([Some(Some(1)), None], vec![first.clone()]).holds(),
        []
    );
    // The first run ended well, so the application may have started.
    let started = for_test(1, "2.6", Open);
    assert_ne!(fresh([Some(Some(1)), None], vec![started]).holds(), []);
    // Something was there before.
    assert_ne!(fresh([Some(None), None], vec![first]).holds(), []);
}

#[test]
fn without_a_release_it_is_held() {
    let case = Case {
        release: None,
        ..Case::default()
    };
    assert_eq!(case.holds(), [HoldReason::NoRelease]);
}

#[test]
fn what_it_comes_after_must_be_an_earlier_deployment() {
    // A skipped release: 2.4 runs, 2.6 brings both.
    let skipped = Case {
        applied: [Some(Some(1)), None],
        deployments: vec![for_test(1, "2.4", Completed)],
        ..Case::default()
    };
    let holds = skipped.holds();
    assert_eq!(
        holds,
        [
            HoldReason::SameDeployment {
                versions: versions(&[2]),
                deploy_first: Some("2.5".to_owned()),
            },
            HoldReason::StillUsed {
                unused_since: "2.5".to_owned(),
                running: "2.4".to_owned(),
            },
        ]
    );
    assert!(holds[0].sentence().contains("deploy release 2.5 first"));
    // The same once it has been applied by this deployment, which is run again.
    let again = Case {
        unused_since: None,
        deployments: vec![for_test(1, "2.4", Completed), for_test(2, "2.6", Failed)],
        ..Case::default()
    };
    assert_eq!(
        again.holds(),
        [HoldReason::SameDeployment {
            versions: versions(&[2]),
            deploy_first: None,
        }]
    );
}

#[test]
fn the_earlier_deployment_must_be_completed() {
    let of = |status| Case {
        unused_since: None,
        deployments: vec![for_test(1, "2.4", Completed), for_test(2, "2.5", status)],
        ..Case::default()
    };
    for status in [Open, Failed, Superseded] {
        assert_eq!(
            of(status).holds(),
            [HoldReason::NotCompleted {
                versions: versions(&[2]),
                release: Some("2.5".to_owned()),
            }]
        );
    }
    // A later one will do, if it is not a rollback to a directory without it.
    let later = |directory_version: u32| {
        let mut case = of(Superseded);
        case.deployments.push(Deployment {
            directory_version: Some(Version::from(directory_version)),
            ..for_test(3, "2.5.1", Completed)
        });
        case.holds()
    };
    assert_eq!(later(2), []);
    assert_eq!(later(1).len(), 1);
}

#[test]
fn migrations_without_a_deployment_count_by_their_time() {
    // Applied on the 2nd at midnight; deployment n began on the nth at noon.
    let of = |id| Case {
        unused_since: None,
        applied: [Some(None), Some(None)],
        deployments: vec![for_test(id, "2.5", Completed)],
        ..Case::default()
    };
    assert_eq!(of(2).holds(), []);
    assert_eq!(
        of(1).holds(),
        [HoldReason::NotCompleted {
            versions: versions(&[2]),
            release: None,
        }]
    );
}

#[test]
fn what_does_not_come_before_it_is_a_mistake() {
    for number in [3, 4, 9] {
        let case = Case {
            after: match number {
                3 => &[3],
                4 => &[4],
                _ => &[9],
            },
            ..Case::default()
        };
        assert_eq!(
            case.holds(),
            [HoldReason::UnknownMigration {
                versions: versions(&[number]),
            }]
        );
    }
}

#[test]
fn the_running_release_must_not_use_it() {
    let of = |unused_since| Case {
        unused_since: Some(unused_since),
        ..Case::default()
    };
    assert_eq!(of("v2.5.0").holds(), []);
    assert_eq!(of("2.3").holds(), []);
    assert_eq!(
        of("2.5.1").holds(),
        [HoldReason::StillUsed {
            unused_since: "2.5.1".to_owned(),
            running: "2.5".to_owned(),
        }]
    );
    assert_eq!(of("2.7").holds().len(), 2);
    assert_eq!(
        of("feed01").holds(),
        [HoldReason::NeverCompleted {
            unused_since: "feed01".to_owned(),
        }]
    );
}

#[test]
fn an_older_release_that_was_started_since_holds_it() {
    let of = |status, migrated: bool| {
        let mut case = Case::default();
        let mut back = for_test(3, "2.4", status);
        if !migrated {
            back.migrated_at = None;
        }
        case.deployments.push(back);
        case.holds()
    };
    assert_eq!(
        of(Open, true),
        [HoldReason::MayStillRun {
            unused_since: "2.5".to_owned(),
            release: "2.4".to_owned(),
        }]
    );
    assert_eq!(of(Open, false), []);
    // Rolled back for good.
    assert!(
        matches!(&of(Completed, true)[..], [HoldReason::StillUsed { running, .. }] if running == "2.4")
    );
}

#[test]
fn commits_are_compared_by_the_ledger() {
    let of = |unused_since, ids: [&str; 2]| Case {
        unused_since: Some(unused_since),
        release: Some("cccccc"),
        deployments: vec![
            for_test(1, ids[0], Completed),
            for_test(2, ids[1], Completed),
        ],
        ..Case::default()
    };
    assert_eq!(of("bbbbbb", ["aaaaaa", "bbbbbb"]).holds(), []);
    assert_eq!(of("aaaaaa", ["aaaaaa", "bbbbbb"]).holds(), []);
    assert_eq!(
        of("dddddd", ["aaaaaa", "bbbbbb"]).holds(),
        [HoldReason::NeverCompleted {
            unused_since: "dddddd".to_owned(),
        }]
    );
    // Rolled back from bbbbbb to aaaaaa.
    let mut back = of("bbbbbb", ["aaaaaa", "bbbbbb"]);
    back.deployments.push(for_test(3, "aaaaaa", Completed));
    assert!(matches!(&back.holds()[..], [HoldReason::StillUsed { .. }]));
}

#[test]
fn older_sessions_hold_it_and_unknown_ones_are_told() {
    let of = |sessions: &[&'static str], strict| Case {
        sessions: sessions.to_vec(),
        strict,
        ..Case::default()
    };
    assert_eq!(
        of(&["svc@2.5.0", "svc@2.6"], true).verdict(),
        Verdict::default()
    );
    let holds = of(&["svc@2.5.0", "cron@2.4.9"], false).holds();
    assert_eq!(holds.len(), 1);
    assert!(
        holds[0].sentence().contains("cron@2.4.9 (app, 7)"),
        "{}",
        holds[0].sentence()
    );
    let verdict = of(&["psql", "svc@", "svc@abc"], false).verdict();
    assert_eq!(verdict.holds, []);
    assert!(
        verdict.warnings[0]
            .starts_with("3 sessions are connected without telling a release, such as `psql`")
    );
    assert!(matches!(
        &of(&["psql"], true).holds()[..],
        [HoldReason::UnknownSessions { .. }]
    ));
}

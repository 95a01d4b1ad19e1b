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
    /// 2 is held itself.
    stop: bool,
    /// A version that stands for all before it, and its deployment.
    stand_in: Option<(u32, Option<i64>)>,
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
            stop: false,
            stand_in: None,
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
            version: &versions[2],
            conditions: &conditions,
            before: versions[..2]
                .iter()
                .map(|version| (version, Phase::Expand))
                .collect(),
            not_before: versions[2..].iter().collect(),
            stop: self.stop.then(|| ("2_x.sql", vec![&versions[1]])),
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
            stand_ins: self
                .stand_in
                .map(|(up_to, deployment)| {
                    let earlier = Earlier {
                        deployment,
                        finished_at: "2026-01-02T00:00:00Z".to_owned(),
                    };
                    (Version::from(up_to), earlier)
                })
                .into_iter()
                .collect(),
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
    assert_eq!(all_before.holds(), []);
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
                deploy_first: Some("2.5".to_owned()),
            },
        ]
    );
    for blocks in [true, false] {
        let sentence = holds[0].sentence(blocks);
        assert!(sentence.contains("deploy release 2.5 first"), "{sentence}");
        assert!(!holds[0].needs_this_release() && !holds[1].needs_this_release());
    }
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
        case.unused_since = Some("2.4");
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
            deploy_first: Some("2.5.1".to_owned()),
        }]
    );
    assert_eq!(of("2.7").holds().len(), 2);
    assert_eq!(
        of("feed01").holds(),
        [HoldReason::NeverCompleted {
            unused_since: "feed01".to_owned(),
            deploy_first: Some("feed01".to_owned()),
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
    // It failed when it was run again; its pods are there.
    assert_eq!(of(Failed, true).len(), 1);
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
            deploy_first: Some("dddddd".to_owned()),
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
        holds[0].sentence(false).contains("cron@2.4.9 (app, 7)"),
        "{}",
        holds[0].sentence(false)
    );
    let verdict = of(&["psql", "svc@", "svc@abc"], false).verdict();
    assert_eq!(verdict.holds, []);
    assert!(
        verdict.warnings[0]
            .starts_with("2 sessions are connected without telling a release, such as `psql`")
    );
    assert!(
        verdict.warnings[1].starts_with(
            "1 session is connected whose release the ledger does not know, such as `svc@abc`"
        ),
        "{verdict:?}"
    );
    assert!(matches!(
        &of(&["psql"], true).holds()[..],
        [HoldReason::UnknownSessions { .. }]
    ));
}

/// The release that is being deployed is the one in `unused-since`: nobody is sent to deploy it first.
#[test]
fn this_release_is_not_what_has_to_be_deployed_first() {
    let this = |unused_since, release, deployments| Case {
        unused_since: Some(unused_since),
        release: Some(release),
        deployments,
        ..Case::default()
    };
    let both = || vec![for_test(1, "2.4", Completed), for_test(2, "2.5", Completed)];
    for holds in [
        this("2.6", "v2.6.0", both()).holds(),
        this("2.6", "2.6", vec![for_test(2, "2.5", Open)]).holds(),
        this("feed01", "feed01", both()).holds(),
    ] {
        let last = holds.last().unwrap();
        assert!(last.needs_this_release(), "{last:?}");
        let sentence = last.sentence(false);
        assert!(
            sentence.ends_with(
                "out and close it with `forerun migrate deployed`; the run after that applies it"
            ),
            "{sentence}"
        );
        let sentence = last.sentence(true);
        assert!(
            !sentence.contains("roll") && !sentence.contains("first"),
            "{sentence}"
        );
    }
}

#[test]
fn what_is_held_itself_does_not_arrive() {
    let case = Case {
        applied: [Some(Some(1)), None],
        stop: true,
        ..Case::default()
    };
    assert_eq!(
        case.holds(),
        [HoldReason::Behind {
            versions: versions(&[2]),
            script: "2_x.sql".to_owned(),
        }]
    );
}

#[test]
fn what_has_no_row_came_with_what_stands_for_it() {
    let of = |stand_in| Case {
        applied: [Some(Some(1)), None],
        stand_in,
        ..Case::default()
    };
    assert_eq!(of(Some((2, Some(1)))).holds(), []);
    assert_eq!(of(Some((1, Some(1)))).holds().len(), 1);
    assert_eq!(of(None).holds().len(), 1);
}

#[path = "brought_tests.rs"]
mod without_unused_since;

//! Manifests as forerun renders them, in each delivery: the check finds nothing at all in them.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use forerun_manifests::check::{Options, Source, run};

#[test]
fn what_is_rendered_here_gets_no_finding() {
    for (delivery, jobs, text) in [
        ("helm", 2, include_str!("check_own/helm.yaml")),
        ("argo", 1, include_str!("check_own/argo.yaml")),
        ("plain", 1, include_str!("check_own/plain.yaml")),
    ] {
        let sources = [Source {
            name: delivery.into(),
            text: text.to_owned(),
        }];
        let report = run(&sources, Some(&sources), &Options::default()).unwrap();
        assert_eq!(report.jobs.len(), jobs, "{delivery}: {:?}", report.jobs);
        assert!(
            report.findings.is_empty(),
            "{delivery}: {:#?}",
            report.findings
        );
    }
}

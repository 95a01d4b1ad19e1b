//! The migration Job of the Helm guide as it is written there: the check finds what goes wrong with it in practice.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;

use forerun_manifests::check::{Options, Report, Source, run};

const GENERAL: &str = include_str!("check_guide/general.yaml");
const DJANGO: &str = include_str!("check_guide/django.yaml");

fn source(text: &str) -> Source {
    Source {
        name: "job.yaml".into(),
        text: text.to_owned(),
    }
}

/// As `helm template` gives it, and once more a minute later.
fn check(text: &str) -> Report {
    let later = text.replace("1763770000", "1763770060");
    run(
        &[source(text)],
        Some(&[source(&later)]),
        &Options::default(),
    )
    .unwrap()
}

fn rules(report: &Report) -> BTreeSet<&str> {
    report.findings.iter().map(|finding| finding.rule).collect()
}

/// What is wrong with the manifest, and the rules that say so.
const DEFECTS: [(&str, &[&str]); 10] = [
    (
        "a unique name makes before-hook-creation useless: Jobs pile up",
        &["leftover-jobs"],
    ),
    (
        "a Job goes on after Helm's timeout beside the next one",
        &["deadline"],
    ),
    (
        "six retries take longer than Helm waits",
        &["backoff-limit"],
    ),
    ("a port without quotes is a number", &["non-string-value"]),
    ("the password is written out", &["secret-in-manifest"]),
    (
        "the name differs at every rendering",
        &["non-deterministic"],
    ),
    ("a pull secret without a name", &["empty-pull-secret"]),
    ("a plus sign in a label", &["invalid-name"]),
    (
        "no resources, no security context, a token of the default service account",
        &["no-resources", "not-restricted", "service-account-token"],
    ),
    ("the log of a success is deleted", &["no-hook-log"]),
];

#[test]
fn both_variants_get_a_finding_for_each_defect() {
    for text in [GENERAL, DJANGO] {
        let report = check(text);
        assert_eq!(report.jobs.len(), 1);
        let found = rules(&report);
        let expected: BTreeSet<&str> = DEFECTS
            .iter()
            .flat_map(|(_, rules)| rules.iter().copied())
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_long_name_of_the_release_makes_the_name_of_the_job_too_long() {
    let release = "a-release-with-the-longest-name-that-helm-allows-here";
    assert_eq!(release.len(), 53);
    let text = GENERAL.replace("shop-migrate-", &format!("{release}-migrate-"));
    let report = check(&text);
    let name = report
        .findings
        .iter()
        .find(|finding| finding.rule == "invalid-name" && finding.path == "metadata.name");
    assert_eq!(
        name.unwrap().message,
        "the name of the Job has 72 characters; 63 are allowed"
    );
}

#[test]
fn findings_have_their_places_and_no_passwords() {
    let report = check(GENERAL);
    let place = |rule: &str| {
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.rule == rule)
            .unwrap();
        (
            finding.line,
            finding.column,
            finding.excerpt.text.trim().to_owned(),
        )
    };
    assert_eq!(
        place("non-string-value"),
        (38, 22, "value: 5432".to_owned())
    );
    assert_eq!(place("secret-in-manifest"), (31, 15, "- ***".to_owned()));
    assert_eq!(place("deadline").0, 12, "where it is missing");
    assert_eq!(
        report.findings[0].template.as_deref(),
        Some("shop/templates/job.yaml")
    );
    assert!(!format!("{report:?}").contains("correct-horse"));
    assert!(
        !serde_json::to_string(&report)
            .unwrap()
            .contains("correct-horse")
    );
}

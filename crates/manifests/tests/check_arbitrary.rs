//! Any tree is answered: with findings, or with an error, never with a panic; and nothing secret is repeated.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use forerun_manifests::check::{Options, Source, run};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Words that rules look for, so that trees of them reach deep into the rules.
const WORDS: [&str; 57] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "labels",
    "annotations",
    "spec",
    "template",
    "containers",
    "initContainers",
    "image",
    "command",
    "args",
    "env",
    "value",
    "valueFrom",
    "secretKeyRef",
    "envFrom",
    "secretRef",
    "volumes",
    "persistentVolumeClaim",
    "claimName",
    "imagePullSecrets",
    "securityContext",
    "capabilities",
    "drop",
    "items",
    "rules",
    "subjects",
    "roleRef",
    "helm.sh/hook",
    "helm.sh/hook-weight",
    "helm.sh/hook-delete-policy",
    "argocd.argoproj.io/hook",
    "forerun.dev/check",
    "forerun.dev/check-ignore",
    "Job",
    "Deployment",
    "Secret",
    "List",
    "batch/v1",
    "apps/v1",
    "v1",
    "db-migrate",
    "migrate",
    "pre-install",
    "PreSync",
    "backoffLimit",
    "ports",
    "data",
    "until nc -z db 5432; do sleep 1; done",
    "deadline: why",
    "://@:",
    "-",
    "é😀",
    "",
    "1",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(&WORDS[..]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        Just(Value::from("postgres://a:hunter2@b/c")),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..8)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Arbitrary values in the places of a Job.
fn job() -> impl Strategy<Value = Value> {
    (tree(), tree(), tree(), tree(), tree(), tree()).prop_map(
        |(metadata, spec, container, init, pod, annotations)| {
            let mut job = json!({
                "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "db-migrate", "annotations": annotations},
                "spec": {"template": {"metadata": metadata, "spec": {"containers": [container, init]}}},
            });
            overlay(&mut job["spec"], spec);
            overlay(&mut job["spec"]["template"]["spec"], pod);
            job
        },
    )
}

fn overlay(target: &mut Value, other: Value) {
    if let (Value::Object(target), Value::Object(other)) = (target, other) {
        for (key, value) in other {
            target.entry(key).or_insert(value);
        }
    }
}

fn check(text: String) {
    let source = Source {
        name: "x".into(),
        text,
    };
    let options = Options {
        all_jobs: true,
        ..Options::default()
    };
    let sources = [source];
    match run(&sources, Some(&sources), &options) {
        Ok(report) => {
            for finding in &report.findings {
                assert!(finding.line > 0 && finding.column > 0, "{finding:?}");
                assert!(
                    finding
                        .excerpt
                        .text
                        .is_char_boundary(finding.excerpt.offset),
                    "{finding:?}"
                );
                assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_tree(tree in tree()) {
        check(tree.to_string());
    }

    #[test]
    fn any_job(job in job(), beside in tree()) {
        check(format!("{job}\n---\n{beside}"));
        check(serde_json::to_string_pretty(&job).unwrap());
    }

    #[test]
    fn any_text(text in "(?s).{0,200}") {
        check(text);
    }

    #[test]
    fn any_lines(lines in prop::collection::vec("[ ]{0,4}[-a-z\"'{}\\[\\]:&*|>]{0,10}", 0..20)) {
        check(lines.join("\n"));
    }
}

#[test]
fn thousands_of_objects() {
    let mut text = String::new();
    for number in 0..3_000 {
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": format!("m{number}-migrate"), "annotations": {"helm.sh/hook": "pre-install"}},
            "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "shop:1", "args": ["migrate"],
                "envFrom": [{"secretRef": {"name": format!("s{number}")}}]}]}}},
        });
        let app = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("d{number}")},
            "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "shop:2"}]}}},
        });
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("s{number}")}});
        text.push_str(&format!("{job}\n---\n{app}\n---\n{secret}\n---\n"));
    }
    let sources = [Source {
        name: "all".into(),
        text,
    }];
    let report = run(&sources, None, &Options::default()).unwrap();
    assert_eq!((report.objects, report.jobs.len()), (9_000, 3_000));
    let late = report
        .findings
        .iter()
        .filter(|finding| finding.rule == "hook-needs-later-object");
    assert_eq!(late.count(), 3_000);
}

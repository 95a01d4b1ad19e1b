//! What the tests of the rules share: a Job without a fault, and patches to it.
//!
//! A patch is YAML. Its first document is merged into the Job: `null` removes, a map with numbers as keys changes
//! elements of a list. All further documents are objects beside the Job.

use serde_json::{Map, Value};

use super::rule::Rule;
use super::{Options, Source, run};
use crate::yaml;

/// A hook as it should be. No rule may find anything in it.
const JOB: &str = r#"
apiVersion: batch/v1
kind: Job
metadata:
  name: shop-migrations
  labels: {app.kubernetes.io/component: migration}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation
    helm.sh/hook-output-log-policy: hook-failed,hook-succeeded
spec:
  backoffLimit: 2
  activeDeadlineSeconds: 270
  ttlSecondsAfterFinished: 604800
  podReplacementPolicy: Failed
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions: [{type: DisruptionTarget}]
  template:
    metadata:
      annotations: {sidecar.istio.io/nativeSidecar: "true"}
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: migrate
          image: registry.example/shop:2.6.0
          args: [migrate, up]
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 512Mi}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
"#;

fn patched(patch: &str) -> Source {
    let mut documents = yaml::documents("patch", patch).unwrap().into_iter();
    let mut job = yaml::documents("job", JOB).unwrap().remove(0).to_json();
    merge(&mut job, &documents.next().unwrap().to_json());
    let texts: Vec<String> = std::iter::once(job)
        .chain(documents.map(|document| document.to_json()))
        .map(|document| serde_json::to_string_pretty(&document).unwrap())
        .collect();
    Source {
        name: "job.yaml".into(),
        text: texts.join("\n---\n"),
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    let numbered = !patch.is_empty() && patch.keys().all(|key| key.parse::<usize>().is_ok());
    if let (Value::Array(list), true) = (&mut *target, numbered) {
        for (key, value) in patch {
            let index: usize = key.parse().unwrap();
            if list.len() <= index {
                list.resize(index + 1, Value::Null);
            }
            merge(&mut list[index], value);
        }
        return;
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (key, value) in patch {
        let map = target.as_object_mut().unwrap();
        if value.is_null() && !value_is_kept(key) {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// `null` that is to stand in the manifest.
fn value_is_kept(key: &str) -> bool {
    key == "value"
}

/// What a rule finds in a patched Job: `path: message`.
pub fn found_with(rule: &Rule, patch: &str, options: &Options) -> Vec<String> {
    lines(rule, &[patched(patch)], None, options)
}

fn lines(
    rule: &Rule,
    sources: &[Source],
    compared: Option<&[Source]>,
    options: &Options,
) -> Vec<String> {
    run(sources, compared, options)
        .unwrap()
        .findings
        .iter()
        .filter(|finding| finding.rule == rule.id)
        .map(|finding| format!("{}: {}", finding.path, finding.message))
        .collect()
}

/// The rule finds something, and says this.
#[track_caller]
pub fn found(rule: &Rule, patch: &str, part: &str) {
    let found = found_with(rule, patch, &Options::default());
    assert!(
        found.iter().any(|line| line.contains(part)),
        "{} does not say {part:?} but {found:#?}\n{patch}",
        rule.id
    );
}

/// The rule finds nothing.
#[track_caller]
pub fn clean(rule: &Rule, patch: &str) {
    let found = found_with(rule, patch, &Options::default());
    assert!(found.is_empty(), "{}: {found:#?}\n{patch}", rule.id);
}

/// What a rule finds in two renderings.
pub fn compared(rule: &Rule, one: &str, two: &str) -> Vec<String> {
    lines(
        rule,
        &[patched(one)],
        Some(&[patched(two)]),
        &Options::default(),
    )
}

#[test]
fn the_job_without_a_fault_has_no_findings() {
    let report = run(&[patched("{}")], None, &Options::default()).unwrap();
    assert_eq!(report.jobs.len(), 1);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

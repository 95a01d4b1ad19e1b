//! What the cluster says, as it says it, and what a person is told.

use std::fmt::Write;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-21T10:05:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn show(diagnosis: &Diagnosis) -> String {
    let mut text = format!(
        "{} [{}; {:?}; {:?}]\n  {}\n",
        diagnosis.message, diagnosis.code, diagnosis.verdict, diagnosis.outcome, diagnosis.object
    );
    for detail in &diagnosis.details {
        let _ = writeln!(
            text,
            "  {}: {}",
            detail.label,
            detail.text.replace('\n', " ⏎ ")
        );
    }
    let _ = writeln!(text, "  {}\n  {}", diagnosis.look, diagnosis.advice);
    text
}

/// A pod whose container `migrate` is in a state.
fn pod(phase: &str, status: &Value) -> Pod {
    let mut full = json!({"phase": phase});
    full.as_object_mut()
        .unwrap()
        .extend(status.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "metadata": {"name": "shop-migrations-x7k2p", "uid": "p1", "creationTimestamp": "2026-11-21T10:04:50Z"},
        "spec": {"nodeName": "node1", "containers": [{"name": "migrate", "image": "registry.example/shop:2"}]},
        "status": full,
    }))
    .unwrap()
}

fn waiting(reason: &str, message: &str) -> Pod {
    pod(
        "Pending",
        &json!({"containerStatuses": [container(&json!({"waiting": {"reason": reason, "message": message}}))]}),
    )
}

fn container(state: &Value) -> Value {
    json!({"name": "migrate", "image": "registry.example/shop:2", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

fn event(reason: &str, message: &str) -> Event {
    serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {}, "reason": reason, "message": message, "lastTimestamp": "2026-11-21T10:04:55Z",
    }))
    .unwrap()
}

fn terminated(code: i32, reason: &str, message: &str) -> Pod {
    let state = json!({"terminated": {"exitCode": code, "reason": reason, "message": message}});
    pod("Failed", &json!({"containerStatuses": [container(&state)]}))
}

#[test]
fn pods_that_do_not_get_to_work() {
    let mut old = pod("Pending", &json!({}));
    old.metadata.creation_timestamp =
        serde_json::from_value(json!("2026-11-21T10:03:00Z")).unwrap();
    let mut terminating = pod("Running", &json!({}));
    terminating.metadata.deletion_timestamp =
        serde_json::from_value(json!("2026-11-21T10:03:00Z")).unwrap();
    let unschedulable = |message: &str| {
        pod(
            "Pending",
            &json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}),
        )
    };
    let cases: Vec<(&str, Pod, Vec<Event>)> = vec![
        (
            "image that is not there",
            waiting(
                "ErrImagePull",
                "rpc error: code = NotFound desc = failed to pull and unpack image \
                 \"registry.example/shop:2\": failed to resolve reference \
                 \"registry.example/shop:2\": registry.example/shop:2: not found",
            ),
            vec![],
        ),
        (
            "back-off that says nothing itself",
            waiting(
                "ImagePullBackOff",
                "Back-off pulling image \"registry.example/shop:2\"",
            ),
            vec![event(
                "Failed",
                "Failed to pull image \"registry.example/shop:2\": failed to authorize: 401 \
                 Unauthorized",
            )],
        ),
        (
            "registry that cannot be reached",
            waiting(
                "ErrImagePull",
                "rpc error: code = Unknown desc = dial tcp: lookup registry.example: no such host",
            ),
            vec![],
        ),
        (
            "wrong name",
            waiting(
                "InvalidImageName",
                "couldn't parse image reference \"Shop:2\"",
            ),
            vec![],
        ),
        (
            "never pulled",
            waiting(
                "ErrImageNeverPull",
                "Container image \"x\" is not present with pull policy of Never",
            ),
            vec![],
        ),
        (
            "missing secret",
            waiting("CreateContainerConfigError", "secret \"shop-db\" not found"),
            vec![],
        ),
        (
            "missing key",
            waiting(
                "CreateContainerConfigError",
                "couldn't find key password in Secret prod/shop-db",
            ),
            vec![],
        ),
        (
            "missing config map",
            waiting("CreateContainerConfigError", "configmap \"shop\" not found"),
            vec![],
        ),
        (
            "root",
            waiting(
                "CreateContainerConfigError",
                "container has runAsNonRoot and image will run as root (pod: \"x_default(1)\", \
                 container: migrate)",
            ),
            vec![],
        ),
        (
            "user by name",
            waiting(
                "CreateContainerConfigError",
                "container has runAsNonRoot and image has non-numeric user (app), cannot verify \
                 user is non-root",
            ),
            vec![],
        ),
        (
            "no such program",
            waiting(
                "RunContainerError",
                "exec: \"forerunn\": executable file not found in $PATH: unknown",
            ),
            vec![],
        ),
        (
            "no node",
            unschedulable(
                "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are \
                 available.",
            ),
            vec![],
        ),
        (
            "no claim",
            unschedulable("persistentvolumeclaim \"data\" not found"),
            vec![],
        ),
        (
            "volume of a missing secret",
            pod("Pending", &json!({})),
            vec![event(
                "FailedMount",
                "MountVolume.SetUp failed for volume \"tls\" : secret \"shop-tls\" not found",
            )],
        ),
        ("silence", old.clone(), vec![]),
        (
            "slow pull",
            old,
            vec![event(
                "Pulling",
                "Pulling image \"registry.example/shop:2\"",
            )],
        ),
        ("young", pod("Pending", &json!({})), vec![]),
        (
            "at work",
            pod(
                "Running",
                &json!({"containerStatuses": [container(&json!({"running": {}}))]}),
            ),
            vec![],
        ),
        ("node that is lost", terminating, vec![]),
    ];
    let mut text = String::new();
    for (name, pod, events) in cases {
        let found = of_pod(&pod, &events, now(), "prod");
        let _ = writeln!(
            text,
            "# {name}\n{}",
            found.as_ref().map_or("-\n".to_owned(), show)
        );
    }
    insta::assert_snapshot!(text);
}

#[test]
fn pods_that_have_failed() {
    let last_words = r#"{"format":1,"exit_code":3,"outcome":"failed","message":"relation \"users\" does not exist","place":"migrations/0007_a.sql:3:13","state":"The database is at version 6.","hint":"Correct the script and run it again."}"#;
    let lock = r#"{"format":1,"exit_code":75,"outcome":"temporary","message":"the runner lock is held by app on other-pod","hint":"Run it again."}"#;
    let disrupted = pod(
        "Failed",
        &json!({
            "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}],
            "containerStatuses": [container(&json!({"terminated": {"exitCode": 143, "reason": "Error"}}))],
        }),
    );
    let evicted = pod(
        "Failed",
        &json!({"reason": "Evicted", "message": "The node was low on resource: memory."}),
    );
    let init = pod(
        "Failed",
        &json!({"initContainerStatuses": [{"name": "wait-for-database", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 75, "reason": "Error", "message": "connection refused"}}}]}),
    );
    let cases = [
        (
            "refused by the database",
            terminated(3, "Error", last_words),
        ),
        ("lock held by another", terminated(75, "Error", lock)),
        (
            "another tool",
            terminated(
                1,
                "Error",
                "Traceback\n  File \"manage.py\"\ndjango.db.utils.ProgrammingError: no",
            ),
        ),
        ("other tool's own code 3", terminated(3, "Error", "three")),
        ("memory", terminated(137, "OOMKilled", "")),
        (
            "no such program",
            terminated(
                128,
                "StartError",
                "failed to create containerd task: exec: \"x\": executable file not found in $PATH",
            ),
        ),
        ("drained", disrupted),
        ("evicted", evicted),
        ("init container", init),
    ];
    let mut text = String::new();
    for (name, pod) in cases {
        let ended = ended(&pod).unwrap();
        let _ = writeln!(text, "# {name}\n{}", show(&of_ended(&pod, &ended, "prod")));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn pods_that_are_not_even_created() {
    let mut text = String::new();
    for message in [
        "Error creating: pods \"m-x\" is forbidden: exceeded quota: small, requested: \
         limits.memory=512Mi, used: limits.memory=900Mi, limited: limits.memory=1Gi",
        "Error creating: pods \"m-x\" is forbidden: failed quota: small: must specify limits.cpu \
         for: migrate",
        "Error creating: pods \"m-x\" is forbidden: maximum memory usage per Container is 128Mi, \
         but limit is 512Mi",
        "Error creating: pods \"m-x\" is forbidden: violates PodSecurity \"restricted:latest\": \
         runAsNonRoot != true",
        "Error creating: pods \"m-x\" is forbidden: error looking up service account prod/m: \
         serviceaccount \"m\" not found",
        "Error creating: admission webhook \"policy.example\" denied the request: no team label",
        "Error creating: Internal error occurred: failed calling webhook \"x\": context deadline \
         exceeded",
        "Error creating: something else",
    ] {
        let _ = writeln!(
            text,
            "{}",
            show(&creation_refused(message, "Job", "m", "prod"))
        );
    }
    insta::assert_snapshot!(text);
}

fn job(reason: &str, kind: &str) -> Job {
    serde_json::from_value(json!({
        "metadata": {"name": "shop-migrations"},
        "spec": {"backoffLimit": 2, "activeDeadlineSeconds": 300, "template": {}},
        "status": {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": "said by the controller"}]},
    }))
    .unwrap()
}

#[test]
fn jobs_that_have_failed() {
    let failed =
        |count: usize| -> Vec<Pod> { (0..count).map(|_| terminated(1, "Error", "no")).collect() };
    let stuck = of_pod(
        &waiting("CreateContainerConfigError", "secret \"db\" not found"),
        &[],
        now(),
        "prod",
    )
    .unwrap();
    let scheduling = pod(
        "Pending",
        &json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}]}),
    );
    let scheduling = of_pod(&scheduling, &[], now(), "prod").unwrap();
    let mut text = String::new();
    for (name, reason, pods, problem) in [
        ("retries used up", "BackoffLimitExceeded", failed(3), None),
        (
            "fatal code",
            "PodFailurePolicy",
            vec![terminated(3, "Error", "")],
            None,
        ),
        ("time over at work", "DeadlineExceeded", vec![], None),
        (
            "time over, never started",
            "DeadlineExceeded",
            vec![],
            Some(&stuck),
        ),
        (
            "time over, no node",
            "DeadlineExceeded",
            vec![],
            Some(&scheduling),
        ),
        ("no pod left", "BackoffLimitExceeded", vec![], None),
    ] {
        let found = job_failure(&job(reason, "Failed"), &pods, problem, "prod");
        let _ = writeln!(text, "# {name}\n{}", show(&found));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_job_that_is_going_to_fail_is_told_apart_from_one_that_has() {
    for (kind, expected) in [
        ("FailureTarget", JobState::Failing),
        ("Failed", JobState::Failed),
        ("Complete", JobState::Succeeded),
        ("SuccessCriteriaMet", JobState::Running),
        ("Suspended", JobState::Running),
    ] {
        assert_eq!(job_state(&job("x", kind)), expected);
    }
}

#[test]
fn a_crash_loop_is_waited_for_a_few_times() {
    let crashing = |restarts: i32| -> Pod {
        let status = json!({
            "name": "migrate", "image": "i", "imageID": "", "ready": false, "restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "panic: no config"}},
        });
        pod("Running", &json!({"containerStatuses": [status]}))
    };
    let (first, _, container) = crash_loop(&crashing(1), "prod").unwrap();
    assert_eq!(
        (first.verdict, container.as_deref()),
        (Verdict::Heals, Some("migrate"))
    );
    let (last, _, _) = crash_loop(&crashing(3), "prod").unwrap();
    assert_eq!(last.verdict, Verdict::Fatal);
    insta::assert_snapshot!(show(&last));
}

/// A pod whose release is too old for the database gets no younger.
#[test]
fn a_gate_that_refuses_is_not_tried_three_times() {
    let ended = |code: i32| -> Pod {
        let words = json!({"format": 1, "exit_code": code, "outcome": "refused", "message": "release 1.0.0 can no longer run",
            "hint": "Deploy release 2.0.0 or a newer one."});
        let status = json!({
            "name": "wait-for-migrations", "image": "i", "imageID": "", "ready": false, "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": code, "reason": "Error", "message": words.to_string()}},
        });
        pod("Pending", &json!({"initContainerStatuses": [status]}))
    };
    let (refused, _, log) = crash_loop(&ended(5), "prod").unwrap();
    assert_eq!(log, None, "its last words say it all");
    insta::assert_snapshot!(show(&refused));
    // The time to wait was over, which may be different the next time.
    let (late, ..) = crash_loop(&ended(6), "prod").unwrap();
    assert_eq!(late.verdict, Verdict::Heals);
}

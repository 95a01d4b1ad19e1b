//! Steps: their order, failures, what they wait for, and the rollout after them.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

#[tokio::test(start_paused = true)]
async fn migrations_come_first_and_copies_of_secrets_do_not_stay() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    everything_works(&api);
    let done = deploy(&api, &events).await.unwrap();
    assert_eq!((done.steps, done.changed, done.pruned), (1, 4, 0));
    assert_eq!(
        api.writes(),
        [
            "PATCH secrets/db-migrations",
            "POST jobs/shop-migrations",
            "PATCH secrets/db",
            "PATCH services/shop",
            "PATCH deployments/shop",
            "DELETE secrets/db-migrations",
        ]
    );
    assert_eq!(events.field("log", "line"), ["first", "second"]);
    assert_eq!(events.field("rollout_finished", "deployment"), ["shop"]);
    let (lease, deployment) = api.with(|store| {
        (
            store.get("leases/forerun-shop").cloned(),
            store.get("deployments/shop").cloned(),
        )
    });
    assert_eq!(lease, None, "the lease is given back");
    let labels = &deployment.unwrap()["metadata"]["labels"];
    assert_eq!(
        *labels,
        json!({"forerun.dev/release": "shop", "app.kubernetes.io/managed-by": "forerun"})
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_new_version_is_applied_when_a_step_fails() {
    for (code, outcome) in [
        (2, Outcome::Configuration),
        (3, Outcome::MigrationFailed),
        (4, Outcome::HistoryConflict),
        (5, Outcome::Refused),
        (75, Outcome::Temporary),
    ] {
        let (api, events) = (FakeApi::new(), Recorder::default());
        fails_with(&api, code);
        let failure = deploy(&api, &events).await.unwrap_err();
        let report = failure.report();
        assert_eq!(
            (report.outcome, report.message.as_str()),
            (outcome, "no such table")
        );
        assert!(
            report.details.contains(&("at", "m/7.sql:3:1".to_owned())),
            "{report:?}"
        );
        assert!(
            report
                .state
                .unwrap()
                .contains("Nothing of the new version was applied")
        );
        assert_eq!(
            api.writes(),
            ["PATCH secrets/db-migrations", "POST jobs/shop-migrations"]
        );
        assert!(api.with(|store| store.get("leases/forerun-shop").is_none()));
    }
}

/// A release that keeps a ledger, in which every Job succeeds but those of this exit code.
async fn deploy_with_ledger(
    api: &FakeApi,
    events: &Recorder,
    code: i32,
    comes_up: bool,
) -> Result<Done, Failure> {
    let job = object(
        "batch/v1",
        "Job",
        "shop-deployed",
        &json!({"spec": {"template": {}}}),
    );
    let release = Release {
        closing: vec![parsed(job)],
        ..release()
    };
    api.controlled_by(move |store, _| {
        if comes_up {
            roll_out(store);
        } else if store.get("deployments/shop").is_some() {
            let late = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
            let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "conditions": late});
            store.set("deployments/shop", "status", status);
        }
        for (name, code) in [("shop-migrations", 0), ("shop-deployed", code)] {
            let unfinished = |job: &&Value| job["status"]["conditions"].is_null();
            let Some(job) = store.get(&format!("jobs/{name}")).filter(unfinished).cloned() else {
                continue;
            };
            let words = json!({"format": 1, "exit_code": code, "outcome": "refused", "message": "it was never opened"});
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{name}-1"), "labels": {"job-name": name},
                    "ownerReferences": [{"uid": job["metadata"]["uid"], "kind": "Job", "name": name, "apiVersion": "batch/v1"}]},
                "spec": {"containers": [{"name": "migrate", "image": "shop:2"}]},
                "status": {"phase": if code == 0 { "Succeeded" } else { "Failed" }, "containerStatuses": [
                    {"name": "migrate", "image": "shop:2", "imageID": "", "ready": false, "restartCount": 0,
                        "state": {"terminated": {"exitCode": code, "message": words.to_string()}}}]},
            });
            store.put("pods", pod);
            store.logs.insert(format!("{name}-1"), format!("2026-11-21T10:00:01Z {name}\n"));
            let (condition, reason) = if code == 0 { ("Complete", "") } else { ("Failed", "PodFailurePolicy") };
            let status = json!({"startTime": "2026-11-21T10:00:00Z", "conditions": [{"type": condition, "status": "True", "reason": reason}]});
            store.set(&format!("jobs/{name}"), "status", status);
        }
    });
    crate::deploy(
        &api.cluster(),
        release,
        &options(),
        events,
        std::future::pending(),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn the_ledger_is_closed_when_everything_else_is_done() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let done = deploy_with_ledger(&api, &events, 0, true).await.unwrap();
    assert_eq!((done.steps, done.closed), (1, 1));
    let writes = api.writes();
    let last: Vec<&str> = writes.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(
        last,
        ["POST jobs/shop-deployed", "DELETE secrets/db-migrations"]
    );
    assert_eq!(
        events.field("step_started", "wave"),
        ["migration", "ledger"]
    );
    assert_eq!(
        events.field("log", "line"),
        ["shop-migrations", "shop-deployed"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_cannot_be_closed_is_told_with_its_exit_code() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let failure = deploy_with_ledger(&api, &events, 5, true)
        .await
        .unwrap_err();
    let report = failure.report();
    assert_eq!(
        (report.outcome, report.message.as_str()),
        (Outcome::Refused, "it was never opened")
    );
    let state = report.state.unwrap();
    assert!(state.starts_with("The new version is deployed"), "{state}");
    assert!(state.contains("still open in the ledger"), "{state}");
    assert!(
        report
            .advice
            .last()
            .unwrap()
            .contains("deploy the same again")
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_fails_leaves_the_ledger_open() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let failure = deploy_with_ledger(&api, &events, 0, false)
        .await
        .unwrap_err();
    assert!(
        matches!(failure.error, DeployError::Rollout { .. }),
        "{failure:?}"
    );
    assert!(!api.writes().contains(&"POST jobs/shop-deployed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_restarts_is_waited_for() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    everything_works(&api);
    let mut requests = 0;
    api.intercepted_by(move |_, _| {
        requests += 1;
        (requests > 20 && requests < 27)
            .then(|| (503, status(503, "ServiceUnavailable", "starting")))
    });
    assert!(deploy(&api, &events).await.is_ok());
    assert_eq!(
        events.field("log", "line"),
        ["first", "second"],
        "no line is lost, none is told twice"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_secret_that_appears_in_time_is_no_failure() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    api.controlled_by(|store, seconds| {
        roll_out(store);
        if seconds < 15 {
            let waiting = json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"vault\" not found"}});
            pod_of_job(store, "m-1", "Pending", &waiting);
        } else if store.get(JOB).is_some_and(|job| job["status"]["conditions"].is_null()) {
            pod_of_job(store, "m-1", "Succeeded", &json!({"terminated": {"exitCode": 0}}));
            finish_job(store, "Complete", "");
        }
    });
    deploy(&api, &events).await.unwrap();
    assert_eq!(
        events.field("problem", "message"),
        ["Secret vault does not exist"]
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_appear_ends_the_deploy_long_before_the_deadline() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    api.controlled_by(|store, _| {
        let waiting = json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"vault\" not found"}});
        pod_of_job(store, "m-1", "Pending", &waiting);
    });
    // Reading events is a right that not everybody has.
    api.intercepted_by(|_, path| {
        path.contains("/events?")
            .then(|| (403, status(403, "Forbidden", "no")))
    });
    let begin = tokio::time::Instant::now();
    let report = deploy(&api, &events).await.unwrap_err().report();
    assert_eq!(
        (report.outcome, report.code),
        (Outcome::Configuration, "missing_configuration")
    );
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_new_version_that_crashes_is_told_with_its_last_lines() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let mut release = release();
    release.steps.clear();
    release.preparation.clear();
    api.controlled_by(|store, seconds| {
        let Some(deployment) = store.get("deployments/shop").cloned() else {
            return;
        };
        if store.get("replicasets/shop-1").is_some() && seconds < 3 {
            return;
        }
        let mut marked = deployment.clone();
        marked["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "2"});
        marked["status"] = json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2});
        store.put("deployments", marked);
        let owner = |uid: &Value, kind: &str| json!([{"uid": uid, "kind": kind, "name": "x", "apiVersion": "apps/v1"}]);
        let mut set = object("apps/v1", "ReplicaSet", "shop-1", &json!({}));
        set["metadata"] = json!({"name": "shop-1", "uid": "rs", "labels": {"app": "shop"}, "annotations": {"deployment.kubernetes.io/revision": "2"},
            "ownerReferences": owner(&deployment["metadata"]["uid"], "Deployment")});
        store.put("replicasets", set);
        let crashing = json!({"phase": "Running", "containerStatuses": [{"name": "main", "image": "i", "imageID": "", "ready": false, "restartCount": 3 + seconds,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}}]});
        let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        for (name, owned_by, status) in [("new-1", "rs", crashing), ("old-1", "rs-old", ready)] {
            let mut pod = object("v1", "Pod", name, &json!({"status": status}));
            pod["metadata"]["labels"] = json!({"app": "shop"});
            pod["metadata"]["ownerReferences"] = owner(&json!(owned_by), "ReplicaSet");
            store.put("pods", pod);
        }
        store.logs.insert("new-1".to_owned(), "panic: no config\n".to_owned());
    });
    let failure = crate::deploy(
        &api.cluster(),
        release,
        &options(),
        &events,
        std::future::pending(),
    )
    .await
    .unwrap_err();
    let report = failure.report();
    assert_eq!(report.outcome, Outcome::NotReady);
    assert!(
        report
            .message
            .contains("exited with code 1 and was restarted"),
        "{}",
        report.message
    );
    assert!(
        report
            .details
            .contains(&("log", "panic: no config".to_owned())),
        "{report:?}"
    );
    assert!(
        report
            .state
            .unwrap()
            .contains("1 pod of the previous version still serves.")
    );
}

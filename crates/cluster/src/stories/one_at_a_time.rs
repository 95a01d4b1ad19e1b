//! Two deploys of one release, and Jobs that an earlier one left at work.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_second_deploy_follows_the_job_that_is_at_work() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    api.controlled_by(|store, _| pod_of_job(store, "m-1", "Running", &json!({"running": {}})));
    let stop = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        "SIGTERM received".to_owned()
    };
    let failure = crate::deploy(&api.cluster(), release(), &options(), &events, stop)
        .await
        .unwrap_err();
    let report = failure.report();
    assert_eq!(report.outcome, Outcome::Interrupted);
    assert!(
        report
            .state
            .unwrap()
            .contains("The Job shop-migrations goes on in the cluster")
    );
    assert!(
        report.advice[0].starts_with("Deploy again to go on"),
        "{:?}",
        report.advice
    );
    assert!(api.with(|store| store.get("leases/forerun-shop").is_none()));

    everything_works(&api);
    let events = Recorder::default();
    deploy(&api, &events).await.unwrap();
    assert_eq!(events.field("step_started", "adopted"), ["true"]);
    let created = api
        .writes()
        .iter()
        .filter(|write| *write == "POST jobs/shop-migrations")
        .count();
    assert_eq!(created, 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_at_work_with_another_specification_is_left_alone() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let labels = json!({"forerun.dev/release": "shop"});
    let mut job = object(
        "batch/v1",
        "Job",
        "shop-migrations-1700000000",
        &json!({"spec": {"template": {}}}),
    );
    job["metadata"]["labels"] = labels;
    job["metadata"]["uid"] = json!("old");
    let mut pod = object(
        "v1",
        "Pod",
        "old-1",
        &json!({"status": {"phase": "Running", "containerStatuses": [
        {"name": "migrate", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}}]}}),
    );
    pod["metadata"]["labels"] = json!({"job-name": "shop-migrations-1700000000"});
    pod["metadata"]["ownerReferences"] =
        json!([{"uid": "old", "kind": "Job", "name": "j", "apiVersion": "batch/v1"}]);
    api.with(|store| {
        store.put("jobs", job);
        store.put("pods", pod);
    });
    let failure = deploy(&api, &events).await.unwrap_err();
    assert!(
        matches!(&failure.error, DeployError::JobBusy { pods, .. } if pods == &["old-1"]),
        "{failure:?}"
    );
    assert_eq!(failure.report().outcome, Outcome::Temporary);
    assert_eq!(failure.state, "Nothing was changed.");
    assert!(api.writes().is_empty());
}

fn lease(holder: &str, renewed: jiff::Timestamp) -> Value {
    let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": 60, "acquireTime": format!("{renewed:.6}"), "renewTime": format!("{renewed:.6}")});
    object(
        "coordination.k8s.io/v1",
        "Lease",
        "forerun-shop",
        &json!({"spec": spec}),
    )
}

#[tokio::test(start_paused = true)]
async fn one_deploy_at_a_time() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    everything_works(&api);
    api.with(|store| {
        store.put(
            "leases",
            lease("bob@laptop (run 7)", jiff::Timestamp::now()),
        );
    });
    let failure = deploy(&api, &events).await.unwrap_err();
    let report = failure.report();
    assert_eq!(report.outcome, Outcome::Temporary);
    assert!(
        report.message.contains("bob@laptop (run 7), since 2"),
        "{}",
        report.message
    );
    assert!(api.writes().is_empty());

    // Its holder is silent for the whole of its time: it is dead.
    let patient = Options {
        wait_for_deploy: Duration::from_secs(120),
        ..options()
    };
    deploy_with(&api, &events, &patient).await.unwrap();
    assert_eq!(
        events.field("deploy_taken_over", "holder"),
        ["bob@laptop (run 7)"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_has_expired_is_watched_before_it_is_taken() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    everything_works(&api);
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    api.with(|store| store.put("leases", lease("bob@laptop (run 7)", long_ago)));
    let begin = tokio::time::Instant::now();
    deploy(&api, &events).await.unwrap();
    assert!(
        begin.elapsed() >= Duration::from_secs(12),
        "clocks differ: its holder may be alive"
    );
    assert_eq!(
        events.field("deploy_taken_over", "holder"),
        ["bob@laptop (run 7)"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_lost_its_lease_changes_nothing_more() {
    let (api, events) = (FakeApi::new(), Recorder::default());
    let mut taken = false;
    api.controlled_by(move |store, seconds| {
        pod_of_job(store, "m-1", "Running", &json!({"running": {}}));
        if seconds >= 5 && !taken {
            taken = true;
            store.put(
                "leases",
                lease("bob@laptop (run 7)", jiff::Timestamp::now()),
            );
        }
    });
    let failure = deploy(&api, &events).await.unwrap_err();
    assert!(
        failure.to_string().contains("taken over by bob@laptop"),
        "{failure}"
    );
    assert!(
        !api.writes()
            .iter()
            .any(|write| write.contains("deployments"))
    );
    let holder = api
        .with(|store| store.get("leases/forerun-shop").cloned())
        .unwrap();
    assert_eq!(
        holder["spec"]["holderIdentity"], "bob@laptop (run 7)",
        "the lease of the other one stays"
    );
}

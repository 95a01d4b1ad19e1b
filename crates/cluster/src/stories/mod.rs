//! Deploys from beginning to end against an API in memory. The clock stands still unless something waits for it.

mod objects;
mod one_at_a_time;
mod steps;

use std::time::Duration;

use serde_json::{Value, json};

use crate::fake_api::{FakeApi, Recorder, Store, object, status};
use crate::{DeployError, Done, Failure, Object, Options, Outcome, Release, Step};

const JOB: &str = "jobs/shop-migrations";

fn parsed(value: Value) -> Object {
    Object::from_value(value).unwrap()
}

fn release() -> Release {
    let pods = json!({"replicas": 2, "selector": {"matchLabels": {"app": "shop"}}, "template": {}});
    Release {
        name: "shop".to_owned(),
        preparation: vec![parsed(object(
            "v1",
            "Secret",
            "db-migrations",
            &json!({"data": {"p": "cHc="}}),
        ))],
        steps: vec![Step {
            uses: Vec::new(),
            job: parsed(object(
                "batch/v1",
                "Job",
                "shop-migrations",
                &json!({"spec": {"backoffLimit": 2, "template": {}}}),
            )),
        }],
        configuration: vec![parsed(object(
            "v1",
            "Secret",
            "db",
            &json!({"data": {"p": "cHc="}}),
        ))],
        application: vec![
            parsed(object("v1", "Service", "shop", &json!({"spec": {}}))),
            parsed(object(
                "apps/v1",
                "Deployment",
                "shop",
                &json!({"spec": pods}),
            )),
        ],
        closing: Vec::new(),
    }
}

fn options() -> Options {
    Options {
        holder: "alice@build-7 (run 1)".to_owned(),
        wait_for_deploy: Duration::ZERO,
        rollout_timeout: Duration::from_secs(60),
        force_conflicts: false,
    }
}

async fn deploy(api: &FakeApi, events: &Recorder) -> Result<Done, Failure> {
    deploy_with(api, events, &options()).await
}

async fn deploy_with(api: &FakeApi, events: &Recorder, options: &Options) -> Result<Done, Failure> {
    crate::deploy(
        &api.cluster(),
        release(),
        options,
        events,
        std::future::pending(),
    )
    .await
}

/// A pod of the Job with one container.
fn pod_of_job(store: &mut Store, name: &str, phase: &str, state: &Value) {
    let Some(uid) = store.get(JOB).map(|job| job["metadata"]["uid"].clone()) else {
        return;
    };
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"job-name": "shop-migrations"}, "ownerReferences": [{"uid": uid, "kind": "Job", "name": "j", "apiVersion": "batch/v1"}]},
        "spec": {"containers": [{"name": "migrate", "image": "shop:2"}]},
        "status": {"phase": phase, "containerStatuses": [
            {"name": "migrate", "image": "shop:2", "imageID": "", "ready": false, "restartCount": 0, "state": state}
        ]},
    });
    if store.get(&format!("pods/{name}")).is_none() {
        store.put("pods", pod);
    } else {
        store.set(&format!("pods/{name}"), "status", pod["status"].clone());
    }
}

fn finish_job(store: &mut Store, condition: &str, reason: &str) {
    store.set(JOB, "status", json!({"startTime": "2026-11-21T10:00:00Z", "conditions": [{"type": condition, "status": "True", "reason": reason}]}));
}

fn roll_out(store: &mut Store) {
    if store
        .get("deployments/shop")
        .is_some_and(|deployment| deployment["status"].is_null())
    {
        let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        store.set("deployments/shop", "status", status);
    }
}

/// Jobs succeed a few seconds after they are there, and Deployments come up.
fn everything_works(api: &FakeApi) {
    let mut since: Option<u64> = None;
    api.controlled_by(move |store, seconds| {
        roll_out(store);
        let Some(job) = store.get(JOB) else {
            since = None;
            return;
        };
        if !job["status"]["conditions"].is_null() {
            return;
        }
        let since = *since.get_or_insert(seconds);
        if seconds < since + 2 {
            return;
        }
        if seconds < since + 4 {
            pod_of_job(store, "m-1", "Running", &json!({"running": {}}));
            let log = "2026-11-21T10:00:01Z first\n2026-11-21T10:00:02Z second\n";
            store.logs.insert("m-1".to_owned(), log.to_owned());
        } else {
            pod_of_job(
                store,
                "m-1",
                "Succeeded",
                &json!({"terminated": {"exitCode": 0}}),
            );
            finish_job(store, "Complete", "");
        }
    });
}

fn fails_with(api: &FakeApi, code: i32) {
    api.controlled_by(move |store, seconds| {
        if seconds >= 2 {
            let words = json!({"format": 1, "exit_code": code, "outcome": "failed", "message": "no such table", "place": "m/7.sql:3:1"});
            pod_of_job(store, "m-1", "Failed", &json!({"terminated": {"exitCode": code, "message": words.to_string()}}));
            if store.get(JOB).is_some() {
                finish_job(store, "Failed", "PodFailurePolicy");
            }
        }
    });
}

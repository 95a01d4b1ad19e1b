//! `forerun deploy` tells the cause, at once where waiting cannot help, and leaves the running version alone.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::delivery::{Delivery, Values};
use crate::observe::{condition, log_says, text};
use crate::place::Place;
use crate::process::{Failure, Outcome, ensure, equal, until};
use crate::requests::Requests;
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("diagnosis-pending", pending),
        Story::new("diagnosis-no-room", no_room),
        Story::new("diagnosis-failing", failing),
        Story::new("diagnosis-lock-held", lock_held),
        Story::new("diagnosis-forbidden", forbidden),
    ]
}

/// How the Job is when the deploy has told its end.
enum Left {
    /// Not ended: with an hour left, nothing but forerun has found the cause.
    AtWork,
    /// Failed, for this reason of its own.
    Failed(&'static str),
}

/// Deploys what cannot work, on top of what does.
fn refused(
    place: &Place,
    values: &Values,
    code: i32,
    sentence: &str,
    left: &Left,
) -> Result<(), Failure> {
    let before = place.object("deployment/my-app")?;
    Delivery::Deploy
        .deliver(place, values)?
        .exits(code)?
        .says(sentence)?
        .says("Nothing of the new version was applied: the previous one goes on as before")?;
    let job = place.object("job/my-app-migrations")?;
    match left {
        Left::AtWork => is_at_work(&job)?,
        Left::Failed(reason) => equal(
            "why the Job failed",
            &condition(&job, "Failed"),
            &Some(*reason),
        )?,
    }
    unchanged(place, &before)
}

/// The Job has not ended, and its time limit is far away.
fn is_at_work(job: &Value) -> Result<(), Failure> {
    let ended = ["Complete", "Failed", "FailureTarget"].map(|kind| condition(job, kind));
    ensure(ended.iter().all(Option::is_none), || {
        format!("the Job has ended by itself: {}", job["status"])
    })?;
    equal(
        "time limit of the Job",
        &job["spec"]["activeDeadlineSeconds"],
        &json!(3600),
    )
}

fn unchanged(place: &Place, before: &Value) -> Result<(), Failure> {
    let after = place.object("deployment/my-app")?;
    equal(
        "generation of the Deployment",
        &after["metadata"]["generation"],
        &before["metadata"]["generation"],
    )
}

/// What may pass by itself: the deploy names it while the Job waits, and goes on when it has passed.
fn passes(
    place: &Place,
    values: &Values,
    sentence: &str,
    put_right: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let before = place.object("deployment/my-app")?;
    let mut running = Delivery::Deploy.start(place, values)?;
    until(&format!("the sentence `{sentence}`"), || {
        ensure(running.is_running(), || running.so_far())?;
        Ok(running.so_far().contains(sentence).then_some(()))
    })?;
    is_at_work(&place.object("job/my-app-migrations")?)?;
    unchanged(place, &before)?;
    put_right()?;
    let outcome = running.end()?;
    place.remember(outcome.show());
    outcome.exits(0)?;
    Ok(())
}

/// Pods that do not get to work.
fn pending(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    let requests = Requests::start(place, "v1")?;
    let next = values.tag("v2");
    refused(
        place,
        &next.clone().tag("nowhere"),
        2,
        "the image my-app:nowhere cannot be pulled",
        &Left::AtWork,
    )?;
    place.ask(&[
        "create",
        "secret",
        "generic",
        "elsewhere",
        "--from-literal",
        "user=x",
    ])?;
    let missing = next
        .migrations("env[0].name=TOKEN")
        .migrations("env[0].valueFrom.secretKeyRef.name=elsewhere");
    let missing = missing.migrations("env[0].valueFrom.secretKeyRef.key=token");
    refused(
        place,
        &missing,
        2,
        "key token of Secret elsewhere does not exist",
        &Left::AtWork,
    )?;
    requests.end_with("v1")
}

/// Pods that get to work when somebody makes room for them.
fn no_room(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    // In a cluster that was kept the node has it from the last time.
    place.ask(&["label", "nodes", "--all", "disk-"])?;
    let next = values.tag("v2");
    let tape = next
        .clone()
        .set("deployments.my-app.nodeSelector.disk=tape");
    passes(place, &tape, "no node takes the pod", || {
        place.ask(&["label", "nodes", "--all", "disk=tape"])?;
        Ok(())
    })?;
    place.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: small}, spec: {hard: {pods: \"1\"}}}")?;
    let sentence = "the quota of the namespace has no room for the pod";
    passes(place, &next.tag("v3"), sentence, || {
        place.ask(&["delete", "resourcequota", "small"])?;
        Ok(())
    })?;
    equal("history", &place.history()?.len(), &6)
}

/// Pods that fail.
fn failing(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    let requests = Requests::start(place, "v1")?;
    let next = values.migrations("backoffLimit=0");
    let hungry = next.clone().with(place, "hungry.yaml");
    refused(
        place,
        &hungry,
        3,
        "the container ran out of memory (OOMKilled)",
        &Left::Failed("BackoffLimitExceeded"),
    )?;
    refused(
        place,
        &next.clone().migrations("command={/bin/nothing}"),
        2,
        "the command of the container cannot be run",
        &Left::Failed("BackoffLimitExceeded"),
    )?;
    refused(
        place,
        &next.clone().migrations("args={migrate,upp}"),
        2,
        "upp",
        &Left::Failed("PodFailurePolicy"),
    )?;
    // Here the limit is the cause.
    refused(
        place,
        &next.clone().tag("very-slow").migrations("timeout=5"),
        75,
        "time limit",
        &Left::Failed("DeadlineExceeded"),
    )?;
    // A file of the directory is not what was applied.
    refused(
        place,
        &next.tag("changed"),
        4,
        "the history and the directory contradict each other",
        &Left::Failed("PodFailurePolicy"),
    )?;
    log_says(place, "my-app-migrations", &["0001_users.sql"])?;
    equal("history", &place.history()?.len(), &2)?;
    requests.end_with("v1")
}

/// Somebody else migrates the same database and does not end.
fn lock_held(place: &Place) -> Result<(), Failure> {
    let mut other = Command::new(&place.settings.forerun);
    other.args(["exec", "--url", &place.url(), "--", "sleep", "600"]);
    let mut other = place.start(&mut other)?;
    until("the lock of the other", || {
        ensure(other.is_running(), || other.so_far())?;
        let held = place.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")?;
        Ok((held != "0").then_some(()))
    })?;
    let values = Values::my_app(place, "v1").migrations("backoffLimit=0");
    let outcome = Delivery::Deploy.deliver(place, &values.clone().migrations("lockTimeout=3"))?;
    outcome
        .exits(75)?
        .says("lock is held by")?
        .says("Nothing of the new version was applied; there was no version before")?;
    other.signal("TERM")?;
    other.end()?;
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    equal("history", &place.history()?.len(), &2)
}

/// An identity that may do everything but start Jobs.
fn forbidden(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    place.ask(&["create", "serviceaccount", "builder"])?;
    let rules = "--resource=deployments,services,secrets,configmaps,serviceaccounts,pods,leases.coordination.k8s.io,networkpolicies.networking.k8s.io,events";
    place.ask(&[
        "create",
        "role",
        "builder",
        "--verb=get,list,create,update,patch,delete",
        rules,
    ])?;
    let account = format!("--serviceaccount={}:builder", place.namespace);
    place.ask(&[
        "create",
        "rolebinding",
        "builder",
        "--role=builder",
        &account,
    ])?;
    let token = place.ask(&["create", "token", "builder"])?;
    let kubeconfig = kubeconfig_with(place, &token)?;

    let mut command =
        Delivery::Deploy.command(place, &values.tag("v2"), &["--kubeconfig", &kubeconfig]);
    let outcome: Outcome = place.run(&mut command, None)?;
    let outcome = outcome.exits(2)?.says("jobs")?.says(&format!(
        "system:serviceaccount:{}:builder",
        place.namespace
    ))?;
    ensure(!outcome.text().contains(&token), || {
        "the token was printed".into()
    })?;
    let deployment = place.object("deployment/my-app")?;
    equal(
        "image",
        &text(&deployment, "spec.template.spec.containers.0.image"),
        &"my-app:v1",
    )
}

fn kubeconfig_with(place: &Place, token: &str) -> Result<String, Failure> {
    let admin = &place.settings.kubeconfig;
    let read =
        fs::read_to_string(admin).map_err(|error| format!("{}: {error}", admin.display()))?;
    let mut kubeconfig: Value =
        serde_json::from_str(&read).map_err(|error| format!("{}: {error}", admin.display()))?;
    kubeconfig["users"][0]["user"] = json!({"token": token});
    let path = place.settings.work.join("builder.kubeconfig");
    fs::write(&path, kubeconfig.to_string())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}

//! The ledger of deployments: opened before the rollout, closed after it; what is taken away waits for that.

use std::process::Command;

use serde_json::json;

use crate::delivery::{Delivery, Values};
use crate::observe::{condition, log_says, succeeded_at_once, text};
use crate::place::Place;
use crate::process::{Failure, ensure, equal, until};
use crate::requests::serves;
use crate::runner::Story;
use crate::stories::release::leaves_nothing;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("ledger-helm", |place| ledger(place, Delivery::Helm)),
        Story::new("ledger-helm4", |place| ledger(place, Delivery::Helm4)),
        Story::new("ledger-deploy", |place| ledger(place, Delivery::Deploy)),
        Story::new("ledger-plain", plain),
    ]
}

/// Releases of the ledger, with how far their deployments came.
fn deployments(place: &Place) -> Result<Vec<String>, Failure> {
    let rows =
        place.sql("SELECT app_release || ' ' || status FROM forerun_deployment ORDER BY id")?;
    Ok(rows.lines().map(str::to_owned).collect())
}

fn completed(releases: &[&str]) -> Vec<String> {
    let rows = releases.iter();
    rows.map(|release| format!("{release} completed")).collect()
}

/// The Job that closes the ledger has succeeded, and started when the pods of the version were ready.
fn closed_after_the_rollout(place: &Place) -> Result<(), Failure> {
    let job = succeeded_at_once(place, "my-app-deployed")?;
    let started = text(&job, "metadata.creationTimestamp");
    for pod in place.objects("pods", "app.kubernetes.io/name=my-app")? {
        let conditions = pod["status"]["conditions"].as_array();
        let ready = conditions
            .into_iter()
            .flatten()
            .find(|condition| condition["type"] == "Ready");
        let ready = ready.map_or("never", |ready| text(ready, "lastTransitionTime"));
        ensure(
            started >= ready || !pod["metadata"]["deletionTimestamp"].is_null(),
            || format!("the ledger was closed from {started} on, a pod was ready at {ready}"),
        )?;
    }
    Ok(())
}

/// A column is dropped two releases after its successor came, when nobody of the first release is left; and a pod of
/// that first release, started late, says at once that it is too old.
fn ledger(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let before = place.everything()?;
    let values = Values::my_app(place, "1.0.0").with(place, "ledger.yaml");
    delivery.deliver(place, &values)?.exits(0)?;
    closed_after_the_rollout(place)?;
    equal("ledger", &deployments(place)?, &completed(&["1.0.0"]))?;
    let first = place.object("deployment/my-app")?["spec"]["template"]["spec"].clone();
    let session = first["containers"][0]["env"].as_array().and_then(|env| {
        let name = env
            .iter()
            .find(|variable| variable["name"] == "PGAPPNAME")?;
        name["value"].as_str()
    });
    equal("name of its sessions", &session, &Some("my-app@1.0.0"))?;

    // Its directory drops a column that its own migration has replaced: not in the same deployment.
    let second = values.clone().tag("2.0.0");
    delivery.deliver(place, &second)?.exits(0)?;
    serves(place, "2.0.0")?;
    log_says(place, "my-app-migrations", &["0003_drop_name.sql", "held"])?;
    equal("history", &place.history()?.len(), &2)?;
    let both = ["1.0.0", "2.0.0"];
    equal("ledger", &deployments(place)?, &completed(&both))?;

    // Somebody of the first release is still connected.
    let forgotten = place.session("SET application_name = 'my-app@1.0.0'; SELECT pg_sleep(170)")?;
    until("the session of the first release", || {
        let number = place.as_superuser(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'my-app@1.0.0'",
            place.database
        ))?;
        Ok((number != "0").then_some(()))
    })?;
    let third = second.tag("2.0.1");
    delivery.deliver(place, &third)?.exits(0)?;
    log_says(place, "my-app-migrations", &["held", "my-app@1.0.0"])?;
    equal("history", &place.history()?.len(), &2)?;
    forgotten.signal("KILL")?;
    place.as_superuser(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'my-app@1.0.0'",
        place.database
    ))?;

    delivery.deliver(place, &third)?.exits(0)?;
    closed_after_the_rollout(place)?;
    equal("history", &place.history()?.len(), &3)?;
    let mut releases = vec!["1.0.0", "2.0.0", "2.0.1", "2.0.1"];
    equal("ledger", &deployments(place)?, &completed(&releases))?;

    too_old(place, first)?;
    if delivery == Delivery::Deploy {
        delivery
            .deliver(place, &values)?
            .exits(5)?
            .says("does not become ready")?
            .says("release 1.0.0 can no longer run")?;
        let last = deployments(place)?.pop();
        equal(
            "what did not come up",
            &last,
            &Some("1.0.0 open".to_owned()),
        )?;
    } else {
        // Back to the second release, which needs no run of its own.
        let mut rollback = delivery.helm(place);
        rollback.args(["rollback", "my-app", "2", "--wait", "--timeout", "150s"]);
        place.run(&mut rollback, None)?.exits(0)?;
        serves(place, "2.0.0")?;
        releases.push("2.0.0");
        equal("ledger", &deployments(place)?, &completed(&releases))?;
    }
    leaves_nothing(place, delivery, &before)
}

/// A pod of a release below the floor: its gate ends at once.
fn too_old(place: &Place, mut spec: serde_json::Value) -> Result<(), Failure> {
    spec["restartPolicy"] = json!("Never");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "left-behind"}, "spec": spec});
    place.apply(&pod.to_string())?;
    let pod = until("the end of a pod of the first release", || {
        let pod = place.object("pod/left-behind")?;
        Ok((text(&pod, "status.phase") == "Failed").then_some(pod))
    })?;
    let gate = pod["status"]["initContainerStatuses"].as_array();
    let gate = gate
        .into_iter()
        .flatten()
        .find(|container| container["name"] == "wait-for-migrations")
        .map(|container| container["state"]["terminated"].clone())
        .unwrap_or_default();
    equal("exit code of its gate", &gate["exitCode"], &json!(5))?;
    for word in ["1.0.0", "2.0.0", "0003_drop_name.sql"] {
        ensure(text(&gate, "message").contains(word), || {
            format!("{word} was expected in the last words of the gate: {gate}")
        })?;
    }
    place.ask(&["delete", "pod", "left-behind"])?;
    Ok(())
}

/// `kubectl apply`, `kubectl rollout status`, and then what closes the ledger; as often as one likes.
fn plain(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "1.0.0").with(place, "ledger.yaml");
    for version in ["1.0.0", "2.0.0", "2.0.0"] {
        let values = values.clone().tag(version);
        let render = |options: &[&str]| {
            let mut render = Command::new(&place.settings.forerun);
            render.args(["render", "--delivery", "plain"]).args(options);
            let rendered = place.run(render.args(values.arguments()), None)?;
            rendered.exits(0)
        };
        let all = render(&[])?;
        ensure(!all.stdout.contains("my-app-deployed"), || all.show())?;
        let all = all.says("--wave deployed")?;
        place.apply(&all.stdout)?;
        place.ask(&["rollout", "status", "deployment/my-app", "--timeout=150s"])?;
        let closing = render(&["--wave", "deployed"])?.stdout;
        let mut replace = Command::new(&place.settings.kubectl);
        replace.args(["--namespace", &place.namespace]);
        replace.args(["replace", "--force", "--filename", "-"]);
        place.run(&mut replace, Some(&closing))?.exits(0)?;
        until("the end of the Job that closes the ledger", || {
            let job = place.object("job/my-app-deployed")?;
            Ok(condition(&job, "Complete").map(|_| ()))
        })?;
    }
    equal(
        "ledger",
        &deployments(place)?,
        &completed(&["1.0.0", "2.0.0"]),
    )
}

//! The life of a release: install, upgrade in steps, a migration that fails, rollback, uninstall.
//!
//! What comes after a failure is told by the order of events and by the Job's own reason, never by a clock.

use crate::delivery::{Delivery, Values};
use crate::observe::{condition, deployed, exit_code, log_says, succeeded_at_once, text};
use crate::place::Place;
use crate::process::{Failure, ensure, equal, until};
use crate::requests::{Requests, serves};
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("install-helm", |place| install(place, Delivery::Helm)),
        Story::new("install-helm4", |place| install(place, Delivery::Helm4)),
        Story::new("install-deploy", |place| install(place, Delivery::Deploy)),
        Story::new("upgrade-helm", |place| upgrade(place, Delivery::Helm)),
        Story::new("upgrade-helm4", |place| upgrade(place, Delivery::Helm4)),
        Story::new("upgrade-deploy", |place| upgrade(place, Delivery::Deploy)),
        Story::new("steps-appear-helm", |place| {
            steps_appear(place, Delivery::Helm)
        }),
        Story::new("steps-appear-deploy", |place| {
            steps_appear(place, Delivery::Deploy)
        }),
        Story::new("changed-config-helm", |place| {
            changed_config(place, Delivery::Helm)
        }),
        Story::new("changed-config-deploy", |place| {
            changed_config(place, Delivery::Deploy)
        }),
        Story::new("failed-migration-helm", |place| {
            failed_migration(place, Delivery::Helm)
        }),
        Story::new("failed-migration-helm4", |place| {
            failed_migration(place, Delivery::Helm4)
        }),
        Story::new("failed-migration-deploy", |place| {
            failed_migration(place, Delivery::Deploy)
        }),
    ]
}

/// A first install: the migrations come before the application, with its configuration. Uninstalled, nothing is left.
fn install(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let before = place.everything()?;
    delivery
        .deliver(place, &Values::my_app(place, "v1"))?
        .exits(0)?;
    let job = succeeded_at_once(place, "my-app-migrations")?;
    let done = text(&job, "status.completionTime");
    for pod in place.objects("pods", "app.kubernetes.io/name=my-app")? {
        let created = text(&pod, "metadata.creationTimestamp");
        ensure(created >= done, || {
            format!(
                "a pod of the application of {created} is older than the end of the migrations, {done}"
            )
        })?;
    }
    // The Job had copies of its own, which went with it; the application's Secret is an ordinary object of the release.
    let secret = place.object("secret/database")?;
    ensure(text(&secret, "metadata.creationTimestamp") >= done, || {
        "the Secret of the application is older than its migrations".into()
    })?;
    let used = text(
        &job,
        "spec.template.spec.containers.0.envFrom.0.secretRef.name",
    );
    equal("the Secret of the Job", &used, &"database-migrations")?;
    ensure(
        place.kubectl(&["get", "secret/database-migrations"])?.code != 0,
        || "the copy of the Secret is still there".into(),
    )?;
    equal(
        "history",
        &place.history()?,
        &vec!["1".to_owned(), "2".to_owned()],
    )?;
    equal(
        "rows",
        &place.sql("SELECT name FROM users ORDER BY id")?,
        &"Ada\nGrace".to_owned(),
    )?;
    serves(place, "v1")?;
    log_says(place, "my-app-migrations", &["0001", "0002"])?;

    leaves_nothing(place, delivery, &before)
}

/// The release is taken away, and the namespace is as it was before it.
///
/// # Errors
/// Something is left.
pub fn leaves_nothing(place: &Place, delivery: Delivery, before: &[String]) -> Result<(), Failure> {
    delivery.uninstall(place)?;
    until("a namespace as it was before", || {
        let mut left = place.everything()?;
        left.retain(|object| !before.contains(object));
        ensure(left.is_empty(), || format!("left behind: {left:?}"))?;
        Ok(Some(()))
    })
}

/// An upgrade in two steps: one Job each, in order. Then back to the old version, in both ways, and away.
fn upgrade(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let before = place.everything()?;
    let values = Values::my_app(place, "v1").with(place, "steps.yaml");
    delivery.deliver(place, &values)?.exits(0)?;
    equal("history", &place.history()?.len(), &2)?;
    delivery
        .deliver(place, &values.clone().tag("v2"))?
        .exits(0)?;
    let schema = succeeded_at_once(place, "my-app-migrations-schema")?;
    let data = succeeded_at_once(place, "my-app-migrations-data")?;
    ensure(
        text(&data, "status.startTime") >= text(&schema, "status.completionTime"),
        || "the second step started before the end of the first one".into(),
    )?;
    log_says(place, "my-app-migrations-schema", &["0003"])?;
    log_says(place, "my-app-migrations-data", &["0004"])?;
    equal(
        "rows",
        &place.sql("SELECT email FROM users ORDER BY id")?,
        &"ada@example.com\ngrace@example.com".to_owned(),
    )?;
    serves(place, "v2")?;

    // The database is ahead of an older version, which is fine.
    if delivery != Delivery::Deploy {
        let mut rollback = delivery.helm(place);
        rollback.args(["rollback", "my-app", "1", "--wait", "--timeout", "150s"]);
        place.run(&mut rollback, None)?.exits(0)?;
        serves(place, "v1")?;
    }
    delivery.deliver(place, &values)?.exits(0)?;
    serves(place, "v1")?;
    equal("history", &place.history()?.len(), &4)?;
    leaves_nothing(place, delivery, &before)
}

/// A release that goes from one Job to steps. Helm forgets the old Job; the guide's command takes it away.
fn steps_appear(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let before = place.everything()?;
    let values = Values::my_app(place, "v1");
    delivery.deliver(place, &values)?.exits(0)?;
    succeeded_at_once(place, "my-app-migrations")?;
    let values = values.tag("v2").with(place, "steps.yaml");
    delivery.deliver(place, &values)?.exits(0)?;
    succeeded_at_once(place, "my-app-migrations-data")?;
    let old = place.kubectl(&["get", "job/my-app-migrations"])?;
    if delivery == Delivery::Deploy {
        old.fails()?;
    } else {
        old.exits(0)?;
        place.ask(&["delete", "job", "my-app-migrations"])?;
    }
    serves(place, "v2")?;
    leaves_nothing(place, delivery, &before)
}

/// The same version with another Secret: its pods are replaced, without anybody's doing. Without a change they stay.
fn changed_config(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    let pods = || -> Result<Vec<String>, Failure> {
        let pods = place.objects("pods", "app.kubernetes.io/name=my-app")?;
        let alive = pods
            .iter()
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        Ok(alive
            .map(|pod| text(pod, "metadata.uid").to_owned())
            .collect())
    };
    delivery.deliver(place, &values)?.exits(0)?;
    let first = pods()?;
    delivery.deliver(place, &values)?.exits(0)?;
    equal("pods after a deploy of the same", &pods()?, &first)?;
    let changed = values.set("configs.database.data.GREETING=hello");
    delivery.deliver(place, &changed)?.exits(0)?;
    let second = pods()?;
    ensure(!second.iter().any(|pod| first.contains(pod)), || {
        format!("pods of before the change of the Secret: {first:?}, after it: {second:?}")
    })?;
    serves(place, "v1")
}

/// A migration that the database refuses: no second try, no later step, and the old version serves as if nothing were.
fn failed_migration(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let values = Values::my_app(place, "v2").with(place, "steps.yaml");
    delivery.deliver(place, &values)?.exits(0)?;
    let data_before = place.object("job/my-app-migrations-data")?;
    let requests = Requests::start(place, "v2")?;

    let failed = delivery.deliver(place, &values.clone().tag("v3-broken"))?;
    ensure(!failed.text().contains("timed out"), || failed.show())?;
    match delivery {
        Delivery::Deploy => {
            failed
                .exits(3)?
                .says("relation \"customers\" does not exist")?
                .says("0005_orders.sql")?;
        }
        _ => {
            failed.fails()?;
        }
    }
    let job = place.object("job/my-app-migrations-schema")?;
    equal(
        "why the Job failed",
        &condition(&job, "Failed"),
        &Some("PodFailurePolicy"),
    )?;
    let pods = place.pods_of("my-app-migrations-schema")?;
    equal(
        "exit codes of its pods",
        &pods.iter().map(exit_code).collect(),
        &vec![Some(3)],
    )?;
    log_says(
        place,
        "my-app-migrations-schema",
        &[
            "relation \\\"customers\\\" does not exist",
            "0005_orders.sql",
        ],
    )?;
    let data = place.object("job/my-app-migrations-data")?;
    equal(
        "the Job of the next step",
        &data["metadata"]["uid"],
        &data_before["metadata"]["uid"],
    )?;
    equal(
        "the version that is deployed",
        &deployed(place)?,
        &"v2".to_owned(),
    )?;
    equal("history", &place.history()?.len(), &4)?;
    requests.end_with("v2")?;

    delivery.deliver(place, &values.tag("v3"))?.exits(0)?;
    serves(place, "v3")?;
    equal("history", &place.history()?.len(), &6)
}

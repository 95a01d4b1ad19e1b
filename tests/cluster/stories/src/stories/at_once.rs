//! More than one at a time: two deploys, and a pod that is deleted and replaced.

use crate::delivery::{Delivery, Values};
use crate::observe::statement_runs;
use crate::place::Place;
use crate::process::{Failure, Outcome, ensure, equal, until};
use crate::requests::serves;
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("two-at-once-helm", two_helms),
        Story::new("two-at-once-deploy", two_deploys),
        Story::new("pod-deleted-helm", |place| {
            pod_deleted(place, Delivery::Helm)
        }),
        Story::new("pod-deleted-deploy", |place| {
            pod_deleted(place, Delivery::Deploy)
        }),
    ]
}

/// The slow migration, a data one, has done its work exactly once.
fn applied_once(place: &Place) -> Result<(), Failure> {
    equal(
        "rows of the migration",
        &place.sql("SELECT count(*) FROM users WHERE id = 3")?,
        &"1".to_owned(),
    )?;
    equal(
        "history",
        &place.history()?,
        &["1", "2", "3"].map(str::to_owned).to_vec(),
    )
}

fn both(place: &Place, first: Outcome, second: Outcome) -> Result<(Outcome, Outcome), Failure> {
    place.remember(first.show());
    place.remember(second.show());
    let (well, refused) = if first.code == 0 {
        (first, second)
    } else {
        (second, first)
    };
    Ok((well.exits(0)?, refused.fails()?))
}

/// Helm lets one in.
fn two_helms(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    Delivery::Helm.deliver(place, &values)?.exits(0)?;
    let values = values.tag("slow");
    let first = Delivery::Helm.start(place, &values)?;
    let second = Delivery::Helm.start(place, &values)?;
    let (_, refused) = both(place, first.end()?, second.end()?)?;
    let text = refused.text();
    ensure(
        text.contains("another operation") || text.contains("already exists"),
        || format!("Helm says why:\n{text}"),
    )?;
    applied_once(place)?;
    serves(place, "slow")
}

/// One deploys, one is told who does, and one waits for its turn and finds nothing to do.
fn two_deploys(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "slow");
    let first = Delivery::Deploy.start(place, &values)?;
    let second = Delivery::Deploy.start(place, &values)?;
    statement_runs(place, "Barbara")?;
    let patient = place.start(&mut Delivery::Deploy.command(
        place,
        &values,
        &["--wait-for-deploy", "150s"],
    ))?;
    let (_, refused) = both(place, first.end()?, second.end()?)?;
    refused
        .exits(75)?
        .says("another deploy of the release `my-app` is at work")?;
    let patient = patient.end()?;
    place.remember(patient.show());
    patient.exits(0)?;
    applied_once(place)?;
    serves(place, "slow")
}

/// The replacement comes when the first one has ended, and everything is applied once.
fn pod_deleted(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let values = Values::my_app(place, "slow");
    let mut running = delivery.start(place, &values)?;
    statement_runs(place, "Barbara")?;
    let first = place.ask(&[
        "get",
        "pods",
        "--selector",
        "job-name=my-app-migrations",
        "--output",
        "name",
    ])?;
    place.ask(&["delete", &first, "--wait=false"])?;
    let mut replaced = false;
    while running.is_running() {
        let pods = place.pods_of("my-app-migrations")?;
        let alive = |pod: &&serde_json::Value| {
            matches!(pod["status"]["phase"].as_str(), Some("Pending" | "Running"))
        };
        let alive = pods.iter().filter(alive).count();
        ensure(alive <= 1, || format!("{alive} pods of the Job at a time"))?;
        replaced |= pods
            .iter()
            .any(|pod| !first.ends_with(pod["metadata"]["name"].as_str().unwrap_or("?")));
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let outcome = running.end()?;
    place.remember(outcome.show());
    outcome.exits(0)?;
    ensure(replaced, || "no second pod was seen".into())?;
    applied_once(place)?;
    until("the sessions of the migration to end", || {
        let sessions = place.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")?;
        Ok((sessions == "0").then_some(()))
    })?;
    serves(place, "slow")
}

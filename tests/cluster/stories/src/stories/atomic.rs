//! `helm upgrade --install --wait --atomic`.

use crate::delivery::{Delivery, Values};
use crate::observe::{condition, log_says};
use crate::place::Place;
use crate::process::{Failure, Outcome, equal};
use crate::requests::{Requests, serves};
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("atomic-helm", |place| atomic(place, Delivery::Helm)),
        Story::new("atomic-helm4", |place| atomic(place, Delivery::Helm4)),
    ]
}

fn deliver(
    place: &Place,
    delivery: Delivery,
    values: &Values,
    options: &[&str],
) -> Result<Outcome, Failure> {
    let option = if delivery == Delivery::Helm4 {
        "--rollback-on-failure"
    } else {
        "--atomic"
    };
    let options = [&[option], options].concat();
    place.run(&mut delivery.command(place, values, &options), None)
}

/// A good version; one whose migration fails; one that never gets ready. The good one serves all the time.
fn atomic(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    deliver(place, delivery, &values, &[])?.exits(0)?;
    let requests = Requests::start(place, "v1")?;

    deliver(place, delivery, &values.clone().tag("v3-broken"), &[])?.fails()?;
    let job = place.object("job/my-app-migrations")?;
    equal(
        "why the Job failed",
        &condition(&job, "Failed"),
        &Some("PodFailurePolicy"),
    )?;
    log_says(place, "my-app-migrations", &["0005_orders.sql"])?;
    // What came before the failure is applied, and the old version can live with it.
    equal("history", &place.history()?.len(), &4)?;

    // Its migrations succeed; Helm's patience with the pods is short.
    let broken = values
        .clone()
        .tag("v3")
        .set("deployments.my-app.containers.main.env[0].name=BROKEN");
    let broken = broken.set("deployments.my-app.containers.main.env[0].value=yes");
    deliver(place, delivery, &broken, &["--timeout", "20s"])?.fails()?;
    equal("history", &place.history()?.len(), &6)?;
    requests.end_with("v1")?;
    let releases = place
        .run(delivery.helm(place).args(["history", "my-app"]), None)?
        .exits(0)?;
    releases.says("Rollback to 1")?;

    deliver(place, delivery, &values.tag("v3"), &[])?.exits(0)?;
    serves(place, "v3")
}

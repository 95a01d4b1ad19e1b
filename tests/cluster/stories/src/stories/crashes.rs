//! Parts of the cluster are killed while a migration runs.

use std::process::Command;

use crate::delivery::{Delivery, Values};
use crate::observe::{condition, statement_runs};
use crate::place::Place;
use crate::process::{Failure, ensure, equal, until};
use crate::requests::serves;
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![Story {
        alone: true,
        ..Story::new("components-killed", components_killed)
    }]
}

/// Each in turn, under both deliveries: the migrations finish, once, and a deploy afterwards is an ordinary one.
fn components_killed(place: &Place) -> Result<(), Failure> {
    let with_helm = Place::new(place.settings, "components-killed-helm")?;
    let result = kill(place, &with_helm);
    if let Err(error) = result {
        return Err(format!(
            "{error}\n---- the other namespace ----\n{}",
            with_helm.look()
        ));
    }
    with_helm.leave();
    Ok(())
}

fn kill(place: &Place, with_helm: &Place) -> Result<(), Failure> {
    let places = [(place, Delivery::Deploy), (with_helm, Delivery::Helm)];
    let mut running = Vec::new();
    for (place, delivery) in places {
        running.push(delivery.start(place, &Values::my_app(place, "very-slow"))?);
    }
    for (place, _) in places {
        statement_runs(place, "Barbara")?;
    }
    for component in ["kubelet", "containerd", "controller-manager", "apiserver"] {
        let mut crash = Command::new(place.settings.checkout.join("scripts/cluster"));
        place
            .run(crash.args(["crash", component]), None)?
            .exits(0)?;
    }
    for ((place, _), running) in places.into_iter().zip(running) {
        // Helm gives up when the API server does not answer; the Job does not need it.
        place.remember(running.end()?.show());
        until("the end of the Job", || {
            let job = place.object("job/my-app-migrations")?;
            ensure(condition(&job, "Failed").is_none(), || {
                format!("the Job failed: {}", job["status"])
            })?;
            Ok(condition(&job, "Complete").map(|_| ()))
        })?;
        equal(
            "rows of the migration",
            &place.sql("SELECT count(*) FROM users WHERE id = 3")?,
            &"1".to_owned(),
        )?;
        equal(
            "pods of the Job",
            &place.pods_of("my-app-migrations")?.len(),
            &1,
        )?;
    }
    for (place, delivery) in places {
        delivery
            .deliver(place, &Values::my_app(place, "very-slow"))?
            .exits(0)?;
        equal("history", &place.history()?.len(), &3)?;
        serves(place, "very-slow")?;
    }
    Ok(())
}

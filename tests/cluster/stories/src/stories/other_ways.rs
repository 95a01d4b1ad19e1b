//! Other ways to use it: any migration command under the guard, plain objects with a gate, namespaces with rules.

use std::process::Command;

use crate::delivery::{Delivery, Values};
use crate::observe::{condition, exit_code, log_says, statement_runs, succeeded_at_once};
use crate::place::Place;
use crate::process::{Failure, ensure, equal};
use crate::requests::serves;
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("guard-helm", |place| guard(place, Delivery::Helm)),
        Story::new("guard-deploy", |place| guard(place, Delivery::Deploy)),
        Story::new("gate-plain", gate),
        Story {
            labels: "pod-security.kubernetes.io/enforce: restricted",
            ..Story::new("pod-security-helm", |place| {
                restricted(place, Delivery::Helm)
            })
        },
        Story {
            labels: "pod-security.kubernetes.io/enforce: restricted",
            ..Story::new("pod-security-deploy", |place| {
                restricted(place, Delivery::Deploy)
            })
        },
    ]
}

/// A shell script with psql migrates, under the runner lock; its own exit code decides about another try.
fn guard(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1").with(place, "guard.yaml");
    delivery.deliver(place, &values)?.exits(0)?;
    succeeded_at_once(place, "my-app-migrations")?;
    log_says(place, "my-app-migrations", &["the script is done"])?;
    equal(
        "what the script saw of the lock",
        &place.sql("SELECT held FROM script")?,
        &"t".to_owned(),
    )?;
    serves(place, "v1")?;

    let failing = values
        .migrations("env[0].name=FAIL")
        .migrations("env[0].value=7");
    delivery.deliver(place, &failing)?.fails()?;
    let job = place.object("job/my-app-migrations")?;
    equal(
        "why the Job failed",
        &condition(&job, "Failed"),
        &Some("PodFailurePolicy"),
    )?;
    let codes: Vec<_> = place
        .pods_of("my-app-migrations")?
        .iter()
        .map(exit_code)
        .collect();
    equal("exit codes of its pods", &codes, &vec![Some(7)])?;
    serves(place, "v1")
}

/// `kubectl apply` of everything at once: the application's pods wait for the migrations.
fn gate(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "slow").migrations("gate=true");
    let mut render = Command::new(&place.settings.forerun);
    render
        .args(["render", "--delivery", "plain"])
        .args(values.arguments());
    let rendered = place.run(&mut render, None)?.exits(0)?;
    place.apply(&rendered.stdout)?;
    statement_runs(place, "Barbara")?;
    let pods = place.objects("pods", "app.kubernetes.io/name=my-app")?;
    if place.history()?.len() < 3 {
        let started = pods.iter().any(|pod| pod["status"]["phase"] == "Running");
        ensure(!started, || {
            "the application runs before the end of the migrations".into()
        })?;
    }
    serves(place, "slow")?;
    equal("history", &place.history()?.len(), &3)
}

/// A namespace that takes only what follows the restricted Pod Security Standard.
fn restricted(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1")
        .with(place, "restricted.yaml")
        .with(place, "guard.yaml");
    let outcome = delivery
        .deliver(place, &values.migrations("waitForDatabase=true"))?
        .exits(0)?;
    ensure(!outcome.text().contains("PodSecurity"), || outcome.show())?;
    succeeded_at_once(place, "my-app-migrations")?;
    serves(place, "v1")
}

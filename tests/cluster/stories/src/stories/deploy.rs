//! What only `forerun deploy` can: show, prune, be interrupted and go on.

use crate::delivery::{Delivery, Values};
use crate::observe::{deployed, statement_runs, succeeded_at_once};
use crate::place::Place;
use crate::process::{Failure, ensure, equal};
use crate::requests::serves;
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("interrupted-deploy", interrupted),
        Story::new("preview-and-prune", preview_and_prune),
    ]
}

/// Ctrl-C while a migration runs: it says what goes on. A second deploy follows the same Job to its end.
fn interrupted(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "slow");
    let first = Delivery::Deploy.start(place, &values)?;
    statement_runs(place, "Barbara")?;
    first.signal("INT")?;
    let first = first.end()?;
    place.remember(first.show());
    first
        .exits(130)?
        .says("The Job my-app-migrations goes on in the cluster")?
        .says("Deploy again")?;
    ensure(
        place.kubectl(&["get", "deployment/my-app"])?.code != 0,
        || "the application was applied all the same".into(),
    )?;
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    // One Job with one pod did it.
    succeeded_at_once(place, "my-app-migrations")?;
    equal(
        "rows of the migration",
        &place.sql("SELECT count(*) FROM users WHERE id = 3")?,
        &"1".to_owned(),
    )?;
    serves(place, "slow")
}

/// A preview names what would change and changes nothing; what left the values is deleted.
fn preview_and_prune(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    let more = values
        .clone()
        .set("configs.greeting.data.TEXT=hello")
        .set("services.extra.deployment=my-app");
    let more = more
        .set("services.extra.ports[0].name=http")
        .set("services.extra.ports[0].port=80");
    Delivery::Deploy.deliver(place, &more)?.exits(0)?;
    place.ask(&["get", "configmap/greeting", "service/extra"])?;
    place.ask(&["create", "configmap", "somebody-elses"])?;
    let before = place.everything()?;

    let next = values.tag("v2");
    let preview = place.run(
        &mut Delivery::Deploy.command(place, &next, &["--dry-run=server"]),
        None,
    )?;
    let preview = preview.exits(0)?;
    for word in [
        "my-app:v1",
        "my-app:v2",
        "my-app-migrations",
        "greeting",
        "extra",
    ] {
        ensure(preview.text().contains(word), || {
            format!("{word} was expected in the preview:\n{}", preview.show())
        })?;
    }
    ensure(!preview.text().contains("somebody-elses"), || {
        preview.show()
    })?;
    equal("objects after a preview", &place.everything()?, &before)?;
    equal(
        "the version that is deployed",
        &deployed(place)?,
        &"v1".to_owned(),
    )?;
    equal("history after a preview", &place.history()?.len(), &2)?;

    Delivery::Deploy.deliver(place, &next)?.exits(0)?;
    for gone in ["configmap/greeting", "service/extra"] {
        ensure(place.kubectl(&["get", gone])?.code != 0, || {
            format!("{gone} left the values and is still there")
        })?;
    }
    place.ask(&["get", "configmap/somebody-elses"])?;
    serves(place, "v2")
}

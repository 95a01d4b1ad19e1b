//! What passes by itself is tried again.

use crate::delivery::{Delivery, Values};
use crate::observe::{deployed, exit_code};
use crate::place::Place;
use crate::process::{Failure, equal, until};
use crate::requests::serves;
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("temporary-failure-helm", |place| {
            database_comes_back(place, Delivery::Helm)
        }),
        Story::new("temporary-failure-deploy", |place| {
            database_comes_back(place, Delivery::Deploy)
        }),
        Story::new("table-locked-deploy", table_locked),
    ]
}

/// The database takes no more connections for a while: the Job tries again, and nobody has to do anything.
fn database_comes_back(place: &Place, delivery: Delivery) -> Result<(), Failure> {
    let limit = |number: &str| {
        let database = &place.database;
        place.as_superuser(&format!(
            "ALTER DATABASE {database} CONNECTION LIMIT {number}"
        ))
    };
    limit("0")?;
    let running = delivery.start(place, &Values::my_app(place, "v1"))?;
    until("a pod that gave up for now", || {
        let pods = place.pods_of("my-app-migrations")?;
        Ok(pods
            .iter()
            .any(|pod| exit_code(pod) == Some(75))
            .then_some(()))
    })?;
    limit("-1")?;
    let outcome = running.end()?;
    place.remember(outcome.show());
    outcome.exits(0)?;
    let mut codes: Vec<_> = place
        .pods_of("my-app-migrations")?
        .iter()
        .map(exit_code)
        .collect();
    codes.sort_unstable();
    equal("the last exit code", &codes.first(), &Some(&Some(0)))?;
    equal("history", &place.history()?.len(), &2)?;
    serves(place, "v1")
}

/// Somebody holds a lock on the table: the deploy names the session, and is done when the lock is gone.
fn table_locked(place: &Place) -> Result<(), Failure> {
    let values = Values::my_app(place, "v1");
    Delivery::Deploy.deliver(place, &values)?.exits(0)?;
    let holder = place.session("BEGIN; LOCK TABLE users; SELECT pg_sleep(600)")?;
    until("the lock", || {
        let held = place.sql("SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND mode = 'AccessExclusiveLock'")?;
        Ok((held != "0").then_some(()))
    })?;
    let running = Delivery::Deploy.start(place, &values.tag("v2"))?;
    until("a sentence that names the holder", || {
        let so_far = running.so_far();
        Ok((so_far.contains("lock held by") && so_far.contains("(psql")).then_some(()))
    })?;
    equal(
        "the version that is deployed",
        &deployed(place)?,
        &"v1".to_owned(),
    )?;
    place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE users%' AND pid <> pg_backend_pid()")?;
    drop(holder);
    let outcome = running.end()?;
    place.remember(outcome.show());
    outcome.exits(0)?;
    equal("history", &place.history()?.len(), &4)?;
    serves(place, "v2")
}

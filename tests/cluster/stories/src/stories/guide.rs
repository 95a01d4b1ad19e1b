//! The example of a published guide, as it is written there, with its own two commands.

use crate::delivery::{Delivery, Values};
use crate::place::Place;
use crate::process::{Failure, equal};
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![Story::new("guide-example", guide)]
}

fn guide(place: &Place) -> Result<(), Failure> {
    let place = Place::new(place.settings, "my-namespace")?;
    complete_example(&place)
        .map_err(|error| format!("{error}\n---- my-namespace ----\n{}", place.look()))
}

fn complete_example(place: &Place) -> Result<(), Failure> {
    for statement in [
        "DROP DATABASE IF EXISTS myapp WITH (FORCE)",
        "DROP ROLE IF EXISTS \"your-db-user\"",
        "CREATE ROLE \"your-db-user\" LOGIN PASSWORD 'your-db-password'",
        "CREATE DATABASE myapp OWNER \"your-db-user\"",
    ] {
        place.as_superuser(statement)?;
    }
    let values = Values::files(&[place.settings.values("guide/complete.yaml")]);
    Delivery::Helm.deliver(place, &values)?.exits(0)?;
    for (command, words) in [
        (
            "logs job/my-app-migrations -n my-namespace",
            ["0001_users.sql", "Applied 2 migrations"],
        ),
        (
            "describe job/my-app-migrations -n my-namespace",
            ["Backoff Limit:", "1 Succeeded"],
        ),
    ] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let mut outcome = place.kubectl(&arguments)?.exits(0)?;
        for word in words {
            outcome = outcome.says(word)?;
        }
    }
    let base = place.settings.postgres_url.trim_end_matches("/postgres");
    let rows = place.ask_database(
        &format!("{base}/myapp"),
        "SELECT tableowner FROM pg_tables WHERE tablename = 'users'",
    )?;
    equal("owner of the table", &rows, &"your-db-user".to_owned())?;
    Delivery::Helm.uninstall(place)
}

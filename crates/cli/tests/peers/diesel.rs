//! diesel's command. It has no command for some of the migrations only: half of them is half of the directories.

use std::path::Path;
use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::{Product, Target};

const DIESEL: Peer = Peer {
    layout: "diesel",
    program: "diesel",
    tables: &["__diesel_schema_migrations"],
    environment: &[],
    up: |place, half| {
        let directory = match half {
            None => place.directory(),
            Some(count) => place.first_of(count.parse().unwrap(), |name| name != "README.md"),
        };
        diesel(place, &directory, "run")
    },
    status: |place, _| diesel(place, &place.directory(), "list"),
    // Without a file of settings it writes the schema of the database into src/.
    prepare: |place| {
        place.project.write("diesel.toml", "");
    },
    reduce: str::to_owned,
};

fn diesel(place: &Place, directory: &Path, word: &str) -> Command {
    let url = match place.product() {
        Product::Sqlite => place.target.file().path().display().to_string(),
        Product::Postgres | Product::Mariadb => place.url_without_tls(),
    };
    let mut command = place.peer();
    command
        .args(["migration", word, "--database-url", &url])
        .arg("--migration-dir")
        .arg(directory);
    command
}

#[test]
fn postgres() {
    check(&DIESEL, Target::postgres(), "3", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&DIESEL, Target::mariadb(), "3", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&DIESEL, Target::sqlite(), "3", Convert::Yes);
}

//! Flyway's command. Half of the migrations is a version.

use std::fs;
use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::Target;

const FLYWAY: Peer = Peer {
    layout: "flyway",
    program: "flyway",
    tables: &["flyway_schema_history"],
    environment: &[],
    up: |place, half| {
        let mut command = flyway(place);
        command.args(half.map(|version| format!("-target={version}")));
        command.arg("migrate");
        command
    },
    status: |place| {
        let mut command = flyway(place);
        command.arg("info");
        command
    },
    prepare: |_| {},
    reduce: |dump| dump,
};

/// In the directory itself, where its settings are and its locations begin.
fn flyway(place: &Place) -> Command {
    let (url, account) = place.jdbc();
    let mut command = place.peer();
    command
        .current_dir(place.directory())
        .arg(format!("-url={url}"));
    if let Some((user, password)) = account {
        command.args([format!("-user={user}"), format!("-password={password}")]);
    }
    let settings = ["flyway.toml", "flyway.conf"]
        .into_iter()
        .find(|name| fs::exists(place.directory().join(name)).unwrap());
    match settings {
        Some(name) => command.arg(format!("-configFiles={name}")),
        None => command.arg("-locations=filesystem:."),
    };
    command
}

/// Some scripts contain what their database is called, which is not the same everywhere.
const NAMES_OF_DATABASE: Convert = Convert::Refused("only known with a database");

#[test]
fn postgres() {
    check(&FLYWAY, Target::postgres(), "1.2", NAMES_OF_DATABASE);
}

#[test]
fn mariadb() {
    check(&FLYWAY, Target::mariadb(), "20260101.1", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&FLYWAY, Target::sqlite(), "1.1", NAMES_OF_DATABASE);
}

//! Flyway's command. Half of the migrations is a version.

use std::fs;
use std::process::Command;

use crate::journey::{Convert, Peer, check, stopped};
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
    status: |place, _| {
        let mut command = flyway(place);
        command.arg("info");
        command
    },
    prepare: |_| {},
    reduce: str::to_owned,
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
    check(
        &FLYWAY,
        Target::mariadb(),
        "20260101.1",
        Convert::Without("run"),
    );
}

#[test]
fn sqlite() {
    check(&FLYWAY, Target::sqlite(), "1.1", NAMES_OF_DATABASE);
}

/// On MariaDB, where it keeps a row about a failure.
#[test]
fn what_failed_is_not_taken_over() {
    let files = [
        ("V1__a.sql", "CREATE TABLE a (id integer);"),
        ("V2__b.sql", "CREATE TABLE a (id integer);"),
    ];
    let why = ["version 2, V2__b.sql failed", "flyway repair"];
    stopped(&FLYWAY, Target::mariadb(), &files, &why);
}

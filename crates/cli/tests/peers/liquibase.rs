//! Liquibase's command. Half of the changesets is a number of them.

use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::Target;

const LIQUIBASE: Peer = Peer {
    layout: "liquibase",
    program: "liquibase",
    tables: &["databasechangelog"],
    environment: &[("LIQUIBASE_ANALYTICS_ENABLED", "false")],
    up: |place, half| match half {
        None => liquibase(place, &["update"]),
        Some(count) => liquibase(place, &["update-count", &format!("--count={count}")]),
    },
    status: |place, _| {
        let mut command = connected(place);
        command.args(["history", "--format=TEXT"]);
        command
    },
    prepare: |_| {},
    reduce: without_layout,
};

fn liquibase(place: &Place, words: &[&str]) -> Command {
    let mut command = connected(place);
    command
        .args(words)
        .arg("--changelog-file=changelog-master.xml");
    command
}

/// The program with its global options, without a command.
fn connected(place: &Place) -> Command {
    let (url, account) = place.jdbc();
    let mut command = place.peer();
    command
        .env("LIQUIBASE_COMMAND_URL", url)
        .args(["--show-banner=false", "--log-level=severe"])
        .arg(format!("--search-path={}", place.directory().display()));
    if let Some((user, password)) = account {
        command
            .env("LIQUIBASE_COMMAND_USERNAME", user)
            .env("LIQUIBASE_COMMAND_PASSWORD", password);
    }
    command
}

/// Liquibase takes comments out of statements, which SQLite keeps as they came.
fn without_layout(dump: &str) -> String {
    let bare: String = dump
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(before, _)| before))
        .flat_map(str::split_whitespace)
        .flat_map(|word| [" ", word])
        .collect();
    bare.replace(" ;", ";").replace("; ", ";\n")
}

#[test]
fn postgres() {
    check(&LIQUIBASE, Target::postgres(), "6", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&LIQUIBASE, Target::mariadb(), "6", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&LIQUIBASE, Target::sqlite(), "6", Convert::Yes);
}

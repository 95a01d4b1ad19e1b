//! sqlx's command. Half of the migrations is a version.

use std::fs;
use std::process::Command;

use crate::journey::{Convert, Peer, check, fixture, stopped};
use crate::place::Place;
use crate::story::{Product, Target};

pub const SQLX: Peer = Peer {
    layout: "sqlx",
    program: "sqlx",
    tables: &["_sqlx_migrations"],
    environment: &[],
    up: |place, half| {
        let mut command = sqlx(place, "run");
        if let Some(version) = half {
            command.args(["--target-version", version]);
        }
        command
    },
    status: |place, _| sqlx(place, "info"),
    prepare: |place| {
        let settings = fixture("sqlx", place.product()).join("../sqlx.toml");
        place
            .project
            .write("sqlx.toml", fs::read_to_string(settings).unwrap());
    },
    reduce: str::to_owned,
};

fn sqlx(place: &Place, word: &str) -> Command {
    let url = match place.product() {
        // It does not create a file that is not there unless told.
        Product::Sqlite => format!("{}?mode=rwc", place.target.url()),
        Product::Postgres | Product::Mariadb => place.url_without_tls(),
    };
    let mut command = place.peer();
    command
        .args(["migrate", word, "--database-url", &url, "--source"])
        .arg(place.directory());
    command
}

#[test]
fn postgres() {
    check(&SQLX, Target::postgres(), "20260102090000", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&SQLX, Target::mariadb(), "20260102090000", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&SQLX, Target::sqlite(), "20260102090000", Convert::Yes);
}

/// On MariaDB, where a statement that failed leaves the ones before it.
#[test]
fn what_did_not_succeed_is_not_taken_over() {
    let files = [
        ("1_a.sql", "CREATE TABLE a (id integer);"),
        (
            "2_b.sql",
            "CREATE TABLE b (id integer); CREATE TABLE a (id integer);",
        ),
    ];
    stopped(&SQLX, Target::mariadb(), &files, &["2"]);
}

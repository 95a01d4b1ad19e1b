//! goose. Half of the migrations is a version.

use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::{Product, Target};

pub const GOOSE: Peer = Peer {
    layout: "goose",
    program: "goose",
    tables: &["goose_db_version"],
    environment: &[("SHOP_CURRENCY", "CHF"), ("SHOP_NAME", "Kiln & sons")],
    up: |place, half| match half {
        None => goose(place, &["up"]),
        Some(version) => goose(place, &["up-to", version]),
    },
    status: |place, _| goose(place, &["version"]),
    prepare: |_| {},
    reduce: str::to_owned,
};

fn goose(place: &Place, words: &[&str]) -> Command {
    let (driver, source) = match place.product() {
        Product::Postgres => ("postgres", place.url_without_tls()),
        Product::Mariadb => ("mysql", format!("{}?parseTime=true", place.go_source())),
        Product::Sqlite => ("sqlite3", place.target.file().path().display().to_string()),
    };
    let mut goose = place.peer();
    goose
        .arg("-dir")
        .arg(place.directory())
        .args([driver, &source])
        .args(words);
    goose
}

#[test]
fn postgres() {
    check(&GOOSE, Target::postgres(), "3", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&GOOSE, Target::mariadb(), "3", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&GOOSE, Target::sqlite(), "3", Convert::Yes);
}

//! Atlas. Half of the migrations is a number of them.

use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::{Product, Target};

const ATLAS: Peer = Peer {
    layout: "atlas",
    program: "atlas",
    tables: &["atlas_schema_revisions"],
    environment: &[],
    up: |place, half| {
        let mut command = atlas(place, "apply");
        command.args(half);
        command
    },
    status: |place, _| atlas(place, "status"),
    prepare: |_| {},
    reduce: str::to_owned,
};

fn atlas(place: &Place, word: &str) -> Command {
    let url = match place.product() {
        Product::Postgres => format!("{}&search_path=public", place.url_without_tls()),
        Product::Mariadb => place.target.url().replacen("mysql://", "maria://", 1),
        Product::Sqlite => place.target.url(),
    };
    let mut command = place.peer();
    command
        .args(["migrate", word, "--url", &url, "--dir"])
        .arg(format!("file://{}", place.directory().display()));
    command
}

#[test]
fn postgres() {
    check(&ATLAS, Target::postgres(), "3", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&ATLAS, Target::mariadb(), "3", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&ATLAS, Target::sqlite(), "3", Convert::Yes);
}

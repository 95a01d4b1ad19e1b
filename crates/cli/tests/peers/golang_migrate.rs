//! golang-migrate. Half of the migrations is a number of them.

use std::process::Command;

use crate::journey::{Convert, Peer, check, stopped};
use crate::place::Place;
use crate::story::{Product, Target};

pub const GOLANG_MIGRATE: Peer = Peer {
    layout: "golang-migrate",
    program: "migrate",
    tables: &["schema_migrations"],
    environment: &[],
    up: |place, half| {
        let mut command = migrate(place, "up");
        command.args(half);
        command
    },
    status: |place, _| migrate(place, "version"),
    prepare: |_| {},
    reduce: str::to_owned,
};

fn migrate(place: &Place, word: &str) -> Command {
    let url = match place.product() {
        Product::Postgres => place.url_without_tls(),
        Product::Mariadb => format!("mysql://{}?multiStatements=true", place.go_source()),
        Product::Sqlite => place.target.url(),
    };
    let mut command = place.peer();
    command
        .arg("-path")
        .arg(place.directory())
        .args(["-database", &url, word]);
    command
}

#[test]
fn postgres() {
    check(&GOLANG_MIGRATE, Target::postgres(), "2", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&GOLANG_MIGRATE, Target::mariadb(), "2", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&GOLANG_MIGRATE, Target::sqlite(), "2", Convert::Yes);
}

#[test]
fn what_it_calls_dirty_is_not_taken_over() {
    let files = [
        ("1_a.up.sql", "CREATE TABLE a (id integer);"),
        ("2_b.up.sql", "CREATE TABLE a (id integer);"),
    ];
    for target in [Target::postgres(), Target::mariadb(), Target::sqlite()] {
        stopped(&GOLANG_MIGRATE, target, &files, &["dirty", "version 2"]);
    }
}

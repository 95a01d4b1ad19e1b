//! dbmate. It has no command for some of the migrations only: half of them is half of the files.

use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::{Product, Target};

const DBMATE: Peer = Peer {
    layout: "dbmate",
    program: "dbmate",
    tables: &["schema_migrations"],
    environment: &[],
    up,
    status: |place, _| dbmate(place, place.directory(), "status"),
    prepare: |_| {},
    reduce: str::to_owned,
};

fn up(place: &Place, half: Option<&str>) -> Command {
    let directory = match half {
        None => place.directory(),
        Some(count) => place.first_of(count.parse().unwrap(), |name| {
            name.starts_with(|first: char| first.is_ascii_digit())
        }),
    };
    dbmate(place, directory, "migrate")
}

fn dbmate(place: &Place, directory: std::path::PathBuf, command: &str) -> Command {
    let url = match place.product() {
        Product::Sqlite => place.target.url().replacen("sqlite://", "sqlite:", 1),
        Product::Postgres | Product::Mariadb => place.url_without_tls(),
    };
    let mut dbmate = place.peer();
    dbmate
        .args(["--no-dump-schema", "--url", &url, "--migrations-dir"])
        .arg(directory)
        .arg(command);
    dbmate
}

#[test]
fn postgres() {
    check(&DBMATE, Target::postgres(), "2", Convert::Yes);
}

#[test]
fn mariadb() {
    check(&DBMATE, Target::mariadb(), "2", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&DBMATE, Target::sqlite(), "2", Convert::Yes);
}

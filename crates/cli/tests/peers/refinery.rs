//! refinery's command, on MariaDB built with its feature for long versions. Half of the migrations is a version.

use std::fs;
use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::{Product, Target};

const REFINERY: Peer = Peer {
    layout: "refinery",
    program: "refinery",
    tables: &["refinery_schema_history"],
    environment: &[],
    up,
    // It shows nothing but by migrating: up to what is applied already, that changes nothing.
    status: |place, half| {
        let mut command = up(place, Some(half));
        command.args(["-d", "-m"]);
        command
    },
    prepare,
    reduce: str::to_owned,
};

fn prepare(place: &Place) {
    let settings = match place.product() {
        Product::Sqlite => {
            let file = place.target.file().path();
            // It wants one that is there.
            fs::write(file, "").unwrap();
            format!("db_type = \"Sqlite\"\ndb_path = \"{}\"\n", file.display())
        }
        product => {
            let (account, address, name) = place.address();
            let (user, password) = account.split_once(':').unwrap();
            let (host, port) = address.split_once(':').unwrap();
            let kind = if product == Product::Postgres {
                "Postgres"
            } else {
                "Mysql"
            };
            format!(
                "db_type = \"{kind}\"\ndb_host = \"{host}\"\ndb_port = \"{port}\"\ndb_user = \"{user}\"\n\
                 db_pass = \"{password}\"\ndb_name = \"{name}\"\n"
            )
        }
    };
    place
        .project
        .write("refinery.toml", format!("[main]\n{settings}"));
}

fn up(place: &Place, half: Option<&str>) -> Command {
    let mut command = place.peer();
    command.args(["migrate", "-p"]).arg(place.directory());
    if let Some(version) = half {
        command.args(["-t", version]);
    }
    command
}

#[test]
fn postgres() {
    check(&REFINERY, Target::postgres(), "3", Convert::Yes);
}

#[test]
fn mariadb() {
    let long_versions = Peer {
        program: "refinery-int8",
        ..REFINERY
    };
    check(&long_versions, Target::mariadb(), "1", Convert::Yes);
}

#[test]
fn sqlite() {
    check(&REFINERY, Target::sqlite(), "0", Convert::Yes);
}

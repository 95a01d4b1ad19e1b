//! tern, which knows PostgreSQL only. Half of the migrations is a version.

use std::process::Command;

use crate::journey::{Convert, Peer, check};
use crate::place::Place;
use crate::story::Target;

const TERN: Peer = Peer {
    layout: "tern",
    program: "tern",
    tables: &["schema_version"],
    environment: &[],
    up: |place, half| {
        let mut command = tern(place, "migrate");
        command.args(half.map(|version| format!("--destination={version}")));
        command
    },
    status: |place, _| tern(place, "status"),
    prepare: |_| {},
    reduce: str::to_owned,
};

fn tern(place: &Place, word: &str) -> Command {
    let mut command = place.peer();
    command
        .args([word, "--conn-string", &place.url_without_tls()])
        .arg("--migrations")
        .arg(place.directory());
    command
}

#[test]
fn postgres() {
    check(&TERN, Target::postgres(), "2", Convert::Yes);
}

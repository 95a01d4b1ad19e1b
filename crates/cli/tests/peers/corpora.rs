//! Directories of public projects. They are not part of the repository: where `FORERUN_CORPORA` names a directory that
//! holds them, each of them goes the whole journey; otherwise nothing happens here.
//!
//! What the peer makes of a directory is compared with what the database's own client makes of it, file by file, but
//! for goose: its files hold both directions.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::golang_migrate::GOLANG_MIGRATE;
use crate::goose::GOOSE;
use crate::journey::{Convert, Peer, assert_same, check_directory, contents};
use crate::place::{Place, copy};
use crate::sqlx::SQLX;
use crate::story::Target;

/// The directory of a corpus.
fn corpus(name: &str) -> Option<PathBuf> {
    let directory = PathBuf::from(env::var_os("FORERUN_CORPORA")?).join(name);
    assert!(directory.is_dir(), "{} is not there", directory.display());
    Some(directory)
}

/// Goes the journey on a directory, and gives it to the database's own client.
fn check(peer: &Peer, name: &str, target: Option<Target<'static>>, half: &str) {
    if let (Some(directory), Some(target)) = (corpus(name), target) {
        check_in(peer, &directory, target, half);
    }
}

fn check_in(peer: &Peer, directory: &Path, target: Target<'static>, half: &str) {
    let own = (peer.layout != "goose").then(|| by_own_client(peer, directory, target.another()));
    let made = check_directory(peer, directory, target, half, Convert::Yes);
    if let (Some(own), Some(made)) = (own, made) {
        assert_same(&made, &own, "the peer beside the database's own client");
    }
}

fn by_own_client(peer: &Peer, directory: &Path, target: Target<'static>) -> String {
    let place = Place::new(Path::new(peer.program), directory, target, peer.environment);
    (peer.prepare)(&place);
    for name in place.project.list("migrations") {
        if name.ends_with(".sql") {
            let script = fs::read_to_string(directory.join(&name)).unwrap();
            let outcome = place.target.try_query(&script);
            outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    contents(peer, &place)
}

const HARBOR: Peer = Peer {
    // One file changes the table of golang-migrate itself.
    prepare: |place| {
        place.target.query(
            "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
        );
    },
    ..GOLANG_MIGRATE
};

const ATUIN: Peer = Peer {
    prepare: |_| {},
    ..SQLX
};

#[test]
fn harbor_on_postgres() {
    let corpus = "harbor-golang-migrate-postgres";
    check(&HARBOR, corpus, Target::postgres(), "20");
}

#[test]
fn openfga_on_postgres() {
    check(&GOOSE, "openfga-goose/postgres", Target::postgres(), "3");
}

#[test]
fn openfga_on_mariadb() {
    let (Some(directory), Some(target)) = (corpus("openfga-goose/mysql"), Target::mariadb()) else {
        return;
    };
    let known = tempfile::tempdir().unwrap();
    copy(&directory, known.path());
    // SQL that MySQL has, and MariaDB has not.
    for name in ["007_collate_object_id.sql", "008_collate_identifiers.sql"] {
        fs::remove_file(known.path().join(name)).unwrap();
    }
    check_in(&GOOSE, known.path(), target, "3");
}

#[test]
fn openfga_on_sqlite() {
    check(&GOOSE, "openfga-goose/sqlite", Target::sqlite(), "5");
}

#[test]
fn atuin_on_postgres() {
    let half = "20220505082442";
    check(&ATUIN, "atuin-sqlx/postgres", Target::postgres(), half);
}

#[test]
fn atuin_on_sqlite() {
    let half = "20230315220114";
    check(&ATUIN, "atuin-sqlx/sqlite", Target::sqlite(), half);
}

use jiff::Timestamp;

use super::super::{NewMigration, ReadOptions, create, next_version};
use super::{directory, read, read_at};
use crate::history::Kind;

fn now() -> Timestamp {
    "2026-11-21T22:30:33.9Z".parse().unwrap()
}

fn next(last: &str) -> String {
    next_version(&read(&[(&format!("{last}_x.sql"), "")]).unwrap(), now()).unwrap()
}

#[test]
fn versions_continue_the_style() {
    assert_eq!(
        next_version(&read(&[]).unwrap(), now()).unwrap(),
        "20261121223033"
    );
    assert_eq!(next("0007"), "0008");
    assert_eq!(next("0999"), "1000");
    assert_eq!(next("9"), "10");
    assert_eq!(next("099999"), "100000");
    assert_eq!(next("20250101000000"), "20261121223033");
    // Two in one second, and a clock that is behind.
    assert_eq!(next("20261121223033"), "20261121223034");
    assert_eq!(next("20301231235959"), "20310101000000");
    let message = next_version(
        &read(&[("340282366920938463463374607431768211455_x.sql", "")]).unwrap(),
        now(),
    )
    .unwrap_err()
    .to_string();
    assert!(
        message.starts_with("there is no version after 340282366920938463463374607431768211455"),
        "{message}"
    );
}

#[test]
fn a_new_migration_can_be_read_back() {
    let folder = directory(&[("0007_x.sql", "")]);
    let new = NewMigration {
        name: "Fill E-mail".to_owned(),
        kind: Kind::Data,
        contract: false,
    };
    let paths = create(folder.path(), &ReadOptions::default(), &new, now()).unwrap();
    assert_eq!(paths, [folder.path().join("0008_fill_e_mail.sql")]);
    assert!(
        std::fs::read_to_string(&paths[0])
            .unwrap()
            .starts_with("-- forerun:data\n")
    );
    let found = read_at(folder.path()).unwrap();
    assert_eq!(found.migrations[1].description, "fill e mail");
}

#[test]
fn a_new_contract_migration_says_so_in_every_layout() {
    for (name, text) in [
        ("0007_x.sql", ""),
        ("0007_x.sql", "-- +goose Up\nSELECT 1;\n"),
    ] {
        let folder = directory(&[(name, text)]);
        let new = NewMigration {
            name: "drop x".to_owned(),
            kind: Kind::Schema,
            contract: true,
        };
        create(folder.path(), &ReadOptions::default(), &new, now()).unwrap();
        let found = read_at(folder.path()).unwrap();
        let up = &found.migrations[1].up;
        let summary = up.inspect(forerun_sql::Dialect::Postgres).unwrap();
        assert!(summary.contract.is_some(), "{}", up.file_name);
    }
}

#[test]
fn golang_migrate_gets_a_pair() {
    let folder = directory(&[("0007_x.up.sql", "")]);
    let new = NewMigration {
        name: "y".to_owned(),
        kind: Kind::Schema,
        contract: false,
    };
    let paths = create(folder.path(), &ReadOptions::default(), &new, now()).unwrap();
    assert_eq!(
        paths,
        [
            folder.path().join("0008_y.up.sql"),
            folder.path().join("0008_y.down.sql")
        ]
    );
}

#[test]
fn a_missing_directory_is_created() {
    let folder = directory(&[]);
    let path = folder.path().join("db/migrations");
    let new = NewMigration {
        name: "first".to_owned(),
        kind: Kind::Schema,
        contract: false,
    };
    assert_eq!(
        create(&path, &ReadOptions::default(), &new, now()).unwrap(),
        [path.join("20261121223033_first.sql")]
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_escapes() {
    let folder = directory(&[]);
    let new = |name: &str| NewMigration {
        name: name.to_owned(),
        kind: Kind::Schema,
        contract: false,
    };
    let message = create(folder.path(), &ReadOptions::default(), &new("///"), now())
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("`///` gives no file name"), "{message}");
    let path = create(
        folder.path(),
        &ReadOptions::default(),
        &new("../../up"),
        now(),
    )
    .unwrap();
    assert_eq!(path, [folder.path().join("20261121223033_up.sql")]);
    let other = create(folder.path(), &ReadOptions::default(), &new("up"), now()).unwrap();
    assert_ne!(path, other);
}

//! Directories with every construct of a layout, as real ones look: they are read without a complaint, and all their
//! scripts are understood.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use forerun_migrations::directory::{MigrationDirectory, ReadOptions};
use forerun_sql::Dialect;

const DIALECTS: [(&str, Dialect); 3] = [
    ("postgres", Dialect::Postgres),
    ("mysql", Dialect::Mysql),
    ("sqlite", Dialect::Sqlite),
];

fn fixture(layout: &str, database: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/layouts").join(layout).join(database)
}

/// One line per script: its file, the statements in it, and why it runs outside a transaction.
fn described(layout: &str, database: &str, dialect: Dialect) -> Vec<String> {
    let options = ReadOptions {
        dialect: Some(dialect),
        ..ReadOptions::default()
    };
    let read = MigrationDirectory::read(&fixture(layout, database), &options).unwrap();
    assert_eq!(read.layout.name(), layout, "{database}");
    assert_eq!(read.warnings, [], "{layout} {database}");
    let mut lines = Vec::new();
    for migration in &read.migrations {
        for script in [Some(&migration.up), migration.down.as_ref()]
            .into_iter()
            .flatten()
        {
            let summary = script.inspect(dialect).unwrap();
            let words = script.no_transaction.as_deref().unwrap_or("-");
            lines.push(format!(
                "{} {:?} {}: {}, {words}",
                migration.version, script.direction, script.file_name, summary.statement_count
            ));
        }
    }
    lines
}

/// The same in all dialects that a layout has.
fn same_in_all(layout: &str, expected: &[&str]) {
    for (database, dialect) in DIALECTS {
        if fixture(layout, database).is_dir() {
            assert_eq!(
                described(layout, database, dialect),
                expected,
                "{layout} {database}"
            );
        }
    }
}

#[test]
fn goose() {
    same_in_all(
        "goose",
        &[
            "1 Up 00001_create_items.sql: 2, -",
            "1 Down 00001_create_items.sql: 1, -",
            "2 Up 00002_log_prices.sql: 3, -",
            "2 Down 00002_log_prices.sql: 2, -",
            "3 Up 00003_tidy.sql: 1, -- +goose NO TRANSACTION",
            "3 Down 00003_tidy.sql: 1, -- +goose NO TRANSACTION",
            "10 Up 00010_currency.sql: 4, -",
            "20260101120000 Up 20260101120000_nothing_to_do.sql: 0, -",
            "20260101120000 Down 20260101120000_nothing_to_do.sql: 0, -",
        ],
    );
}

#[test]
fn dbmate() {
    let pairs = "several pairs of `-- migrate:up` and `-- migrate:down`";
    let file = "20260103090000_standing_of_customers.sql";
    for (database, dialect) in DIALECTS {
        // MySQL knows no comment without white space after the two minus signs.
        let space = if database == "mysql" { " " } else { "" };
        assert_eq!(
            described("dbmate", database, dialect),
            [
                "20260101090000 Up 20260101090000_create_customers.sql: 2, -",
                "20260101090000 Down 20260101090000_create_customers.sql: 1, -",
                &format!(
                    "20260102090000 Up 20260102090000_tidy.sql: 1, --{space}migrate:up transaction:false"
                ),
                "20260102090000 Down 20260102090000_tidy.sql: 1, --  migrate:down   transaction:false   colour:blue",
                &format!("20260103090000 Up {file}: 6, {pairs}"),
                &format!("20260103090000 Down {file}: 5, {pairs}"),
                "20260104090000 Up 20260104090000.sql: 0, -",
                "20260104090000 Down 20260104090000.sql: 0, -",
            ],
            "{database}"
        );
    }
}

#[test]
fn sqlx() {
    same_in_all(
        "sqlx",
        &[
            "0 Up 0_begin.sql: 1, -",
            "20260101090000 Up 20260101090000_create_orders.sql: 2, -",
            "20260102090000 Up 20260102090000_add_paid.up.sql: 1, -",
            "20260102090000 Down 20260102090000_add_paid.down.sql: 1, -",
            "20260103090000 Up 20260103090000_tidy.up.sql: 1, -- no-transaction",
            "20260103090000 Down 20260103090000_tidy.down.sql: 1, -- no-transaction",
            "20260104090000 Up 20260104090000_simple_with_a_way_back.sql: 1, -",
            "20260104090000 Down 20260104090000_simple_with_a_way_back.down.sql: 1, -",
        ],
    );
}

#[test]
fn diesel() {
    let outside = "run_in_transaction = false in metadata.toml";
    let tidy = |direction: &str, file: &str| {
        format!("20260102090000 {direction} 2026-01-02-090000_tidy/{file}: 1, {outside}")
    };
    same_in_all(
        "diesel",
        &[
            "0 Up 00000000000000_diesel_initial_setup/up.sql: 1, -",
            "0 Down 00000000000000_diesel_initial_setup/down.sql: 1, -",
            "20260101090000 Up 2026-01-01-090000_create_suppliers/up.sql: 2, -",
            "20260101090000 Down 2026-01-01-090000_create_suppliers/down.sql: 1, -",
            &tidy("Up", "up.sql"),
            &tidy("Down", "down.sql"),
            "202601030900000000 Up 2026-01-03-090000-0000_one_way/up.sql: 1, -",
            "202601040900000000 Up 2026-01-04-090000-0000_other_settings/up.sql: 1, metadata.toml without \
             run_in_transaction",
            "202601040900000000 Down 2026-01-04-090000-0000_other_settings/down.sql: 1, metadata.toml without \
             run_in_transaction",
        ],
    );
}

#[test]
fn tern() {
    same_in_all(
        "tern",
        &[
            "1 Up 001_create_stock.sql: 2, -",
            "1 Down 001_create_stock.sql: 1, -",
            "2 Up 002_index_stock.sql: 1, ---- tern: disable-tx ----",
            "2 Down 002_index_stock.sql: 1, ---- tern: disable-tx ----",
            "3 Up 003_one_way.sql: 1, -",
            "4 Up 004_only_the_separator_counts.sql: 2, -",
            "4 Down 004_only_the_separator_counts.sql: 2, -",
        ],
    );
}

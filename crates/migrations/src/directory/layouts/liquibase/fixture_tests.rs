//! The directories with every construct, which the real Liquibase runs too.

use std::path::Path;

use forerun_sql::Dialect;

use super::super::super::{MigrationDirectory, ReadOptions};
use super::super::sample::statements;
use super::peer_changesets;

/// The directory that is run by Liquibase too: what 4.33.0 recorded of it on SQLite.
#[test]
fn the_directory_with_everything_is_recorded_as_liquibase_records_it() {
    let recorded = [
        (
            "shop/customers.sql",
            "1",
            "mia",
            "9:d55ca04f8aa8eeb089ae40883b37d1e3",
        ),
        (
            "shop/customers.sql",
            "2",
            "mia",
            "9:1c40770cb50dafc072b8d5c7ca575a8a",
        ),
        (
            "shop/customers.sql",
            "with blanks",
            "mia lee",
            "9:dcc91a79caf6b8b038f25214e63b1b21",
        ),
        (
            "shop/customers.sql",
            "4",
            "mia",
            "9:c206d30abc434f0fb96f796b1be840da",
        ),
        (
            "shop/customers.sql",
            "5",
            "mia",
            "9:3f00d84ffc3a769dfa6887642c823245",
        ),
        (
            "shop/customers.sql",
            "6",
            "mia",
            "9:b3d90771fd0a9f7b3879b6f8a49dbb06",
        ),
        (
            "shop/customers.sql",
            "9",
            "mia",
            "9:7c82c1535ad8d3cbe59f8329c9ea62ec",
        ),
        (
            "shop/customers.sql",
            "10",
            "mia",
            "9:501f202eae65d2c7e2fc0b8ce56c0936",
        ),
        (
            "changes/002_orders.yaml",
            "orders",
            "noah",
            "9:3dfa963f40462fb2d504ec1b4b8cf5a0",
        ),
        (
            "changes/002_more.json",
            "1",
            "noah",
            "9:f3b7b8e44f26eae1caa017553bebb259",
        ),
        (
            "changes/later/a.sql",
            "1",
            "zoe",
            "9:755550ad5022fd9fa293df175a069f2d",
        ),
        (
            "changes/later/deep/b.sql",
            "1",
            "zoe",
            "9:8e33cbef1defb823a2c8043c91ca517d",
        ),
        (
            "changelog-master.xml",
            "totals",
            "mia",
            "9:2ec20b03a13ae74d39bd219dd79caef5",
        ),
        (
            "changelog-master.xml",
            "seed",
            "mia",
            "9:478f1137b53a715bbda85396948a3dcc",
        ),
        // A mark in its own table: forerun knows of no checksum.
        ("changelog-master.xml", "marked", "mia", ""),
        (
            "changes/003_plain.sql",
            "raw",
            "includeAll",
            "9:63db5f08f95c24c0789d058bececdbfe",
        ),
    ];
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts/liquibase/sqlite");
    let options = ReadOptions {
        dialect: Some(Dialect::Sqlite),
        ..ReadOptions::default()
    };
    let peers = peer_changesets(&fixture, &options).unwrap();
    let found: Vec<(&str, &str, &str, &str)> = peers
        .iter()
        .map(|peer| {
            let checksum = peer.checksum_9.as_deref().unwrap_or_default();
            (
                peer.file.as_str(),
                peer.id.as_str(),
                peer.author.as_str(),
                checksum,
            )
        })
        .collect();
    assert_eq!(found, recorded);
}

/// Everything that the fixtures do is made of statements that the splitter finds.
#[test]
fn the_directories_with_everything_become_statements() {
    for (name, dialect, migrations) in [
        ("postgres", Dialect::Postgres, 17),
        ("mysql", Dialect::Mysql, 17),
        ("sqlite", Dialect::Sqlite, 16),
    ] {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/layouts/liquibase")
            .join(name);
        let options = ReadOptions {
            dialect: Some(dialect),
            ..ReadOptions::default()
        };
        let read = MigrationDirectory::read(&fixture, &options).unwrap();
        assert_eq!(read.migrations.len(), migrations, "{name}");
        for migration in &read.migrations {
            let scripts = [Some(&migration.up), migration.down.as_ref()];
            for script in scripts.into_iter().flatten() {
                let found = statements(script, dialect);
                let joined = found
                    .iter()
                    .map(|(_, statement)| statement.as_str())
                    .collect::<Vec<_>>()
                    .join("\n");
                assert!(
                    !joined.contains("never_") && !joined.contains("\nGO"),
                    "{name}: {joined}"
                );
            }
        }
        let four = read
            .migrations
            .iter()
            .find(|migration| migration.version.as_str().ends_with("::4::mia"))
            .unwrap();
        let values: Vec<String> = statements(&four.up, dialect)
            .into_iter()
            .map(|(_, statement)| statement)
            .collect();
        assert_eq!(
            values,
            [
                "INSERT INTO customer (id, name) VALUES (91, 'one // two')",
                "INSERT INTO customer (id, name) VALUES (92, 'three')"
            ],
            "{name}"
        );
    }
}

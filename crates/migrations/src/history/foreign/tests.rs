//! What the tests of all histories need, and what holds for all of them.

use forerun_sql::Dialect;

use super::*;

/// Rows of texts; an empty one is NULL.
pub(super) fn rows(texts: &[&[&str]]) -> Vec<Row> {
    let column = |text: &&str| {
        Some(*text)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    texts
        .iter()
        .map(|row| Row(row.iter().map(column).collect()))
        .collect()
}

/// The versions of the entries.
pub(super) fn versions(state: &State) -> Vec<&str> {
    state
        .entries
        .iter()
        .map(|entry| entry.version.as_str())
        .collect()
}

/// A table whose columns are texts, unless `name:type` says otherwise.
pub(super) fn table(schema: &str, name: &str, columns: &[&str]) -> Table {
    let column = |text: &&str| {
        let (name, data_type) = text.split_once(':').unwrap_or((text, "text"));
        (name.to_owned(), data_type.to_owned())
    };
    Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        columns: columns.iter().map(column).collect(),
    }
}

fn owner(name: &str, columns: &[&str]) -> Option<&'static str> {
    let table = table("public", name, columns);
    table.owner(false).map(PeerHistory::name)
}

#[test]
fn tables_of_one_name_are_told_apart_by_their_columns() {
    for (columns, expected) in [
        (
            &["version:bigint", "dirty:boolean"][..],
            Some("golang-migrate"),
        ),
        (
            &["version:bigint", "dirty:boolean", "data_version:int"],
            Some("golang-migrate"),
        ),
        (&["version:character varying"], Some("dbmate")),
        (&["version:varchar(128)"], Some("dbmate")),
        (&["version:bigint"], None),
        (
            &["version:character varying", "inserted_at:timestamp"],
            None,
        ),
    ] {
        assert_eq!(owner("schema_migrations", columns), expected, "{columns:?}");
    }
    let flyway = [
        "installed_rank",
        "version",
        "description",
        "type",
        "script",
        "checksum",
        "success",
    ];
    assert_eq!(owner("schema_version", &flyway), Some("flyway"));
    assert_eq!(owner("schema_version", &["version:integer"]), Some("tern"));
    assert_eq!(
        owner(
            "DATABASECHANGELOG",
            &[
                "id",
                "author",
                "filename",
                "dateexecuted",
                "orderexecuted",
                "exectype",
                "md5sum"
            ]
        ),
        Some("liquibase")
    );
}

#[test]
fn a_table_of_another_name_is_known_by_its_columns_when_it_is_named() {
    let custom = table(
        "app",
        "migrations",
        &["id", "version_id", "is_applied", "tstamp"],
    );
    assert_eq!(custom.owner(false).map(PeerHistory::name), None);
    assert_eq!(custom.owner(true).map(PeerHistory::name), Some("goose"));
}

#[test]
fn every_history_has_a_layout_of_its_name_and_a_table() {
    for peer in all() {
        assert_eq!(named(peer.name()).map(PeerHistory::name), Some(peer.name()));
        assert!(!peer.tables().is_empty());
        for name in peer.tables().iter().chain(peer.companions()) {
            assert_eq!(name.to_lowercase(), **name);
        }
        let table = table("public", peer.tables()[0], &[]);
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let place = Place {
                dialect,
                database: "app",
                table: &table,
                others: &[],
            };
            assert!(peer.query(&place).starts_with("SELECT "), "{}", peer.name());
        }
        assert!(peer.state(&[]).is_empty(), "{}", peer.name());
        // Whatever is in the table, nothing breaks.
        let strange = [
            Row(Vec::new()),
            Row(vec![None; 9]),
            Row(vec![Some("\u{0}é".to_owned()); 12]),
        ];
        let _ = peer.state(&strange);
    }
}

#[test]
fn names_of_tables_as_they_are_typed() {
    let name = |text: &str| TableName::parse(text).map(|name| (name.schema, name.name));
    assert_eq!(name("a"), Some((None, "a".to_owned())));
    assert_eq!(
        name("app.a"),
        Some((Some("app".to_owned()), "a".to_owned()))
    );
    for wrong in ["", ".a", "a."] {
        assert_eq!(name(wrong), None, "{wrong}");
    }
}

#[test]
fn the_query_for_tables_names_what_is_looked_for() {
    let peers: Vec<_> = all().collect();
    let query = tables_query(Dialect::Postgres, &peers, None);
    for text in [
        "'goose_db_version'",
        "'databasechangeloglock'",
        "'atlas_schema_revisions'",
    ] {
        assert!(query.contains(text), "{query}");
    }
    let wanted = TableName::parse("o'x.Mine").unwrap();
    let query = tables_query(Dialect::Mysql, &peers, Some(&wanted));
    assert!(
        query.contains("'mine'") && query.contains("'o''x'"),
        "{query}"
    );
    assert!(!query.contains("goose_db_version"), "{query}");
}

#[test]
fn rows_of_columns_become_tables() {
    let row = |texts: [&str; 4]| texts.map(|text| Some(text.to_owned())).to_vec();
    let tables = read_tables(vec![
        row(["public", "a", "ID", "Bigint"]),
        row(["public", "a", "name", "text"]),
        row(["other", "a", "id", "int"]),
    ]);
    assert_eq!(
        tables,
        [
            table("public", "a", &["id:bigint", "name:text"]),
            table("other", "a", &["id:int"])
        ]
    );
}

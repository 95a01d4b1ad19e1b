use super::super::super::{Layout, MigrationDirectory, ReadOptions};
use super::super::sample::{Sample, directory, options, problems};

/// What is read of `migrations` in a directory with these files, with the layout detected.
fn read(files: &[(&str, &str)]) -> (tempfile::TempDir, MigrationDirectory) {
    let folder = directory(files);
    let read = MigrationDirectory::read(&folder.path().join("migrations"), &ReadOptions::default())
        .unwrap();
    (folder, read)
}

#[test]
fn simple_and_reversible_scripts_stand_together() {
    let (_folder, read) = read(&[
        ("sqlx.toml", ""),
        ("migrations/10_ten_x.sql", "SELECT 10;"),
        ("migrations/2_b.up.sql", "-- no-transaction, since\nVACUUM;"),
        ("migrations/2_b.down.sql", "SELECT -2;"),
        ("migrations/1_a.sql", "\n-- no-transaction\nSELECT 1;"),
        ("migrations/1_a.down.sql", "-- no-transactions\nSELECT -1;"),
        ("migrations/0_.sql", "\u{feff}-- no-transaction\n"),
        ("migrations/3_gone.down.sql", "SELECT -3;"),
        ("migrations/README.sql", "not SQL"),
        ("migrations/x_y.txt", ""),
    ]);
    assert_eq!(read.layout.name(), "sqlx");
    let seen: Vec<_> = read
        .migrations
        .iter()
        .map(|migration| {
            (
                migration.version_text.as_str(),
                migration.description.as_str(),
                migration.up.no_transaction.is_some(),
                migration
                    .down
                    .as_ref()
                    .map(|down| down.no_transaction.is_some()),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("0", "", false, None),
            ("1", "a", false, Some(true)),
            ("2", "b", true, Some(false)),
            ("10", "ten x", false, None)
        ]
    );
    let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["`3_gone.down.sql`: there is no up script of version 3, so it is not read"]
    );
}

#[test]
fn what_sqlx_refuses_is_named_together() {
    let found = problems(
        "sqlx",
        &[
            ("-4_a.sql", ""),
            ("1_b.sql", ""),
            ("99999999999999999999_c.sql", ""),
            ("a_d.sql", ""),
        ],
    );
    assert_eq!(found.len(), 3, "{found:?}");
    for (problem, file) in found
        .iter()
        .zip(["-4_a.sql", "99999999999999999999_c.sql", "a_d.sql"])
    {
        let expected =
            format!("{file}: sqlx takes every .sql file with a `_` in its name for a migration");
        assert!(problem.starts_with(&expected), "{problem}");
    }
    for (first, second) in [("1_a.sql", "1_a.up.sql"), ("1_a.sql", "01_b.sql")] {
        let found = problems("sqlx", &[(first, ""), (second, "")]);
        assert!(found[0].contains("have the same version 1"), "{found:?}");
    }
    let found = problems(
        "sqlx",
        &[("1_a.sql", ""), ("1_a.down.sql", ""), ("1_b.down.sql", "")],
    );
    assert!(
        found[0].starts_with("`1_a.down.sql` and `1_b.down.sql`"),
        "{found:?}"
    );
}

#[test]
fn it_is_told_from_layouts_with_the_same_names() {
    let up = ("migrations/1_a.up.sql", "SELECT 1;");
    let simple = ("migrations/1_a.sql", "SELECT 1;");
    let layout = |files: &[(&str, &str)]| read(files).1.layout.name();
    assert_eq!(layout(&[up]), "golang-migrate");
    assert_eq!(layout(&[simple]), "native");
    assert_eq!(layout(&[up, ("sqlx.toml", "")]), "sqlx");
    assert_eq!(layout(&[up, ("sqlx.toml", "not TOML")]), "sqlx");
    assert_eq!(layout(&[up, (".sqlx/query-1.json", "")]), "sqlx");
    assert_eq!(
        layout(&[simple, ("sqlx.toml", "[common]\nx = 1")]),
        "native"
    );
    assert_eq!(
        layout(&[simple, ("sqlx.toml", "migrate = { table-name = 'x' }")]),
        "sqlx"
    );
    assert_eq!(layout(&[simple, (".sqlx/query-1.json", "")]), "native");
    assert_eq!(
        layout(&[("migrations/1_a.sql", "-- no-transaction\nVACUUM;")]),
        "sqlx"
    );
    let elsewhere = ("sqlx.toml", "[migrate]\nmigrations-dir = \"other\"");
    assert_eq!(layout(&[simple, elsewhere]), "native");
    // A project may use sqlx for its queries only.
    let goose = ("migrations/1_a.sql", "-- +goose Up\n");
    assert_eq!(layout(&[goose, ("sqlx.toml", "")]), "goose");
    let diesel = ("migrations/1_a/up.sql", "");
    assert_eq!(layout(&[diesel, ("sqlx.toml", "")]), "diesel");
}

#[test]
fn a_configuration_further_up_counts_when_it_names_the_directory() {
    let folder = directory(&[
        (
            "sqlx.toml",
            "[migrate]\nmigrations-dir = \"db/sqlx\"\ncreate-schemas = [\"shop\", 'audit']\n",
        ),
        ("db/sqlx/1_a.sql", "SELECT 1;"),
        ("db/other/1_a.sql", "SELECT 1;"),
    ]);
    let read = |name: &str| {
        MigrationDirectory::read(
            &folder.path().join("db").join(name),
            &ReadOptions::default(),
        )
        .unwrap()
    };
    assert_eq!(read("other").layout, Layout::NATIVE);
    let found = read("sqlx");
    assert_eq!(found.layout.name(), "sqlx");
    let warnings: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].ends_with(
            "sqlx.toml`: sqlx creates the schemas of create-schemas before it runs a migration, and forerun does not: \
             shop, audit. Where they may be missing, create them in a migration before they are used"
        ),
        "{warnings:?}"
    );
}

#[test]
fn its_directive_is_not_overlooked_in_a_directory_of_another_layout() {
    let folder = directory(&[
        ("1_a.sql", "SELECT 1;"),
        ("2_b.sql", "-- no-transaction\nVACUUM;"),
    ]);
    let error = MigrationDirectory::read(folder.path(), &ReadOptions::default()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("2_b.sql:1: this is a directive of sqlx"),
        "{message}"
    );
    MigrationDirectory::read(folder.path(), &options("native", &[])).unwrap();
    let folder = directory(&[
        ("1_a.sql", "SELECT 1;"),
        ("2_b.sql", "SELECT 1;\n-- no-transaction\n"),
    ]);
    MigrationDirectory::read(folder.path(), &ReadOptions::default()).unwrap();
}

#[test]
fn a_directive_of_another_layout_is_not_overlooked() {
    let folder = directory(&[
        ("sqlx.toml", "[migrate]\ntable-name = 'x'"),
        ("migrations/1_a.sql", "SELECT 1;"),
        ("migrations/2_b.sql", "\n-- +goose Up\n"),
    ]);
    let path = folder.path().join("migrations");
    let error = MigrationDirectory::read(&path, &ReadOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("2_b.sql:2: this is a directive of goose"),
        "{error}"
    );
    MigrationDirectory::read(&path, &options("sqlx", &[])).unwrap();
}

#[test]
fn new_files_can_be_read() {
    let rules = Layout::named("sqlx").unwrap().rules();
    let files = rules
        .new_files("20260101120000", "add_email", crate::history::Kind::Schema)
        .unwrap();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        Sample::new(&files).names(),
        [("20260101120000", "add email")]
    );
}

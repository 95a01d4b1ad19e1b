use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::super::{DirectoryWarning, Layout};
use super::{directory, read, read_at, refused, without_folder};
use crate::history::Version;

fn version(number: u32) -> Version {
    Version::from(number)
}

#[test]
fn native_migrations_are_ordered_by_number() {
    let found = read(&[
        ("10_ten.sql", "SELECT 10;"),
        ("9_nine_and_more.sql", "SELECT 9;"),
        ("9_nine_and_more.down.sql", "SELECT -9;"),
        ("0008_1.7.0_eight.sql", "SELECT 8;"),
    ])
    .unwrap();
    assert_eq!(found.layout, Layout::NATIVE);
    let seen: Vec<_> = found
        .migrations
        .iter()
        .map(|it| (it.version_text.as_str(), it.description.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("0008", "1.7.0 eight"),
            ("9", "nine and more"),
            ("10", "ten")
        ]
    );
    let nine = found.get(&version(9)).unwrap();
    assert_eq!(nine.up.file_name, "9_nine_and_more.sql");
    assert_eq!(nine.up.bytes, 9);
    assert_eq!(
        nine.down.as_ref().unwrap().file_name,
        "9_nine_and_more.down.sql"
    );
    assert!(found.get(&version(7)).is_none());
    assert_eq!(found.warnings, []);
}

#[test]
fn golang_migrate_is_detected() {
    let found = read(&[("1_a.up.sql", ""), ("1_a.down.sql", ""), ("2_b.up.sql", "")]).unwrap();
    assert_eq!(found.layout, Layout::named("golang-migrate").unwrap());
    assert_eq!(found.migrations.len(), 2);
    assert!(found.migrations[0].down.is_some() && found.migrations[1].down.is_none());
}

#[test]
fn files_that_are_no_scripts_are_ignored() {
    let folder = directory(&[
        ("1_a.sql", "SELECT 1;"),
        ("README.md", ""),
        ("forerun.sum", ""),
        ("atlas.hcl", ""),
        (".hidden.sql", ""),
        ("._1_a.sql", ""),
        (".1_a.sql.swp", ""),
        ("1_a.sql~", ""),
        ("1_a.sql.bak", ""),
        ("1_a.sql.orig", ""),
        ("#1_a.sql#", ""),
    ]);
    std::fs::create_dir(folder.path().join("2_directory")).unwrap();
    std::fs::create_dir(folder.path().join("..data")).unwrap();
    std::fs::write(folder.path().join("2_directory/3_deep.sql"), "SELECT 3;").unwrap();
    let found = read_at(folder.path()).unwrap();
    assert_eq!(found.migrations.len(), 1);
    assert_eq!(found.warnings, []);
}

#[test]
fn near_misses_are_warned_about() {
    let folder = directory(&[
        ("1_a.sql", ""),
        ("2_b.SQL", ""),
        ("3_c.sql.txt", ""),
        ("4_d", ""),
        ("5_e.psql", ""),
        ("x.Sql", ""),
    ]);
    let found = read_at(folder.path()).unwrap();
    let files = ["2_b.SQL", "3_c.sql.txt", "4_d", "5_e.psql", "x.Sql"];
    assert_eq!(
        found.warnings,
        files.map(|file| DirectoryWarning::NearMiss {
            file: file.to_owned()
        })
    );
}

#[test]
fn links_are_followed_as_kubernetes_mounts_them() {
    let folder = directory(&[]);
    let data = folder.path().join("..2026_11_21");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("1_a.sql"), "SELECT 1;").unwrap();
    symlink("..2026_11_21", folder.path().join("..data")).unwrap();
    symlink("..data/1_a.sql", folder.path().join("1_a.sql")).unwrap();
    let found = read_at(folder.path()).unwrap();
    assert_eq!(found.migrations[0].up.bytes, 9);

    symlink("nowhere", folder.path().join("2_b.sql")).unwrap();
    let message = read_at(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("2_b.sql` leads to `nowhere`, which does not exist"),
        "{message}"
    );
}

/// What a mount of a file leaves that does not exist, for one.
#[test]
fn what_is_no_file_cannot_have_the_name_of_a_migration() {
    let elsewhere = directory(&[("x", "")]);
    for (what, make) in [
        (
            "a directory",
            &(|path: &Path| std::fs::create_dir(path).unwrap()) as &dyn Fn(&Path),
        ),
        ("a socket", &|path: &Path| {
            drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        }),
        ("a link to a directory", &|path: &Path| {
            symlink(elsewhere.path(), path).unwrap();
        }),
    ] {
        let folder = directory(&[("1_a.sql", "SELECT 1;")]);
        make(&folder.path().join("2_b.sql"));
        let message = read_at(folder.path()).unwrap_err().to_string();
        assert!(
            message.contains("2_b.sql` has the name of a migration, but is")
                && message.contains(what),
            "{message}"
        );
    }
}

#[test]
fn a_sql_file_without_version_is_an_error() {
    assert_eq!(
        refused(&[("1_a.sql", ""), ("README.sql", "")]),
        "`README.sql` in `DIR` has no version: migrations are named <version>_<description>.sql, such as \
         0007_add_email.sql. Rename it, or give it another ending than .sql if not a migration"
    );
    let message = refused(&[("a.sql", ""), ("b.sql", "")]);
    assert!(
        message.contains("`a.sql`, `b.sql` in `DIR` have no version"),
        "{message}"
    );
    assert!(
        message.contains("0007_add_email.sql, or <version>_<description>.up.sql"),
        "{message}"
    );
}

#[test]
fn an_ending_in_another_case_is_an_error_that_names_the_right_one() {
    for (given, right) in [
        ("8_x.DOWN.sql", "8_x.down.sql"),
        ("8_x.Down.sql", "8_x.down.sql"),
        ("8_x.down.SQL", "8_x.down.sql"),
        ("8_x.UP.sql", "8_x.up.sql"),
        ("0008_x.up.Sql", "0008_x.up.sql"),
        ("8_.DOWN.SQL", "8_.down.sql"),
    ] {
        assert_eq!(
            refused(&[("1_a.sql", ""), (given, "")]),
            format!(
                "the endings .up.sql and .down.sql are written in lower case: in `DIR` rename `{given}` to `{right}`"
            )
        );
        assert!(refused(&[("1_a.up.sql", ""), (given, "")]).contains(right));
    }
    let message = refused(&[("2_b.Down.sql", ""), ("1_a.UP.sql", "")]);
    assert!(
        message.ends_with("`1_a.UP.sql` to `1_a.up.sql`, `2_b.Down.sql` to `2_b.down.sql`"),
        "{message}"
    );
    // Only an ending is one: these are up scripts with words that look like it, or no scripts.
    let found = read(&[
        ("1_a.DOWN.old.sql", ""),
        ("2_DOWN.sql", ""),
        ("3_größe.sql", ""),
        (".4_d.DOWN.sql", ""),
        ("notes.DOWN.sql.bak", ""),
    ])
    .unwrap();
    assert_eq!(found.migrations.len(), 3);
}

#[test]
fn versions_may_be_larger_than_any_number_type() {
    let large = "9".repeat(40);
    let found = read(&[
        (&format!("{large}_a.sql"), ""),
        ("10_c.sql", ""),
        ("0_b.sql", ""),
    ])
    .unwrap();
    let versions: Vec<&str> = found
        .migrations
        .iter()
        .map(|it| it.version.as_str())
        .collect();
    assert_eq!(versions, ["0", "10", &large]);
}

#[test]
fn one_version_twice_is_an_error_that_names_both() {
    for (first, second) in [
        ("1_a.sql", "1_b.sql"),
        ("001_a.sql", "1_b.sql"),
        ("001_a.up.sql", "1_a.up.sql"),
    ] {
        let message = refused(&[(first, ""), (second, "")]);
        assert!(
            message.starts_with(&format!("`{first}` and `{second}` have the same version 1")),
            "{message}"
        );
    }
    let message = refused(&[("1_a.sql", ""), ("1_a.down.sql", ""), ("01_a.down.sql", "")]);
    assert!(
        message.starts_with("`01_a.down.sql` and `1_a.down.sql`"),
        "{message}"
    );
}

#[test]
fn two_layouts_are_an_error_that_names_one_file_of_each() {
    let message = refused(&[("1_a.sql", ""), ("2_b.up.sql", ""), ("2_b.down.sql", "")]);
    assert!(
        message.starts_with(
            "`1_a.sql` is a file of the native layout and `2_b.up.sql` one of the golang-migrate layout: a directory has \
             one layout."
        ),
        "{message}"
    );
}

#[test]
fn a_down_script_needs_its_up_script() {
    assert_eq!(
        refused(&[("1_a.sql", ""), ("02_b.down.sql", "")]),
        "`02_b.down.sql` reverts version 02, but there is no `02_b.sql`. Add it, or remove the down script"
    );
    assert!(
        refused(&[("1_a.up.sql", ""), ("2_b.down.sql", "")]).contains("there is no `2_b.up.sql`")
    );
    assert!(refused(&[("2_b.down.sql", "")]).contains("there is no `2_b.sql`"));
}

#[test]
fn differently_named_pairs_are_a_warning() {
    let found = read(&[("1_a.up.sql", ""), ("01_b.down.sql", "")]).unwrap();
    let expected = DirectoryWarning::NamesDiffer {
        up: "1_a.up.sql".to_owned(),
        down: "01_b.down.sql".to_owned(),
    };
    assert_eq!(found.warnings, [expected]);
    assert!(found.migrations[0].down.is_some());
}

#[test]
fn an_empty_directory_is_a_warning() {
    let folder = directory(&[]);
    let found = read_at(folder.path()).unwrap();
    assert_eq!(found.migrations.len(), 0);
    assert_eq!(
        found.warnings,
        [DirectoryWarning::Empty {
            path: folder.path().to_owned()
        }]
    );
}

#[test]
fn directories_that_cannot_be_read_say_why() {
    let message = read_at(Path::new("/nowhere/at/all"))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("the directory of migrations `/nowhere/at/all` does not exist."),
        "{message}"
    );

    let folder = directory(&[("file", ""), ("1_a.sql", "")]);
    let message = read_at(&folder.path().join("file"))
        .unwrap_err()
        .to_string();
    assert!(
        without_folder(&message, folder.path()).starts_with("`file` is not a directory."),
        "{message}"
    );
}

#[test]
fn an_unreadable_file_says_so() {
    let folder = directory(&[("1_a.sql", "")]);
    let path = folder.path().join("1_a.sql");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    if std::fs::File::open(&path).is_err() {
        let message = read_at(folder.path()).unwrap_err().to_string();
        assert!(message.contains("Check the permissions"), "{message}");
    }
}

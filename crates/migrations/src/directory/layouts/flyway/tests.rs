use std::path::Path;
use std::sync::Arc;

use super::super::super::{
    DirectoryError, Layout, Migration, MigrationDirectory, ReadOptions, Repeat,
};
use super::super::sample::{Sample, directory, options, problems, text};

/// Reads a fixture as someone who is connected.
fn fixture(database: &str) -> MigrationDirectory {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/layouts/flyway")
        .join(database);
    let mut options = ReadOptions::default();
    options.variables.target.extend([
        ("schema", "public".to_owned()),
        ("user", "shop".to_owned()),
        ("database", "postgres".to_owned()),
    ]);
    let read = MigrationDirectory::read(&path, &options).unwrap();
    assert_eq!(read.layout.name(), "flyway");
    read
}

fn versions(read: &MigrationDirectory) -> Vec<&str> {
    read.migrations
        .iter()
        .map(|migration| migration.version.as_str())
        .collect()
}

fn migration<'a>(read: &'a MigrationDirectory, version: &str) -> &'a Migration {
    let mut all = read.migrations.iter();
    all.find(|migration| migration.version.as_str() == version)
        .unwrap()
}

fn read_with(
    files: &[(&str, &str)],
    environment: &'static [(&'static str, &'static str)],
) -> Result<Vec<String>, String> {
    let folder = directory(files);
    let read = MigrationDirectory::read(folder.path(), &options("flyway", environment));
    match read {
        Ok(read) => Ok(read
            .migrations
            .iter()
            .map(|migration| text(&migration.up))
            .collect()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn the_order_is_that_of_flyway() {
    let read = fixture("postgres");
    assert_eq!(
        versions(&read),
        [
            "beforeMigrate",
            "beforeMigrate__0_reader",
            "1",
            "1.1",
            "1.2",
            "1.10",
            "2",
            "3",
            "4",
            "afterVersioned",
            "beforeRepeatables",
            "R__a_customers",
            "R__b_open_orders",
            "R__c_readers",
            "afterMigrateApplied",
            "afterMigrate",
            "afterMigrate__vacuum",
        ]
    );
    let spelled: Vec<_> = read
        .migrations
        .iter()
        .map(|migration| migration.version_text.as_str())
        .collect();
    assert_eq!(&spelled[2..6], ["1", "1.1", "1_2", "1.10"]);
    assert_eq!(migration(&read, "1.10").description, "order index");
    assert_eq!(
        migration(&read, "2").up.file_name,
        "releases/2/V2__templates.sql"
    );
    let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "`beforeInfo.sql`: not read: Flyway does not run it in a migration",
            "`notes.sql`: not read: its name has none of the prefixes `V`, `R`, `U`, `B`",
        ]
    );
}

#[test]
fn each_sort_of_file_runs_as_often_as_in_flyway() {
    let read = fixture("postgres");
    for (version, repeat) in [
        ("beforeMigrate", Repeat::Always),
        ("1.1", Repeat::Never),
        ("R__a_customers", Repeat::Always),
        ("R__b_open_orders", Repeat::WhenChanged),
        ("afterMigrate", Repeat::Always),
    ] {
        assert_eq!(migration(&read, version).repeat, repeat, "{version}");
    }
    assert!(migration(&read, "1.1").any_order, "outOfOrder is set");
    assert!(!migration(&read, "R__c_readers").any_order);
    assert_eq!(
        migration(&read, "1.1").down.as_ref().unwrap().file_name,
        "U1.1__customer_email.sql"
    );
    assert_eq!(
        migration(&read, "1.2").down.as_ref().unwrap().file_name,
        "U1_2__orders.sql"
    );
    let checkpoint = migration(&read, "3").checkpoint.as_ref().unwrap();
    assert_eq!(checkpoint.file_name, "B3__shop.sql");
    assert_eq!(migration(&read, "3").up.file_name, "V3__grant.SQL");
}

#[test]
fn placeholders_become_values() {
    let read = fixture("postgres");
    let up = |version| text(&migration(&read, version).up);
    assert!(up("1").starts_with("-- The first table of the shop, as made by V1__customers.sql.\n"));
    assert!(up("1").contains("DEFAULT 'it''s open'"));
    assert!(up("1.1").contains("a price of $${currency} is text, as is $1"));
    assert!(
        up("1.2").contains("DEFAULT 'EUR'") && up("1.2").contains("-- EUR is a value here too")
    );
    assert!(
        up("2").contains("'Dear ${name}, you owe us ${total}.'"),
        "placeholderReplacement=false"
    );
    assert!(up("4").contains("'in schema public by shop on postgres, default'"));
    assert!(
        up("R__a_customers").contains("${flyway:timestamp}"),
        "a comment of no consequence"
    );
    assert_eq!(
        up("R__c_readers"),
        "GRANT SELECT ON customer_names TO shop_report;\n"
    );
    assert!(
        text(migration(&read, "1.1").down.as_ref().unwrap()).contains("U1.1__customer_email.sql")
    );
}

#[test]
fn transactions_are_as_the_file_beside_a_script_says() {
    let read = fixture("postgres");
    for (version, words) in [
        ("1", None),
        ("1.10", Some("executeInTransaction=false")),
        ("2", None),
        ("afterMigrate", Some("executeInTransaction=false")),
    ] {
        assert_eq!(
            migration(&read, version).up.no_transaction.as_deref(),
            words,
            "{version}"
        );
    }
}

#[test]
fn names_and_placeholders_can_be_others() {
    let read = fixture("mysql");
    assert_eq!(
        versions(&read),
        [
            "beforeMigrate",
            "20260101.1",
            "20260101.2",
            "afterVersioned__count",
            "R__expensive_products",
            "afterMigrate"
        ]
    );
    let first = text(&migration(&read, "20260101.1").up);
    assert!(
        first.ends_with(") ENGINE = InnoDB COMMENT = 'made with care';\r\n"),
        "{first}"
    );
    let second = text(&migration(&read, "20260101.2").up);
    assert!(second.contains("`$${engine}`") && second.contains("'shop-20260101.2-products.ddl'"));
    assert!(migration(&read, "20260101.2").down.is_some());
    assert_eq!(
        migration(&read, "R__expensive_products").description,
        "expensive products"
    );
}

#[test]
fn a_directory_without_settings() {
    let read = fixture("sqlite");
    assert_eq!(versions(&read), ["1", "1.1", "3", "R__", "R__named"]);
    assert_eq!(migration(&read, "1").description, "");
    assert_eq!(migration(&read, "3").description, "Größe  of index");
    assert!(
        text(&migration(&read, "1.1").up).contains("'schema public, table flyway_schema_history'")
    );
}

#[test]
fn values_come_from_the_environment_first() {
    let files = [
        (
            "flyway.conf",
            "flyway.placeholders.a=file\nflyway.placeholders.b=${HOME_OF_B}x\nflyway.outOfOrder=true\n",
        ),
        ("V1__x.sql", "${a} ${B} ${flyway:environment};\n"),
    ];
    assert_eq!(read_with(&files, &[]).unwrap(), ["file x default;\n"]);
    let environment = &[("FLYWAY_PLACEHOLDERS_A", "environment"), ("HOME_OF_B", "b")];
    assert_eq!(
        read_with(&files, environment).unwrap(),
        ["environment bx default;\n"]
    );
    let environment = &[("FLYWAY_PLACEHOLDER_REPLACEMENT", "false")];
    assert_eq!(
        read_with(&files, environment).unwrap(),
        ["${a} ${B} ${flyway:environment};\n"]
    );
}

#[test]
fn settings_of_toml_are_laid_over_each_other() {
    let files = [
        (
            "flyway.toml",
            "[flyway]\nenvironment = 'test'\nplaceholderPrefix = '@'\nplaceholderSuffix = '@'\nplaceholders = { a = \
             'one', b = \"${env.B}\" }\n[environments.test.flyway]\nplaceholders.c = 'three'\n[environments.other.flyway]\n\
             placeholders.c = 'four'\n",
        ),
        ("flyway.user.toml", "[flyway.placeholders]\na = 'own'\n"),
        ("flyway.conf", "flyway.placeholders.a=not read\n"),
        ("V1__x.sql", "@a@ @b@ @c@ ${a} @flyway:environment@;"),
    ];
    assert_eq!(
        read_with(&files, &[("B", "two")]).unwrap(),
        ["own two three ${a} test;"]
    );
    let refused = read_with(&files, &[]).unwrap_err();
    assert!(
        refused
            .contains("flyway.toml: flyway.placeholders.b: the environment variable B is not set"),
        "{refused}"
    );
}

#[test]
fn what_has_no_value_is_named_at_its_place() {
    let problems = problems(
        "flyway",
        &[
            ("flyway.conf", "flyway.placeholders.secret=s3cr3t\n"),
            (
                "V1__x.sql",
                "-- é ${missing}\nSELECT '${secret}', '${flyway:timestamp}',\n  '${flyway:user}', '${flyway:workingDirectory}';\n\
                 ${open",
            ),
        ],
    );
    assert_eq!(
        problems,
        [
            "V1__x.sql:1:6: there is no value for the placeholder `${missing}`. Give it as flyway.placeholders.missing in \
             flyway.toml or flyway.conf, or as the environment variable FLYWAY_PLACEHOLDERS_MISSING",
            "V1__x.sql:2:22: `${flyway:timestamp}` has another value in every run: write the database's own, such as \
             CURRENT_TIMESTAMP",
            "V1__x.sql:3:4: the value of `flyway:user` is only known with a database. Name one with --url",
            "V1__x.sql:3:22: `flyway:workingDirectory` depends on where Flyway is started. Write what is meant in its place",
            "V1__x.sql:4:1: `${` begins a placeholder, and there is no `}` after it. Add it, or write \
             `placeholderReplacement=false` into a file with this one's name and .conf at its end",
        ]
    );
}

#[test]
fn a_repeatable_migration_changes_with_its_values() {
    let files = [
        ("flyway.conf", ""),
        ("R__x.sql", "GRANT ${role};"),
        ("V1__x.sql", "GRANT ${role};"),
    ];
    let digests = |environment: &'static [(&'static str, &'static str)]| {
        let folder = directory(&files);
        let read =
            MigrationDirectory::read(folder.path(), &options("flyway", environment)).unwrap();
        let digests = read
            .migrations
            .into_iter()
            .map(|migration| migration.up.normalized);
        digests.collect::<Vec<String>>()
    };
    let first = digests(&[("FLYWAY_PLACEHOLDERS_ROLE", "a")]);
    let second = digests(&[("FLYWAY_PLACEHOLDERS_ROLE", "b")]);
    assert_eq!(first[0], second[0], "a versioned migration does not");
    assert_ne!(first[1], second[1]);
}

#[test]
fn what_cannot_be_carried_over_is_named_file_by_file() {
    let problems = problems(
        "flyway",
        &[
            ("V1__x.sql", ""),
            ("V1.0__again.sql", ""),
            ("V2__code.java", ""),
            ("db/V3__Code.class", ""),
            ("V4__x.py", ""),
            ("R__x.sh", ""),
            ("beforeMigrate.ps1", ""),
            ("V-5__x.sql", ""),
            ("Vlatest__x.sql", ""),
            ("beforeEachMigrate.sql", ""),
            ("afterMigrateError.sql", ""),
            ("beforeValidate.sql", ""),
            ("beforeEachUndo.sql", ""),
            ("beforeRepeatables.sql", ""),
            ("afterMigrateApplied.sql", ""),
            ("R__a_b.sql", ""),
            ("sub/R__a b.sql", ""),
            ("helper.py", ""),
            ("postgresql-42.jar", ""),
        ],
    );
    let starts = [
        "R__x.sh: Flyway starts this file as a program, and forerun runs SQL: write what it does as SQL",
        "V-5__x.sql: `-5` is no version for forerun: use the digits 0 to 9",
        "V2__code.java: this is a migration of code",
        "V4__x.py: Flyway starts this file as a program",
        "Vlatest__x.sql: `latest` is no version",
        "afterMigrateError.sql: Flyway runs this after a failure, and forerun runs nothing then",
        "beforeEachMigrate.sql: Flyway runs this around each migration",
        "beforeEachUndo.sql: Flyway runs this around undo migrations",
        "beforeMigrate.ps1: Flyway starts this file as a program",
        "beforeValidate.sql: Flyway runs this around its validation",
        "db/V3__Code.class: this is a migration of code",
        "afterMigrateApplied.sql: Flyway runs this only when a migration was run",
        "beforeRepeatables.sql: Flyway runs this only when a repeatable migration is going to run",
        "V1__x.sql: `V1.0__again.sql` has the same version. Give one of them a new number",
        "sub/R__a b.sql: `R__a_b.sql` has the same description: rename one of them",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}\n{start}");
    }
}

#[test]
fn settings_that_change_what_runs_are_named() {
    let problems = problems(
        "flyway",
        &[
            (
                "flyway.conf",
                "flyway.target=5\nflyway.initSql=SET ROLE x\nflyway.callbacks=org.Shop\nflyway.encoding=ISO-8859-1\n\
                 flyway.locations=filesystem:.,s3:shop/sql\nflyway.outOfOrder=perhaps\nflyway.sqlMigrationSeparator=\n",
            ),
            ("V1__x.sql", ""),
            (
                "V1__x.sql.conf",
                "executeInTransaction=perhaps\n\nencoding = UTF-16\nshouldExecute=${flyway:environment}==x\nother=1\n",
            ),
        ],
    );
    let starts = [
        "flyway.conf:1:1: flyway.target: forerun runs all migrations",
        "flyway.conf:2:1: flyway.initSql: forerun runs nothing when it connects",
        "flyway.conf:3:1: flyway.callbacks: it names code",
        "flyway.conf:4:1: flyway.encoding: forerun reads UTF-8",
        "flyway.conf:5:1: flyway.locations: migrations are read from `s3:shop/sql` too",
        "flyway.conf:7:1: flyway.sqlMigrationSeparator: it is empty",
        "flyway.conf:6:1: flyway.outOfOrder: it is neither true nor false",
        "V1__x.sql.conf:1:1: executeInTransaction is either true or false",
        "V1__x.sql.conf:3:1: forerun reads UTF-8: save the script as UTF-8",
        "V1__x.sql.conf:4:1: forerun runs every migration",
        "V1__x.sql.conf:5:1: `other` is not a setting of a script",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}\n{start}");
    }
    assert_eq!(
        super::super::sample::problems(
            "flyway",
            &[("flyway.toml", "[flyway]\na = 'x\npassword = 's3cr3t'")]
        )
        .iter()
        .filter(|problem| problem.starts_with("flyway.toml:2:") && !problem.contains("s3cr3t"))
        .count(),
        1
    );
}

#[test]
fn another_schema_than_the_connected_one_is_refused() {
    let folder = directory(&[
        ("flyway.conf", "flyway.defaultSchema=shop\n"),
        ("V1__x.sql", ""),
    ]);
    for (schema, fits) in [("public", false), ("shop", true)] {
        let mut options = options("flyway", &[]);
        options.variables.target.insert("schema", schema.to_owned());
        let read = MigrationDirectory::read(folder.path(), &options);
        assert_eq!(read.is_ok(), fits, "{schema}");
    }
}

#[test]
fn wrong_names_are_errors_where_flyway_makes_them_so() {
    let files = [
        ("flyway.conf", "flyway.validateMigrationNaming=true"),
        ("README.sql", ""),
        ("V1__x.sql", ""),
    ];
    assert_eq!(
        problems("flyway", &files),
        [
            "README.sql: `EADME` stands before the separator `__`, and there is no version in such a name, and \
          flyway.validateMigrationNaming refuses that: rename it"
        ]
    );
}

#[test]
fn files_that_flyway_leaves_out_are_left_out_with_a_warning() {
    let folder = directory(&[
        ("V1.1__x.sql", ""),
        ("U2__x.sql", ""),
        ("R.sql", ""),
        ("V1_.sql", ""),
        ("beforeVersioned.sql", ""),
        ("README.md", ""),
    ]);
    let read = MigrationDirectory::read(folder.path(), &options("flyway", &[])).unwrap();
    assert_eq!(versions(&read), ["1.1"]);
    let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "`R.sql`: not read: its name should look like R__words",
            "`V1_.sql`: not read: `1_` is no version",
            "`beforeVersioned.sql`: not read: its name has none of the prefixes `V`, `R`, `U`, `B`",
            "`U2__x.sql`: not read: there is no migration of this version that it could undo",
        ]
    );
}

#[test]
fn a_checkpoint_alone_is_a_migration() {
    let sample = Sample::new(&[
        ("B2__base.sql", "a;"),
        ("V3__x.sql", "b;"),
        ("U3__x.sql", "c;"),
    ]);
    let first = &sample.read.migrations[0];
    assert_eq!(
        (sample.names()[0], sample.up(0)),
        (("2", "base"), "a;".to_owned())
    );
    assert_eq!(
        first.checkpoint.as_ref().unwrap().file_name,
        first.up.file_name
    );
    assert_eq!(sample.down(1).unwrap(), "c;");
}

#[test]
fn only_the_locations_are_read() {
    let read = read_with(
        &[
            (
                "flyway.conf",
                "flyway.locations=filesystem:common,filesystem:postgres\nflyway.callbackLocations=filesystem:hooks",
            ),
            ("common/V1__x.sql", "one"),
            ("postgres/V2__x.sql", "two"),
            ("postgres/beforeMigrate.sql", "not here"),
            ("mysql/V2__x.sql", "other"),
            ("hooks/beforeMigrate.sql", "hook"),
        ],
        &[],
    );
    assert_eq!(read.unwrap(), ["hook", "one", "two"]);
}

#[test]
fn settings_are_found_above_the_directory() {
    let folder = directory(&[
        (
            "flyway.toml",
            "flyway.locations = ['filesystem:db/migration']\nflyway.placeholders.a = 'above'",
        ),
        ("db/migration/V1__x.sql", "${a}"),
        ("other/place/V1__x.sql", "${a}"),
    ]);
    let read =
        |path: &str| MigrationDirectory::read(&folder.path().join(path), &ReadOptions::default());
    let found = read("db/migration").unwrap();
    assert_eq!(text(&found.migrations[0].up), "above");
    assert!(
        matches!(read("other/place"), Err(DirectoryError::TwoLayouts { .. })),
        "it leads elsewhere"
    );
}

#[test]
fn detection() {
    let layout = |files: &[(&str, &str)]| {
        let folder = directory(files);
        let read = MigrationDirectory::read(folder.path(), &ReadOptions::default());
        read.map_or_else(
            |error| error.to_string(),
            |read| read.layout.name().to_owned(),
        )
    };
    for (files, expected) in [
        (&[("V1__x.sql", ""), ("V2__y.sql", "")][..], "flyway"),
        (
            &[("V1__x.sql", "${a}"), ("V1.1__y.sql", "")],
            "there is no value",
        ),
        (
            &[("V1__x.sql", "${a}"), ("V2__y-z.sql", "")],
            "there is no value",
        ),
        (&[("V1__x.sql", ""), ("V2__y.sql", "$ {a} $${b}")], "flyway"),
        (
            &[("V1__x.sql", ""), ("V2__y.sql", "${a}")],
            "can be of the flyway layout (`V2__y.sql` has a placeholder",
        ),
        (&[("flyway.toml", "")], "flyway"),
        (&[("sub/V1__x.sql", "")], "flyway"),
        (&[("U1__x.sql", ""), ("V1__x.sql", "")], "flyway"),
        (&[("U2__x.sql", ""), ("V1__x.sql", "${a}")], "refinery"),
        (
            &[("V1__x.sql", ""), ("V2__x.rs", "")],
            "cannot be read as refinery",
        ),
        (
            &[
                ("flyway.conf", ""),
                ("V1__x.sql", ""),
                ("refinery.toml", ""),
            ],
            "Say which with --layout flyway",
        ),
        (&[("1_x.sql", ""), ("sub/V1__x.sql", "")], "native"),
        (&[("Vendor.sql", "")], "no version"),
    ] {
        let found = layout(files);
        assert!(found.contains(expected), "{files:?}: {found}");
    }
}

#[test]
fn a_new_migration_has_two_underscores() {
    let rules = Layout::named("flyway").unwrap().rules();
    let files = rules
        .new_files("1.11", "add_email", crate::history::Kind::Schema)
        .unwrap();
    assert_eq!(
        files,
        [(
            "V1.11__add_email.sql".to_owned(),
            "-- add email\n\n".to_owned()
        )]
    );
}

#[test]
fn values_are_never_shown() {
    let folder = directory(&[("R__x.sql", "${a} ${missing}")]);
    let mut options = options("flyway", &[]);
    options.variables.environment = Some(Arc::new(|name: &str| {
        (name == "FLYWAY_PLACEHOLDERS_A").then(|| "s3cr3t".to_owned())
    }));
    let error = MigrationDirectory::read(folder.path(), &options).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    std::fs::write(folder.path().join("R__x.sql"), "${a}").unwrap();
    let read = MigrationDirectory::read(folder.path(), &options).unwrap();
    assert_eq!(text(&read.migrations[0].up), "s3cr3t");
    assert!(!format!("{read:?}").contains("s3cr3t"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn every_text_is_read_or_refused(
        settings in r"(flyway\.(placeholder(Prefix|Suffix|s\.a)|locations|sqlMigrationS(eparator|uffixes))[=: ][${}\\a_é:.,]*\n){0,5}",
        name in r"[VRUB][0-9_.+é-]{0,4}(__)?[a_é]{0,3}",
        script in r"[-$@{}a\n\r;é/* ]{0,40}",
    ) {
        let script_file = format!("{name}.sql");
        let script_settings = format!("{name}.sql.conf");
        let _ = read_with(
            &[
                ("flyway.conf", &settings),
                (&script_file, &script),
                (&script_settings, &script),
            ],
            &[("FLYWAY_PLACEHOLDERS_A", "ä\n")],
        );
    }
}

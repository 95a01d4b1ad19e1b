//! Whole directories of Liquibase.

use forerun_sql::Dialect;

use super::super::super::{MigrationDirectory, Otherwise, ReadOptions, Repeat};
use super::super::sample::{Sample, directory, options, problems, statements, text};
use super::peer_changesets;

const MASTER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">
  <property name=\"suffix\" value=\"_x\"/>
  <include file=\"changes/2.sql\" relativeToChangelogFile=\"true\"/>
  <include file=\"/db/changes/1.sql\"/>
  <changeSet id=\"9\" author=\"x\"><comment>hi</comment>
    <sql>create table nine (a int) <comment>c</comment></sql>
    <sql>insert into nine values (1 &lt; 2)</sql>
    <rollback>drop table nine</rollback></changeSet>
  <changeSet id=\"10\" author=\"x\" runInTransaction=\"false\"><sqlFile path=\"f/ten.sql\" relativeToChangelogFile=\"true\"/></changeSet>
  <includeAll path=\"more\" relativeToChangelogFile=\"true\"/>
</databaseChangeLog>
";

#[test]
fn a_master_decides_the_order_and_names_are_those_of_liquibase() {
    let sample = Sample::new(&[
        ("db/master.xml", MASTER),
        (
            "db/changes/1.sql",
            "--liquibase formatted sql\n--changeset bob:1\ncreate table one${suffix} (a int);\n--rollback drop table one${suffix};\n",
        ),
        (
            "db/changes/2.sql",
            "--liquibase formatted sql logicalFilePath:all.sql\n--changeset bob:2 runAlways:true\n--comment: second\nselect 2;\n",
        ),
        ("db/f/ten.sql", "create table ten${suffix} (a int);\n"),
        ("db/more/b.sql", "create table raw (a int);\n"),
        (
            "db/more/A.sql",
            "-- liquibase formatted sql\n-- changeset z:1 runOnChange:true\nselect 1;",
        ),
        ("db/more/readme.txt", "no changelog"),
    ]);
    assert_eq!(sample.read.layout.name(), "liquibase");
    let versions: Vec<&str> = sample
        .read
        .migrations
        .iter()
        .map(|migration| migration.version.as_str())
        .collect();
    assert_eq!(
        versions,
        [
            "all.sql::2::bob",
            "db/changes/1.sql::1::bob",
            "db/master.xml::9::x",
            "db/master.xml::10::x",
            "db/more/A.sql::1::z",
            "db/more/b.sql::raw::includeAll",
        ]
    );
    let migrations = &sample.read.migrations;
    assert!(migrations.iter().all(|migration| migration.any_order));
    assert_eq!(migrations[0].description, "second");
    assert_eq!(migrations[0].up.file_name, "db/changes/2.sql::2::bob");
    assert_eq!(
        (migrations[0].repeat, migrations[4].repeat),
        (Repeat::Always, Repeat::WhenChanged)
    );
    assert_eq!(sample.up(1), "\n\ncreate table one_x (a int);\n");
    assert_eq!(
        sample.down(1).as_deref(),
        Some("\n\n\n           drop table one_x;\n")
    );
    assert_eq!(migrations[2].description, "hi");
    assert_eq!(
        statements(&migrations[2].up, Dialect::Postgres),
        [
            (7, "create table nine (a int)".to_owned()),
            (8, "insert into nine values (1 < 2)".to_owned())
        ]
    );
    assert_eq!(
        sample.down(2).as_deref().map(str::trim),
        Some("drop table nine")
    );
    assert_eq!(sample.up(3), "create table ten_x (a int);\n");
    assert_eq!(
        migrations[3].up.no_transaction.as_deref(),
        Some("runInTransaction:false")
    );
    assert_eq!(sample.up(5), "create table raw (a int);\n");
}

#[test]
fn yaml_and_json_hold_sql_too() {
    let yaml = "databaseChangeLog:\n  - include: {file: more.json}\n  - changeSet:\n      id: y1\n      author: ann\n      \
                changes:\n        - sql:\n            endDelimiter: \\nGO\n            sql: |\n              select 1;\n              \
                GO\n              select 2;\n      rollback:\n        - sql: {sql: \"select 3;\\nselect 4\"}\n";
    let json = "{\"databaseChangeLog\": [{\"changeSet\": {\"id\": 1, \"author\": \"bob\", \"changes\": [\n{\"sql\": {\"sql\": \"select \
                'a'; select 'b'\"}}]}}]}";
    let sample = Sample::new(&[("changelog.yaml", yaml), ("more.json", json)]);
    let versions: Vec<&str> = sample
        .read
        .migrations
        .iter()
        .map(|migration| migration.version.as_str())
        .collect();
    assert_eq!(versions, ["more.json::1::bob", "changelog.yaml::y1::ann"]);
    assert_eq!(
        statements(&sample.read.migrations[0].up, Dialect::Postgres),
        [(2, "select 'a'".to_owned()), (2, "select 'b'".to_owned())]
    );
    assert_eq!(
        statements(&sample.read.migrations[1].up, Dialect::Postgres),
        [(10, "select 1".to_owned()), (12, "select 2".to_owned())]
    );
    assert_eq!(
        sample.down(1).as_deref().map(str::trim),
        Some("select 3;\nselect 4")
    );
}

#[test]
fn without_a_master_all_files_run_by_their_paths() {
    let sample = Sample::new(&[
        (
            "002_b.sql",
            "--liquibase formatted sql\n--changeset a:1\nselect 2;",
        ),
        (
            "001_a.sql",
            "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--changeset a:2\nselect 1;",
        ),
    ]);
    let versions: Vec<&str> = sample
        .read
        .migrations
        .iter()
        .map(|migration| migration.version.as_str())
        .collect();
    // A version that begins with a digit would be a number.
    assert_eq!(
        versions,
        [
            "./001_a.sql::1::a",
            "./001_a.sql::2::a",
            "./002_b.sql::1::a"
        ]
    );
}

#[test]
fn long_names_are_cut_and_stay_different() {
    let id = "x".repeat(300);
    let file = format!(
        "--liquibase formatted sql\n--changeset a:{id}1\nselect 1;\n--changeset a:{id}2\nselect 2;"
    );
    let sample = Sample::new(&[("a.sql", &file)]);
    let versions: Vec<&str> = sample
        .read
        .migrations
        .iter()
        .map(|migration| migration.version.as_str())
        .collect();
    assert!(
        versions
            .iter()
            .all(|version| version.chars().count() == 255 && version.contains('~'))
    );
    assert_ne!(versions[0], versions[1]);
}

#[test]
fn contexts_labels_and_databases_decide() {
    let file = "--liquibase formatted sql\n--changeset a:1 context:test\nselect 1;\n--changeset a:2 labels:v2\nselect 2;\n\
                --changeset a:3 dbms:mysql\nselect 3;\n--changeset a:4 ignore:true\nselect 4;\n--changeset a:5 dbms:postgresql\nselect 5;";
    let folder = directory(&[("a.sql", file)]);
    let ids = |options: &ReadOptions| -> Vec<String> {
        let read = MigrationDirectory::read(folder.path(), options).unwrap();
        read.migrations
            .iter()
            .map(|migration| migration.description.clone())
            .collect()
    };
    assert_eq!(ids(&ReadOptions::default()), ["1", "2", "3", "5"]);
    let mut chosen = options(
        "liquibase",
        &[
            ("LIQUIBASE_COMMAND_CONTEXTS", "prod"),
            ("LIQUIBASE_COMMAND_LABEL_FILTER", "!v2"),
        ],
    );
    chosen.dialect = Some(Dialect::Postgres);
    assert_eq!(ids(&chosen), ["5"]);
    let both = "--liquibase formatted sql\n--changeset a:1 dbms:mysql\nselect 1;\n--changeset a:2 dbms:mariadb\nselect 2;";
    let folder = directory(&[("a.sql", both)]);
    chosen.dialect = Some(Dialect::Mysql);
    let error = MigrationDirectory::read(folder.path(), &chosen)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a.sql:4:1: this changeset is for MariaDB alone"),
        "{error}"
    );
}

#[test]
fn preconditions_are_conditions() {
    let file = "--liquibase formatted sql\n--changeset a:1\n--preconditions onFail:MARK_RAN onError:HALT\n\
                --precondition-sql-check expectedResult:0 SELECT count(*) FROM ${t}\n--precondition-table-exists table:people\n\
                --property name:t value:people\nselect 1;";
    let sample = Sample::new(&[("a.sql", file)]);
    let conditions = &sample.read.migrations[0].conditions;
    assert_eq!(
        (conditions[0].sql.as_str(), conditions[0].expected.as_str()),
        ("SELECT count(*) FROM people", "0")
    );
    assert_eq!(
        (conditions[0].otherwise, conditions[0].line),
        (Otherwise::Record, 4)
    );
    assert_eq!(conditions[1].expected, "1");

    let xml = "<databaseChangeLog><changeSet id=\"1\" author=\"a\"><preConditions onFail=\"CONTINUE\"><not><tableExists \
               tableName=\"t\"/></not><sqlCheck expectedResult=\"1\">select 1</sqlCheck></preConditions><sql>select 1</sql>\
               </changeSet></databaseChangeLog>";
    let sample = Sample::new(&[("changelog.xml", xml)]);
    let conditions = &sample.read.migrations[0].conditions;
    assert_eq!(
        (conditions[0].expected.as_str(), conditions[0].otherwise),
        ("0", Otherwise::Skip)
    );
    assert_eq!(
        (conditions[1].sql.as_str(), conditions[1].expected.as_str()),
        ("select 1", "1")
    );
}

#[test]
fn rollbacks_can_be_nothing_or_another_changeset() {
    let file = "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--rollback empty\n--changeset a:2\nselect 2;\n\
                --rollback changesetId:1 changesetAuthor:a\n--changeset a:3\nselect 3;\n--rollback not required\n\
                --changeset a:4\nselect 4;\n";
    let sample = Sample::new(&[("a.sql", file)]);
    assert_eq!(sample.down(0).as_deref(), Some(""));
    assert_eq!(sample.down(1).as_deref().map(str::trim), Some("select 1;"));
    assert_eq!(sample.down(2).as_deref(), Some(""));
    assert_eq!(sample.down(3), None);
}

#[test]
fn what_cannot_be_carried_over_is_named_line_by_line() {
    let master = "<databaseChangeLog>\n<include file=\"nowhere.sql\"/>\n<includeAll path=\"empty\"/>\n\
                  <changeSet id=\"1\" author=\"a\"><createTable tableName=\"t\"/>\
                  <customChange class=\"a.B\"/><executeCommand executable=\"c\"/></changeSet>\n\
                  <changeSet id=\"2\" author=\"a\" failOnError=\"false\"><sql>select 1</sql></changeSet>\n\
                  <changeSet id=\"3\" author=\"a\"><preConditions><columnExists/></preConditions><sql>select 1</sql></changeSet>\n\
                  <preConditions><dbms type=\"h2\"/></preConditions>\n\
                  <changeSet id=\"4\" author=\"a\"><sqlFile path=\"x.sql\"/></changeSet>\n\
                  <includeAll path=\".\" resourceComparator=\"a.b.C\"/>\n\
                  <changeSet id=\"5\"/>\n<include file=\"a.sql\"/>\n<include file=\"a.sql\"/>\n<modifyChangeSets><include/></modifyChangeSets>\n\
                  <include file=\"changelog.xml\"/>\n</databaseChangeLog>";
    let script = "--liquibase formatted sql\n--changeset a:1 runWith:psql\nselect 1;\n--changeset a:2 endDelimiter:\\w\nselect 1;\n\
                  --changeset a:3\nselect ${database.defaultSchemaName};\n--changeset a:4\nselect 4;\n";
    let found = problems("liquibase", &[("changelog.xml", master), ("a.sql", script)]);
    let expected = [
        "changelog.xml:2:1: there is no `nowhere.sql`",
        "changelog.xml:3:1: there are no changelogs in `empty`",
        "changelog.xml:4:30: `createTable` is a change that Liquibase makes SQL of",
        "changelog.xml:4:58: `customChange` is Java code, and forerun runs SQL only",
        "changelog.xml:4:85: `executeCommand` starts a program, and forerun runs SQL only",
        "changelog.xml:5:1: failOnError:false cannot be carried over",
        "changelog.xml:6:45: the precondition `columnExists`",
        "changelog.xml:7:1: `preConditions` cannot be carried over",
        "changelog.xml:8:30: there is no `x.sql`",
        "changelog.xml:9:1: resourceComparator names the Java class",
        "changelog.xml:10:1: a changeSet needs an id and an author",
        "a.sql:2:1: runWith:psql cannot be carried over",
        "a.sql:4:1: the delimiter `\\w` is a pattern",
        "a.sql:6:1: `${database.defaultSchemaName}` is a value that Liquibase itself knows",
    ];
    for message in expected {
        assert!(
            found.iter().any(|line| line.starts_with(message)),
            "{message}\n{found:#?}"
        );
    }
    let rest = found.join("\n");
    assert!(
        rest.contains("`modifyChangeSets` cannot be carried over"),
        "{rest}"
    );
    assert!(rest.contains("it includes itself"), "{rest}");
}

#[test]
fn two_roots_need_a_word_and_the_environment_gives_it() {
    let one = "databaseChangeLog:\n  - changeSet: {id: 1, author: a, changes: [{sql: select 1}]}\n";
    let files = [("a.yaml", one), ("b.yaml", one)];
    let found = problems("liquibase", &files);
    assert!(
        found[0].contains("`a.yaml`, `b.yaml` can each be the root"),
        "{found:?}"
    );
    let folder = directory(&files);
    let chosen = options(
        "liquibase",
        &[("LIQUIBASE_COMMAND_CHANGELOG_FILE", "b.yaml")],
    );
    let read = MigrationDirectory::read(folder.path(), &chosen).unwrap();
    assert_eq!(read.migrations[0].version.as_str(), "b.yaml::1::a");
    assert_eq!(text(&read.migrations[0].up).trim(), "select 1");
    let missing = options(
        "liquibase",
        &[("LIQUIBASE_COMMAND_CHANGELOG_FILE", "c.yaml")],
    );
    let error = MigrationDirectory::read(folder.path(), &missing)
        .unwrap_err()
        .to_string();
    assert!(error.contains("there is no changelog `c.yaml`"), "{error}");
}

#[test]
fn plain_sql_without_a_master_is_refused() {
    let found = problems(
        "liquibase",
        &[
            (
                "a.sql",
                "--liquibase formatted sql\n--changeset a:1\nselect 1;",
            ),
            ("b.sql", "select 2;"),
        ],
    );
    assert!(
        found[0].starts_with("b.sql: it does not begin with `--liquibase formatted sql`"),
        "{found:?}"
    );
}

/// Checksums as `update` of Liquibase 4.33.0 recorded them, and as it computes them for version 8.
#[test]
fn peers_are_what_liquibase_records() {
    let script = "--liquibase formatted sql\n--property name:t value:people\n--changeset bob:1\ncreate  table\tone (a int);\r\n-- c\n\
                  --comment: x\ninsert into one values (1);\n--rollback drop table one;\n\
                  --changeset bob:2 endDelimiter:// splitStatements:true stripComments:false\n--validCheckSum: any\n\
                  create table ${t} (a int)//\n--changeset bob:3 splitStatements:false\nselect 'ä'\n;\n--changeset bob:4\nselect 1\n/\n";
    let master = "databaseChangeLog:\n  - include: {file: a.sql}\n  - changeSet:\n      id: y1\n      author: ann\n      changes:\n        \
                  - sql: {sql: \"insert into people values (1);\\ninsert into people values (2)\"}\n        \
                  - sqlFile: {path: f.sql}\n";
    let folder = directory(&[
        ("a.sql", script),
        ("m.yaml", master),
        ("f.sql", "create table f_${t}(a int);\n"),
    ]);
    let peers = peer_changesets(folder.path(), &ReadOptions::default()).unwrap();
    let nines: Vec<&str> = peers
        .iter()
        .filter_map(|peer| peer.checksum_9.as_deref())
        .collect();
    assert_eq!(
        nines,
        [
            "9:ff113a53dec705b4a5ac369ac0bedafe",
            "9:d8f32b39d7929dda9189c8636620f301",
            "9:5379ef6c9a32d296981a07a3242aad4e",
            "9:0f1475aa39d5d9c79549b35e24afec03",
            "9:058d17be7b87c92db813e7f30653299b",
        ]
    );
    let eights: Vec<&str> = peers
        .iter()
        .take(4)
        .filter_map(|peer| peer.checksum_8.as_deref())
        .collect();
    assert_eq!(
        eights,
        [
            "8:5c793743bca37c63e650f9e434ea0570",
            "8:c761a6a46209a8c29283374bfe9856b0",
            "8:30a8e95f6fcd821bab0f8b3d660b1cfb",
            "8:5052c050d234b8725fed2b2ce19a02fd",
        ]
    );
    assert_eq!(
        (
            peers[1].file.as_str(),
            peers[1].id.as_str(),
            peers[1].author.as_str()
        ),
        ("a.sql", "2", "bob")
    );
    assert_eq!(peers[1].valid_checksums, ["any"]);
}

#[test]
fn every_text_is_read_or_refused() {
    use proptest::prelude::*;
    let words = prop::sample::select(vec![
        "--liquibase formatted sql",
        "--changeset a:1",
        "--rollback ",
        "--rollback",
        "select 1;",
        "\n",
        "\r",
        " ",
        "'",
        "/*",
        "*/",
        "//",
        "$$",
        "${",
        "}",
        "--property name:a value:b",
        "--ignoreLines:",
        "start",
        "end",
        "3",
        "ä",
        "/* liquibase rollback",
        "endDelimiter:",
        "\\nGO",
        "GO",
        "context:(",
        "--precondition-sql-check ",
        "<sql>",
        "&lt;",
        "\u{feff}",
        "dbms:é",
        "\"",
    ]);
    let texts = prop::collection::vec(words, 0..40).prop_map(|words| words.concat());
    proptest!(ProptestConfig::with_cases(300), |(text in texts)| {
        let folder = directory(&[("a.sql", &text)]);
        let mut chosen = options("liquibase", &[]);
        chosen.dialect = Some(Dialect::Mysql);
        if let Ok(read) = MigrationDirectory::read(folder.path(), &chosen) {
            for migration in &read.migrations {
                let native = super::super::sample::text(&migration.up);
                prop_assert!(native.matches('\n').count() <= text.matches('\n').count() + 1);
            }
        }
        let document = format!("<databaseChangeLog><changeSet id='1' author='a'>{text}</changeSet></databaseChangeLog>");
        let _ = super::documents::read("a.xml", &document);
        let _ = super::documents::read("a.yaml", &text);
    });
}

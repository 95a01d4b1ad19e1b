//! `IF EXISTS` and `IF NOT EXISTS` of what the database has said is, or is not, there.

use super::{judge, script};
use crate::Dialect::{self, Mysql, Postgres, Sqlite};
use crate::lint::{Linter, Server, Settings};
use crate::schema::{Catalog, CatalogObject};

const T: &str = "CREATE TABLE t (id bigint NOT NULL, a integer, CONSTRAINT t_pkey PRIMARY KEY (id), \
     CONSTRAINT a_there CHECK ((a IS NOT NULL)))";
const T_A: &str = "CREATE INDEX t_a ON t (a)";
const LATER: &str = "CREATE TABLE IF NOT EXISTS later (id int);";

fn linter(dialect: Dialect) -> Linter {
    let server = Server {
        mariadb: (dialect == Mysql).then_some(true),
        version: None,
    };
    let mut linter = Linter::new(
        dialect,
        Settings {
            server,
            ..Settings::default()
        },
    );
    linter.learn(&script(dialect, "SELECT 1;"));
    linter
}

/// An object whose definition begins with `~` is a sketch.
fn catalog(objects: &[&str], complete: bool) -> Catalog {
    let objects = objects.iter().map(|text| CatalogObject {
        sketch: text.starts_with('~'),
        ..CatalogObject::new(text.trim_start_matches('~'))
    });
    Catalog {
        objects: objects.collect(),
        complete,
        ..Catalog::default()
    }
}

fn found(dialect: Dialect, live: Option<&Catalog>, files: &[&str]) -> Vec<&'static str> {
    let mut linter = linter(dialect);
    if let Some(live) = live {
        linter.look_at(live);
    }
    let findings = files
        .iter()
        .flat_map(|text| judge(&mut linter, dialect, text));
    findings.map(|finding| finding.rule.id).collect()
}

fn live(dialect: Dialect, objects: &[&str], files: &[&str]) -> Vec<&'static str> {
    found(dialect, Some(&catalog(objects, true)), files)
}

/// Nothing is found with the first database, and the rule finds something with the second, and without any.
#[track_caller]
fn depends(dialect: Dialect, text: &str, quiet: &[&str], loud: &[&str], rule: &str) {
    assert_eq!(live(dialect, quiet, &[text]), [""; 0], "{text}");
    let with = live(dialect, loud, &[text]);
    assert!(with.contains(&rule), "{text}: {with:?}");
    let without = found(dialect, None, &[text]);
    assert!(without.contains(&rule), "{text}: {without:?}");
}

#[test]
fn postgres_finds_nothing_to_do() {
    let invalid = format!("~{T_A}");
    let checked = [
        "CREATE TABLE t (id bigint, b integer, CONSTRAINT gone CHECK (b > 0))",
        "CREATE INDEX gone_i ON t (b)",
        "CREATE TYPE gone AS ENUM ('x')",
        "CREATE VIEW gone_v AS SELECT 1",
        "CREATE TABLE gone_t (a integer)",
        "CREATE SEQUENCE gone_s",
        "CREATE MATERIALIZED VIEW gone_m AS SELECT 1",
    ];
    for (text, loud, rule) in [
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int DEFAULT random();",
            &checked[..1],
            "pg-add-column-volatile-default",
        ),
        (
            "ALTER TABLE IF EXISTS ONLY public.t ADD IF NOT EXISTS a int DEFAULT random();",
            &checked[..1],
            "pg-add-column-volatile-default",
        ),
        (
            "CREATE INDEX IF NOT EXISTS t_a ON t (a);",
            &[T],
            "pg-index-concurrently",
        ),
        (
            "CREATE INDEX IF NOT EXISTS t_a ON public.t (a);",
            &[T, &invalid],
            "pg-index-concurrently",
        ),
        (
            "CREATE INDEX IF NOT EXISTS t_pkey ON t (a);",
            &checked[..1],
            "pg-index-concurrently",
        ),
        (
            "ALTER TABLE t DROP COLUMN IF EXISTS b;",
            &checked[..1],
            "bc-drop-column",
        ),
        (
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS gone;",
            &checked[..1],
            "bc-drop-constraint",
        ),
        ("DROP VIEW IF EXISTS gone_v;", &checked, "bc-drop-view"),
        (
            "DROP MATERIALIZED VIEW IF EXISTS public.gone_m;",
            &checked,
            "bc-drop-view",
        ),
        ("DROP TYPE IF EXISTS gone;", &checked, "bc-drop-type"),
        (
            "DROP SEQUENCE IF EXISTS gone_s;",
            &checked,
            "bc-drop-sequence",
        ),
        (
            "DROP TABLE IF EXISTS gone_t CASCADE;",
            &checked,
            "bc-drop-table",
        ),
        (
            "ALTER TABLE IF EXISTS gone_t ALTER COLUMN a TYPE bigint;",
            &checked,
            "pg-alter-type",
        ),
        (
            "ALTER TABLE IF EXISTS gone_t RENAME TO other;",
            &checked,
            "bc-rename-table",
        ),
    ] {
        depends(Postgres, text, &[T, T_A], loud, rule);
    }
    // Without a table of that name nobody knows whose index it is.
    let drop = "DROP INDEX IF EXISTS gone_i;";
    assert_eq!(live(Postgres, &[T, T_A], &[drop]), [""; 0]);
    let rules = live(Postgres, &checked, &[drop]);
    assert!(rules.contains(&"pg-drop-index-concurrently"), "{rules:?}");
}

#[test]
fn mariadb_finds_nothing_to_do() {
    let quiet = [
        "CREATE TABLE `t` (`id` bigint NOT NULL, `a` int, PRIMARY KEY (`id`), KEY `t_a` (`a`), \
                  CONSTRAINT `positive` CHECK (`a` > 0)) ENGINE=InnoDB",
    ];
    let loud = [
        "CREATE TABLE `t` (`b` int, `c` int, UNIQUE KEY `b_i` (`b`), \
         CONSTRAINT `c_f` FOREIGN KEY (`c`) REFERENCES `p` (`id`)) ENGINE=InnoDB",
        "CREATE TABLE `gone_t` (`a` int) ENGINE=InnoDB",
        "~CREATE VIEW `gone_v` AS SELECT 1",
    ];
    for (text, rule) in [
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int NOT NULL REFERENCES p (id);",
            "bc-required-column",
        ),
        ("ALTER TABLE t DROP COLUMN IF EXISTS b;", "bc-drop-column"),
        ("ALTER TABLE t MODIFY COLUMN IF EXISTS b bigint;", "my-copy"),
        (
            "ALTER TABLE t CHANGE COLUMN IF EXISTS b d bigint;",
            "bc-rename-column",
        ),
        (
            "ALTER TABLE t RENAME COLUMN IF EXISTS b TO d;",
            "bc-rename-column",
        ),
        (
            "ALTER TABLE t DROP INDEX IF EXISTS b_i;",
            "bc-drop-unique-index",
        ),
        ("DROP INDEX IF EXISTS b_i ON t;", "bc-drop-unique-index"),
        (
            "ALTER TABLE t DROP FOREIGN KEY IF EXISTS c_f;",
            "bc-drop-constraint",
        ),
        (
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS c_f;",
            "bc-drop-constraint",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS positive CHECK (a > 0);",
            "my-copy",
        ),
        (
            "ALTER TABLE t ADD FULLTEXT INDEX IF NOT EXISTS t_a (a);",
            "my-lock-shared-inplace",
        ),
        ("ALTER TABLE IF EXISTS gone_t MODIFY a bigint;", "my-copy"),
        ("RENAME TABLE IF EXISTS gone_t TO other;", "bc-rename-table"),
        ("DROP TABLE IF EXISTS gone_t;", "bc-drop-table"),
        ("DROP VIEW IF EXISTS gone_v;", "bc-drop-view"),
    ] {
        let ids = live(Mysql, &loud, &[text]);
        assert!(ids.contains(&rule), "{text}: {ids:?}");
        assert_eq!(live(Mysql, &quiet, &[text]), [""; 0], "{text}");
        // Of an index that nobody knows it is not known that it is unique.
        if rule == "bc-drop-unique-index" {
            continue;
        }
        // Not all of it may have been shown.
        let some = found(Mysql, Some(&catalog(&quiet, false)), &[text]);
        assert_eq!(
            some.contains(&rule),
            !text.contains("NOT EXISTS"),
            "{text}: {some:?}"
        );
        // Another database was not asked, and a script may have gone there.
        let other = text
            .replace(" t ", " other.t ")
            .replace("gone", "other.gone");
        assert!(live(Mysql, &quiet, &[&other]).contains(&rule), "{other}");
        let gone = format!("USE other;\n{text}");
        assert!(live(Mysql, &quiet, &[&gone]).contains(&rule), "{gone}");
    }
    // What else a statement does is done.
    let ids = live(
        Mysql,
        &quiet,
        &["ALTER TABLE t DROP COLUMN IF EXISTS b, MODIFY a bigint;"],
    );
    assert!(
        ids.contains(&"my-copy") && !ids.contains(&"bc-drop-column"),
        "{ids:?}"
    );
    // What its foreign keys are was not asked.
    let sketch = format!("~{}", quiet[0]);
    let ids = live(
        Mysql,
        &[&sketch],
        &["ALTER TABLE t DROP FOREIGN KEY IF EXISTS c_f;"],
    );
    assert!(ids.contains(&"bc-drop-constraint"), "{ids:?}");
}

#[test]
fn sqlite_finds_nothing_to_do() {
    let loud = [
        "CREATE TABLE t (a integer)",
        "CREATE TABLE gone_t (a integer)",
        "CREATE VIEW gone_v AS SELECT a FROM t",
        "CREATE TRIGGER gone_g AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE UNIQUE INDEX gone_i ON t (a)",
    ];
    for (text, rule) in [
        ("DROP TABLE IF EXISTS gone_t;", "bc-drop-table"),
        ("DROP TABLE IF EXISTS main.gone_t;", "bc-drop-table"),
        ("DROP VIEW IF EXISTS gone_v;", "bc-drop-view"),
        ("DROP TRIGGER IF EXISTS gone_g;", "bc-drop-trigger"),
    ] {
        depends(Sqlite, text, &["CREATE TABLE t (a integer)"], &loud, rule);
    }
    let other = live(Sqlite, &loud[..1], &["DROP TABLE IF EXISTS other.gone_t;"]);
    assert!(other.contains(&"bc-drop-table"), "{other:?}");
    let unique = "CREATE UNIQUE INDEX IF NOT EXISTS gone_i ON t (a);";
    depends(Sqlite, unique, &loud, &loud[..1], "bc-new-restriction");
    let unique = "DROP INDEX IF EXISTS gone_i;";
    assert_eq!(live(Sqlite, &loud[..1], &[unique]), [""; 0]);
    assert!(live(Sqlite, &loud, &[unique]).contains(&"bc-drop-unique-index"));
}

#[test]
fn a_name_that_may_mean_two_tables_means_both() {
    let tenants = |second: &str| {
        live(
            Postgres,
            &[
                "CREATE TABLE a.t (c int, CONSTRAINT k CHECK (c > 0))",
                second,
            ],
            &[
                "SET search_path TO b;",
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int DEFAULT random();",
                "ALTER TABLE t DROP COLUMN IF EXISTS d;\nALTER TABLE t DROP CONSTRAINT IF EXISTS l;",
                "DROP VIEW IF EXISTS t_v;\nDROP INDEX IF EXISTS t_i;",
            ],
        )
    };
    assert_eq!(tenants("CREATE TABLE b.t (c int)"), [""; 0]);
    assert!(tenants("CREATE TABLE b.t (x int)").contains(&"pg-add-column-volatile-default"));
    assert!(tenants("CREATE TABLE b.t (c int, d int)").contains(&"bc-drop-column"));
    let checked = "CREATE TABLE b.t (c int, CONSTRAINT l CHECK (c > 0))";
    assert!(tenants(checked).contains(&"bc-drop-constraint"));
    assert!(tenants("CREATE VIEW b.t_v AS SELECT 1").contains(&"bc-drop-view"));
    // With its schema it means one.
    let two = ["CREATE TABLE a.t (c int)", "CREATE TABLE b.t (x int)"];
    let add = |table: &str| {
        format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS c int DEFAULT random();")
    };
    assert_eq!(live(Postgres, &two, &[&add("a.t")]), [""; 0]);
    assert!(!live(Postgres, &two, &[&add("b.t")]).is_empty());
    let indexed = [two[0], two[1], "CREATE INDEX t_c ON a.t (c)"];
    let index = |table: &str| format!("CREATE INDEX IF NOT EXISTS t_c ON {table} (c);");
    assert_eq!(live(Postgres, &indexed, &[&index("a.t")]), [""; 0]);
    assert!(!live(Postgres, &indexed, &[&index("b.t")]).is_empty());
    assert!(!live(Postgres, &indexed, &[&index("t")]).is_empty());
    // Where a script makes something depends on what it has said before.
    let existing = [
        "CREATE TABLE later (id int)",
        "CREATE TABLE p (id int PRIMARY KEY)",
    ];
    let make = "CREATE TABLE IF NOT EXISTS later (id int REFERENCES p (id));\nALTER TABLE later DROP COLUMN id;";
    assert!(live(Postgres, &existing, &[make]).contains(&"bc-drop-column"));
    assert!(live(Postgres, &existing, &[LATER]).is_empty());
}

#[test]
fn what_scripts_do_after_the_database_was_asked_counts() {
    let both = |first: &str, second: &str| live(Postgres, &[T, T_A], &[first, second]);
    let volatile = "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int DEFAULT random();";
    assert_eq!(both("ALTER TABLE t ADD COLUMN b int;", volatile), [""; 0]);
    let again = volatile.replace(" b ", " a ");
    let rules = both("ALTER TABLE t DROP COLUMN a;", &again);
    assert!(
        rules.contains(&"pg-add-column-volatile-default"),
        "{rules:?}"
    );
    for (first, second, rule) in [
        (
            "ALTER TABLE t ADD COLUMN b int;",
            "ALTER TABLE t DROP COLUMN IF EXISTS b;",
            "bc-drop-column",
        ),
        (
            "DROP INDEX CONCURRENTLY t_a;",
            "CREATE INDEX IF NOT EXISTS t_a ON t (a);",
            "pg-index-concurrently",
        ),
        (
            "CREATE VIEW v AS SELECT 1;",
            "DROP VIEW IF EXISTS v;",
            "bc-drop-view",
        ),
        (
            "CREATE TYPE y AS (a int);",
            "DROP TYPE IF EXISTS y;",
            "bc-drop-type",
        ),
        (
            "CREATE TABLE y (a int);",
            "ALTER TABLE IF EXISTS y ALTER COLUMN a TYPE bigint;",
            "pg-alter-type",
        ),
        (
            "SET search_path TO s;\nCREATE VIEW v AS SELECT 1;",
            "DROP VIEW IF EXISTS s.v;",
            "bc-drop-view",
        ),
        // Nobody knows what these do.
        (
            "DO $$ BEGIN EXECUTE 'create view v as select 1'; END $$;",
            "DROP VIEW IF EXISTS v;",
            "bc-drop-view",
        ),
        (
            "DO $$ BEGIN EXECUTE 'alter table t drop a'; END $$;",
            &again,
            "pg-add-column-volatile-default",
        ),
        (
            "DROP EXTENSION x CASCADE;",
            &again,
            "pg-add-column-volatile-default",
        ),
    ] {
        let rules = both(first, second);
        assert!(rules.contains(&rule), "{first} {second}: {rules:?}");
    }
    // An index of a view goes with it.
    let view = [
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a",
        "CREATE INDEX m_a ON m (a)",
    ];
    let index = "CREATE INDEX IF NOT EXISTS m_a ON m (a);\nDROP INDEX IF EXISTS m_b;";
    assert_eq!(live(Postgres, &view, &[index]), [""; 0]);
    let mut linter = linter(Postgres);
    linter.look_at(&catalog(&view, true));
    let anew = "DROP MATERIALIZED VIEW m;\nCREATE MATERIALIZED VIEW m AS SELECT 2 AS a;\nDROP INDEX IF EXISTS m_a;";
    let _ = judge(&mut linter, Postgres, anew);
    assert!(linter.schema().lacks(&crate::ObjectName {
        kind: crate::ObjectKind::Index,
        schema: None,
        name: "m_a".to_owned(),
    }));
}

#[test]
fn a_column_that_is_there_stays_as_it_is() {
    let mut linter = linter(Postgres);
    linter.look_at(&catalog(
        &["CREATE TABLE t (a character varying(100))"],
        true,
    ));
    let text = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(10) DEFAULT random();\n\
                ALTER TABLE t ALTER COLUMN a TYPE varchar(50);";
    let rules: Vec<_> = judge(&mut linter, Postgres, text)
        .into_iter()
        .map(|finding| (finding.statement, finding.rule.id))
        .collect();
    assert!(rules.contains(&(2, "pg-alter-type")), "{rules:?}");
    assert!(
        rules.iter().all(|(statement, _)| *statement == 2),
        "{rules:?}"
    );
}

#[test]
fn a_lock_that_is_taken_to_look_is_held_all_the_same() {
    let live = [T, T_A, "CREATE TABLE other (id int)"];
    let after = |first: &str| {
        let text = format!(
            "{first}\nINSERT INTO other SELECT id FROM t;\nALTER TABLE other ADD COLUMN b int;"
        );
        self::live(Postgres, &live, &[&text])
    };
    for (first, held, locked) in [
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int;", true, true),
        ("ALTER TABLE t DROP COLUMN IF EXISTS b;", true, true),
        ("ALTER TABLE t DROP CONSTRAINT IF EXISTS b;", true, true),
        ("CREATE INDEX IF NOT EXISTS t_a ON t (a);", false, true),
        ("ALTER TABLE IF EXISTS gone DROP COLUMN b;", false, false),
        ("DROP INDEX IF EXISTS gone;", false, false),
    ] {
        let rules = after(first);
        assert_eq!(
            rules.contains(&"pg-hold-access-exclusive"),
            held,
            "{first} {rules:?}"
        );
        assert_eq!(
            rules.contains(&"pg-multi-table-lock"),
            locked,
            "{first} {rules:?}"
        );
    }
    // The server refuses these whatever is there.
    for text in [
        "BEGIN;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);\nCOMMIT;",
        "BEGIN;\nDROP INDEX CONCURRENTLY IF EXISTS gone;\nCOMMIT;",
    ] {
        let rules = self::live(Postgres, &live, &[text]);
        assert!(rules.contains(&"pg-concurrently-in-tx"), "{text} {rules:?}");
    }
}

#[test]
fn an_exception_that_another_database_needs_stays() {
    let text = "SELECT 1;\n-- forerun:allow bc-drop-column \"nobody uses it\"\nALTER TABLE t DROP COLUMN IF EXISTS b;";
    assert_eq!(live(Postgres, &[T], &[text]), [""; 0]);
    let contract = "-- forerun:contract unused-since=1.0.0\nALTER TABLE t DROP COLUMN IF EXISTS b;";
    assert_eq!(live(Postgres, &[T], &[contract]), [""; 0]);
}

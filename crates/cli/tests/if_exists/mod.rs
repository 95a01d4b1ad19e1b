//! `IF EXISTS` and `IF NOT EXISTS` of what is, or is not, in the database.

use forerun_test_support::{MariadbServer, PostgresServer, ScratchProject};

use super::{adopted, expect, found, json, lint};

/// A statement, and what is found of it where it has something to do.
type Line = (&'static str, &'static str);

/// One statement on each line.
fn text(lines: &[Line]) -> String {
    lines.iter().map(|(line, _)| format!("{line}\n")).collect()
}

/// `line rule` of each.
fn rules(lines: &[Line]) -> Vec<String> {
    let numbered = lines.iter().zip(1..);
    numbered
        .map(|((_, rule), line)| format!("{line} {rule}"))
        .collect()
}

fn offline(project: &ScratchProject, dialect: &str) -> Vec<String> {
    let words = ["--format", "json", "migrate", "lint", "--dialect", dialect];
    found(&json(&project.run(&words)))
}

/// With the database nothing is found of `idle`, and the rule of each of `busy`; without it those of both.
#[track_caller]
fn check(url: &str, dialect: &str, idle: &[Line], busy: &[Line]) {
    let project = adopted(url, &text(idle));
    let document = json(&lint(&project));
    assert_eq!(document["schema_from"], "database", "{document:#}");
    assert_eq!(found(&document), [""; 0], "{document:#}");
    let expected = rules(idle);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    expect(&offline(&project, dialect), &expected, &[]);
    // Nothing stops it.
    let _ = project.run(&["migrate", "up"]).expect_code(0);

    project.migration("0003_busy.sql", text(busy));
    let expected = rules(busy);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    expect(&found(&json(&lint(&project))), &expected, &[]);
    expect(&offline(&project, dialect), &expected, &[]);
}

const POSTGRES: &str = "
CREATE SCHEMA tenant;
CREATE TABLE t (id bigint PRIMARY KEY, a int, CONSTRAINT positive CHECK (a > 0));
CREATE INDEX t_a ON t (a);
CREATE INDEX broken ON t (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
CREATE TABLE other (id bigint);
CREATE TABLE tenant.t (id bigint, b int);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE INDEX m_a ON m (a);
CREATE VIEW v AS SELECT a FROM t;
CREATE TYPE mood AS ENUM ('sad');
CREATE TYPE pair AS (a int, b int);
CREATE TYPE span AS RANGE (SUBTYPE = int4);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE numbers;
CREATE SEQUENCE more;
";

#[test]
fn postgres_is_asked_what_is_there() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(POSTGRES);
    check(
        &database.url,
        "postgres",
        &[
            (
                "ALTER TABLE public.t ADD COLUMN IF NOT EXISTS a int DEFAULT random();",
                "pg-add-column-volatile-default",
            ),
            (
                "CREATE INDEX IF NOT EXISTS t_a ON public.t (a);",
                "pg-index-concurrently",
            ),
            (
                "CREATE INDEX IF NOT EXISTS t_pkey ON public.t (a);",
                "pg-index-concurrently",
            ),
            (
                "ALTER TABLE t DROP COLUMN IF EXISTS nosuch;",
                "bc-drop-column",
            ),
            (
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS nosuch;",
                "bc-drop-constraint",
            ),
            ("DROP VIEW IF EXISTS nosuch;", "bc-drop-view"),
            ("DROP TYPE IF EXISTS nosuch;", "bc-drop-type"),
            ("DROP SEQUENCE IF EXISTS nosuch;", "bc-drop-sequence"),
            (
                "ALTER TABLE IF EXISTS nosuch ALTER COLUMN a TYPE bigint;",
                "pg-alter-type",
            ),
            (
                "ALTER TABLE IF EXISTS tenant.nosuch RENAME COLUMN a TO b;",
                "bc-rename-column",
            ),
        ],
        &[
            (
                "ALTER TABLE tenant.t ADD COLUMN IF NOT EXISTS a int DEFAULT random();",
                "pg-add-column-volatile-default",
            ),
            (
                "CREATE INDEX IF NOT EXISTS t_a ON tenant.t (b);",
                "pg-index-concurrently",
            ),
            (
                "CREATE INDEX IF NOT EXISTS broken ON public.t (a);",
                "pg-index-concurrently",
            ),
            ("ALTER TABLE t DROP COLUMN IF EXISTS b;", "bc-drop-column"),
            (
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;",
                "bc-drop-constraint",
            ),
            ("DROP VIEW IF EXISTS v;", "bc-drop-view"),
            ("DROP TYPE IF EXISTS mood;", "bc-drop-type"),
            ("DROP TYPE IF EXISTS pair;", "bc-drop-type"),
            ("DROP TYPE IF EXISTS span;", "bc-drop-type"),
            ("DROP DOMAIN IF EXISTS positive;", "bc-drop-type"),
            ("DROP SEQUENCE IF EXISTS numbers;", "bc-drop-sequence"),
            (
                "ALTER TABLE IF EXISTS t ALTER COLUMN a TYPE bigint;",
                "pg-alter-type",
            ),
            (
                "ALTER TABLE IF EXISTS more RENAME TO digits;",
                "bc-rename-table",
            ),
        ],
    );
}

#[test]
fn indexes_of_postgres_are_there_or_not() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(POSTGRES);
    let project = adopted(
        &database.url,
        "DROP INDEX IF EXISTS nosuch;\nDROP INDEX IF EXISTS t_a;\nCREATE INDEX IF NOT EXISTS t_a ON t (id);\n\
         CREATE INDEX IF NOT EXISTS m_a ON m (a);\nDROP INDEX IF EXISTS broken;\n",
    );
    expect(
        &found(&json(&lint(&project))),
        &["2 pg-drop-index-concurrently", "3 pg-index-concurrently"],
        &["1 pg-drop-index-concurrently", "4 pg-index-concurrently"],
    );
    // What is locked, and whose checks cannot be read, may have one of that name.
    project.migration(
        "0002_pending.sql",
        "ALTER TABLE public.t DROP CONSTRAINT IF EXISTS nosuch;\n\
         ALTER TABLE other DROP CONSTRAINT IF EXISTS nosuch;\n",
    );
    let mut session = database.session();
    let _ = session.run("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE;");
    expect(
        &found(&json(&lint(&project))),
        &["1 bc-drop-constraint"],
        &["2 bc-drop-constraint"],
    );
    let _ = session.run("COMMIT;");
    expect(
        &found(&json(&lint(&project))),
        &[],
        &["1 bc-drop-constraint"],
    );
}

/// What PostgreSQL locks before it looks, it keeps.
#[test]
fn a_statement_of_postgres_that_finds_nothing_locks_its_table() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(POSTGRES);
    let mut session = database.session();
    for (statement, locks) in [
        (
            "ALTER TABLE public.t ADD COLUMN IF NOT EXISTS a int",
            "AccessExclusiveLock",
        ),
        (
            "ALTER TABLE public.t DROP COLUMN IF EXISTS nosuch",
            "AccessExclusiveLock",
        ),
        (
            "ALTER TABLE public.t DROP CONSTRAINT IF EXISTS nosuch",
            "AccessExclusiveLock",
        ),
        (
            "CREATE INDEX IF NOT EXISTS t_a ON public.t (a)",
            "ShareLock",
        ),
        ("ALTER TABLE IF EXISTS nosuch DROP COLUMN a", ""),
        ("DROP INDEX IF EXISTS nosuch", ""),
        (
            "CREATE TABLE IF NOT EXISTS other (a bigint REFERENCES public.t)",
            "",
        ),
    ] {
        let _ = session.run(&format!("BEGIN; {statement};"));
        let held = database.query(
            "SELECT string_agg(mode, ',') FROM pg_locks l WHERE l.relation = 'public.t'::regclass",
        );
        assert_eq!(held, locks, "{statement}");
        let _ = session.run("ROLLBACK;");
    }
    let project = adopted(
        &database.url,
        "ALTER TABLE public.t ADD COLUMN IF NOT EXISTS a int;\nINSERT INTO other SELECT id FROM public.t;\n",
    );
    expect(
        &found(&json(&lint(&project))),
        &["2 pg-hold-access-exclusive"],
        &[],
    );
}

const MARIADB: &str = "
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, a int, b int, d int, e int, UNIQUE KEY by_a (a), CONSTRAINT own FOREIGN KEY (b) REFERENCES p (id),
  CONSTRAINT positive CHECK (a > 0)) ENGINE=InnoDB;
CREATE VIEW v AS SELECT a FROM t;
CREATE SEQUENCE numbers;
";

const MARIADB_IDLE: &[Line] = &[
    (
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int NOT NULL;",
        "bc-required-column",
    ),
    (
        "ALTER TABLE t ADD FULLTEXT INDEX IF NOT EXISTS by_a (a);",
        "my-lock-shared-inplace",
    ),
    (
        "ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS positive CHECK (a > 0);",
        "my-copy",
    ),
    (
        "ALTER TABLE t ADD FOREIGN KEY IF NOT EXISTS own (b) REFERENCES p (id);",
        "my-fk-add",
    ),
    (
        "ALTER TABLE t DROP COLUMN IF EXISTS nosuch;",
        "bc-drop-column",
    ),
    (
        "ALTER TABLE t MODIFY COLUMN IF EXISTS nosuch bigint;",
        "my-copy",
    ),
    (
        "ALTER TABLE t CHANGE COLUMN IF EXISTS nosuch c bigint;",
        "bc-rename-column",
    ),
    (
        "ALTER TABLE t DROP FOREIGN KEY IF EXISTS nosuch;",
        "bc-drop-constraint",
    ),
    (
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS nosuch;",
        "bc-drop-constraint",
    ),
    ("ALTER TABLE IF EXISTS nosuch MODIFY a bigint;", "my-copy"),
    ("RENAME TABLE IF EXISTS nosuch TO c;", "bc-rename-table"),
    ("DROP TABLE IF EXISTS nosuch;", "bc-drop-table"),
    ("DROP VIEW IF EXISTS nosuch;", "bc-drop-view"),
    ("DROP SEQUENCE IF EXISTS nosuch;", "bc-drop-sequence"),
];

#[test]
fn mariadb_is_asked_what_is_there() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(MARIADB);
    check(
        &database.url,
        "mysql",
        MARIADB_IDLE,
        &[
            (
                "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int NOT NULL;",
                "bc-required-column",
            ),
            (
                "ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS small CHECK (a < 10);",
                "my-copy",
            ),
            (
                "ALTER TABLE t DROP FOREIGN KEY IF EXISTS own;",
                "bc-drop-constraint",
            ),
            (
                "ALTER TABLE t DROP CONSTRAINT IF EXISTS positive;",
                "bc-drop-constraint",
            ),
            ("ALTER TABLE t MODIFY COLUMN IF EXISTS b bigint;", "my-copy"),
            (
                "ALTER TABLE t CHANGE COLUMN IF EXISTS e f bigint;",
                "bc-rename-column",
            ),
            ("ALTER TABLE t DROP COLUMN IF EXISTS d;", "bc-drop-column"),
            ("ALTER TABLE IF EXISTS p MODIFY id bigint;", "my-copy"),
            ("DROP VIEW IF EXISTS v;", "bc-drop-view"),
            ("DROP SEQUENCE IF EXISTS numbers;", "bc-drop-sequence"),
            ("RENAME TABLE IF EXISTS t TO c;", "bc-rename-table"),
        ],
    );
}

#[test]
fn indexes_of_mariadb_are_there_or_not() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(MARIADB);
    let project = adopted(
        &database.url,
        "ALTER TABLE t DROP INDEX IF EXISTS nosuch, DROP COLUMN IF EXISTS nosuch, DROP INDEX IF EXISTS by_a;\n\
         ALTER TABLE t ADD UNIQUE INDEX IF NOT EXISTS by_a (a);\n",
    );
    expect(
        &found(&json(&lint(&project))),
        &["1 bc-drop-unique-index", "2 bc-new-restriction"],
        &["1 bc-drop-column"],
    );
}

#[test]
fn who_may_not_see_all_of_mariadb_is_told_more() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(MARIADB);
    let mut project = adopted(&database.url, &text(MARIADB_IDLE));
    let name = &database.name;
    let place = database.url.split_once('@').unwrap().1;
    for (number, (grant, sees_all)) in [
        (format!("ON {name}.*"), true),
        (format!("ON `{}`.*", name.replace('_', "\\_")), true),
        ("ON *.*".to_owned(), true),
        (format!("ON {name}.t"), false),
        ("ON `test\\_%`.*".to_owned(), false),
    ]
    .into_iter()
    .enumerate()
    {
        let user = format!("reader{number}_{name}");
        database.execute(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY 'p'; GRANT SELECT {grant} TO {user}@'%'"
        ));
        for table in ["history", "lock", "journal"] {
            database.execute(&format!(
                "GRANT SELECT ON {name}.forerun_{table} TO {user}@'%'"
            ));
        }
        project.set_env("DATABASE_URL", &format!("mysql://{user}:p@{place}"));
        let document = json(&lint(&project));
        assert_eq!(document["schema_from"], "database", "{grant}");
        let rules = found(&document);
        assert_eq!(rules.is_empty(), sees_all, "{grant}: {rules:#?}");
        database.execute(&format!("DROP USER {user}@'%'"));
    }
}

#[test]
fn sqlite_is_asked_what_is_there() {
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", "sqlite:app.db");
    project.migration(
        "0001_made_elsewhere.sql",
        "CREATE TABLE t (a text); CREATE TABLE u (a text); CREATE UNIQUE INDEX t_a ON t (a); CREATE VIEW v AS SELECT a FROM u; \
         CREATE VIRTUAL TABLE words USING fts5 (word); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;\n",
    );
    let _ = project.run(&["migrate", "up"]).expect_code(0);
    project.migration("0001_made_elsewhere.sql", "SELECT 1;\n");
    let idle: &[Line] = &[
        ("DROP TABLE IF EXISTS nosuch;", "bc-drop-table"),
        ("DROP VIEW IF EXISTS main.nosuch;", "bc-drop-view"),
        ("DROP TRIGGER IF EXISTS nosuch;", "bc-drop-trigger"),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS t_a ON t (a);",
            "bc-new-restriction",
        ),
    ];
    let busy: &[Line] = &[
        ("DROP TABLE IF EXISTS words;", "bc-drop-table"),
        ("DROP INDEX IF EXISTS t_a;", "bc-drop-unique-index"),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS t_a ON u (a);",
            "bc-new-restriction",
        ),
        ("DROP VIEW IF EXISTS v;", "bc-drop-view"),
        ("DROP TRIGGER IF EXISTS g;", "bc-drop-trigger"),
    ];
    project.migration("0002_idle.sql", text(idle));
    let document = json(&lint(&project));
    assert_eq!(document["schema_from"], "database", "{document:#}");
    let of_idle = document["findings"].as_array().unwrap().iter();
    let of_idle: Vec<_> = of_idle
        .filter(|one| one["script"] == "0002_idle.sql")
        .collect();
    assert!(of_idle.is_empty(), "{of_idle:#?}");
    let expected = rules(idle);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    expect(&offline(&project, "sqlite"), &expected, &[]);
    project.migration("0002_idle.sql", text(busy));
    let expected = rules(busy);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    expect(&found(&json(&lint(&project))), &expected, &[]);
}

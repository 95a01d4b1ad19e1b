//! What lint proposes instead is written down as migrations and run by the tool, on real servers, from tables with rows in
//! them and keys of several types: all of it runs, the release that still runs goes on writing until the contract file, and
//! nothing of the column or the table is lost afterwards.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use forerun_sql::Dialect;
use forerun_test_support::{
    MariadbServer, PostgresServer, ScratchProject, SqliteFile, TestDatabase,
};
use serde_json::Value;

/// A database of any kind, empty.
enum Target {
    Server(TestDatabase<'static>),
    File(
        SqliteFile,
        #[expect(dead_code, reason = "it goes with the test")] tempfile::TempDir,
    ),
}

impl Target {
    fn of(dialect: Dialect) -> Option<Self> {
        Some(match dialect {
            Dialect::Postgres => Self::Server(PostgresServer::shared()?.fresh_database()),
            Dialect::Mysql => Self::Server(MariadbServer::shared()?.fresh_database()),
            Dialect::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                Self::File(SqliteFile::at(&directory.path().join("app.db"))?, directory)
            }
        })
    }

    fn url(&self) -> String {
        match self {
            Self::Server(database) => database.url.clone(),
            Self::File(file, _) => file.url(),
        }
    }

    fn try_execute(&self, sql: &str) -> Result<String, String> {
        match self {
            Self::Server(database) => database.try_execute(sql),
            Self::File(file, _) => file.try_execute(sql),
        }
    }
}

/// One migration that a rule finds something in.
struct Case {
    rule: &'static str,
    before: &'static str,
    /// Rows that are there when it comes.
    rows: &'static str,
    found: &'static str,
    /// What the release that runs does all the time; `{n}` is another number each time.
    old: &'static [&'static str],
    /// What the next release does after the contract file.
    new: &'static [&'static str],
    /// What the database must refuse after the contract file.
    refused: &'static [&'static str],
    /// Queries, and what they tell after the contract file.
    told: &'static [(&'static str, &'static str)],
}

struct Run<'a> {
    case: &'a Case,
    target: Target,
    project: ScratchProject,
    number: u32,
    wrong: Vec<String>,
}

impl<'a> Run<'a> {
    fn begin(dialect: Dialect, case: &'a Case) -> Option<Self> {
        let target = Target::of(dialect)?;
        let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
        project.set_env("DATABASE_URL", &target.url());
        project.migration("0001_start.sql", case.before);
        let run = Self {
            case,
            target,
            project,
            number: 100,
            wrong: Vec::new(),
        };
        let up = ["migrate", "up", "--release", "1.0"];
        let _ = run.project.run(&up).expect_code(0);
        let deployed = ["migrate", "deployed", "--release", "1.0"];
        let _ = run.project.run(&deployed).expect_code(0);
        run.target
            .try_execute(case.rows)
            .expect("the rows are good");
        Some(run)
    }

    fn say(&mut self, what: &str) {
        let (rule, found) = (self.case.rule, self.case.found);
        self.wrong.push(format!("{rule}: {found}\n  {what}"));
    }

    /// What the rule proposes, from the files or with a look at the database.
    fn proposal(&mut self, dialect: Option<&str>) -> Vec<String> {
        self.project.migration("0002_found.sql", self.case.found);
        let mut words = vec!["--format", "json", "migrate", "lint"];
        words.extend(
            dialect
                .into_iter()
                .flat_map(|dialect| ["--dialect", dialect]),
        );
        let outcome = self.project.run(&words);
        self.project.remove("migrations/0002_found.sql");
        let document: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
        // That it was asked, and has answered.
        let warnings = document["warnings"].as_array().map_or(0, Vec::len);
        assert!(dialect.is_some() || warnings == 0, "{document:#}");
        let findings = document["findings"].as_array().unwrap();
        let own = findings
            .iter()
            .find(|finding| finding["rule"] == self.case.rule);
        let Some(own) = own else {
            self.say(&format!("is not found: {findings:?}"));
            return Vec::new();
        };
        let files = own["instead"].as_array().cloned().unwrap_or_default();
        let files: Vec<String> = files
            .iter()
            .map(|file| file.as_str().unwrap().replace("<release>", "1.1"))
            .collect();
        if files.is_empty() {
            self.say("has no proposal");
        }
        files
    }

    fn application(&mut self, statements: &[&str], when: &str) {
        for statement in statements {
            self.number += 1;
            let statement = statement.replace("{n}", &self.number.to_string());
            if let Err(error) = self.target.try_execute(&statement) {
                self.say(&format!("{when}: {statement}\n  {error}"));
            }
        }
    }

    /// Runs the files; `false` when one does not.
    fn migrate(&mut self, files: &[String]) -> bool {
        let mut release = "1.1";
        for (place, file) in files.iter().enumerate() {
            if file.contains("-- forerun:contract") && release == "1.1" {
                let deployed = ["migrate", "deployed", "--release", release];
                let _ = self.project.run(&deployed).expect_code(0);
                release = "1.2";
            }
            let name = format!("{:04}_step.sql", place + 10);
            self.project.migration(&name, smaller(file));
            let up = ["--format", "json", "migrate", "up", "--release", release];
            let outcome = self.project.run(&up);
            let applied = outcome.stdout.contains(&format!("\"{:04}\"", place + 10))
                || outcome.stdout.contains(&name);
            if outcome.code() != Some(0) || !applied || outcome.stdout.contains("\"held\"") {
                self.say(&format!("{file}\n  {}\n{}", outcome.stdout, outcome.stderr));
                return false;
            }
            if release == "1.1" {
                self.application(self.case.old, &format!("after {file}"));
            }
        }
        true
    }

    /// No rule has an error to say of what was proposed.
    fn lint(&mut self, word: &str) {
        let words = ["--format", "json", "migrate", "lint", "--dialect", word];
        let outcome = self.project.run(&words);
        let document: Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
        for finding in document["findings"].as_array().unwrap() {
            if finding["severity"] == "error" && finding["script"] != "0001_start.sql" {
                self.say(&format!("lint: {finding:#}"));
            }
        }
    }

    fn judge(mut self) -> Vec<String> {
        self.application(self.case.new, "the new release");
        for statement in self.case.refused {
            if self.target.try_execute(statement).is_ok() {
                self.say(&format!("is accepted: {statement}"));
            }
        }
        for (query, expected) in self.case.told {
            match self.target.try_execute(query) {
                Ok(told) if told == *expected => {}
                told => self.say(&format!("{query}\n  {told:?}, not {expected:?}")),
            }
        }
        self.wrong
    }
}

/// A batch that finds its rows finds ten of them, and is there four times: twice as often as there is something to do.
fn smaller(file: &str) -> String {
    let Some((head, statement)) = file.split_once("\nUPDATE ") else {
        return file.to_owned();
    };
    match statement.contains("LIMIT 10000") && file.contains("forerun:data") {
        true => {
            let statement = format!("\nUPDATE {}", statement.replace("LIMIT 10000", "LIMIT 10"));
            format!("{head}{}", statement.repeat(4))
        }
        false => file.to_owned(),
    }
}

fn all(dialect: Dialect, word: &str, cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        for words in [None, Some(word)] {
            let Some(mut run) = Run::begin(dialect, case) else {
                return;
            };
            let files = run.proposal(words);
            run.application(case.old, "before");
            match run.migrate(&files) {
                true => {
                    run.lint(word);
                    wrong.extend(run.judge());
                }
                false => wrong.extend(run.wrong),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const NOTHING: Case = Case {
    rule: "",
    before: "",
    rows: "",
    found: "",
    old: &[],
    new: &[],
    refused: &[],
    told: &[],
};

#[test]
fn postgres() {
    all(Dialect::Postgres, "postgres", POSTGRES);
}

#[test]
fn mariadb() {
    all(Dialect::Mysql, "mariadb", MARIADB);
}

#[test]
fn sqlite() {
    all(Dialect::Sqlite, "sqlite", SQLITE);
}

const POSTGRES: &[Case] = &[
    // An integer, a uuid, a text, two columns, none.
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, qty int NOT NULL DEFAULT 3, code varchar(9) NOT NULL UNIQUE CHECK (code <> ''));
                 CREATE INDEX t_qty ON t (qty DESC, code) WHERE qty > 1;",
        rows: "INSERT INTO t (qty, code) SELECT g, 'c' || g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t RENAME COLUMN qty TO amount;",
        old: &["INSERT INTO t (code) VALUES ('n{n}')", "INSERT INTO t (code, qty) VALUES ('m{n}', {n})", "UPDATE t SET qty = {n} WHERE id = 7"],
        new: &["INSERT INTO t (code) VALUES ('z')", "INSERT INTO t (code, amount) VALUES ('y', 5)"],
        refused: &["INSERT INTO t (code, amount) VALUES ('x', NULL)", "SELECT qty FROM t"],
        told: &[
            ("SELECT amount FROM t WHERE code IN ('z', 'c1', 'c20') ORDER BY id", "1\n20\n3"),
            ("SELECT count(*) FROM t WHERE amount IS NULL OR code LIKE 'm%' AND amount <> substr(code, 2)::int", "0"),
            ("SELECT pg_get_indexdef('t_qty'::regclass)", "CREATE INDEX t_qty ON public.t USING btree (amount DESC, code) WHERE (amount > 1)"),
            ("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass", "3"),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (cid uuid PRIMARY KEY, code varchar(9) COLLATE \"C\" NOT NULL UNIQUE, qty int);",
        rows: "INSERT INTO t SELECT gen_random_uuid(), 'c' || g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t RENAME COLUMN code TO codename;",
        old: &["INSERT INTO t VALUES (gen_random_uuid(), 'n{n}')", "INSERT INTO t VALUES (gen_random_uuid(), 'c1') ON CONFLICT (code) DO UPDATE SET qty = 1"],
        new: &["INSERT INTO t (cid, codename) VALUES (gen_random_uuid(), 'c1') ON CONFLICT (codename) DO NOTHING"],
        refused: &["INSERT INTO t (cid, codename) VALUES (gen_random_uuid(), 'c1')", "INSERT INTO t (cid) VALUES (gen_random_uuid())"],
        told: &[("SELECT count(*) FROM t WHERE codename LIKE 'c%'", "20")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a text, b int, qty int, PRIMARY KEY (a, b)); CREATE TABLE u (a text, b int, FOREIGN KEY (a, b) REFERENCES t);",
        rows: "INSERT INTO t SELECT 'a' || g, g, nullif(g, 5) FROM generate_series(1, 20) g; INSERT INTO u VALUES ('a1', 1);",
        found: "ALTER TABLE t RENAME COLUMN b TO part;",
        old: &["INSERT INTO t (a, b) VALUES ('n', {n})"],
        new: &["INSERT INTO t (a, part) VALUES ('n', 1)"],
        refused: &["INSERT INTO t (a, part) VALUES ('n', 1)", "INSERT INTO u VALUES ('x', 1)"],
        told: &[("SELECT count(*) FROM t WHERE part IS NULL", "0")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE SCHEMA app; CREATE TABLE app.t (a text, \"Qty\" int);",
        rows: "INSERT INTO app.t SELECT 'a' || g, nullif(g, 5) FROM generate_series(1, 20) g;",
        found: "ALTER TABLE app.t RENAME COLUMN \"Qty\" TO amount;",
        old: &["INSERT INTO app.t (a, \"Qty\") VALUES ('n', {n}), ('m', NULL)"],
        told: &[("SELECT sum(amount) FROM app.t WHERE a LIKE 'a%'", "205")],
        ..NOTHING
    },
    Case {
        rule: "pg-alter-type",
        before: "CREATE TABLE t (id serial PRIMARY KEY, qty int NOT NULL DEFAULT 3 UNIQUE, note text);
                 CREATE INDEX t_qty ON t (note, qty DESC) INCLUDE (id);",
        rows: "INSERT INTO t (qty) SELECT g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ALTER COLUMN qty TYPE bigint;",
        old: &["INSERT INTO t (qty) VALUES ({n})", "UPDATE t SET qty = {n} WHERE id = 3"],
        new: &["INSERT INTO t (note) VALUES ('z')"],
        refused: &["INSERT INTO t (qty_new) VALUES (20)", "INSERT INTO t (qty_new) VALUES (NULL)"],
        told: &[
            ("SELECT qty_new FROM t WHERE note = 'z'", "3"),
            ("SELECT qty_new FROM t WHERE id = 20", "20"),
            ("SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND conname = 't_qty_key'", "1"),
            ("SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'", "0"),
            ("SELECT pg_get_indexdef('t_qty_new'::regclass)", "CREATE INDEX t_qty_new ON public.t USING btree (note, qty_new DESC) INCLUDE (id)"),
        ],
    },
    Case {
        rule: "pg-alter-type",
        before: "CREATE TABLE t (id serial PRIMARY KEY, qty text NOT NULL DEFAULT '3');",
        rows: "INSERT INTO t (qty) SELECT g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ALTER COLUMN id TYPE bigint;",
        old: &["INSERT INTO t (qty) VALUES ('n')"],
        new: &["INSERT INTO t (qty) VALUES ('z')"],
        refused: &["INSERT INTO t (id_new) VALUES (20)", "INSERT INTO t (id_new) VALUES (NULL)"],
        told: &[
            ("SELECT id_new > 20 FROM t WHERE qty = 'z'", "t"),
            ("SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass", "t_pkey"),
        ],
    },
    Case {
        rule: "pg-alter-type",
        before: "CREATE TABLE t (cid text PRIMARY KEY, qty text DEFAULT '3');",
        rows: "INSERT INTO t SELECT g, nullif(g, 7) FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ALTER COLUMN qty TYPE int USING qty::int;",
        old: &["INSERT INTO t VALUES ('n{n}', '4')", "INSERT INTO t (cid) VALUES ('m{n}')"],
        new: &["INSERT INTO t (cid) VALUES ('z')"],
        told: &[("SELECT qty_new FROM t WHERE cid = 'z'", "3"), ("SELECT sum(qty_new) FROM t WHERE cid ~ '^[0-9]'", "203")],
        ..NOTHING
    },
    Case {
        rule: "pg-add-column-volatile-default",
        before: "CREATE TABLE t (cid uuid PRIMARY KEY, a int);",
        rows: "INSERT INTO t SELECT gen_random_uuid(), g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        old: &["INSERT INTO t VALUES (gen_random_uuid(), {n})"],
        told: &[("SELECT count(*) FROM t WHERE token IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "pg-add-column-serial",
        before: "CREATE TABLE t (a int);",
        rows: "INSERT INTO t SELECT g FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ADD COLUMN id bigserial PRIMARY KEY;",
        old: &["INSERT INTO t VALUES ({n})"],
        refused: &["INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (1, NULL)"],
        told: &[
            ("SELECT count(*) FROM t WHERE id IS NULL", "0"),
            ("SELECT contype FROM pg_constraint WHERE conrelid = 't'::regclass", "p"),
        ],
        ..NOTHING
    },
    Case {
        rule: "pg-add-column-generated-stored",
        before: "CREATE TABLE t (a int, b int);",
        rows: "INSERT INTO t SELECT g, nullif(g, 3) FROM generate_series(1, 20) g;",
        found: "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a + b) STORED;",
        old: &["INSERT INTO t VALUES ({n}, 1)"],
        told: &[("SELECT count(*) FROM t WHERE c IS DISTINCT FROM a + b", "0")],
        ..NOTHING
    },
    Case {
        rule: "pg-mass-dml",
        before: "CREATE TABLE t (a text PRIMARY KEY, note text);",
        rows: "INSERT INTO t SELECT g FROM generate_series(1, 20) g;",
        found: "UPDATE t SET note = upper(a);",
        old: &["INSERT INTO t VALUES ('n{n}')"],
        told: &[("SELECT count(*) FROM t WHERE note IS DISTINCT FROM upper(a) AND a !~ 'n'", "0")],
        ..NOTHING
    },
    Case {
        rule: "pg-mass-dml",
        before: "CREATE TABLE t (a text, note text);",
        rows: "INSERT INTO t SELECT g FROM generate_series(1, 20) g;",
        found: "UPDATE t SET note = '' WHERE a <> '5';",
        old: &["INSERT INTO t VALUES ('n{n}')"],
        told: &[("SELECT count(*) FROM t WHERE note IS NULL AND a !~ 'n'", "1")],
        ..NOTHING
    },
    Case {
        rule: "bc-rename-enum-value",
        before: "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (a text, mood mood);",
        rows: "INSERT INTO t SELECT g, 'bad' FROM generate_series(1, 20) g;",
        found: "ALTER TYPE mood RENAME VALUE 'bad' TO 'poor';",
        old: &["INSERT INTO t VALUES ('n{n}', 'good')"],
        told: &[("SELECT count(*) FROM t WHERE mood = 'bad'", "0")],
        ..NOTHING
    },
];

const MARIADB: &[Case] = &[
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, qty int NOT NULL DEFAULT 3, code varchar(9) NOT NULL UNIQUE, KEY q (qty, code(3)));",
        rows: "INSERT INTO t (qty, code) SELECT seq, concat('c', seq) FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN qty TO amount;",
        old: &[
            "INSERT INTO t (code) VALUES ('n{n}')",
            "INSERT INTO t (code, qty) VALUES ('m{n}', {n})",
            "UPDATE t SET qty = {n} WHERE id = 7",
        ],
        new: &["INSERT INTO t (code) VALUES ('z')"],
        refused: &[
            "INSERT INTO t (code, amount) VALUES ('x', NULL)",
            "SELECT qty FROM t",
        ],
        told: &[
            (
                "SELECT amount FROM t WHERE code IN ('z', 'c1', 'c20') ORDER BY id",
                "1\n20\n3",
            ),
            (
                "SELECT count(*) FROM t WHERE code LIKE 'm%' AND amount <> substr(code, 2)",
                "0",
            ),
            (
                "SELECT group_concat(concat(column_name, ifnull(sub_part, '')) ORDER BY seq_in_index) FROM information_schema.statistics WHERE table_schema = database() AND table_name = 't' AND index_name NOT IN ('PRIMARY', 'code') GROUP BY index_name",
                "amount,code3",
            ),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (cid char(36) PRIMARY KEY, code varchar(9) CHARACTER SET latin1 NOT NULL, qty int, UNIQUE KEY u (code, qty));",
        rows: "INSERT INTO t SELECT uuid(), concat('c', seq), 1 FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN code TO codename;",
        old: &[
            "INSERT INTO t (cid, code, qty) VALUES (uuid(), 'n{n}', 1)",
            "INSERT INTO t (cid, code) VALUES (uuid(), 'm{n}')",
        ],
        new: &["INSERT INTO t (cid, codename, qty) VALUES (uuid(), 'c2', 7)"],
        refused: &[
            "INSERT INTO t (cid, codename, qty) VALUES (uuid(), 'c1', 1)",
            "INSERT INTO t (cid) VALUES (uuid())",
        ],
        told: &[
            (
                "SELECT count(*) FROM t WHERE codename LIKE 'c%' AND qty = 1",
                "20",
            ),
            (
                "SELECT character_set_name FROM information_schema.columns WHERE table_schema = database() AND column_name = 'codename'",
                "latin1",
            ),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (cid char(36) PRIMARY KEY, qty int);",
        rows: "INSERT INTO t SELECT seq, nullif(seq, 5) FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN cid TO uid;",
        old: &["INSERT INTO t (cid) VALUES ('n{n}')"],
        new: &["INSERT INTO t (uid) VALUES ('z')"],
        refused: &[
            "INSERT INTO t (uid) VALUES ('z')",
            "INSERT INTO t (qty) VALUES (1)",
        ],
        told: &[("SELECT count(*) FROM t WHERE uid BETWEEN 1 AND 20", "20")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a varchar(9), qty int);",
        rows: "INSERT INTO t SELECT seq, nullif(seq, 5) FROM seq_1_to_20;",
        found: "ALTER TABLE t RENAME COLUMN qty TO amount;",
        old: &["INSERT INTO t (a, qty) VALUES ('n', {n})"],
        told: &[("SELECT sum(amount) FROM t WHERE a <> 'n'", "205")],
        ..NOTHING
    },
    Case {
        rule: "my-copy",
        before: "CREATE TABLE t (cid char(36) PRIMARY KEY, qty int NOT NULL DEFAULT 3, KEY (qty));",
        rows: "INSERT INTO t SELECT seq, seq FROM seq_1_to_20;",
        found: "ALTER TABLE t MODIFY qty bigint NOT NULL DEFAULT 3;",
        old: &[
            "INSERT INTO t (cid, qty) VALUES ('n{n}', {n})",
            "INSERT INTO t (cid) VALUES ('m{n}')",
        ],
        new: &["INSERT INTO t (cid) VALUES ('z')"],
        refused: &["INSERT INTO t (cid, qty_new) VALUES ('y', NULL)"],
        told: &[
            (
                "SELECT qty_new FROM t WHERE cid IN ('z', '20') ORDER BY cid",
                "20\n3",
            ),
            (
                "SELECT count(*) FROM t WHERE cid LIKE 'n%' AND qty_new <> substr(cid, 2)",
                "0",
            ),
            (
                "SELECT count(*) FROM information_schema.statistics WHERE table_schema = database() AND column_name = 'qty_new'",
                "1",
            ),
        ],
    },
    Case {
        rule: "my-copy",
        before: "CREATE TABLE t (a varchar(9));",
        rows: "INSERT INTO t SELECT seq FROM seq_1_to_20;",
        found: "ALTER TABLE t ADD COLUMN token char(36) DEFAULT (uuid());",
        old: &["INSERT INTO t (a) VALUES ('n')"],
        told: &[("SELECT count(*) FROM t WHERE token IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "my-mass-dml",
        before: "CREATE TABLE t (a varchar(9) PRIMARY KEY, note varchar(9));",
        rows: "INSERT INTO t (a) SELECT seq FROM seq_1_to_20;",
        found: "UPDATE t SET note = '';",
        old: &["INSERT INTO t (a) VALUES ('n{n}')"],
        told: &[(
            "SELECT count(*) FROM t WHERE note IS NULL AND a NOT LIKE 'n%'",
            "0",
        )],
        ..NOTHING
    },
];

const ROWS: &str = "WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 20) INSERT INTO t (a, b) SELECT g, nullif(g, 5) FROM s;";

const SQLITE: &[Case] = &[
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL UNIQUE CHECK (a <> ''), b int NOT NULL DEFAULT 3);
                 CREATE INDEX t_b ON t (b DESC) WHERE b > 1;",
        rows: "INSERT INTO t (a, b) VALUES ('1', 1), ('2', 2);",
        found: "ALTER TABLE t RENAME COLUMN b TO amount;",
        old: &["INSERT INTO t (a) VALUES ('n{n}')", "INSERT INTO t (a, b) VALUES ('m{n}', {n}) ON CONFLICT (a) DO NOTHING", "UPDATE t SET b = {n} WHERE a = '2'"],
        new: &["INSERT INTO t (a) VALUES ('z')"],
        refused: &["INSERT INTO t (a, amount) VALUES ('x', NULL)", "SELECT b FROM t"],
        told: &[
            ("SELECT amount FROM t WHERE a IN ('z', '1') ORDER BY id", "1\n3"),
            ("SELECT count(*) FROM t WHERE a LIKE 'm%' AND amount <> CAST(substr(a, 2) AS int)", "0"),
            ("SELECT sql FROM sqlite_schema WHERE tbl_name = 't' AND type = 'index' AND sql IS NOT NULL", "CREATE INDEX t_b ON t (amount DESC) WHERE amount > 1"),
        ],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int) WITHOUT ROWID;",
        rows: ROWS,
        found: "ALTER TABLE t RENAME COLUMN b TO c;",
        old: &["INSERT INTO t (a, b) VALUES ('n{n}', {n})", "UPDATE t SET b = {n} WHERE a = '2'"],
        new: &["INSERT INTO t (a, c) VALUES ('z', 1)"],
        refused: &["INSERT INTO t (a) VALUES ('z')"],
        told: &[("SELECT sum(c) FROM t WHERE a <> '2' AND a < 'a'", "203"), ("SELECT count(*) FROM t WHERE a LIKE 'n%' AND c <> CAST(substr(a, 2) AS int)", "0")],
    },
    Case {
        rule: "bc-rename-column",
        before: "CREATE TABLE t (a text NOT NULL DEFAULT 'x' UNIQUE, b int, rowid text);",
        rows: ROWS,
        found: "ALTER TABLE t RENAME COLUMN a TO c;",
        old: &["INSERT INTO t (a) VALUES ('n{n}')", "UPDATE t SET a = a || 'x' WHERE b = 2"],
        refused: &["INSERT INTO t (c) VALUES ('1')", "INSERT INTO t (c) VALUES (NULL)"],
        told: &[("SELECT count(*) FROM t WHERE c IS NOT NULL AND b > 0", "19")],
        ..NOTHING
    },
    Case {
        rule: "lt-nonconstant-default",
        before: "CREATE TABLE t (a text, b int, PRIMARY KEY (a, b)) WITHOUT ROWID;",
        rows: "INSERT INTO t VALUES ('a', 1), ('a', 2);",
        found: "ALTER TABLE t ADD COLUMN c text DEFAULT CURRENT_TIMESTAMP;",
        old: &["INSERT INTO t (a, b) VALUES ('n', {n})"],
        told: &[("SELECT count(*) FROM t WHERE c IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "lt-nonconstant-default",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int);",
        rows: ROWS,
        found: "ALTER TABLE t ADD COLUMN c text DEFAULT CURRENT_TIMESTAMP;",
        old: &["INSERT INTO t (a, b) VALUES ('n{n}', {n})"],
        told: &[("SELECT count(*) FROM t WHERE c IS NULL", "0")],
        ..NOTHING
    },
    Case {
        rule: "lt-long-write",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int) WITHOUT ROWID;",
        rows: ROWS,
        found: "UPDATE t SET b = 7;",
        told: &[("SELECT count(*) FROM t WHERE b = 7", "20")],
        ..NOTHING
    },
    Case {
        rule: "lt-long-write",
        before: "CREATE TABLE t (a text PRIMARY KEY, b int);",
        rows: ROWS,
        found: "UPDATE t SET b = b + 100;",
        told: &[("SELECT sum(b) FROM t", "2105")],
        ..NOTHING
    },
    Case {
        rule: "bc-rename-table",
        before: "CREATE TABLE t (a text PRIMARY KEY, b text DEFAULT 'x', total int NOT NULL DEFAULT 3);",
        rows: ROWS,
        found: "ALTER TABLE t RENAME TO s;",
        old: &["INSERT INTO t (a) VALUES ('n{n}')", "INSERT INTO t (a, total) VALUES ('m{n}', 1) ON CONFLICT (a) DO UPDATE SET total = 2"],
        new: &["INSERT INTO s (a) VALUES ('z') ON CONFLICT (a) DO NOTHING"],
        refused: &["SELECT * FROM t", "INSERT INTO s (a) VALUES ('1')"],
        told: &[("SELECT b, total FROM s WHERE a = 'z'", "x|3"), ("SELECT count(*) FROM s WHERE a NOT LIKE 'n%' AND a NOT LIKE 'm%'", "21")],
    },
];

/// While both names are there, what is written through the view of SQLite has the defaults of the table.
#[test]
fn the_next_release_writes_through_the_view_of_sqlite() {
    let case = SQLITE.iter().find(|case| case.rule == "bc-rename-table");
    let case = case.expect("it is there");
    let Some(mut run) = Run::begin(Dialect::Sqlite, case) else {
        return;
    };
    let files = run.proposal(None);
    assert!(run.migrate(&files[..1]), "{:?}", run.wrong);
    for statement in [
        "INSERT INTO s (a) VALUES ('b')",
        "INSERT INTO s (a, total) VALUES ('c', 1)",
        "UPDATE s SET total = 9 WHERE a = '2'",
        "DELETE FROM s WHERE a = '3'",
    ] {
        run.target.try_execute(statement).expect(statement);
    }
    let told = run
        .target
        .try_execute("SELECT * FROM t WHERE a IN ('b', 'c', '2', '3') ORDER BY a");
    assert_eq!(told.as_deref(), Ok("2|2|9\nb|x|3\nc|x|1"));
}

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

mod mariadb;
mod postgres;
mod sqlite;

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
fn on_postgres() {
    all(Dialect::Postgres, "postgres", postgres::CASES);
}

#[test]
fn on_mariadb() {
    all(Dialect::Mysql, "mariadb", mariadb::CASES);
}

#[test]
fn on_sqlite() {
    all(Dialect::Sqlite, "sqlite", sqlite::CASES);
}

/// While both names are there, what is written through the view of SQLite has the defaults of the table.
#[test]
fn the_next_release_writes_through_the_view_of_sqlite() {
    let case = sqlite::CASES
        .iter()
        .find(|case| case.rule == "bc-rename-table");
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

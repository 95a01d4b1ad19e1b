//! `plan --trace`: what people see of it, and that it touches nothing but the scratch database.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::time::Duration;

use forerun_test_support::{
    CommandOutcome, MariadbServer, PostgresServer, ScratchProject, TestDatabase,
};
use serde_json::Value;

const TABLES: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, name varchar(50));
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, total numeric(10, 2));";

fn project(pending: &[(&str, &str)]) -> ScratchProject {
    let project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.migration("0001_tables.sql", TABLES);
    for (name, sql) in pending {
        project.migration(name, sql);
    }
    project
}

fn trace(
    project: &ScratchProject,
    target: Option<&str>,
    scratch: &str,
    format: &str,
) -> CommandOutcome {
    let command = project.command(&["migrate", "plan", "--trace", "--dev-url", scratch]);
    let command = command.argument("--format").argument(format);
    match target {
        Some(target) => command.argument("--url").argument(target).run(),
        None => command.run(),
    }
}

/// The target has the first migration, with a row in it.
fn migrated(project: &ScratchProject, target: &TestDatabase<'_>) -> String {
    let _ = project
        .command(&["migrate", "up", "--url", &target.url])
        .run()
        .expect_code(0);
    target.execute("INSERT INTO customers VALUES (1, 'Ada')");
    target.dump(&[])
}

const PENDING: [(&str, &str); 2] = [
    (
        "0002_paid.sql",
        "ALTER TABLE orders ADD COLUMN paid boolean;\n\
         CREATE INDEX orders_customer ON orders (customer_id);\n\
         ALTER TABLE orders ALTER COLUMN total TYPE double precision;",
    ),
    (
        "0003_index.sql",
        "CREATE INDEX CONCURRENTLY orders_total ON orders (total);\n",
    ),
];

#[test]
fn people_see_what_the_server_did_and_the_target_is_as_before() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let (target, scratch) = (server.fresh_database(), server.fresh_database());
    let before = migrated(&project(&[]), &target);
    let project = project(&PENDING);
    let outcome = trace(&project, Some(&target.url), &scratch.url, "text").expect_code(0);
    let start = outcome.stdout.find("What the server did:").unwrap();
    let shown = outcome.stdout[start..].replace(&version(&outcome.stdout), "<version>");
    insta::assert_snapshot!(shown);
    assert_eq!(target.dump(&[]), before);
    assert_eq!(scratch.dump(&[]), server.fresh_database().dump(&[]));
}

/// `15.18 (Debian …)`
fn version(text: &str) -> String {
    let start = text.find("What the server did: PostgreSQL ").unwrap();
    let rest = &text[start + "What the server did: PostgreSQL ".len()..];
    rest[..rest.find(", after").unwrap()].to_owned()
}

#[test]
fn programs_read_effects() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let (target, scratch) = (server.fresh_database(), server.fresh_database());
    migrated(&project(&[]), &target);
    let project = project(&PENDING);
    let outcome = trace(&project, Some(&target.url), &scratch.url, "json").expect_code(0);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let trace = &document["trace"];
    assert_eq!(trace["earlier"], 1);
    let statements = &trace["migrations"][0]["statements"];
    assert_eq!(
        statements[2]["effects"],
        serde_json::json!([{
            "table": { "kind": "table", "schema": null, "name": "orders" },
            "lock": "ACCESS EXCLUSIVE", "blocks": "everybody", "work": "rewrite",
        }])
    );
    // The first statement has the lock already.
    assert_eq!(statements[0]["source"], "observed");
    assert_eq!(statements[2]["source"], "documented");
    assert_eq!(statements[2]["line"], 3);
    assert_eq!(
        trace["migrations"][1]["statements"][0]["source"],
        "documented"
    );
}

#[test]
fn without_a_target_everything_is_traced() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let scratch = server.fresh_database();
    let project = project(&PENDING);
    let outcome = trace(&project, None, &scratch.url, "json").expect_code(0);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(document["target"], Value::Null);
    assert_eq!(document["trace"]["earlier"], 0);
    assert_eq!(document["trace"]["migrations"].as_array().unwrap().len(), 3);
}

#[test]
fn a_scratch_database_that_is_missing_or_in_use_is_refused() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let (target, other) = (server.fresh_database(), server.fresh_database());
    let project = project(&PENDING);
    let _ = project
        .run(&["migrate", "plan", "--trace", "--url", &target.url])
        .expect_code(2)
        .expect_text("--dev-url");
    other.execute("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    let _ = trace(&project, Some(&target.url), &other.url, "text")
        .expect_code(2)
        .expect_text("is not empty: it has function public.mine()");
    assert_eq!(other.query("SELECT mine()").trim(), "1");
    // The same one, reached in another way.
    let _ = trace(&project, Some(&target.url), &target.socket_url, "text")
        .expect_code(2)
        .expect_text("is the target itself");
    let _ = trace(&project, Some(&target.url), "sqlite:scratch.db", "text")
        .expect_code(2)
        .expect_text("of the same kind");
}

#[test]
fn a_statement_that_fails_is_shown_and_the_scratch_database_is_empty_again() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let scratch = server.fresh_database();
    let project = project(&[(
        "0002_paid.sql",
        "ALTER TABLE orders ADD COLUMN paid boolean;\nALTER TABLE orders ADD COLUMN paid boolean;\n",
    )]);
    for _ in 0..2 {
        let _ = trace(&project, None, &scratch.url, "text")
            .expect_code(3)
            .expect_text("0002_paid.sql:2:")
            .expect_text("the scratch database is empty again");
    }
}

#[test]
fn mariadb_shows_the_algorithm_and_never_reaches_the_target() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let (target, scratch) = (server.fresh_database(), server.fresh_database());
    let before = migrated(&project(&[]), &target);
    let name = &target.name;
    let project = project(&[(
        "0002_total.sql",
        &format!(
            "ALTER TABLE orders MODIFY total double;\nDELETE FROM {name}.customers;\n\
             UPDATE orders o JOIN `{name}`.customers c ON c.id = o.id SET c.name = 'x';\n"
        ),
    )]);
    let outcome = trace(&project, Some(&target.url), &scratch.url, "text").expect_code(0);
    let outcome = outcome
        .expect_text("LOCK=SHARED on orders, table rewritten (writers wait)")
        .expect_text("ALGORITHM=COPY, LOCK=SHARED")
        .expect_text("not run here: it is about another database");
    assert!(
        outcome.stdout.contains("1 statement makes others wait"),
        "{outcome:?}"
    );
    let without_times = |dump: String| -> String {
        let lines = dump
            .lines()
            .filter(|line| !line.starts_with("-- Dump completed"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_times(target.dump(&[])), without_times(before));
    assert_eq!(scratch.query("SHOW TABLES").trim(), "");
}

#[test]
fn sqlite_finds_what_does_not_run() {
    let project = project(&[(
        "0002_paid.sql",
        "ALTER TABLE orders ADD COLUMN paid integer;\n",
    )]);
    let outcome = trace(&project, None, "sqlite:scratch.db", "text").expect_code(0);
    assert!(
        outcome
            .stdout
            .ends_with("The scratch database is empty again.\n"),
        "{outcome:?}"
    );
    assert!(!project.path().join("scratch.db").exists());
    project.migration("0003_x.sql", "ALTER TABLE orders DROP COLUMN nothing;\n");
    let _ = trace(&project, None, "sqlite:scratch.db", "text")
        .expect_code(3)
        .expect_text("0003_x.sql:1:");
    assert!(!project.path().join("scratch.db").exists());
}

#[test]
fn a_trace_that_is_interrupted_leaves_the_scratch_database_empty() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let scratch = server.fresh_database();
    let project = project(&[(
        "0002_slow.sql",
        "SELECT pg_sleep(100);\nSELECT pg_sleep(100);\n",
    )]);
    let words = [
        "--format",
        "text",
        "migrate",
        "plan",
        "--trace",
        "--dev-url",
        &scratch.url,
    ];
    let running = project.spawn(&words);
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(100)%' AND pid <> pg_backend_pid()";
    scratch.wait_until(sleeps, "1", Duration::from_secs(20));
    running.interrupt();
    let outcome = running
        .wait()
        .expect_code(130)
        .expect_text("interrupted by SIGINT")
        .expect_text("Nothing ran anywhere else; the scratch database is empty again.");
    // What is true of `up`.
    for other in ["rolled back", "No migration was finished"] {
        assert!(!outcome.stderr.contains(other), "{outcome:?}");
    }
    assert_eq!(scratch.dump(&[]), server.fresh_database().dump(&[]));
}

#[test]
fn lint_tells_what_only_the_server_knows() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let scratch = server.fresh_database();
    let project = project(&[
        (
            "0002_hidden.sql",
            "DO $$ BEGIN EXECUTE 'CREATE INDEX orders_customer ON orders (customer_id)'; END $$;\n",
        ),
        (
            "0003_known.sql",
            "CREATE INDEX orders_total ON orders (total);\n",
        ),
        (
            "0004_meant.sql",
            "-- forerun:allow x-observed-lock \"forty rows\"\n\
             DO $$ BEGIN EXECUTE 'CREATE INDEX orders_both ON orders (customer_id, total)'; END $$;\n",
        ),
    ]);
    let lint = |more: &[&str]| {
        let words = [
            "migrate",
            "lint",
            "--dialect",
            "postgres",
            "--format",
            "json",
        ];
        let outcome = project.run(&[&words, more].concat()).expect_code(5);
        let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let findings = document["findings"].as_array().unwrap().clone();
        let about_locks = findings.into_iter().filter(|one| one["kind"] == "lock");
        let told = about_locks.map(|one| {
            let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            (word("script"), word("rule"), word("allowed"))
        });
        told.collect::<Vec<_>>()
    };
    let finding = |script: &str, rule: &str, allowed: &str| {
        (script.to_owned(), rule.to_owned(), allowed.to_owned())
    };
    let known = finding("0003_known.sql", "pg-index-concurrently", "");
    assert_eq!(lint(&[]), std::slice::from_ref(&known));
    assert_eq!(
        lint(&["--dev-url", &scratch.url]),
        [
            finding("0002_hidden.sql", "x-observed-lock", ""),
            known,
            finding("0004_meant.sql", "x-observed-lock", "forty rows"),
        ]
    );
    assert_eq!(scratch.dump(&[]), server.fresh_database().dump(&[]));
}

//! Migrations that cannot run in one transaction: what is done is done once, what failed can be mended, and what
//! nobody can know is asked.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{document, text, up};
use forerun_test_support::ScratchProject;
use story::{Gate, Target, empty_project_for};

/// Five statements; the third one is for the tests to get wrong.
fn five(third: &str) -> String {
    format!(
        "CREATE TABLE a (id integer PRIMARY KEY);\n\
         INSERT INTO a VALUES (1);\n\
         {third};\n\
         INSERT INTO a VALUES (4);\n\
         CREATE TABLE b (id integer);\n"
    )
}

#[test]
fn mariadb_goes_on_after_the_statement_that_failed() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_five.sql",
        five("INSERT INTO a VALUES (3), ('three', 3)"),
    );
    let _ = up(&project, 3)
        .expect_text("statement 3")
        .expect_text("migrations/0001_five.sql:3:1")
        .expect_text("Statements 1 to 2 are done and recorded")
        .expect_text("goes on with statement 3");
    assert_eq!(target.query("SELECT id FROM a"), "1");
    let status = document(
        &project
            .run(&["--format", "json", "migrate", "status"])
            .expect_code(0),
    );
    assert_eq!(status["unfinished"][0]["statements_done"], 2);
    let _ = text(&project, &["status"], 0)
        .expect_text("unfinished:")
        .expect_text("2 statements done");
    let _ = text(&project, &["plan"], 0).expect_text("goes on after statement 2");
    // Nothing is run twice however often it fails.
    for _ in 0..2 {
        let _ = up(&project, 3).expect_text("statement 3");
    }
    project.migration("0001_five.sql", five("INSERT INTO a VALUES (3)"));
    let _ = up(&project, 0).expect_text("goes on after statement 2");
    assert_eq!(target.query("SELECT id FROM a ORDER BY id"), "1\n3\n4");
    assert_eq!(target.number("SELECT count(*) FROM b"), 0);
    assert_eq!(target.applied(), [1]);
    target.assert_left_clean();
    let _ = text(&project, &["status", "--exit-code"], 0);
    let statements = target.number("SELECT statements FROM forerun_history");
    assert_eq!(statements, 5);
}

#[test]
fn what_is_done_must_stay_as_it_is() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    let wrong = five("INSERT INTO nowhere VALUES (3)");
    project.migration("0001_five.sql", &wrong);
    let _ = up(&project, 3);
    // A comment is not a change.
    project.migration("0001_five.sql", format!("-- five statements\n{wrong}"));
    let _ = up(&project, 3).expect_text("statement 3");
    let right = five("INSERT INTO a VALUES (3)");
    for changed in [
        right.replace("VALUES (1)", "VALUES (11)"),
        right.replacen("INSERT INTO a VALUES (1);\n", "", 1),
        format!("CREATE TABLE zero (id integer);\n{right}"),
        "CREATE TABLE a (id integer PRIMARY KEY);\n".to_owned(),
    ] {
        project.migration("0001_five.sql", &changed);
        let _ = up(&project, 4)
            .expect_text("0001_five.sql")
            .expect_text("first 2 statements")
            .expect_text("repair 1 --start-over");
        assert_eq!(target.query("SELECT id FROM a"), "1", "{changed}");
        assert!(target.try_query("SELECT 1 FROM zero").is_err());
    }
    // Gone altogether.
    project.remove("migrations/0001_five.sql");
    project.migration("0002_other.sql", "CREATE TABLE c (id integer);\n");
    let _ = up(&project, 4).expect_text("0001_five.sql");
    project.remove("migrations/0002_other.sql");
    project.migration("0001_five.sql", &right);
    let _ = up(&project, 0);
    assert_eq!(target.query("SELECT id FROM a ORDER BY id"), "1\n3\n4");
}

#[test]
fn starting_over_after_undoing_it_by_hand() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_five.sql", five("INSERT INTO nowhere VALUES (3)"));
    let _ = up(&project, 3);
    let _ = text(&project, &["repair"], 0)
        .expect_text("0001_five.sql")
        .expect_text("--start-over");
    target.query("DROP TABLE a");
    project.migration(
        "0001_five.sql",
        five("INSERT INTO a VALUES (3)").replace("VALUES (1)", "VALUES (11)"),
    );
    let _ = text(&project, &["repair", "1", "--done"], 5).expect_text("in doubt");
    let _ = text(&project, &["repair", "--start-over"], 0).expect_text("0001_five.sql");
    assert_eq!(
        target.number("SELECT count(*) FROM forerun_audit WHERE event = 'repair'"),
        1
    );
    let _ = up(&project, 0);
    assert_eq!(target.query("SELECT id FROM a ORDER BY id"), "3\n4\n11");
    assert_eq!(target.applied(), [1]);
}

/// A first statement that was refused leaves nothing behind: the file may be rewritten, renamed or removed.
#[test]
fn nothing_is_unfinished_when_nothing_is_done() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_a.sql",
        "CREATE TABLE a (id nothing);\nCREATE TABLE b (id integer);\n",
    );
    let _ = up(&project, 3).expect_text("Nothing of 0001_a.sql is applied");
    target.assert_left_clean();
    let status = document(
        &project
            .run(&["--format", "json", "migrate", "status"])
            .expect_code(0),
    );
    assert_eq!(status["unfinished"], serde_json::json!([]));
    project.remove("migrations/0001_a.sql");
    project.migration("0002_b.sql", "CREATE TABLE b (id integer);\n");
    let _ = up(&project, 0);
    assert_eq!(target.applied(), [2]);
}

/// A run that is killed in a statement whose effect the catalog does not show.
fn killed_in_a_call(target: &Target<'_>) -> ScratchProject {
    let mut gate = Gate::closed(target);
    let body = gate.sql();
    target.query(&format!(
        "CREATE TABLE log (entry integer);\nDELIMITER //\nCREATE PROCEDURE slow() BEGIN\n{body}\
         INSERT INTO log VALUES (1);\nEND//\nDELIMITER ;"
    ));
    let project = empty_project_for(target);
    project.migration(
        "0001_call.sql",
        "INSERT INTO log VALUES (0);\n  CALL slow();\nINSERT INTO log VALUES (2);\n",
    );
    let running = project.command(&["migrate", "up", "--lease", "3s"]).spawn();
    target.wait_until(
        "SELECT count(*) FROM forerun_journal WHERE in_doubt_statement = 2",
        "1",
    );
    // In a procedure the statement at the gate is not shown under its own text.
    target.wait_until(
        "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND state = 'User lock'",
        "1",
    );
    running.kill();
    let _ = running.wait();
    gate.open();
    project
}

#[test]
fn a_statement_in_doubt_is_asked_about() {
    for (answer, log) in [("--done", "0\n1\n2"), ("--not-done", "0\n1\n1\n2")] {
        let Some(target) = Target::mariadb() else {
            return;
        };
        let project = killed_in_a_call(&target);
        // The server finishes what the killed client had sent.
        target.wait_until("SELECT count(*) FROM log WHERE entry = 1", "1");
        for _ in 0..2 {
            let _ = up(&project, 4)
                .expect_text("migrations/0001_call.sql:2:3")
                .expect_text("CALL slow()")
                .expect_text("repair 1 --done")
                .expect_text("repair 1 --not-done");
        }
        let _ = text(&project, &["status"], 0).expect_text("`forerun migrate repair` shows how");
        let _ = text(&project, &["repair"], 0).expect_text("statement 2");
        let _ = text(&project, &["repair", answer, "--dry-run"], 0);
        let _ = up(&project, 4);
        let _ = text(&project, &["repair", answer], 0).expect_text("Statement 2 of 0001_call.sql");
        let _ = up(&project, 0);
        assert_eq!(
            target.query("SELECT entry FROM log ORDER BY entry"),
            log,
            "{answer}"
        );
        assert_eq!(target.applied(), [1]);
        target.assert_left_clean();
        let settled =
            "SELECT count(*) FROM forerun_audit WHERE event IN ('repair', 'statement.settled')";
        assert_eq!(target.number(settled), 2);
    }
}

#[test]
fn settings_of_the_session_are_in_force_again() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let Some(other) = Target::mariadb() else {
        return;
    };
    let other_name = other.database().name.clone();
    let project = empty_project_for(&target);
    let script = |fails: &str| {
        format!(
            "SET FOREIGN_KEY_CHECKS = 0;\n\
             SET @x = 5;\n\
             SET SESSION sql_mode = 'ANSI_QUOTES';\n\
             USE `{other_name}`;\n\
             CREATE TABLE child (id integer, \"parent\" integer, FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE=InnoDB;\n\
             {fails};\n\
             INSERT INTO child VALUES (@x, 99);\n\
             CREATE TABLE \"more\" (id integer);\n\
             INSERT INTO child VALUES (@@FOREIGN_KEY_CHECKS, @x);\n"
        )
    };
    project.migration("0001_dump.sql", script("INSERT INTO nowhere VALUES (1)"));
    let _ = up(&project, 3).expect_text("statement 6");
    project.migration("0001_dump.sql", script("INSERT INTO child VALUES (6, 6)"));
    project.migration(
        "0002_next.sql",
        "CREATE TABLE here (id integer);\nINSERT INTO here SELECT @@FOREIGN_KEY_CHECKS;\n",
    );
    let _ = up(&project, 0);
    assert_eq!(
        other.query("SELECT id, parent FROM child ORDER BY id"),
        "0|5\n5|99\n6|6"
    );
    assert_eq!(other.number("SELECT count(*) FROM more"), 0);
    // The bookkeeping and the next migration are where they belong, without the settings of the one before.
    assert_eq!(target.applied(), [1, 2]);
    assert_eq!(target.query("SELECT id FROM here"), "1");
    assert!(other.try_query("SELECT 1 FROM forerun_history").is_err());
}

#[test]
fn stored_programs_with_a_delimiter() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_programs.sql",
        "CREATE TABLE t (id integer, note varchar(50));\n\
         DELIMITER //\n\
         CREATE PROCEDURE fill(IN many integer)\n\
         BEGIN\n\
           DECLARE i integer DEFAULT 0;\n\
           WHILE i < many DO\n\
             SET i = i + 1;\n\
             INSERT INTO t VALUES (i, 'a;b // not the end');\n\
           END WHILE;\n\
         END//\n\
         CREATE TRIGGER t_note BEFORE INSERT ON t FOR EACH ROW\n\
         BEGIN\n  IF NEW.id = 2 THEN SET NEW.note = 'two'; END IF;\nEND //\n\
         DELIMITER ;\n\
         CALL fill(3);\n\
         CREATE FUNCTION twice(x integer) RETURNS integer DETERMINISTIC RETURN 2 * x;\n"
            .replace("'a;b // not the end'", "'a;b'"),
    );
    let _ = up(&project, 0);
    assert_eq!(
        target.query("SELECT note FROM t ORDER BY id"),
        "a;b\ntwo\na;b"
    );
    assert_eq!(target.number("SELECT twice(21)"), 42);
    assert_eq!(target.number("SELECT statements FROM forerun_history"), 5);
}

/// Rows alone are one transaction on MariaDB too.
#[test]
fn mariadb_rows_are_all_or_nothing() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    project.migration(
        "0002_rows.sql",
        "-- forerun:data\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);\n",
    );
    let _ = up(&project, 3).expect_text("Nothing of 0002_rows.sql is applied");
    assert_eq!(target.number("SELECT count(*) FROM a"), 0);
    target.assert_left_clean();
}

#[test]
fn a_concurrent_index_that_failed_is_built_again() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_a.sql",
        "CREATE TABLE a (email text);\nINSERT INTO a VALUES ('x'), ('x');\n",
    );
    project.migration(
        "0002_index.sql",
        "CREATE INDEX CONCURRENTLY a_plain ON a (email);\nCREATE UNIQUE INDEX CONCURRENTLY a_email ON a (email);\n",
    );
    let _ = up(&project, 3)
        .expect_text("0002_index.sql:2:1")
        .expect_text("is duplicated")
        .expect_text("Statement 1 is done");
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(
        target.number(invalid),
        0,
        "what PostgreSQL leaves behind is dropped at once"
    );
    // It fails again for the same reason, and not for the name that is taken.
    let _ = up(&project, 3)
        .expect_text("is duplicated")
        .expect_text("dropped the invalid index")
        .expect_text("a_email");
    assert_eq!(target.number(invalid), 0);
    target.query("DELETE FROM a WHERE ctid = '(0,1)'");
    let _ = up(&project, 0);
    assert_eq!(target.number(invalid), 0);
    assert_eq!(
        target.number("SELECT count(*) FROM pg_indexes WHERE tablename = 'a'"),
        2
    );
    assert_eq!(target.applied(), [1, 2]);
    let dropped = "SELECT count(*) FROM forerun_audit WHERE event = 'index.invalid_dropped'";
    assert_eq!(target.number(dropped), 2);
    target.assert_left_clean();
}

/// Somebody reads the table, which the DROP would have to wait for: the index is named.
#[test]
fn an_invalid_index_that_cannot_be_dropped_at_once_is_named() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_a.sql",
        "CREATE TABLE a (email text);\nINSERT INTO a VALUES ('x'), ('x');\n",
    );
    let _ = up(&project, 0);
    project.migration(
        "0002_index.sql",
        "CREATE UNIQUE INDEX CONCURRENTLY a_email ON a (email);\n",
    );
    let mut reader = target.database().session();
    reader.run("BEGIN;");
    let running = project.command(&[
        "--format",
        "text",
        "migrate",
        "up",
        "--ddl-lock-timeout",
        "300ms",
    ]);
    // The build itself does not wait for who has only read.
    reader.run("SELECT count(*) FROM a;");
    let _ = running
        .run()
        .expect_code(3)
        .expect_text("is duplicated")
        .expect_text("DROP INDEX CONCURRENTLY public.a_email");
    assert_eq!(
        target.number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"),
        1
    );
    reader.run("COMMIT;");
    target.query("DELETE FROM a WHERE ctid = '(0,1)'");
    let _ = up(&project, 0).expect_text("dropped the invalid index");
    assert_eq!(target.applied(), [1, 2]);
}

#[test]
fn statements_that_postgresql_refuses_in_a_transaction() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_mood.sql",
        "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE t (m mood);\n",
    );
    project.migration(
        "0002_ok.sql",
        "ALTER TYPE mood ADD VALUE 'ok';\nINSERT INTO t VALUES ('ok');\n",
    );
    project.migration(
        "0003_vacuum.sql",
        "VACUUM ANALYZE t;\nINSERT INTO t VALUES ('sad');\n",
    );
    project.migration("0004_index.sql", "-- forerun:no-transaction\nCREATE INDEX CONCURRENTLY t_m ON t (m);\nREINDEX INDEX CONCURRENTLY t_m;\nDROP INDEX CONCURRENTLY t_m;\n");
    project.migration("0005_system.sql", "ALTER SYSTEM RESET work_mem;\n");
    let _ = up(&project, 0);
    assert_eq!(target.query("SELECT m FROM t ORDER BY m"), "sad\nok");
    assert_eq!(target.applied(), [1, 2, 3, 4, 5]);
    target.assert_left_clean();
    // Half of one, on PostgreSQL too.
    project.migration("0006_half.sql", "INSERT INTO t VALUES ('ok');\nVACUUM t;\nINSERT INTO t VALUES ('glad');\nINSERT INTO t VALUES ('sad');\n");
    let _ = up(&project, 3)
        .expect_text("0006_half.sql:3:23")
        .expect_text("Statements 1 to 2 are done");
    let file = project
        .read("migrations/0006_half.sql")
        .replace("glad", "sad");
    project.migration("0006_half.sql", file);
    let _ = up(&project, 0);
    assert_eq!(target.number("SELECT count(*) FROM t"), 5);
}

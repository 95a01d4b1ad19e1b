//! A script is corrected after a part of it was done, or holds what the database cannot undo: still nothing is done
//! twice, and nothing goes on with a value that is gone.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::databases;
use forerun_test_support::{CommandOutcome, ScratchProject};
use story::{Target, empty_project_for};

fn migrate(project: &ScratchProject, arguments: &[&str], code: i32) -> CommandOutcome {
    let mut words = vec!["--format", "text", "migrate"];
    words.extend(arguments);
    project.run(&words).expect_code(code)
}

/// The corrected rest would fit into one transaction; the statement that is done is not run again.
#[test]
fn a_script_that_becomes_transactional_is_not_run_from_its_start() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("1_log.sql", "CREATE TABLE log (n integer);\n");
    project.migration(
        "2_rows.sql",
        "INSERT INTO log VALUES (1);\nVACUUM INTO '/nowhere/at/all';\n",
    );
    let _ = migrate(&project, &["up"], 2);
    project.migration(
        "2_rows.sql",
        "INSERT INTO log VALUES (1);\nCREATE INDEX log_n ON log (n);\n",
    );
    let _ = migrate(&project, &["up"], 0).expect_text("goes on after statement 1");
    assert_eq!(target.number("SELECT count(*) FROM log"), 1);
}

/// A procedure commits by itself and then waits for a lock: it is asked about, not called again.
#[test]
fn a_procedure_that_committed_a_part_is_not_called_again() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "1_parts.sql",
        "CREATE TABLE log (n integer);\nCREATE TABLE held (n integer);\nINSERT INTO held VALUES (0);\n\
         CREATE PROCEDURE part() BEGIN INSERT INTO log VALUES (1); COMMIT; SIGNAL SQLSTATE '45000'; END;\n",
    );
    let _ = migrate(&project, &["up"], 0);
    project.migration("2_call.sql", "CALL part();\nINSERT INTO log VALUES (2);\n");
    let _ = migrate(&project, &["up"], 3);
    assert_eq!(target.number("SELECT count(*) FROM log"), 1);
    let _ = migrate(&project, &["up"], 4)
        .expect_text("repair 2 --done")
        .expect_text("repair 2 --not-done");
    assert_eq!(target.number("SELECT count(*) FROM log"), 1);
    let _ = migrate(&project, &["repair", "2", "--done"], 0);
    let _ = migrate(&project, &["up"], 0);
    assert_eq!(target.query("SELECT n FROM log ORDER BY n"), "1\n2");
}

/// What is declared not done may be corrected before it is run again.
#[test]
fn a_statement_declared_not_done_may_be_corrected() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("1_log.sql", "CREATE TABLE log (n integer);\n");
    project.migration(
        "2_call.sql",
        "INSERT INTO log VALUES (1);\nCALL missing();\nINSERT INTO log VALUES (3);\n",
    );
    let _ = migrate(&project, &["up"], 3);
    let _ = migrate(&project, &["repair", "2", "--not-done"], 0);
    project.migration(
        "2_call.sql",
        "INSERT INTO log VALUES (1);\nINSERT INTO log VALUES (2);\nINSERT INTO log VALUES (3);\n",
    );
    let _ = migrate(&project, &["up"], 0);
    assert_eq!(target.query("SELECT n FROM log ORDER BY n"), "1\n2\n3");
}

/// `@id` was the id of a row that an earlier session inserted; a new session must not go on with another value.
#[test]
fn a_variable_whose_value_is_gone_is_refused() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    let script = |third: &str| {
        format!(
            "CREATE TABLE a (id integer AUTO_INCREMENT PRIMARY KEY, n integer);\nCREATE TABLE b (a integer);\n\
             INSERT INTO a (n) VALUES (7);\nSET @id = LAST_INSERT_ID(), @two = 2;\nSET @label = 'x';\n{third};\n\
             INSERT INTO b VALUES (@id);\n"
        )
    };
    project.migration("1_ids.sql", script("INSERT INTO nowhere VALUES (1)"));
    let _ = migrate(&project, &["up"], 3);
    project.migration("1_ids.sql", script("INSERT INTO a (n) VALUES (8)"));
    let _ = migrate(&project, &["up"], 4)
        .expect_text("@id")
        .expect_text("--start-over");
    assert_eq!(target.number("SELECT count(*) FROM b"), 0);
}

/// Settings of the session that went with it are made again.
#[test]
fn an_attached_database_is_there_again_after_a_correction() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    let side = project.path().join("side.db");
    let script = |last: &str| {
        format!(
            "-- forerun:no-transaction\nATTACH '{}' AS side;\nCREATE TABLE side.s (n integer);\n\
             CREATE TABLE t (n integer);\n{last};\n",
            side.display()
        )
    };
    project.migration("1_side.sql", script("INSERT INTO side.nothing VALUES (1)"));
    let _ = migrate(&project, &["up"], 3);
    project.migration("1_side.sql", script("INSERT INTO side.s VALUES (1)"));
    let _ = migrate(&project, &["up"], 0);
}

/// An assertion counts as nothing done: it is asked again when the script is run again.
#[test]
fn an_assertion_is_checked_again_when_nothing_was_done() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("1_rows.sql", "CREATE TABLE rows_ (n integer);\n");
    let script = |target: &str| {
        format!("-- forerun:assert \"no rows\"\nSELECT n FROM rows_;\nVACUUM INTO '{target}';\n")
    };
    project.migration("2_copy.sql", script("/nowhere/at/all"));
    let _ = migrate(&project, &["up"], 2);
    let _ = target.query("INSERT INTO rows_ VALUES (5)");
    project.migration(
        "2_copy.sql",
        script(&project.path().join("copy.db").display().to_string()),
    );
    let _ = migrate(&project, &["up"], 3)
        .expect_text("no rows")
        .expect_text("n=5");
}

/// `BEGIN … ROLLBACK` changes nothing, wherever in a long script it stands.
#[test]
fn a_group_that_is_rolled_back_stays_so_in_a_long_script() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    let filler = "SELECT 1;\n".repeat(10_100);
    project.migration(
        "1_long.sql",
        format!(
            "-- forerun:no-transaction\nCREATE TABLE long_ (n integer);\n{filler}BEGIN;\n\
             INSERT INTO long_ VALUES (1);\nROLLBACK;\nINSERT INTO long_ VALUES (2);\n"
        ),
    );
    let _ = migrate(&project, &["up"], 0);
    assert_eq!(target.query("SELECT n FROM long_"), "2");
}

/// Resetting all settings is harmless, and does not look like the end of the transaction.
#[test]
fn reset_all_in_a_script_is_no_end_of_its_transaction() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("1_t.sql", "CREATE TABLE t (n integer);\nSET search_path = pg_catalog;\nRESET ALL;\nINSERT INTO t VALUES (1);\n");
    let _ = migrate(&project, &["up"], 0);
    assert_eq!(target.number("SELECT count(*) FROM t"), 1);
}

/// An override is on the record, and so is a run that ended before it had the lock.
#[test]
fn overrides_and_refused_runs_are_audited() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("1_a.sql", "CREATE TABLE a (n integer);\n");
        project.migration("3_c.sql", "CREATE TABLE c (n integer);\n");
        let _ = migrate(&project, &["up"], 0);
        project.migration("2_b.sql", "CREATE TABLE b (n integer);\n");
        let _ = migrate(&project, &["up"], 4);
        let _ = migrate(&project, &["up", "--allow-out-of-order"], 0);
        let events = target.query("SELECT event FROM forerun_audit ORDER BY id");
        let refused = events
            .lines()
            .filter(|event| *event == "run.finished")
            .count();
        assert_eq!(refused, 3, "{events}");
        assert!(events.contains("override.out_of_order"), "{events}");
    }
}

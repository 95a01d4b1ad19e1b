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
        "INSERT INTO log VALUES (1);\nCALL nothing();\nINSERT INTO log VALUES (3);\n",
    );
    target.query("CREATE PROCEDURE nothing() SIGNAL SQLSTATE '45000'");
    let _ = migrate(&project, &["up"], 3)
        .expect_text("Statement 1 is done and recorded. Whether statement 2 took effect")
        .expect_text("repair 2 --not-done");
    project.migration(
        "2_call.sql",
        "INSERT INTO log VALUES (1);\nINSERT INTO log VALUES (2);\nINSERT INTO log VALUES (3);\n",
    );
    for command in ["up", "plan", "repair"] {
        let code = if command == "repair" { 0 } else { 4 };
        let _ = migrate(&project, &[command], code)
            .expect_text("its first statement; statement 2 was started")
            .expect_text("repair 2 --not-done")
            .expect_text("repair 2 --done");
    }
    let _ = migrate(&project, &["repair", "2", "--not-done"], 0);
    let _ = migrate(&project, &["up"], 0);
    assert_eq!(target.query("SELECT n FROM log ORDER BY n"), "1\n2\n3");
}

/// Such a statement may be taken out of the script as well, where it is the last one.
#[test]
fn a_statement_declared_not_done_may_be_removed() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    target.query("CREATE PROCEDURE nothing() SIGNAL SQLSTATE '45000'");
    project.migration(
        "1_log.sql",
        "CREATE TABLE log (n integer);\nCALL nothing();\n",
    );
    let _ = migrate(&project, &["up"], 3);
    project.migration("1_log.sql", "CREATE TABLE log (n integer);\n");
    let _ = migrate(&project, &["status", "--exit-code"], 4);
    let _ = migrate(&project, &["up"], 4).expect_text("repair 1 --not-done");
    let _ = migrate(&project, &["repair", "--not-done"], 0);
    let _ = migrate(&project, &["up"], 0);
    assert_eq!(target.applied(), [1]);
}

/// What the parser refuses, or the rights of the user, was not run: it may simply be corrected.
#[test]
fn a_statement_that_was_refused_is_not_in_doubt() {
    for wrong in [
        "CREATE TABEL b (n integer)",
        "DROP TABEL a",
        "ALTER TABEL a ADD m integer",
        "CREATE INDX a_n ON a (n)",
        "CREATE PROCEDUR p() SELECT 1",
        "CREATE USER nobody IDENTIFED BY 'x'",
        "CALL missing()",
        "CALL `missing` (1)",
    ] {
        let Some(target) = Target::mariadb() else {
            return;
        };
        let project = empty_project_for(&target);
        let script = |second: &str| format!("CREATE TABLE a (n integer);\n{second};\n");
        project.migration("1_a.sql", script(wrong));
        for _ in 0..2 {
            let _ = migrate(&project, &["up"], 3)
                .expect_text("Statement 1 is done and recorded")
                .expect_text("goes on with statement 2");
        }
        let _ = migrate(&project, &["status", "--exit-code"], 6);
        project.migration("1_a.sql", script("CREATE TABLE b (n integer)"));
        let _ = migrate(&project, &["up"], 0).expect_text("goes on after statement 1");
        assert_eq!(target.number("SELECT count(*) FROM b"), 0, "{wrong}");
        target.assert_left_clean();
    }
}

/// The same refusals inside a procedure come after what it did before them.
#[test]
fn a_refusal_inside_a_procedure_leaves_it_in_doubt() {
    for wrong in ["CALL missing()", "EXECUTE IMMEDIATE 'CREATE TABEL b'"] {
        let Some(target) = Target::mariadb() else {
            return;
        };
        let project = empty_project_for(&target);
        target.query("CREATE TABLE log (n integer)");
        target.query(&format!(
            "DELIMITER //\nCREATE PROCEDURE part() BEGIN INSERT INTO log VALUES (1); COMMIT; {wrong}; END//\nDELIMITER ;"
        ));
        project.migration("1_call.sql", "CALL part();\n");
        let _ = migrate(&project, &["up"], 3).expect_text("Whether statement 1 took effect");
        let _ =
            migrate(&project, &["status", "--exit-code"], 4).expect_text("only you can find out");
        for command in [&["plan"][..], &["up", "--dry-run"], &["up"]] {
            let _ = migrate(&project, command, 4).expect_text("repair 1 --not-done");
        }
        assert_eq!(target.number("SELECT count(*) FROM log"), 1, "{wrong}");
    }
}

/// Whatever `up` refuses to go on with is told before.
#[test]
fn what_looks_says_what_up_would_refuse() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    let script = |column: &str| {
        format!("CREATE TABLE a ({column} integer);\nALTER TABLE nosuch ADD x integer;\n")
    };
    let all = |code: i32, sentence: &str| {
        let _ = migrate(&project, &["status", "--exit-code"], code).expect_text(sentence);
        for command in [&["plan"][..], &["up", "--dry-run"], &["up"]] {
            let _ = migrate(&project, command, code).expect_text(sentence);
        }
        let _ = migrate(&project, &["repair"], 0)
            .expect_text(sentence)
            .expect_text("repair 1 --start-over");
    };
    project.migration("1_a.sql", script("n"));
    let _ = migrate(&project, &["up"], 3);
    let _ = migrate(&project, &["status", "--exit-code"], 6);
    project.migration("1_a.sql", script("m"));
    all(4, "that part of the file is different now");
    project.remove("migrations/1_a.sql");
    all(4, "the directory has no file for it");
}

/// Two branches have used the same number.
#[test]
fn another_file_of_an_applied_version_is_named() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("1_a.sql", "CREATE TABLE a (n integer);\n");
        project.migration("2_b.sql", "CREATE TABLE b (n integer);\n");
        let _ = migrate(&project, &["up"], 0);
        project.remove("migrations/2_b.sql");
        project.migration("2_other.sql", "CREATE TABLE other (n integer);\n");
        for (command, code) in [("up", 4), ("status", 0)] {
            let _ = migrate(&project, &[command], code)
                .expect_text("version 2 was applied from 2_b.sql; the directory has 2_other.sql");
        }
    }
}

/// What is prepared in a script would outlast it, or fail it when it is too late.
#[test]
fn a_prepared_transaction_is_refused_before_anything_runs() {
    let Some(target) = Target::postgres() else {
        return;
    };
    for top in ["", "-- forerun:no-transaction\n"] {
        for last in [
            "PREPARE TRANSACTION 'x'",
            "commit prepared 'x'",
            "ROLLBACK PREPARED 'x'",
        ] {
            let project = empty_project_for(&target);
            project.migration(
                "1_a.sql",
                format!("{top}CREATE TABLE z (n integer);\n{last};\n"),
            );
            let _ = migrate(&project, &["up"], 2).expect_text("1_a.sql:");
            assert!(target.try_query("SELECT 1 FROM z").is_err(), "{last}");
        }
    }
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

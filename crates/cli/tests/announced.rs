//! On MariaDB the first statement of a migration is announced in the transaction that records the one before. A run that
//! ends between the two takes the announcement back; one that cannot leaves something that the next run settles by
//! itself.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use forerun_test_support::{ClientSession, Direction, ScratchProject, When};
use story::{Gate, Target, expect_failure, project_for, up, up_for_people};

const UNFINISHED: &str = "SELECT version, in_doubt_statement FROM forerun_journal";

/// Three migrations of one statement; the second stands before the gate.
fn migrations(gate: Option<&Gate<'_, '_>>) -> Vec<(&'static str, String)> {
    // In a statement that commits by itself, and without anything in between that disturbs the session.
    let second = gate.map_or("(id integer)".to_owned(), |gate| {
        let sql = gate.sql();
        let (waits, _) = sql.split_once(';').expect("it has a first statement");
        format!("AS {waits} AS id")
    });
    vec![
        (
            "0001_one.sql",
            "CREATE TABLE one (id integer);\n".to_owned(),
        ),
        ("0002_two.sql", format!("CREATE TABLE two {second};\n")),
        (
            "0003_three.sql",
            "CREATE TABLE three (id integer);\n".to_owned(),
        ),
    ]
}

fn wait_until_the_second_waits(target: &Target<'_>) {
    target.wait_until(
        "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
         AND state = 'User lock' AND info LIKE 'CREATE TABLE two AS SELECT GET_LOCK(%'",
        "1",
    );
}

/// Keeps the second migration from being recorded until it is dropped: the row of the lock is locked.
fn hold_the_record(target: &Target<'_>) -> ClientSession {
    let mut session = target.session();
    let _ = session.run("START TRANSACTION;");
    let _ = session.run("SELECT token FROM forerun_lock FOR UPDATE;");
    session
}

/// The second migration is recorded, the third neither begun nor announced any more, and a run finishes the job.
fn assert_taken_back(project: &ScratchProject, target: &Target<'_>) {
    assert_eq!(target.applied(), [1, 2]);
    assert_eq!(target.query(UNFINISHED), "");
    assert_eq!(target.query("SHOW TABLES LIKE 'three'"), "");
    assert_eq!(target.holder(), "", "the lock is free");
    finish(project, target);
    let settled = "SELECT count(*) FROM forerun_audit WHERE event = 'statement.settled'";
    assert_eq!(target.number(settled), 0);
}

fn finish(project: &ScratchProject, target: &Target<'_>) {
    let _ = up(project, &[]).run().expect_code(0);
    assert_eq!(target.applied(), [1, 2, 3]);
    assert_eq!(target.audited(), [1, 2, 3]);
    assert_eq!(target.number("SELECT count(*) FROM three"), 0);
    target.assert_left_clean();
}

/// The next script is not the one any more that was planned.
#[test]
fn an_error_before_the_statement() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let mut gate = Gate::closed(&target);
    let project = project_for(&target, &migrations(Some(&gate)));
    let running = up_for_people(&project, &[]).spawn();
    wait_until_the_second_waits(&target);
    project.migration("0003_three.sql", "CREATE TABLE three (other integer);\n");
    gate.open();
    let _ = expect_failure(running, 4, &["0003_three.sql"]);
    assert_taken_back(&project, &target);
}

/// SIGTERM arrives while the migration before is being recorded.
#[test]
fn an_order_to_stop_before_the_statement() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let mut gate = Gate::closed(&target);
    let project = project_for(&target, &migrations(Some(&gate)));
    let mut running = up_for_people(&project, &[]).spawn();
    wait_until_the_second_waits(&target);
    let held = hold_the_record(&target);
    gate.open();
    target.wait_until(
        "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' \
         AND trx_query LIKE '%forerun_history%'",
        "1",
    );
    running.terminate();
    running.wait_for_output("stopping:");
    drop(held);
    let _ = expect_failure(running, 143, &["Run it again"]);
    assert_taken_back(&project, &target);
}

/// The connection ends between the two, so nothing can be taken back, as after `kill -9`: nobody is asked, and the
/// statement is run once.
#[test]
fn nothing_can_be_taken_back() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let proxy = target.database().proxy();
    let project = project_for(&target, &migrations(None));
    proxy.cut_when(Direction::ToServer, b"CREATE TABLE three", When::Before);
    let running = up_for_people(&project, &["-u", &target.database().url_through(&proxy)]).spawn();
    let _ = expect_failure(running, 75, &["lost"]);
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(target.applied(), [1, 2]);
    assert_eq!(target.query(UNFINISHED), "3|1");
    let _ = up_for_people(&project, &["--dry-run"]).run().expect_code(0);
    story::take_over_from_the_dead(&project, &target);
    finish(&project, &target);
    let settled = "SELECT message FROM forerun_audit WHERE event = 'statement.settled'";
    assert!(target.query(settled).contains("not taken effect"));
}

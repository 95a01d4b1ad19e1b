//! On MariaDB a row of migrations that each create one thing is announced and recorded together. A run that ends among
//! them records those that are done and takes back the announcement of the others; one that cannot leaves something
//! that the next run settles by itself.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use forerun_test_support::{Direction, ScratchProject, When};
use story::{Gate, Target, expect_failure, project_for, up, up_for_people};

const UNFINISHED: &str =
    "SELECT version, statements_done, in_doubt_statement FROM forerun_journal ORDER BY version";
const SETTLED: &str = "SELECT count(*) FROM forerun_audit WHERE event = 'statement.settled'";

/// Four migrations of one statement; `third` is what the third table is made of.
fn migrations(third: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "0001_one.sql",
            "CREATE TABLE one (id integer);\n".to_owned(),
        ),
        (
            "0002_two.sql",
            "CREATE TABLE two (id integer);\n".to_owned(),
        ),
        ("0003_three.sql", format!("CREATE TABLE three {third};\n")),
        (
            "0004_four.sql",
            "CREATE TABLE four (id integer);\n".to_owned(),
        ),
    ]
}

/// A third table whose creation stands before the gate.
fn made_of(gate: &Gate<'_, '_>) -> String {
    let sql = gate.sql();
    let (waits, _) = sql.split_once(';').expect("it has a first statement");
    format!("AS {waits} AS id")
}

/// The third statement stands before the gate; the second is done, and not recorded yet.
fn wait_until_the_third_waits(target: &Target<'_>) {
    target.wait_until(
        "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
         AND state = 'User lock' AND info LIKE 'CREATE TABLE three AS SELECT GET_LOCK(%'",
        "1",
    );
    assert_eq!(target.applied(), [1]);
    assert_eq!(target.query(UNFINISHED), "2|0|1\n3|0|1\n4|0|1");
}

/// What is done is recorded, nothing else is announced any more, and a run finishes the job without a question.
fn assert_closed(project: &ScratchProject, target: &Target<'_>) {
    let applied = target.applied();
    assert_eq!(applied[..2], [1, 2]);
    assert_eq!(target.audited(), applied);
    assert_eq!(target.query(UNFINISHED), "");
    assert_eq!(target.holder(), "", "the lock is free");
    let three = target.query("SHOW TABLES LIKE 'three'") == "three";
    assert_eq!(three, applied.contains(&3));
    assert_eq!(target.query("SHOW TABLES LIKE 'four'"), "");
    assert_finishes(project, target);
    assert_eq!(target.number(SETTLED), 0);
}

fn assert_finishes(project: &ScratchProject, target: &Target<'_>) {
    let _ = up(project, &[]).run().expect_code(0);
    assert_eq!(target.applied(), [1, 2, 3, 4]);
    assert_eq!(target.audited(), [1, 2, 3, 4]);
    for table in ["one", "two", "three", "four"] {
        let _ = target.number(&format!("SELECT count(*) FROM {table}"));
    }
    target.assert_left_clean();
}

#[test]
fn nothing_is_left_of_an_undisturbed_run() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = project_for(&target, &migrations("(id integer)"));
    assert_finishes(&project, &target);
    assert_eq!(target.number(SETTLED), 0);
}

#[test]
fn a_statement_fails() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = project_for(&target, &migrations("(id nothing)"));
    let running = up_for_people(&project, &[]).spawn();
    let readable = ["0003_three.sql:1", "Nothing of 0003_three.sql is applied"];
    let _ = expect_failure(running, 3, &readable);
    project.migration("0003_three.sql", "CREATE TABLE three (id integer);\n");
    assert_closed(&project, &target);
}

/// A script is not the one any more that was planned: refused before anything of it is sent.
#[test]
fn the_next_script_is_refused() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let mut gate = Gate::closed(&target);
    let project = project_for(&target, &migrations(&made_of(&gate)));
    let running = up_for_people(&project, &[]).spawn();
    wait_until_the_third_waits(&target);
    project.migration("0004_four.sql", "CREATE TABLE four (other integer);\n");
    gate.open();
    let ended = running.wait();
    assert_ne!(ended.code(), Some(0));
    let _ = ended.expect_text("0004_four.sql");
    assert_eq!(target.applied(), [1, 2, 3]);
    assert_eq!(target.query(UNFINISHED), "");
    assert_finishes(&project, &target);
    assert_eq!(target.number("SELECT count(other) FROM four"), 0);
    assert_eq!(target.number(SETTLED), 0);
}

/// SIGTERM, and the time limit of the run. The statement that was cancelled may have come to its end all the same.
#[test]
fn an_order_to_stop() {
    for (options, code) in [([].as_slice(), 143), (["--timeout", "8s"].as_slice(), 75)] {
        let Some(target) = Target::mariadb() else {
            return;
        };
        let mut gate = Gate::closed(&target);
        let project = project_for(&target, &migrations(&made_of(&gate)));
        let running = up_for_people(&project, options).spawn();
        wait_until_the_third_waits(&target);
        if code == 143 {
            running.terminate();
        }
        let _ = running.wait().expect_code(code);
        gate.open();
        assert_closed(&project, &target);
    }
}

/// `kill -9`: the server finishes what it was sent, and the next run finds out how far that is.
#[test]
fn killed() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let mut gate = Gate::closed(&target);
    let project = project_for(&target, &migrations(&made_of(&gate)));
    let running = up_for_people(&project, &["--lease", "3s"]).spawn();
    wait_until_the_third_waits(&target);
    running.kill();
    let _ = running.wait();
    gate.open();
    assert_finishes(&project, &target);
    assert_eq!(target.number(SETTLED), 3);
}

/// The connection ends before a statement is sent, so nothing can be recorded or taken back: nobody is asked, and the
/// statement is run once.
#[test]
fn the_connection_is_lost() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let proxy = target.database().proxy();
    let project = project_for(&target, &migrations("(id integer)"));
    proxy.cut_when(Direction::ToServer, b"CREATE TABLE three", When::Before);
    let through = target.database().url_through(&proxy);
    let running = up_for_people(&project, &["-u", &through]).spawn();
    let _ = expect_failure(running, 75, &["lost"]);
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(target.applied(), [1]);
    assert_eq!(target.query(UNFINISHED), "2|0|1\n3|0|1\n4|0|1");
    assert_finishes(&project, &target);
    assert_eq!(target.number(SETTLED), 3);
    let done = "SELECT version FROM forerun_audit WHERE event = 'statement.settled' \
                AND message NOT LIKE '%not taken effect%'";
    assert_eq!(target.query(done), "2");
}

/// What depends on each other is not announced together: the catalog could not tell afterwards what took effect.
#[test]
fn names_that_occur_twice() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let proxy = target.database().proxy();
    let project = project_for(
        &target,
        &[
            (
                "0001_one.sql",
                "CREATE TABLE one (id integer);\n".to_owned(),
            ),
            (
                "0002_two.sql",
                "CREATE TABLE two (id integer);\n".to_owned(),
            ),
            (
                "0003_two.sql",
                "CREATE INDEX two_id ON two (id);\n".to_owned(),
            ),
            (
                "0004_two.sql",
                "ALTER TABLE two ADD COLUMN note text;\n".to_owned(),
            ),
        ],
    );
    proxy.cut_when(Direction::ToServer, b"CREATE INDEX", When::Before);
    let through = target.database().url_through(&proxy);
    let running = up_for_people(&project, &["-u", &through]).spawn();
    let _ = expect_failure(running, 75, &["lost"]);
    assert_eq!(target.applied(), [1, 2]);
    assert_eq!(target.query(UNFINISHED), "3|0|1");
    let _ = up(&project, &[]).run().expect_code(0);
    assert_eq!(target.audited(), [1, 2, 3, 4]);
    assert_eq!(
        target.number("SELECT count(note) FROM two USE INDEX (two_id)"),
        0
    );
    target.assert_left_clean();
}

/// `migrate down`: each statement is announced with the record of the one before.
#[test]
fn the_connection_is_lost_on_the_way_down() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let proxy = target.database().proxy();
    let project = project_for(&target, &migrations("(id integer)"));
    for (number, name) in ["one", "two", "three", "four"].iter().enumerate() {
        let script = format!("{:04}_{name}.down.sql", number + 1);
        project.migration(&script, format!("DROP TABLE {name};\n"));
    }
    assert_finishes(&project, &target);
    proxy.cut_when(Direction::ToServer, b"DROP TABLE two", When::Before);
    let through = target.database().url_through(&proxy);
    let lost = ["--format", "text", "migrate", "down", "3", "-u", &through];
    let _ = project.run(&lost).expect_code(75).expect_text("lost");
    assert_eq!(target.applied(), [1, 2]);
    assert_eq!(target.query(UNFINISHED), "2|0|1");
    let _ = project.run(&["migrate", "down", "1"]).expect_code(0);
    assert_eq!(target.applied(), [1]);
    assert_eq!(target.query("SHOW TABLES LIKE 'two'"), "");
    assert_eq!(target.number(SETTLED), 1);
    target.assert_left_clean();
}

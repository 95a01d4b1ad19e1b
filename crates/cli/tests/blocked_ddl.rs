//! DDL on a table that a long transaction uses: the application goes on reading and writing, the log names who is in
//! the way, and the migration finishes when that is over.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forerun_test_support::{ClientSession, ScratchProject};
use story::{PATIENCE, Product, Target, project_for, up_for_people, wait_for};

/// Lock timeout of a try. MariaDB counts in whole seconds.
const TRY: [&str; 2] = ["--ddl-lock-timeout", "500ms"];
/// How long the transaction stays that is in the way.
const BLOCKED_FOR: Duration = Duration::from_secs(10);
/// The longest that a reader or writer may be stopped: a try, and what a busy machine adds. Without a lock timeout it
/// would be [`BLOCKED_FOR`].
const LONGEST_STOP: Duration = Duration::from_secs(5);

fn target_with_orders(target: Option<Target<'static>>) -> Option<Target<'static>> {
    let target = target?;
    target.query("CREATE TABLE orders (id integer PRIMARY KEY, amount integer NOT NULL)");
    target.query("INSERT INTO orders VALUES (1, 10), (2, 20), (3, 30)");
    Some(target)
}

fn project_adding_a_column(target: &Target<'_>) -> ScratchProject {
    project_for(
        target,
        &[(
            "0001_note.sql",
            "ALTER TABLE orders ADD COLUMN note varchar(50);\n".to_owned(),
        )],
    )
}

/// A session with a transaction that has read the table, and how the server calls it.
fn long_transaction(target: &Target<'_>) -> (ClientSession, String) {
    let mut session = target.session();
    let id = session.run(match target.product {
        Product::Postgres => "SELECT pg_backend_pid();",
        _ => "SELECT connection_id();",
    });
    session.run("BEGIN; SELECT sum(amount) FROM orders;");
    (session, id)
}

/// Runs a statement again and again until told to stop; returns how often, and the longest time that one took.
fn keep_running(target: &Target<'_>, sql: &str, stop: &AtomicBool) -> (u32, Duration) {
    let mut session = target.session();
    let (mut count, mut longest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        session.run(sql);
        longest = longest.max(started.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    (count, longest)
}

fn readers_and_writers_go_on(target: Option<Target<'static>>) {
    let Some(target) = target_with_orders(target) else {
        return;
    };
    let project = project_adding_a_column(&target);
    let (mut blocker, id) = long_transaction(&target);
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        let reader = scope.spawn(|| keep_running(&target, "SELECT count(*) FROM orders;", &stop));
        let writer = scope.spawn(|| {
            keep_running(
                &target,
                "UPDATE orders SET amount = amount + 1 WHERE id = 2;",
                &stop,
            )
        });
        let running = up_for_people(&project, &TRY).spawn();
        std::thread::sleep(BLOCKED_FOR);
        blocker.run("COMMIT;");
        let ended = running.wait();
        stop.store(true, Ordering::Relaxed);
        for (who, joined) in [("readers", reader.join()), ("writers", writer.join())] {
            let (count, longest) = joined.expect("they did not fail");
            println!("{target:?}: {who}: {count} statements, the longest took {longest:?}");
            assert!(
                longest < LONGEST_STOP,
                "{target:?}: {who} were stopped for {longest:?}\n{ended:?}"
            );
        }
        ended
    });
    let ended = ended.expect_code(0);
    assert!(
        names(&format!("{}{}", ended.stdout, ended.stderr), &id),
        "session {id} is not named\n{ended:?}"
    );
    assert_eq!(target.applied(), [1]);
    assert!(
        target.number("SELECT count(*) FROM forerun_audit WHERE event = 'migration.retry'") > 0
    );
    let detail = target.query("SELECT detail FROM forerun_audit WHERE event = 'migration.retry'");
    assert!(
        names(&detail, &id),
        "session {id} is not in the audit: {detail}"
    );
    target.assert_left_clean();
}

/// Whether a number is in a text, not as a part of another one.
fn names(text: &str, id: &str) -> bool {
    text.split(|character: char| !character.is_ascii_digit())
        .any(|number| number == id)
}

/// A report runs for long while a column is added: the shop stays open.
#[test]
fn readers_and_writers_go_on_on_postgresql() {
    readers_and_writers_go_on(Target::postgres());
}

/// The same on MariaDB.
#[test]
fn readers_and_writers_go_on_on_mariadb() {
    readers_and_writers_go_on(Target::mariadb());
}

fn budget_is_used_up(target: Option<Target<'static>>) {
    let Some(target) = target_with_orders(target) else {
        return;
    };
    let project = project_adding_a_column(&target);
    let (mut blocker, id) = long_transaction(&target);
    let mut options = TRY.to_vec();
    options.extend(["--retry-budget", "3s"]);
    let ended = up_for_people(&project, &options).run().expect_code(75);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let blamed = said.lines().find(|line| line.contains("blocked by"));
    let blamed = blamed.unwrap_or_else(|| panic!("nobody is blamed\n{ended:?}"));
    assert!(names(blamed, &id), "session {id} is not named\n{ended:?}");
    let ended = ended
        .expect_text("End the sessions that hold the lock")
        .expect_text("--retry-budget");
    if target.product == Product::Postgres {
        // Who, doing what, and what it ran last.
        for text in [
            "postgres",
            "idle in transaction",
            "SELECT sum(amount) FROM orders",
        ] {
            assert!(blamed.contains(text), "{text:?} is not told\n{ended:?}");
        }
    }
    assert_eq!(target.holder(), "");
    blocker.run("COMMIT;");
    let _ = up_for_people(&project, &TRY).run().expect_code(0);
    assert_eq!(target.audited(), [1]);
    target.assert_left_clean();
}

/// The other transaction does not end: the run gives up when its budget is used up, blames the right session, and
/// leaves nothing.
#[test]
fn the_budget_is_used_up_on_postgresql() {
    budget_is_used_up(Target::postgres());
}

/// The same on MariaDB.
#[test]
fn the_budget_is_used_up_on_mariadb() {
    budget_is_used_up(Target::mariadb());
}

const INDEX_IS_VALID: &str =
    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('orders_amount')";

fn project_building_an_index(target: &Target<'_>) -> ScratchProject {
    let sql = "CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);\n".to_owned();
    project_for(target, &[("0001_index.sql", sql)])
}

/// A concurrent build waits for older transactions as long as it takes: nobody queues behind it, and a lock timeout
/// would only leave an invalid index.
#[test]
fn a_concurrent_build_is_not_subject_to_the_lock_timeout() {
    let Some(target) = target_with_orders(Target::postgres()) else {
        return;
    };
    let project = project_building_an_index(&target);
    let (mut blocker, _) = long_transaction(&target);
    blocker.run("UPDATE orders SET amount = 11 WHERE id = 1;");
    let running = up_for_people(&project, &["--ddl-lock-timeout", "100ms"]).spawn();
    target.wait_until(INDEX_IS_VALID, "f");
    // Much longer than the lock timeout, and the application writes meanwhile.
    let until = Instant::now() + Duration::from_secs(3);
    let mut other = target.session();
    while Instant::now() < until {
        other.run("UPDATE orders SET amount = amount + 1 WHERE id = 3;");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(target.query(INDEX_IS_VALID), "f", "it still waits");
    blocker.run("COMMIT;");
    let _ = running.wait().expect_code(0);
    assert_eq!(target.query(INDEX_IS_VALID), "t");
    assert_eq!(
        target.number("SELECT count(*) FROM forerun_audit WHERE event = 'migration.retry'"),
        0
    );
    target.assert_left_clean();
}

/// A concurrent build that dies leaves an invalid index, which slows down every write and speeds up nothing. The next
/// run drops it and builds it again.
#[test]
fn an_invalid_index_is_built_again() {
    let Some(target) = target_with_orders(Target::postgres()) else {
        return;
    };
    let project = project_building_an_index(&target);
    let (mut blocker, _) = long_transaction(&target);
    blocker.run("UPDATE orders SET amount = 11 WHERE id = 1;");
    let running = up_for_people(&project, &[]).patience(PATIENCE).spawn();
    target.wait_until(INDEX_IS_VALID, "f");
    running.kill();
    assert_eq!(running.wait().signal(), Some(9));
    let building = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%'";
    target.query(&format!("SELECT pg_terminate_backend(pid) {building}"));
    wait_for("the build is over", || {
        target.number(&format!("SELECT count(*) {building}")) == 0
    });
    blocker.run("COMMIT;");
    assert_eq!(
        target.query(INDEX_IS_VALID),
        "f",
        "the build left an invalid index"
    );

    let ended = up_for_people(&project, &[]).run().expect_code(0);
    let _ = ended.expect_text("orders_amount");
    assert_eq!(target.query(INDEX_IS_VALID), "t");
    let indexes =
        "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'orders'::regclass ORDER BY 1";
    assert_eq!(
        target.query(&format!(
            "SELECT string_agg(i::text, ',') FROM ({indexes}) AS t (i)"
        )),
        "orders_pkey,orders_amount"
    );
    assert_eq!(
        target.number("SELECT count(*) FROM forerun_audit WHERE event = 'index.invalid_dropped'"),
        1
    );
    assert_eq!(target.audited(), [1]);
    target.assert_left_clean();
}

/// A change of the catalog alone is done in milliseconds. Should it last, others wait for it, so it is given up; what has
/// to read the table is not, and neither is what the script gives its own time.
#[test]
fn what_should_be_short_may_not_last_long() {
    let Some(target) = target_with_orders(Target::postgres()) else {
        return;
    };
    target.query(
        "CREATE TABLE noted (number serial, limits text);
         CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF tg_tag = 'ALTER TABLE' AND current_query() LIKE '%orders%' THEN
                 INSERT INTO noted (limits) VALUES (current_setting('statement_timeout'));
             END IF;
         END $$;
         CREATE EVENT TRIGGER note ON ddl_command_start EXECUTE FUNCTION note();",
    );
    let project = project_for(&target, &[("0001_first.sql", "SELECT 1;\n".to_owned())]);
    let _ = up_for_people(&project, &[]).run().expect_code(0);
    for (name, sql) in [
        (
            "0002_short.sql",
            "ALTER TABLE orders ADD COLUMN note text;\n",
        ),
        (
            "0003_reads_the_table.sql",
            "ALTER TABLE orders ADD CONSTRAINT paid CHECK (amount > 0);\n",
        ),
        (
            "0004_has_its_own_limit.sql",
            "-- forerun:timeout statement=2m\nALTER TABLE orders ADD COLUMN more text;\n",
        ),
    ] {
        project.migration(name, sql);
    }
    let _ = up_for_people(&project, &[]).run().expect_code(0);
    let limits = target.query("SELECT string_agg(limits, ' ' ORDER BY number) FROM noted");
    assert_eq!(limits, "10200ms 0 2min");
}

//! The server or the network goes away in the middle: each time the right exit code, a sentence that says what to do,
//! and a second run that finishes the job.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use forerun_test_support::{Direction, MariadbServer, PostgresServer, When};
use story::ledger::{assert_finished, migrations, second_run_finishes, servers, start};
use story::{Gate, Product, Target, expect_failure, project_for, up, up_for_people, wait_for};

/// Stops the server in the middle of a migration, in the ordinary way and like a power cut.
fn server_goes_away<'server>(
    target: impl Fn() -> Target<'server>,
    stop: [&dyn Fn(); 2],
    start_again: impl Fn(),
) {
    for stop in stop {
        let target = target();
        let mut gate = Gate::closed(&target);
        let project = project_for(&target, &migrations(&gate.sql()));
        let running = start(&project, &[]);
        gate.wait_until_reached();
        stop();
        let _ = expect_failure(
            running,
            75,
            &["Run `forerun migrate up` again once the database answers"],
        );
        // A Job that is started again meets a server that is still away.
        let mut waiting = up_for_people(&project, &["--wait", "1m"]).spawn();
        waiting.wait_for_output("cannot reach");
        start_again();
        gate.open();
        let _ = waiting.wait().expect_code(0);
        assert_finished(&target);
    }
}

/// The database server is restarted (or loses power) while a migration runs: nothing is half done, the failure is
/// temporary, and a run that waits for the server finishes the job.
#[test]
fn postgresql_is_restarted_in_the_middle() {
    let Some(server) = PostgresServer::builder().durable().start() else {
        return;
    };
    server_goes_away(
        || Target::on_postgres(&server),
        [&|| server.stop(), &|| server.stop_hard()],
        || server.start_again(),
    );
}

/// What a run reported as applied outlasts a power cut, whether it ended well or not.
#[test]
fn what_postgresql_was_told_to_keep_outlasts_a_power_cut() {
    let server = PostgresServer::builder()
        .durable()
        // Else the server might write by itself, and the test would show nothing.
        .configuration("wal_writer_delay = 10s")
        .start();
    let Some(server) = server else {
        return;
    };
    let plain = |last: &str| {
        vec![
            (
                "0001_a.sql",
                "CREATE TABLE a (id int PRIMARY KEY);\n".to_owned(),
            ),
            (
                "0002_b.sql",
                "CREATE TABLE b (id int PRIMARY KEY);\n".to_owned(),
            ),
            ("0003_c.sql", last.to_owned()),
        ]
    };
    for (last, code, applied) in [
        ("CREATE TABLE c (id int PRIMARY KEY);\n", 0, "3"),
        ("CREATE TABLE c (id nonsense);\n", 3, "2"),
    ] {
        let target = Target::on_postgres(&server);
        let project = project_for(&target, &plain(last));
        let _ = up(&project, &[]).spawn().wait().expect_code(code);
        server.stop_hard();
        server.start_again();
        assert_eq!(
            target
                .database()
                .query("SELECT count(*) FROM forerun_history"),
            applied
        );
    }
}

/// Many short migrations are on their way at once when the power goes: each is applied with its history row or not at
/// all, in order, and the next run applies the rest.
#[test]
fn power_goes_while_many_migrations_are_under_way() {
    let Some(server) = PostgresServer::builder().durable().start() else {
        return;
    };
    let names: Vec<String> = (1..=600)
        .map(|number| format!("{number:04}_t.sql"))
        .collect();
    let migrations: Vec<(&str, String)> = (1..)
        .zip(&names)
        .map(|(number, name)| {
            let sql = format!("CREATE TABLE t_{number} (id int PRIMARY KEY);\n");
            (name.as_str(), sql)
        })
        .collect();
    let target = Target::on_postgres(&server);
    let project = project_for(&target, &migrations);
    let consistent = || {
        let applied = target.applied();
        let count = i64::try_from(applied.len()).unwrap();
        assert_eq!(applied, (1..=count).collect::<Vec<_>>(), "in order, no gap");
        let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 't\\_%'";
        assert_eq!(target.query(tables), count.to_string());
        count
    };
    let running = up_for_people(&project, &[]).spawn();
    wait_for("some migrations are applied", || {
        target.query("SELECT to_regclass('t_40') IS NOT NULL") == "t"
    });
    server.stop_hard();
    let _ = expect_failure(
        running,
        75,
        &["Run `forerun migrate up` again once the database answers"],
    );
    server.start_again();
    assert!((40..600).contains(&consistent()), "in the middle");
    let _ = up(&project, &[]).run().expect_code(0);
    assert_eq!(consistent(), 600);
}

/// The same on MariaDB, within a migration that is half applied.
#[test]
fn mariadb_is_restarted_in_the_middle() {
    let Some(server) = MariadbServer::builder().durable().start() else {
        return;
    };
    server_goes_away(
        || Target::on_mariadb(&server),
        [&|| server.stop(), &|| server.stop_hard()],
        || server.start_again(),
    );
}

/// The network breaks while a statement runs, and the server does not notice that its client is gone: the next run
/// ends that session and takes over.
#[test]
fn the_connection_is_cut_in_a_statement() {
    for target in servers() {
        let proxy = target.database().proxy();
        let mut gate = Gate::closed(&target);
        let project = project_for(&target, &migrations(&gate.sql()));
        let running = start(&project, &["-u", &target.database().url_through(&proxy)]);
        gate.wait_until_reached();
        proxy.refuse(true);
        proxy.cut_now();
        let _ = expect_failure(
            running,
            75,
            &[
                "lost",
                "Run `forerun migrate up` again once the database answers",
            ],
        );

        let next = up(&project, &[])
            .env("FORERUN_ACTOR", "the next one")
            .spawn();
        wait_for("the next run takes over", || {
            target.holder() == "the next one"
        });
        gate.open();
        let _ = next.wait().expect_code(0);
        assert_finished(&target);
    }
}

/// The network breaks just before or just after COMMIT reaches the server. Only the server knows which; the next run
/// finds out, and nothing is applied twice.
#[test]
fn the_connection_is_cut_around_commit() {
    for target in servers() {
        for when in [When::Before, When::After] {
            let target = target.another();
            let proxy = target.database().proxy();
            let mut gate = Gate::closed(&target);
            let project = project_for(&target, &migrations(&gate.sql()));
            let running = start(&project, &["-u", &target.database().url_through(&proxy)]);
            gate.wait_until_reached();
            proxy.cut_when(Direction::ToServer, b"COMMIT", when);
            gate.open();
            let ended = expect_failure(running, 75, &["again"]);
            assert_eq!(proxy.cuts(), 1, "{target:?}, {when:?}\n{ended:?}");
            second_run_finishes(&project, &target);
        }
    }
}

/// The network breaks after any number of bytes, in either direction: while connecting, taking the lock, in the
/// journal, anywhere. Every time the next run finishes the job.
#[test]
fn the_connection_is_cut_anywhere() {
    for (product, target) in [
        ("PostgreSQL", Target::postgres as fn() -> _),
        ("MariaDB", Target::mariadb),
    ] {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let mut bytes = 40;
            let mut cuts = 0;
            loop {
                let Some(target) = target() else { return };
                let proxy = target.database().proxy();
                let project = project_for(&target, &migrations(""));
                proxy.cut_after_bytes(direction, bytes);
                let ended = start(&project, &["-u", &target.database().url_through(&proxy)]).wait();
                assert!(
                    matches!(ended.code(), Some(0 | 75)),
                    "{product}, cut after {bytes} bytes {direction:?}\n{ended:?}"
                );
                let cut = proxy.cuts() > 0;
                let again = up(&project, &[]).run();
                assert_eq!(
                    again.code(),
                    Some(0),
                    "{product}, cut after {bytes} bytes {direction:?}\n{ended:?}\n{again:?}"
                );
                story::take_over_from_the_dead(&project, &target);
                assert_finished(&target);
                if !cut {
                    break;
                }
                cuts += 1;
                bytes += 400 + bytes / 12;
            }
            assert!(
                cuts >= 10,
                "{product}, {direction:?}: cut only {cuts} times"
            );
        }
    }
}

/// An administrator ends the session that holds the lock.
#[test]
fn the_lock_session_is_terminated() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let project = project_for(&target, &migrations(&gate.sql()));
        let running = start(&project, &[]);
        gate.wait_until_reached();
        let session = target.query("SELECT backend FROM forerun_lock");
        let id = session.split('@').next().expect("a session id");
        target.query(&match target.product {
            Product::Postgres => format!("SELECT pg_terminate_backend({id})"),
            _ => format!("KILL {id}"),
        });
        let _ = expect_failure(
            running,
            75,
            &["Run `forerun migrate up` again once the database answers"],
        );
        gate.open();
        second_run_finishes(&project, &target);
    }
}

//! Through PgBouncer in transaction mode, where every transaction may run in another server session: locks and
//! settings of a session would end up with other clients of the pool.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use std::process::Command;

use forerun_test_support::{PgBouncer, PostgresServer, ScratchProject};
use story::{Gate, Target, migrations_done, outcome, project_for, up, up_for_people, wait_for};

/// Server sessions that the pool may have.
const POOL_SIZE: usize = 4;

/// A pool in front of a server of its own, so that its sessions can be counted.
struct Pool {
    // In this order, so that the pool ends before its server.
    bouncer: PgBouncer,
    server: PostgresServer,
}

impl Pool {
    fn start() -> Option<Self> {
        let server = PostgresServer::start()?;
        let settings = [
            &*format!("default_pool_size = {POOL_SIZE}"),
            "server_idle_timeout = 600",
        ];
        let bouncer = PgBouncer::start_with(&server, "transaction", &settings)?;
        Some(Self { bouncer, server })
    }

    /// A project whose URL leads through the pool.
    fn project(&self, target: &Target<'_>, migrations: &[(&str, String)]) -> ScratchProject {
        let mut project = project_for(target, migrations);
        project.set_env("DATABASE_URL", &self.url(target));
        project
    }

    fn url(&self, target: &Target<'_>) -> String {
        self.bouncer.url(&target.database().name)
    }

    /// What clients of the pool find: each of its server sessions is looked at, since all are in use at once.
    fn settings_of_sessions(&self, target: &Target<'_>) -> Vec<String> {
        let look = "BEGIN; SELECT pg_backend_pid(), current_user, session_user, current_setting('search_path'), \
                    current_setting('lock_timeout'), current_setting('statement_timeout'), \
                    current_setting('idle_in_transaction_session_timeout'), current_setting('application_name'), \
                    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), \
                    (SELECT count(*) FROM pg_class WHERE relpersistence = 't'); SELECT pg_sleep(1); COMMIT;";
        let clients: Vec<_> = (0..POOL_SIZE)
            .map(|_| {
                Command::new("psql")
                    .args([
                        "-X",
                        "-q",
                        "-A",
                        "-t",
                        "-v",
                        "ON_ERROR_STOP=1",
                        "-c",
                        look,
                        &self.url(target),
                    ])
                    .env("PGAPPNAME", "another client")
                    .stdout(std::process::Stdio::piped())
                    .spawn()
                    .expect("psql can be started")
            })
            .collect();
        let mut settings: Vec<String> = clients
            .into_iter()
            .map(|client| {
                let output = client.wait_with_output().expect("psql can be awaited");
                assert!(output.status.success());
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            })
            .collect();
        settings.sort();
        settings
    }

    fn assert_nothing_leaked(&self, target: &Target<'_>) {
        let settings = self.settings_of_sessions(target);
        let mut sessions: Vec<&str> = settings
            .iter()
            .filter_map(|found| found.split('|').next())
            .collect();
        sessions.dedup();
        assert_eq!(
            sessions.len(),
            POOL_SIZE,
            "all sessions of the pool were seen: {settings:?}"
        );
        for found in &settings {
            let (_, found) = found.split_once('|').expect("columns");
            assert_eq!(
                found, "postgres|postgres|\"$user\", public|0|0|0|another client|0|0",
                "{settings:?}"
            );
        }
    }

    /// Asked of the server itself: nothing of forerun's is left, but for idle sessions of the pool.
    fn assert_left_clean(&self, target: &Target<'_>) {
        assert_eq!(target.holder(), "", "the lock is free");
        assert_eq!(target.number("SELECT count(*) FROM forerun_journal"), 0);
        target.wait_until(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
            "0",
        );
        target.wait_until(
            "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND client_addr IS NOT NULL",
            "0",
        );
        // The server outlives the pool, see the order of the fields.
        assert!(self.server.port() > 0);
    }
}

/// Migrations that change settings, and one that cannot run in a transaction.
fn migrations(standing: &str) -> Vec<(&'static str, String)> {
    vec![
        ("0001_first.sql", "CREATE TABLE ledger (entry integer NOT NULL);\nINSERT INTO ledger VALUES (1);\n".to_owned()),
        ("0002_second.sql", format!("INSERT INTO ledger VALUES (20);\n{standing}INSERT INTO ledger VALUES (21);\n")),
        ("0003_settings.sql", "CREATE SCHEMA elsewhere;\nSET search_path = elsewhere;\nSET lock_timeout = '7s';\nSET statement_timeout = '70s';\nSET ROLE pg_monitor;\nRESET ROLE;\nSET ROLE postgres;\nCREATE TEMPORARY TABLE scratch (id integer);\nCREATE TABLE here (id integer);\n".to_owned()),
        ("0004_online.sql", "CREATE INDEX CONCURRENTLY ledger_entry ON ledger (entry);\n".to_owned()),
        ("0005_last.sql", "INSERT INTO ledger VALUES (5);\nCREATE TABLE there (id integer);\n".to_owned()),
    ]
}

fn assert_applied(target: &Target<'_>) {
    assert_eq!(target.applied(), [1, 2, 3, 4, 5]);
    assert_eq!(target.audited(), [1, 2, 3, 4, 5]);
    assert_eq!(
        target.query("SELECT entry FROM ledger ORDER BY entry"),
        "1\n5\n20\n21"
    );
    let tables = "SELECT schemaname, tablename FROM pg_tables WHERE tablename IN ('here', 'there') ORDER BY 2";
    assert_eq!(
        target.query(tables),
        "elsewhere|here\npublic|there",
        "settings end with their script"
    );
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ledger_entry'::regclass";
    assert_eq!(target.query(valid), "t");
}

/// The database URL of the application leads to a pool: migrations work all the same, and the application notices
/// nothing of them in the sessions it shares.
#[test]
fn other_clients_of_the_pool_notice_nothing() {
    let Some(pool) = Pool::start() else { return };
    let target = Target::on_postgres(&pool.server);
    let project = pool.project(&target, &migrations(""));
    // All sessions of the pool exist before: none is fresh.
    let before = pool.settings_of_sessions(&target);
    assert_eq!(before.len(), POOL_SIZE);
    let _ = up(&project, &[]).run().expect_code(0);
    assert_applied(&target);
    pool.assert_left_clean(&target);
    pool.assert_nothing_leaked(&target);
}

/// A script fails after it changed settings: they are gone as well.
#[test]
fn a_failed_script_leaves_no_settings() {
    let Some(pool) = Pool::start() else { return };
    let target = Target::on_postgres(&pool.server);
    let project = pool.project(&target, &[]);
    project.migration(
        "0001_fails.sql",
        "SET search_path = pg_catalog;\nSET lock_timeout = '7s';\nSET ROLE pg_monitor;\nSELECT 1 / 0;\n",
    );
    let _ = up_for_people(&project, &[])
        .run()
        .expect_code(3)
        .expect_text("division by zero");
    pool.assert_left_clean(&target);
    pool.assert_nothing_leaked(&target);
}

/// Ten replicas migrate through the pool at once: every migration is applied once.
#[test]
fn many_runners_apply_once() {
    let Some(pool) = Pool::start() else { return };
    let target = Target::on_postgres(&pool.server);
    let project = pool.project(&target, &migrations(""));
    let running: Vec<_> = (0..10)
        .map(|_| up(&project, &["--lock-timeout", "3m"]).spawn())
        .collect();
    let mut done = Vec::new();
    for running in running {
        let ended = running.wait().expect_code(0);
        if outcome(&ended) == "applied" {
            done.push(migrations_done(&ended));
        }
    }
    assert_eq!(done, [5], "one runner did all of the work");
    assert_applied(&target);
    pool.assert_left_clean(&target);
}

/// The runner is killed. No session lock tells that behind a pool, so the next one waits until the lease has run out,
/// and then finishes the job.
#[test]
fn the_next_runner_waits_for_the_lease_of_a_killed_one() {
    let Some(pool) = Pool::start() else { return };
    let target = Target::on_postgres(&pool.server);
    let mut gate = Gate::closed(&target);
    let project = pool.project(&target, &migrations(&gate.sql()));
    let options = ["--lease", "4s", "--lock-timeout", "2m"];
    let first = up(&project, &options)
        .env("FORERUN_ACTOR", "the first")
        .spawn();
    gate.wait_until_reached();
    let expires = "SELECT expires_at FROM forerun_lock";
    first.kill();
    assert_eq!(first.wait().signal(), Some(9));
    let lease = target.query(expires);
    let next = up(&project, &options)
        .env("FORERUN_ACTOR", "the next")
        .spawn();
    wait_for("the next one takes over", || target.holder() == "the next");
    let taken = format!("SELECT acquired_at > '{lease}' FROM forerun_lock");
    assert_eq!(
        target.query(&taken),
        "t",
        "the lease of the first one had run out"
    );
    gate.open();
    let _ = next.wait().expect_code(0);
    assert_applied(&target);
    pool.assert_left_clean(&target);
    assert_eq!(
        target.number("SELECT count(*) FROM forerun_audit WHERE event = 'lock.taken_over'"),
        1
    );
}

/// A signal cancels the statement on the server through the pool, too, and the pool survives it: PgBouncer 1.18 ends
/// when the sender of a cancel request hangs up before the request was passed on.
#[test]
fn a_signal_cancels_the_statement() {
    let Some(pool) = Pool::start() else { return };
    let target = Target::on_postgres(&pool.server);
    let mut gate = Gate::closed(&target);
    let project = pool.project(&target, &migrations(&gate.sql()));
    let running = up_for_people(&project, &[]).spawn();
    gate.wait_until_reached();
    running.terminate();
    let _ = running.wait().expect_code(143);
    gate.wait_until_left();
    pool.assert_left_clean(&target);
    assert!(
        !pool.bouncer.log().contains("FATAL"),
        "{}",
        pool.bouncer.log()
    );
    gate.open();
    let _ = up(&project, &[]).run().expect_code(0);
    assert_applied(&target);
    pool.assert_nothing_leaked(&target);
}

//! Statements: what they did, how long they may take, how they are stopped, and what is left afterwards.

use std::time::Duration;

use forerun_migrations::database::{
    Blocker, CommitOutcome, Database, ErrorKind, Fenced, Monitor, Session, Timeouts,
};
use forerun_migrations::history::AuditEntry;
use forerun_test_support::MariadbServer;

use super::{acquire, connect, database, history_row, identity, journal_row};

/// Asks until somebody is named: how fast a statement comes to wait depends on the machine.
/// The server refreshes what it tells of row locks only when nobody has asked for 100 ms: asking more
/// often, or from several tests at once in between, would get the same old answer for ever.
async fn named_blockers(monitor: &mut dyn Monitor, backend: &str) -> Vec<Blocker> {
    for _ in 0..12 {
        let blockers = monitor.blockers(backend).await.unwrap();
        if !blockers.is_empty() {
            return blockers;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    Vec::new()
}

const SECOND: Duration = Duration::from_secs(1);

fn limits(lock: Option<Duration>, statement: Option<Duration>) -> Timeouts {
    Timeouts { lock, statement }
}

#[tokio::test]
async fn rows_and_warnings_are_told() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    session.run("CREATE TABLE t (a TINYINT)").await.unwrap();
    assert_eq!(
        session
            .run("INSERT INTO t VALUES (1), (2)")
            .await
            .unwrap()
            .rows,
        Some(2)
    );
    // As the standard client counts: rows changed, not rows found.
    assert_eq!(
        session.run("UPDATE t SET a = 1").await.unwrap().rows,
        Some(1)
    );
    assert_eq!(session.run("SELECT * FROM t").await.unwrap().rows, None);
    let outcome = session.run("DROP TABLE IF EXISTS missing").await.unwrap();
    assert_eq!(outcome.notices.len(), 1);
    assert_eq!(outcome.notices[0].severity, "Note");
    assert!(
        outcome.notices[0].message.contains("missing"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_error_inside_a_procedure_is_not_lost() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    session
        .run("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too late'; END")
        .await
        .unwrap();
    let error = session.run("CALL p()").await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Statement, "too late")
    );
    assert_eq!(error.code.as_deref(), Some("1644 (45000)"));
    session.run("DO 1").await.unwrap();
}

#[tokio::test]
async fn a_syntax_error_has_a_place() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let long = format!("SELECT 1\n, 2,\n ,3 {}", "-- a remark\n + 1".repeat(50));
    for (sql, place) in [
        ("CREATE TABEL t (a INT)", "TABEL"),
        (
            "\n\nCREATE TABLE t (\n  a INT,\n  größe INT NOT ZZZ,\n  b INT\n)",
            "ZZZ",
        ),
        (long.as_str(), "3 --"),
    ] {
        let error = session.run(sql).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("1064 (42000)"), "{sql}");
        assert_eq!(error.position, sql.find(place), "{error:?}");
    }
    let sql = "CREATE TABLE t (a INT";
    assert_eq!(
        session.run(sql).await.unwrap_err().position,
        Some(sql.len())
    );
    let error = session.run("SELECT * FROM missing").await.unwrap_err();
    assert_eq!(
        (error.position, error.code.as_deref()),
        (None, Some("1146 (42S02)"))
    );
}

#[tokio::test]
async fn files_of_the_runner_are_not_sent() {
    let Some(server) = MariadbServer::builder().option("--local-infile=1").start() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    session.run("CREATE TABLE t (a TEXT)").await.unwrap();
    let error = session
        .run("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t")
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement);
    assert!(error.message.contains("LOAD DATA LOCAL"), "{error}");
    assert_eq!(
        session
            .first_row("SELECT COUNT(*) AS n FROM t")
            .await
            .unwrap()
            .as_deref(),
        Some("n=0")
    );
}

#[tokio::test]
async fn a_statement_that_is_too_large_is_refused_before_it_is_sent() {
    let Some(server) = MariadbServer::builder()
        .option("--max-allowed-packet=1M")
        .start()
    else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let error = session
        .run(&format!("SELECT '{}'", "x".repeat(1 << 20)))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement);
    assert!(error.message.contains("max_allowed_packet"), "{error}");
    session
        .run(&format!("SELECT '{}'", "x".repeat(1_000_000)))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_killed_session_is_a_lost_connection() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let id = session.backend().split('@').next().unwrap().to_owned();
    let kill = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        target.execute(&format!("KILL CONNECTION {id}"));
    };
    let (result, ()) = tokio::join!(session.run("DO SLEEP(20)"), kill);
    assert_eq!(result.unwrap_err().kind, ErrorKind::ConnectionLost);
    assert_eq!(
        session.run("DO 1").await.unwrap_err().kind,
        ErrorKind::ConnectionLost
    );
}

#[tokio::test]
async fn an_abandoned_statement_makes_the_session_unusable() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let abandoned =
        tokio::time::timeout(Duration::from_millis(100), session.run("DO SLEEP(2)")).await;
    assert!(abandoned.is_err());
    let error = session.run("SELECT 1").await.unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::ConnectionLost,
        "never the answer to another question"
    );
}

#[tokio::test]
async fn a_blocked_change_times_out_and_the_blocker_is_named() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT) ENGINE=InnoDB; INSERT INTO t VALUES (1)");
    let mut blocker = target.session();
    let blocking_id = blocker.run("SELECT CONNECTION_ID();");
    blocker.run("BEGIN; SELECT * FROM t;");

    let mut session = connect(&target.url, "run-1").await;
    let mut monitor = database(&target.url)
        .monitor(&identity("run-1"))
        .await
        .unwrap();
    let backend = session.backend();
    session
        .set_timeouts(limits(Some(Duration::from_millis(3500)), None))
        .await
        .unwrap();
    let look = named_blockers(monitor.as_mut(), &backend);
    let (result, blockers) = tokio::join!(session.run("ALTER TABLE t ADD COLUMN b INT"), look);
    assert_eq!(result.unwrap_err().kind, ErrorKind::LockTimeout);
    let named = blockers
        .iter()
        .find(|named| named.backend == blocking_id)
        .unwrap_or_else(|| panic!("{blockers:?}"));
    assert_eq!(named.state, "open transaction (likely)");
    assert_eq!(named.user, "root");
    assert!(named.transaction_seconds.is_some());
    assert!(
        blockers
            .iter()
            .all(|named| !backend.starts_with(&format!("{}@", named.backend))),
        "{blockers:?}"
    );

    drop(blocker);
    assert!(
        monitor.blockers(&backend).await.unwrap().is_empty(),
        "who does not wait has no blockers"
    );
    session.run("ALTER TABLE t ADD COLUMN b INT").await.unwrap();
}

#[tokio::test]
async fn the_holder_of_a_metadata_lock_is_named_for_certain_where_the_server_tells() {
    let options = [
        "--performance-schema=ON",
        "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON",
    ];
    let Some(server) = MariadbServer::builder()
        .option(options[0])
        .option(options[1])
        .start()
    else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT); CREATE TABLE other (a INT)");
    let mut bystander = target.session();
    bystander.run("BEGIN; SELECT * FROM other;");
    let mut blocker = target.session();
    let blocking_id = blocker.run("SELECT CONNECTION_ID();");
    blocker.run("BEGIN; SELECT * FROM t;");

    let mut session = connect(&target.url, "run-1").await;
    let mut monitor = database(&target.url)
        .monitor(&identity("run-1"))
        .await
        .unwrap();
    let backend = session.backend();
    session
        .set_timeouts(limits(Some(SECOND * 5), None))
        .await
        .unwrap();
    let look = named_blockers(monitor.as_mut(), &backend);
    let (result, blockers) = tokio::join!(session.run("ALTER TABLE t ADD COLUMN b INT"), look);
    assert_eq!(result.unwrap_err().kind, ErrorKind::LockTimeout);
    assert_eq!(blockers.len(), 1, "{blockers:?}");
    assert_eq!(
        (blockers[0].backend.as_str(), blockers[0].state.as_str()),
        (blocking_id.as_str(), "idle in transaction")
    );
}

#[tokio::test]
async fn the_plugin_for_metadata_locks_is_used_where_it_is_installed() {
    let Some(server) = MariadbServer::builder()
        .option("--plugin-load-add=metadata_lock_info")
        .start()
    else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE orders (a INT); CREATE TABLE other (a INT)");
    let mut bystander = target.session();
    bystander.run("BEGIN; SELECT * FROM other;");
    let mut blocker = target.session();
    let blocking_id = blocker.run("SELECT CONNECTION_ID();");
    blocker.run("LOCK TABLES orders READ;");

    let mut session = connect(&target.url, "run-1").await;
    let mut monitor = database(&target.url)
        .monitor(&identity("run-1"))
        .await
        .unwrap();
    let backend = session.backend();
    session
        .set_timeouts(limits(Some(SECOND * 5), None))
        .await
        .unwrap();
    let look = named_blockers(monitor.as_mut(), &backend);
    let (result, blockers) = tokio::join!(session.run("ALTER TABLE orders ADD COLUMN b INT"), look);
    assert_eq!(result.unwrap_err().kind, ErrorKind::LockTimeout);
    assert_eq!(blockers.len(), 1, "{blockers:?}");
    assert_eq!(blockers[0].backend, blocking_id);
}

#[tokio::test]
async fn the_holder_of_a_row_lock_is_named() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO t VALUES (1)");
    let mut blocker = target.session();
    let blocking_id = blocker.run("SELECT CONNECTION_ID();");
    blocker.run("BEGIN; SELECT * FROM t FOR UPDATE;");

    let mut session = connect(&target.url, "run-1").await;
    let mut monitor = database(&target.url)
        .monitor(&identity("run-1"))
        .await
        .unwrap();
    let backend = session.backend();
    session.begin(limits(Some(SECOND * 5), None)).await.unwrap();
    let look = named_blockers(monitor.as_mut(), &backend);
    let (result, blockers) = tokio::join!(session.run("DELETE FROM t"), look);
    assert_eq!(result.unwrap_err().kind, ErrorKind::LockTimeout);
    assert_eq!(blockers.len(), 1, "{blockers:?}");
    assert_eq!(
        (blockers[0].backend.as_str(), blockers[0].state.as_str()),
        (blocking_id.as_str(), "idle in transaction")
    );
}

#[tokio::test]
async fn a_deadlock_is_recognised() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE=InnoDB; INSERT INTO t VALUES (1, 0), (2, 0)");
    let mut one = connect(&target.url, "run-1").await;
    let mut two = connect(&target.url, "run-2").await;
    one.begin(Timeouts::default()).await.unwrap();
    two.begin(Timeouts::default()).await.unwrap();
    one.run("UPDATE t SET a = 1 WHERE id = 1").await.unwrap();
    two.run("UPDATE t SET a = 2 WHERE id = 2").await.unwrap();
    let (first, second) = tokio::join!(one.run("UPDATE t SET a = 1 WHERE id = 2"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let result = two.run("UPDATE t SET a = 2 WHERE id = 1").await;
        two.rollback().await.unwrap();
        result
    });
    let errors: Vec<_> = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].kind, ErrorKind::Deadlock);
}

#[tokio::test]
async fn reset_undoes_what_a_script_changed() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute(
        "CREATE TABLE t (a INT); CREATE TABLE u (a INT);
         CREATE OR REPLACE ROLE auditor; GRANT auditor TO root@'127.0.0.1'",
    );
    let mut session = connect(&target.url, "run-1").await;
    let state = "SELECT @@sql_mode, @@autocommit, @@foreign_key_checks, @@unique_checks, @@time_zone, \
                 @@character_set_client, @@character_set_results, @@lock_wait_timeout, @@max_statement_time, \
                 @@tx_isolation, @@sql_select_limit, @@completion_type, DATABASE(), CURRENT_ROLE(), \
                 @@timestamp > 1700000000 AS clock";
    let before = session.first_row(state).await.unwrap();
    for careless in [
        "SET sql_mode = 'ANSI', foreign_key_checks = 0, unique_checks = 0, time_zone = '+05:00', timestamp = 1",
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET sql_select_limit = 10, completion_type = 'CHAIN', max_statement_time = 100, lock_wait_timeout = 7",
        "SET NAMES latin1",
        "USE information_schema",
        "SET ROLE auditor",
    ] {
        session.run(careless).await.unwrap();
    }
    assert_ne!(session.first_row(state).await.unwrap(), before);
    assert!(!session.reset().await.unwrap(), "no transaction was open");
    assert_eq!(session.first_row(state).await.unwrap(), before);

    session.run("SET autocommit = 0").await.unwrap();
    session.run("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(session.reset().await.unwrap(), "a transaction was open");
    assert_eq!(
        target.query("SELECT COUNT(*) FROM t"),
        "0",
        "and is rolled back"
    );
    session.run("INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(
        target.query("SELECT COUNT(*) FROM t"),
        "1",
        "autocommit is on again"
    );

    session.run("LOCK TABLES t READ").await.unwrap();
    session.reset().await.unwrap();
    session.run("INSERT INTO u VALUES (1)").await.unwrap();

    session.begin(limits(Some(SECOND * 3), None)).await.unwrap();
    session.run("INSERT INTO t VALUES (3)").await.unwrap();
    assert!(session.reset().await.unwrap());
    assert_eq!(
        session.first_row(state).await.unwrap(),
        before,
        "our own limits are undone as well"
    );
}

/// Statements that the server has counted for this session.
async fn questions(session: &mut dyn Session) -> i64 {
    let row = session
        .first_row("SHOW SESSION STATUS LIKE 'Questions'")
        .await
        .unwrap()
        .unwrap();
    row.rsplit('=').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_plain_migration_costs_few_round_trips() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let session = session.as_mut();
    let lease = acquire(session).await;
    let ddl = limits(Some(SECOND), None);
    session.set_timeouts(ddl).await.unwrap();
    session.run("CREATE TABLE t1 (a INT)").await.unwrap();

    let before = questions(session).await;
    let sql = "CREATE TABLE t2 (a INT)";
    let statement = forerun_sql::classify(forerun_sql::Dialect::Mysql, sql);
    session.fingerprint(&statement).await.unwrap();
    session
        .write_journal(&lease, &journal_row(2, Some("definition:a")))
        .await
        .unwrap();
    session.set_timeouts(ddl).await.unwrap();
    session.run(sql).await.unwrap();
    session.begin(limits(Some(SECOND * 5), None)).await.unwrap();
    session
        .record_applied(&lease, &history_row(2))
        .await
        .unwrap();
    let entry = AuditEntry {
        event: "migration.applied",
        version: None,
        statement: None,
        attempt: None,
        message: String::new(),
        detail: serde_json::Value::Null,
    };
    session.audit(&[entry]).await.unwrap();
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert!(!session.reset().await.unwrap());
    session.set_timeouts(ddl).await.unwrap();
    // Definition, journal, the statement; begin, history, journal, audit, commit. (One of the two questions counts.)
    let cost = questions(session).await - before - 1;
    assert_eq!(cost, 8);
}

#[tokio::test]
async fn nothing_comes_between_a_statement_and_what_asks_about_it() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT)");
    let mut session = connect(&target.url, "run-1").await;
    session.begin(limits(Some(SECOND), None)).await.unwrap();
    session
        .run("INSERT INTO t VALUES (1), (2), (3)")
        .await
        .unwrap();
    session.run("SET @changed = ROW_COUNT()").await.unwrap();
    let row = session.first_row("SELECT @changed AS n").await.unwrap();
    assert_eq!(row.as_deref(), Some("n=3"));
}

#[tokio::test]
async fn a_script_may_use_savepoints_and_settings_in_our_transaction() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT)");
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    session.begin(limits(Some(SECOND), None)).await.unwrap();
    for sql in [
        "INSERT INTO t VALUES (1)",
        "SAVEPOINT mine",
        "SET foreign_key_checks = 0",
        "INSERT INTO t VALUES (2)",
        "ROLLBACK TO SAVEPOINT mine",
    ] {
        session.run(sql).await.unwrap();
    }
    assert_eq!(
        session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(target.query("SELECT a FROM t"), "1");
}

#[tokio::test]
async fn a_transaction_that_a_deadlock_has_ended_records_nothing() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE=InnoDB; INSERT INTO t VALUES (1, 0), (2, 0)");
    let mut victim = connect(&target.url, "run-1").await;
    let lease = acquire(victim.as_mut()).await;
    let mut other = target.session();
    victim.begin(Timeouts::default()).await.unwrap();
    // The one that has changed less is chosen as the victim.
    other.run("CREATE TABLE heavy (a INT) ENGINE=InnoDB; BEGIN; INSERT INTO heavy SELECT seq FROM seq_1_to_1000; UPDATE t SET a = 2 WHERE id = 2;");
    victim.run("UPDATE t SET a = 1 WHERE id = 1").await.unwrap();
    let waiting = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(300));
        other.run("UPDATE t SET a = 2 WHERE id = 1;")
    });
    let error = victim
        .run("UPDATE t SET a = 1 WHERE id = 2")
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Deadlock);
    let fenced = victim.record_applied(&lease, &history_row(1)).await;
    assert_eq!(fenced.unwrap(), Fenced::TransactionEnded);
    victim.rollback().await.unwrap();
    waiting.await.unwrap();
    assert!(victim.history().await.unwrap().is_empty());
}

#[tokio::test]
async fn copy_is_refused_with_a_reason() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let error = session.copy_start("COPY t FROM STDIN").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement);
    assert!(error.message.contains("PostgreSQL"), "{error}");
}

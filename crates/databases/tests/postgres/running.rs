//! Running the user's SQL.

use std::time::{Duration, Instant};

use forerun_migrations::database::{CommitOutcome, ErrorKind, Timeouts};
use forerun_test_support::{Direction, PostgresServer, When};

use super::{acquire, connect, database as open, identity, no_limits};

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_reported() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    let outcome = session
        .run("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
        .await
        .unwrap();
    let notices: Vec<String> = outcome
        .notices
        .iter()
        .map(|notice| format!("{}:{}", notice.severity, notice.message))
        .collect();
    assert_eq!(notices, ["NOTICE:one", "WARNING:two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_is_thrown_away() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let mut session = connect(&server.url("postgres"), "run").await;
    let outcome = session
        .run("SELECT repeat('x', 1000) FROM generate_series(1, 50000)")
        .await
        .unwrap();
    assert_eq!(outcome.rows, Some(50000));
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_byte_offsets_in_the_statement() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let mut session = connect(&server.url("postgres"), "run").await;
    session.run("SELECT 'first statement: äöü'").await.unwrap();
    let sql = "SELECT 'äöü€', nope FROM pg_class";
    let error = session.run(sql).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement);
    assert_eq!(error.code.as_deref(), Some("42703"));
    assert_eq!(error.position, sql.find("nope"));
    let error = session
        .run("DO $$ BEGIN EXECUTE 'SELEC 1'; END $$")
        .await
        .unwrap_err();
    assert_eq!(error.position, None);
    assert!(
        error.context.as_deref().unwrap().contains("SELEC 1"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_in_and_outside_a_transaction() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE t (a int)");
    let mut session = connect(&database.url, "run").await;
    let mut blocker = database.session();
    blocker.run("BEGIN; LOCK TABLE t;");
    let lock = Timeouts {
        lock: Some(Duration::from_millis(100)),
        statement: None,
    };
    let statement = Timeouts {
        lock: None,
        statement: Some(Duration::from_millis(100)),
    };

    session.begin(lock).await.unwrap();
    let error = session.run("ALTER TABLE t ADD b int").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockTimeout);
    session.rollback().await.unwrap();
    session.set_timeouts(statement).await.unwrap();
    let error = session.run("SELECT pg_sleep(10)").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::StatementTimeout);
    session.reset().await.unwrap();
    session.run("SELECT pg_sleep(0.2)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_transaction_does_not_count_as_committed() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    session.begin(no_limits()).await.unwrap();
    session.run("CREATE TABLE t (a int)").await.unwrap();
    session.run("SELECT 1/0").await.unwrap_err();
    assert!(matches!(
        session.commit().await,
        CommitOutcome::RolledBack(_)
    ));
    assert!(!session.reset().await.unwrap());

    session
        .run("CREATE TABLE t (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
        .await
        .unwrap();
    session.begin(no_limits()).await.unwrap();
    session.run("INSERT INTO t VALUES (1), (1)").await.unwrap();
    match session.commit().await {
        CommitOutcome::RolledBack(error) => assert_eq!(error.code.as_deref(), Some("23505")),
        other => panic!("{other:?}"),
    }
    assert_eq!(database.query("SELECT count(*) FROM t"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_is_unknown_and_one_never_sent_is_not() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let proxy = database.proxy();
    let mut session = connect(&database.url_through(&proxy), "run").await;
    session.begin(no_limits()).await.unwrap();
    session.run("CREATE TABLE t (a int)").await.unwrap();
    proxy.cut_when(Direction::ToServer, b"COMMIT", When::After);
    assert!(matches!(session.commit().await, CommitOutcome::Unknown(_)));
    database.wait_until(
        "SELECT count(*) FROM pg_class WHERE relname = 't'",
        "1",
        Duration::from_secs(5),
    );

    let proxy = database.proxy();
    let mut session = connect(&database.url_through(&proxy), "run").await;
    session.begin(no_limits()).await.unwrap();
    proxy.cut_now();
    let error = session.run("CREATE TABLE u (a int)").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
    match session.commit().await {
        CommitOutcome::RolledBack(error) => assert_eq!(error.kind, ErrorKind::ConnectionLost),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_session_says_who_ended_it() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    let process = session.backend().split('@').next().unwrap().to_owned();
    let task = tokio::spawn(async move {
        let error = session.run("SELECT pg_sleep(30)").await.unwrap_err();
        (session, error)
    });
    database.wait_until(
        &format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND query LIKE '%pg_sleep(30)%'"),
        "1",
        Duration::from_secs(5),
    );
    database.query(&format!("SELECT pg_terminate_backend({process})"));
    let (mut session, error) = task.await.unwrap();
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
    assert_eq!(error.code.as_deref(), Some("57P01"));
    assert_eq!(
        session.run("SELECT 1").await.unwrap_err().kind,
        ErrorKind::ConnectionLost
    );

    // Idle when it happens: the reason is remembered until the next use.
    let mut idle = connect(&database.url, "run").await;
    let process = idle.backend().split('@').next().unwrap().to_owned();
    database.query(&format!("SELECT pg_terminate_backend({process})"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let error = idle.run("SELECT 1").await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("57P01"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_streams_rows() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    session.begin(no_limits()).await.unwrap();
    session.run("CREATE TABLE t (a int, b text)").await.unwrap();
    session
        .copy_start("COPY t (a, b) FROM STDIN")
        .await
        .unwrap();
    let mut sum: u64 = 0;
    for block in 0..60_u64 {
        let mut rows = String::new();
        for row in 0..1000_u64 {
            let number = block * 1000 + row;
            sum += number;
            rows.push_str(&format!("{number}\t{}\n", "x".repeat(90)));
        }
        session.copy_data(rows.as_bytes()).await.unwrap();
    }
    assert_eq!(session.copy_finish().await.unwrap().rows, Some(60_000));
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(
        database.query("SELECT count(*), sum(a) FROM t"),
        format!("60000|{sum}")
    );

    session.begin(no_limits()).await.unwrap();
    session.copy_start("COPY t FROM STDIN").await.unwrap();
    session.copy_data(b"not a number\tx\n").await.unwrap();
    let error = session.copy_finish().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement);
    assert!(
        error.context.as_deref().unwrap().contains("line 1"),
        "{error:?}"
    );
    session.rollback().await.unwrap();

    // Given up in the middle: the rollback ends the copy.
    session.begin(no_limits()).await.unwrap();
    session.copy_start("COPY t FROM STDIN").await.unwrap();
    session.copy_data(b"1\tx\n").await.unwrap();
    session.rollback().await.unwrap();
    assert_eq!(
        session
            .first_row("SELECT count(*) FROM t")
            .await
            .unwrap()
            .as_deref(),
        Some("count=60000")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_to_standard_output_is_refused_in_words() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let mut session = connect(&server.url("postgres"), "run").await;
    let error = session.run("COPY (SELECT 1) TO STDOUT").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement);
    assert!(error.message.contains("TO STDOUT"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_undoes_what_the_script_did() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let role = format!("app_{}", database.name);
    database.execute(&format!("CREATE ROLE {role}; CREATE SCHEMA other"));
    let mut session = connect(&database.url, "run").await;
    acquire(&mut session).await;
    for sql in [
        "SET search_path = other",
        "SET client_min_messages = error",
        "CREATE TEMP TABLE scratch (a int)",
        "PREPARE p AS SELECT 1",
        "SELECT pg_advisory_unlock_all()",
        &format!("SET ROLE {role}"),
    ] {
        session.run(sql).await.unwrap();
    }
    assert!(!session.reset().await.unwrap());
    let state = "SELECT current_user AS u, current_setting('search_path') AS s, to_regclass('scratch') AS t, \
                 (SELECT count(*) FROM pg_prepared_statements) AS p";
    let row = session.first_row(state).await.unwrap();
    assert_eq!(
        row.as_deref(),
        Some("u=postgres, s=\"$user\", public, t=NULL, p=0")
    );
    let mut second = connect(&database.url, "other").await;
    assert!(
        matches!(
            second.try_acquire(&super::request(30.0)).await.unwrap(),
            super::Acquire::Held(Some(_))
        ),
        "the lock is held again although the script released it"
    );
    database.execute(&format!("DROP ROLE {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_script_left_open_is_ended_and_told() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    session.run("BEGIN").await.unwrap();
    session.run("CREATE TABLE t (a int)").await.unwrap();
    assert!(session.reset().await.unwrap());
    session.run("BEGIN").await.unwrap();
    session.run("SELECT 1/0").await.unwrap_err();
    assert!(session.reset().await.unwrap());
    session.run("SELECT 1").await.unwrap();
    assert!(!session.reset().await.unwrap());
    assert_eq!(
        database.query("SELECT count(*) FROM pg_class WHERE relname = 't'"),
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn blockers_are_named() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE t (a int)");
    let target = open(&database.url);
    let mut session = target.connect(&identity("run")).await.unwrap();
    let mut monitor = target.monitor(&identity("run")).await.unwrap();
    let backend = session.backend();
    let mut blocker = database.session();
    blocker.run("SET application_name = 'report'; BEGIN; SELECT count(*) FROM t;");
    assert_eq!(monitor.blockers(&backend).await.unwrap(), []);
    let task =
        tokio::spawn(async move { session.run("ALTER TABLE t ADD b int").await.map(|_| ()) });
    let deadline = Instant::now() + Duration::from_secs(5);
    let found = loop {
        let found = monitor.blockers(&backend).await.unwrap();
        if !found.is_empty() || Instant::now() > deadline {
            break found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].application, "report");
    assert_eq!(found[0].user, "postgres");
    assert_eq!(found[0].state, "idle in transaction");
    assert!(found[0].query.contains("count(*)"), "{found:?}");
    assert!(found[0].transaction_seconds.is_some());
    blocker.run("COMMIT;");
    task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_is_named_as_blocker() {
    let Some(server) = PostgresServer::builder()
        .configuration("max_prepared_transactions = 2")
        .start()
    else {
        return;
    };
    let database = server.fresh_database();
    database
        .execute("CREATE TABLE t (a int); BEGIN; LOCK TABLE t; PREPARE TRANSACTION 'left over'");
    let target = open(&database.url);
    let mut session = target.connect(&identity("run")).await.unwrap();
    let mut monitor = target.monitor(&identity("run")).await.unwrap();
    let backend = session.backend();
    let limits = Timeouts {
        lock: Some(Duration::from_secs(2)),
        statement: None,
    };
    let task = tokio::spawn(async move {
        session.begin(limits).await.unwrap();
        session.run("ALTER TABLE t ADD b int").await.map(|_| ())
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    let found = monitor.blockers(&backend).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].backend.contains("left over"), "{found:?}");
    task.await.unwrap().unwrap_err();
    database.execute("ROLLBACK PREPARED 'left over'");
}

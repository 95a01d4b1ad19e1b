//! Statements that run outside transactions: did it take effect, and what did it leave behind?

use std::time::Duration;

use forerun_migrations::database::{ErrorKind, Fingerprint, Timeouts};
use forerun_sql::{Dialect, classify};
use forerun_test_support::PostgresServer;

use super::{acquire, connect};

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_tells_whether_a_statement_took_effect() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE t (a int, b int); CREATE TYPE mood AS ENUM ('ok'); \
         CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
    );
    let mut session = connect(&database.url, "run").await;
    let other = format!("{}_other", database.name);
    for sql in [
        "CREATE INDEX CONCURRENTLY t_a ON t (a)",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_b ON public.t (b)",
        "CREATE INDEX CONCURRENTLY ON t (a, b)",
        "DROP INDEX CONCURRENTLY t_a",
        "ALTER TYPE mood ADD VALUE 'happy'",
        "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad' BEFORE 'ok'",
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
        &format!("CREATE DATABASE {other}"),
        &format!("DROP DATABASE {other}"),
    ] {
        let statement = classify(Dialect::Postgres, sql);
        let before = session.fingerprint(&statement).await.unwrap();
        assert!(
            matches!(before, Fingerprint::Definition(_)),
            "{sql}: {before:?}"
        );
        assert_eq!(
            session.fingerprint(&statement).await.unwrap(),
            before,
            "{sql}"
        );
        session.run(sql).await.unwrap();
        assert_ne!(
            session.fingerprint(&statement).await.unwrap(),
            before,
            "{sql}"
        );
    }
    for sql in [
        "VACUUM t",
        "ANALYZE",
        "REINDEX TABLE CONCURRENTLY t",
        "CLUSTER",
    ] {
        let statement = classify(Dialect::Postgres, sql);
        assert_eq!(
            session.fingerprint(&statement).await.unwrap(),
            Fingerprint::Repeatable,
            "{sql}"
        );
    }
    let statement = classify(Dialect::Postgres, "CALL p()");
    assert_eq!(
        session.fingerprint(&statement).await.unwrap(),
        Fingerprint::Unknown
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_index_is_dropped_and_built_anew() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, 1)");
    let mut session = connect(&database.url, "run").await;
    acquire(&mut session).await;
    for (sql, name) in [
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)",
            "public.t_a",
        ),
        (
            "create unique index concurrently on t (b, a)",
            "public.t_b_a_idx",
        ),
    ] {
        let statement = classify(Dialect::Postgres, sql);
        database
            .execute("DROP INDEX IF EXISTS t_a; TRUNCATE t; INSERT INTO t VALUES (1, 1), (1, 1)");
        assert!(
            session
                .drop_invalid_indexes(&statement, sql, None)
                .await
                .unwrap()
                .is_empty()
        );
        let error = session.run(sql).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("23505"));
        assert_eq!(
            session
                .invalid_index(&statement, sql)
                .await
                .unwrap()
                .as_deref(),
            Some(name)
        );
        database.execute("TRUNCATE t");
        assert_eq!(
            session
                .drop_invalid_indexes(&statement, sql, None)
                .await
                .unwrap(),
            [name]
        );
        session.run(sql).await.unwrap();
        assert_eq!(session.invalid_index(&statement, sql).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_failed_leaves_nothing_behind() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); CREATE TABLE u (a int); INSERT INTO t VALUES (1)");
    let mut session = connect(&database.url, "run").await;
    // A writer in the way, and a limit that the rebuild runs into.
    let mut writer = database.session();
    writer.run("BEGIN; INSERT INTO t VALUES (2);");
    session
        .set_timeouts(Timeouts {
            lock: None,
            statement: Some(Duration::from_millis(300)),
        })
        .await
        .unwrap();
    let sql = "REINDEX INDEX CONCURRENTLY t_a";
    let error = session.run(sql).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::StatementTimeout);
    writer.run("COMMIT;");
    let statement = classify(Dialect::Postgres, sql);
    let dropped = session
        .drop_invalid_indexes(&statement, sql, None)
        .await
        .unwrap();
    assert_eq!(dropped, ["public.t_a_ccnew"]);
    assert_eq!(
        database.query("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 't'::regclass"),
        "t_a"
    );
    // The limits that were set before are in force again.
    let error = session.run("SELECT pg_sleep(5)").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::StatementTimeout);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_somebody_builds_right_now_is_waited_for() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    let mut writer = database.session();
    writer.run("BEGIN; INSERT INTO t VALUES (2);");
    let mut builder = database.session();
    builder.send("CREATE INDEX CONCURRENTLY t_a ON t (a);");
    database.wait_until(
        "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
        "1",
        Duration::from_secs(5),
    );
    let mut session = connect(&database.url, "run").await;
    let sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)";
    let task = tokio::spawn(async move {
        let statement = classify(Dialect::Postgres, sql);
        session
            .drop_invalid_indexes(&statement, sql, None)
            .await
            .unwrap()
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!task.is_finished());
    writer.run("COMMIT;");
    assert!(
        task.await.unwrap().is_empty(),
        "it became valid, so it stays"
    );
    assert_eq!(
        database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass"),
        "t"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_index_of_another_table_is_none_of_our_business() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database
        .execute("CREATE TABLE t (a int); CREATE TABLE u (a int); INSERT INTO u VALUES (1), (1)");
    database
        .try_execute("CREATE UNIQUE INDEX CONCURRENTLY shared_name ON u (a)")
        .unwrap_err();
    let mut session = connect(&database.url, "run").await;
    let sql = "CREATE INDEX CONCURRENTLY shared_name ON t (a)";
    let statement = classify(Dialect::Postgres, sql);
    assert!(
        session
            .drop_invalid_indexes(&statement, sql, None)
            .await
            .unwrap()
            .is_empty()
    );
}

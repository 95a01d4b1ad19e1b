//! PgBouncer between us and the server.

use forerun_migrations::database::{Acquire, CommitOutcome, Fenced};
use forerun_migrations::history::Version;
use forerun_test_support::{PgBouncer, PostgresServer};

use super::{
    acquire, acquire_for, connect, database as open, history_row, identity, no_limits, request,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_is_recognised_whatever_its_mode() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    for (mode, settings, pooled) in [
        ("transaction", &[][..], true),
        (
            "transaction",
            &["server_round_robin = 1", "min_pool_size = 5"][..],
            true,
        ),
        ("session", &[][..], false),
    ] {
        let database = server.fresh_database();
        let Some(bouncer) = PgBouncer::start_with(server, mode, settings) else {
            return;
        };
        for round in 0..5 {
            let mut session = connect(&bouncer.url(&database.name), "run").await;
            let lease = acquire(&mut session).await;
            assert_eq!(
                session.server().pooled,
                pooled,
                "{mode} {settings:?} {round}"
            );
            session.release(&lease).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_works_in_transaction_mode_and_leaves_nothing_behind() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let role = format!("app_{}", database.name);
    database.execute(&format!("CREATE ROLE {role}"));
    let Some(bouncer) = PgBouncer::start(server, "transaction") else {
        return;
    };
    let url = bouncer.url(&database.name);
    let target = open(&url);
    let mut session = target.connect(&identity("run-1")).await.unwrap();
    assert_eq!(session.applied().await.unwrap(), None);
    let lease = acquire(&mut session).await;
    assert_eq!(
        database.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
        "0",
        "a session lock would stay in the pool"
    );
    let mut monitor = target.monitor(&identity("run-1")).await.unwrap();
    assert!(monitor.heartbeat(&lease).await.unwrap());

    session.begin(no_limits()).await.unwrap();
    session.run("CREATE TABLE t (a int)").await.unwrap();
    session
        .run("CREATE TEMP TABLE scratch (a int)")
        .await
        .unwrap();
    session.run("SET search_path = pg_catalog").await.unwrap();
    session.run(&format!("SET ROLE {role}")).await.unwrap();
    assert_eq!(
        session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::Written
    );
    session.audit(&[]).await.unwrap();
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert!(!session.reset().await.unwrap());

    // COPY outside a transaction, a statement outside, and the journal.
    session.copy_start("COPY t FROM STDIN").await.unwrap();
    session.copy_data(b"1\n2\n").await.unwrap();
    assert_eq!(session.copy_finish().await.unwrap().rows, Some(2));
    session
        .set_timeouts(super::Timeouts::default())
        .await
        .unwrap();
    session
        .run("CREATE INDEX CONCURRENTLY t_a ON t (a)")
        .await
        .unwrap();
    assert_eq!(
        session
            .clear_journal(&lease, &Version::from(1))
            .await
            .unwrap(),
        Fenced::Written
    );
    session.release(&lease).await.unwrap();
    assert_eq!(database.query("SELECT count(*) FROM t"), "2");

    let mut next = connect(&url, "run-2").await;
    let state = "SELECT current_user AS u, current_setting('search_path') AS s, to_regclass('scratch') AS t";
    let row = next.first_row(state).await.unwrap();
    assert_eq!(
        row.as_deref(),
        Some("u=postgres, s=\"$user\", public, t=NULL")
    );
    assert_eq!(next.applied().await.unwrap().unwrap().len(), 1);
    drop((session, next, monitor, bouncer));
    database.execute(&format!("DROP ROLE {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn holders_behind_and_beside_the_pooler_exclude_each_other() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let Some(bouncer) = PgBouncer::start(server, "transaction") else {
        return;
    };
    let mut pooled = connect(&bouncer.url(&database.name), "pooled").await;
    let mut direct = connect(&database.url, "direct").await;

    let lease = acquire(&mut direct).await;
    match pooled.try_acquire(&request(30.0)).await.unwrap() {
        Acquire::Held(Some(holder)) => assert_eq!(holder.run_id, "direct"),
        other => panic!("{other:?}"),
    }
    direct.release(&lease).await.unwrap();

    let old = acquire_for(&mut pooled, 1.0).await;
    for session in [
        &mut direct,
        &mut connect(&bouncer.url(&database.name), "third").await,
    ] {
        match session.try_acquire(&request(30.0)).await.unwrap() {
            Acquire::Held(Some(holder)) => {
                assert_eq!((holder.run_id.as_str(), holder.alive), ("pooled", None));
            }
            other => panic!("{other:?}"),
        }
    }
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    let lease = acquire(&mut direct).await;
    assert_eq!(lease.taken_over.unwrap().run_id, "pooled");
    pooled.begin(no_limits()).await.unwrap();
    assert_eq!(
        pooled.record_applied(&old, &history_row(1)).await.unwrap(),
        Fenced::LeaseLost
    );
    pooled.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn blockers_of_a_pooled_session_are_found() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE t (a int)");
    let Some(bouncer) = PgBouncer::start(server, "transaction") else {
        return;
    };
    let target = open(&bouncer.url(&database.name));
    let mut session = target.connect(&identity("run")).await.unwrap();
    let lease = acquire(&mut session).await;
    let mut monitor = target.monitor(&identity("run")).await.unwrap();
    let backend = session.backend();
    let mut blocker = database.session();
    blocker.run("BEGIN; SELECT count(*) FROM t;");
    let task = tokio::spawn(async move {
        session.begin(no_limits()).await.unwrap();
        session.run("ALTER TABLE t ADD b int").await.unwrap();
        session.rollback().await.unwrap();
        session.release(&lease).await.unwrap();
    });
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(monitor.blockers(&backend).await.unwrap().len(), 1);
    blocker.run("COMMIT;");
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_goes_through_the_pooler() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let Some(bouncer) = PgBouncer::start(server, "transaction") else {
        return;
    };
    let mut session = connect(&bouncer.url("postgres"), "run").await;
    let canceller = session.canceller();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        canceller.cancel().await.unwrap();
    });
    let error = session.run("SELECT pg_sleep(20)").await.unwrap_err();
    assert_eq!(
        error.kind,
        forerun_migrations::database::ErrorKind::Cancelled,
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pooler_refuses_is_explained() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let Some(bouncer) = PgBouncer::start(server, "transaction") else {
        return;
    };
    let error = super::refused(&bouncer.url("no_such_database")).await;
    assert_eq!(
        error.kind,
        forerun_migrations::database::ErrorKind::Configuration,
        "{error:?}"
    );
    let url = bouncer
        .url("postgres")
        .replace("forerun-test-password", "wrong");
    let error = super::refused(&url).await;
    assert_eq!(
        error.kind,
        forerun_migrations::database::ErrorKind::Authentication,
        "{error:?}"
    );
    let error = super::refused(&format!(
        "{}?options=-c%20search_path%3Dx",
        bouncer.url("postgres")
    ))
    .await;
    assert_eq!(
        error.kind,
        forerun_migrations::database::ErrorKind::Configuration,
        "{error:?}"
    );
    assert!(
        error
            .hint
            .as_deref()
            .unwrap()
            .contains("ignore_startup_parameters"),
        "{error:?}"
    );
}

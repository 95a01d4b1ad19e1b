//! The runner lock: one holder, dead and expired ones replaced, nobody waits inside the server.

use std::time::Duration;

use forerun_migrations::database::{Acquire, ErrorKind, Fenced, Holder};
use forerun_migrations::history::Version;
use forerun_test_support::{PostgresServer, TestDatabase};

use super::{
    acquire, acquire_for, connect, database as open, history_row, identity, no_limits, request,
};

fn process(backend: &str) -> String {
    backend.split('@').next().unwrap().to_owned()
}

async fn held_by(session: &mut Box<dyn forerun_migrations::database::Session>) -> Option<Holder> {
    match session.try_acquire(&request(30.0)).await.unwrap() {
        Acquire::Held(holder) => holder,
        Acquire::Acquired(lease) => panic!("acquired: {lease:?}"),
    }
}

/// What a partition or a pause looks like from the server: the lease is not prolonged any more.
fn expire(database: &TestDatabase<'_>) {
    database.execute("UPDATE forerun_lock SET expires_at = now() - interval '1 second'");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_whose_session_died_is_replaced_at_once() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut first = connect(&database.url, "run-1").await;
    acquire(&mut first).await;
    database.query(&format!(
        "SELECT pg_terminate_backend({})",
        process(&first.backend())
    ));
    let mut second = connect(&database.url, "run-2").await;
    let mut tries = 0;
    let lease = loop {
        match second.try_acquire(&request(30.0)).await.unwrap() {
            Acquire::Acquired(lease) => break lease,
            Acquire::Held(_) if tries < 50 => tries += 1,
            Acquire::Held(holder) => panic!("still held by {holder:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(lease.token, 2);
    assert_eq!(lease.taken_over.unwrap().run_id, "run-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_holder_is_ended_and_can_write_no_more() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut paused = connect(&database.url, "run-1").await;
    let old = acquire(&mut paused).await;
    paused.begin(no_limits()).await.unwrap();
    paused.run("CREATE TABLE half_done (a int)").await.unwrap();
    expire(&database);
    let mut second = connect(&database.url, "run-2").await;
    let lease = acquire(&mut second).await;
    assert_eq!(lease.token, old.token + 1);
    assert_eq!(lease.taken_over.unwrap().run_id, "run-1");
    let error = paused
        .record_applied(&old, &history_row(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
    assert_eq!(
        database.query("SELECT count(*) FROM pg_tables WHERE tablename = 'half_done'"),
        "0"
    );
    assert_eq!(second.applied().await.unwrap(), Some(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_was_taken_away_is_noticed_by_every_write() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let target = open(&database.url);
    let mut session = target.connect(&identity("run-1")).await.unwrap();
    let lease = acquire(&mut session).await;
    let mut monitor = target.monitor(&identity("run-1")).await.unwrap();
    assert!(monitor.heartbeat(&lease).await.unwrap());
    database.execute("UPDATE forerun_lock SET token = token + 1");
    assert!(!monitor.heartbeat(&lease).await.unwrap());
    session.begin(no_limits()).await.unwrap();
    let version = Version::from(1);
    assert_eq!(
        session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    assert_eq!(
        session.record_reverted(&lease, &version).await.unwrap(),
        Fenced::LeaseLost
    );
    assert_eq!(
        session
            .record_checksums(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    session.rollback().await.unwrap();
    assert_eq!(
        session.clear_journal(&lease, &version).await.unwrap(),
        Fenced::LeaseLost
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_prolongs_the_lease_also_while_the_session_is_busy() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let target = open(&database.url);
    let mut session = target.connect(&identity("run-1")).await.unwrap();
    let lease = acquire_for(&mut session, 1.5).await;
    let mut monitor = target.monitor(&identity("run-1")).await.unwrap();
    session.begin(no_limits()).await.unwrap();
    session.run("CREATE TABLE t (a int)").await.unwrap();
    let mut other = connect(&database.url, "run-2").await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(monitor.heartbeat(&lease).await.unwrap());
        assert!(held_by(&mut other).await.is_some());
    }
    assert_eq!(
        session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::Written
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_unlock_ends_the_holder() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut first = connect(&database.url, "run-1").await;
    let lease = acquire(&mut first).await;
    let mut person = connect(&database.url, "run-2").await;
    let holder = person.holder().await.unwrap().unwrap();
    person.evict(&holder).await.unwrap();
    assert_eq!(person.holder().await.unwrap(), None);
    assert_eq!(
        first
            .clear_journal(&lease, &Version::from(1))
            .await
            .unwrap_err()
            .kind,
        ErrorKind::ConnectionLost
    );
    assert!(acquire(&mut person).await.token > lease.token + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_connects_again_does_not_wait_for_itself() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut first = connect(&database.url, "run-1").await;
    let lease = acquire(&mut first).await;
    let mut again = connect(&database.url, "run-1").await;
    let new = acquire(&mut again).await;
    assert_eq!((new.token, new.taken_over), (lease.token + 1, None));
    let error = first.run("SELECT 1").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_schemas_have_two_locks() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE SCHEMA \"Ops 'n' \"\"more\"\"\"");
    let mut first = connect(&database.url, "run-1").await;
    let other = format!("{}?history_schema=Ops%20%27n%27%20%22more%22", database.url);
    let mut second = connect(&other, "run-2").await;
    acquire(&mut first).await;
    acquire(&mut second).await;
    assert_eq!(second.applied().await.unwrap(), Some(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_appears_later_does_not_hide_the_history() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut first = connect(&database.url, "run-1").await;
    let lease = acquire(&mut first).await;
    first.begin(no_limits()).await.unwrap();
    first.record_applied(&lease, &history_row(1)).await.unwrap();
    assert!(matches!(
        first.commit().await,
        forerun_migrations::database::CommitOutcome::Committed
    ));
    // In front of `public` in the search path from now on.
    database.execute("CREATE SCHEMA postgres");
    let mut second = connect(&database.url, "run-2").await;
    assert_eq!(second.server().schema.as_deref(), Some("public"));
    assert_eq!(second.applied().await.unwrap().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_privileges_reads_and_is_told_what_is_missing() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let role = format!("reader_{}", database.name);
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'"));
    let url = database
        .url
        .replace("postgres:forerun-test-password@", &format!("{role}:pw@"));
    let mut reader = connect(&url, "run-1").await;
    let error = reader.try_acquire(&request(30.0)).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("42501"));
    assert!(
        error.hint.as_deref().unwrap().contains("GRANT"),
        "{error:?}"
    );

    let mut owner = connect(&database.url, "run-2").await;
    acquire(&mut owner).await;
    assert_eq!(
        reader.applied().await.unwrap_err().code.as_deref(),
        Some("42501")
    );
    database.execute(&format!(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    assert_eq!(reader.applied().await.unwrap(), Some(Vec::new()));
    assert_eq!(reader.holder().await.unwrap().unwrap().alive, Some(true));
    drop(reader);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

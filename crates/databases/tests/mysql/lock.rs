//! The runner lock: exclusive, and never stuck behind a dead holder.

use std::time::Duration;

use forerun_migrations::database::{Acquire, Database, ErrorKind, Fenced};
use forerun_test_support::MariadbServer;

use super::{
    MINUTE, acquire, connect, database, history_row, identity, journal_row, request, version,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn databases_of_one_server_do_not_disturb_each_other() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let (one, two) = (server.fresh_database(), server.fresh_database());
    let mut first = connect(&one.url, "run-1").await;
    let mut second = connect(&two.url, "run-2").await;
    acquire(first.as_mut()).await;
    acquire(second.as_mut()).await;
}

#[tokio::test]
async fn the_lock_of_a_lost_session_is_taken_over_at_once() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut first = connect(&target.url, "run-1").await;
    let lease = acquire(first.as_mut()).await;
    let id = first.backend().split('@').next().unwrap().to_owned();
    target.execute(&format!("KILL CONNECTION {id}"));

    let mut second = connect(&target.url, "run-2").await;
    let taken = loop {
        match second.try_acquire(&request(MINUTE)).await.unwrap() {
            Acquire::Acquired(lease) => break lease,
            // The server needs a moment to end the session.
            Acquire::Held(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!(taken.token, lease.token + 1);
    let before = taken.taken_over.unwrap();
    assert_eq!(
        (before.run_id.as_str(), before.alive),
        ("run-1", Some(false))
    );
    let error = first
        .record_applied(&lease, &history_row(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
}

#[tokio::test]
async fn an_expired_holder_is_ended() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut first = connect(&target.url, "run-1").await;
    assert!(matches!(
        first.try_acquire(&request(SECOND)).await.unwrap(),
        Acquire::Acquired(_)
    ));
    let mut second = connect(&target.url, "run-2").await;
    assert!(matches!(
        second.try_acquire(&request(MINUTE)).await.unwrap(),
        Acquire::Held(Some(_))
    ));
    // It sits there, alive, and gives no sign.
    tokio::time::sleep(SECOND + Duration::from_millis(100)).await;
    let lease = acquire(second.as_mut()).await;
    assert_eq!(lease.token, 2);
    assert_eq!(lease.taken_over.unwrap().run_id, "run-1");
    let error = first.run("SELECT 1").await.unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::ConnectionLost,
        "its session is ended: {error:?}"
    );
}

#[tokio::test]
async fn a_statement_that_outlives_its_client_keeps_the_lock_until_the_lease_expires() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let proxy = target.proxy();
    let mut first = connect(&target.url_through(&proxy), "run-1").await;
    assert!(matches!(
        first.try_acquire(&request(SECOND * 2)).await.unwrap(),
        Acquire::Acquired(_)
    ));
    let cut = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.cut_now();
    };
    let build = "CREATE TABLE t AS SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b";
    let (result, ()) = tokio::join!(first.run(build), cut);
    assert_eq!(result.unwrap_err().kind, ErrorKind::ConnectionLost);

    let mut second = connect(&target.url, "run-2").await;
    let Acquire::Held(Some(holder)) = second.try_acquire(&request(MINUTE)).await.unwrap() else {
        panic!("the old statement still runs")
    };
    assert_eq!(holder.alive, Some(true));
    tokio::time::sleep(SECOND * 2).await;
    assert_eq!(
        acquire(second.as_mut()).await.taken_over.unwrap().run_id,
        "run-1"
    );
    let running = target.query(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE t AS%'",
    );
    assert_eq!(running, "0", "nothing of the old holder runs on");
}

#[tokio::test]
async fn a_holder_that_lost_its_session_lock_is_not_overrun() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut first = connect(&target.url, "run-1").await;
    acquire(first.as_mut()).await;
    // What a careless script may do.
    first.run("DO RELEASE_ALL_LOCKS()").await.unwrap();
    let mut second = connect(&target.url, "run-2").await;
    let Acquire::Held(Some(holder)) = second.try_acquire(&request(MINUTE)).await.unwrap() else {
        panic!("two runners at a time")
    };
    assert_eq!(holder.alive, Some(true));
    drop(second);
}

#[tokio::test]
async fn the_lease_is_prolonged_until_it_is_lost() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let Acquire::Acquired(lease) = session.try_acquire(&request(SECOND * 2)).await.unwrap() else {
        panic!()
    };
    let mut monitor = database(&target.url)
        .monitor(&identity("run-1"))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(monitor.heartbeat(&lease).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let holder = session.holder().await.unwrap().unwrap();
    assert!(
        holder.expires_in_seconds >= 0 && holder.heartbeat_seconds <= 2 && holder.held_seconds >= 2,
        "{holder:?}"
    );

    let mut other = connect(&target.url, "run-2").await;
    other.evict(&holder).await.unwrap();
    assert!(
        !monitor.heartbeat(&lease).await.unwrap(),
        "the lease is gone"
    );
    acquire(other.as_mut()).await;
}

#[tokio::test]
async fn an_evicted_holder_cannot_write_even_if_its_session_survives() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    // As after a takeover from another server of a cluster, where the session cannot be ended.
    target.execute("UPDATE forerun_lock SET token = token + 1, run_id = 'run-2'");

    session.begin(Default::default()).await.unwrap();
    session
        .run("CREATE TEMPORARY TABLE scratch (a INT)")
        .await
        .unwrap();
    assert_eq!(
        session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    session.rollback().await.unwrap();
    assert_eq!(
        session
            .write_journal(&lease, &journal_row(1, None))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    assert_eq!(
        session.clear_journal(&lease, &version(1)).await.unwrap(),
        Fenced::LeaseLost
    );
    assert!(
        session.history().await.unwrap().is_empty() && session.journal().await.unwrap().is_empty()
    );
    // Nor does giving back what is somebody else's do anything.
    session.release(&lease).await.unwrap();
    assert_eq!(session.holder().await.unwrap().unwrap().run_id, "run-2");
}

#[tokio::test]
async fn a_lease_of_a_restarted_server_is_free() {
    let Some(server) = MariadbServer::builder().durable().start() else {
        return;
    };
    let target = server.fresh_database();
    let mut first = connect(&target.url, "run-1").await;
    acquire(first.as_mut()).await;
    // The start time is compared with a tolerance.
    tokio::time::sleep(SECOND * 6).await;
    server.stop_hard();
    server.start_again();
    let mut second = connect(&target.url, "run-2").await;
    let lease = acquire(second.as_mut()).await;
    assert_eq!(lease.taken_over.unwrap().run_id, "run-1");
}

#[tokio::test]
async fn a_lease_of_another_server_waits_for_its_end() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    session.release(&lease).await.unwrap();
    target.execute(
        "UPDATE forerun_lock SET run_id = 'run-9', actor = 'a', host = 'h', purpose = 'p', backend = '7@ffffffff.1', \
         acquired_at = UTC_TIMESTAMP(6), heartbeat_at = UTC_TIMESTAMP(6), \
         expires_at = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND",
    );
    let Acquire::Held(Some(holder)) = session.try_acquire(&request(MINUTE)).await.unwrap() else {
        panic!()
    };
    assert_eq!(holder.alive, None);
    tokio::time::sleep(SECOND + Duration::from_millis(100)).await;
    assert_eq!(
        acquire(session.as_mut()).await.taken_over.unwrap().run_id,
        "run-9"
    );
}

#[tokio::test]
async fn without_the_privilege_to_create_tables_the_user_learns_what_to_grant() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute(&format!(
        "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'x'; GRANT SELECT ON `{}`.* TO reader@'127.0.0.1'",
        target.name
    ));
    let (_, place) = target.url.split_once('@').unwrap();
    let mut session = connect(&format!("mysql://reader:x@{place}"), "run-1").await;
    assert_eq!(
        session.applied().await.unwrap(),
        None,
        "reading needs SELECT only"
    );
    let error = session.try_acquire(&request(MINUTE)).await.unwrap_err();
    assert!(
        error
            .hint
            .as_deref()
            .unwrap_or_default()
            .contains("GRANT CREATE"),
        "{error:?}"
    );
}

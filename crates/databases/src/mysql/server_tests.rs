//! What MariaDB alone does not exercise through the public interface: the driver's own time limit (needed on
//! MySQL) and the lock without `GET_LOCK` (Galera).

use std::time::{Duration, Instant};

use forerun_migrations::database::{Acquire, ErrorKind, Identity, LeaseRequest};
use forerun_test_support::{MariadbServer, TestDatabase};

use super::connect::{self, LockFacts};
use super::connection::Connection;
use super::lock::RunnerLock;
use super::session::MysqlSession;
use crate::connection_url::{ConnectionUrl, MysqlOptions};

fn options(target: &TestDatabase<'_>) -> MysqlOptions {
    match ConnectionUrl::parse(&target.url, &|_| None).unwrap() {
        ConnectionUrl::Mysql(options) => options,
        other => panic!("{other:?}"),
    }
}

fn identity(run_id: &str) -> Identity {
    Identity {
        run_id: run_id.to_owned(),
        actor: "tester".to_owned(),
        host: "pod-1".to_owned(),
        release: None,
        tool_version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn the_drivers_own_time_limit_stops_a_statement() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = MysqlSession::open(&options(&target), &identity("run-1"))
        .await
        .unwrap();
    let limit = Duration::from_millis(300);
    let started = Instant::now();
    let endless = "CREATE TABLE t AS SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b";
    let error = session.run_within(endless, limit).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::StatementTimeout);
    assert_eq!(
        error.message,
        "the statement ran longer than 0.3 s and was stopped"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    // The session goes on, and what is fast enough is left alone.
    let outcome = session
        .run_within("CREATE TABLE t (a INT)", Duration::from_secs(60))
        .await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

async fn cluster_member(target: &TestDatabase<'_>) -> (Connection, RunnerLock) {
    let (mut connection, facts) = connect::open(&options(target), false).await.unwrap();
    let lock_facts = LockFacts {
        cluster: true,
        ..connect::lock_facts(&mut connection).await.unwrap()
    };
    let lock = RunnerLock::new(&facts, &lock_facts);
    (connection, lock)
}

#[tokio::test]
async fn in_a_cluster_the_lease_alone_excludes_others_until_it_expires() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let (mut first, mut first_lock) = cluster_member(&target).await;
    let (mut second, mut second_lock) = cluster_member(&target).await;
    let request = LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration: Duration::from_secs(1),
    };
    let acquired = first_lock
        .try_acquire(&mut first, &identity("run-1"), &request)
        .await
        .unwrap();
    assert!(matches!(acquired, Acquire::Acquired(_)), "{acquired:?}");
    first.close().await;
    // That the session is gone cannot be seen from every node, so it proves nothing.
    let held = second_lock
        .try_acquire(&mut second, &identity("run-2"), &request)
        .await
        .unwrap();
    let Acquire::Held(Some(holder)) = held else {
        panic!("{held:?}")
    };
    assert_ne!(holder.alive, Some(false));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let acquired = second_lock
        .try_acquire(&mut second, &identity("run-2"), &request)
        .await
        .unwrap();
    let Acquire::Acquired(lease) = acquired else {
        panic!("{acquired:?}")
    };
    assert_eq!(lease.taken_over.unwrap().run_id, "run-1");
}

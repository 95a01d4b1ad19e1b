//! The runner lock between sessions of one process.

use forerun_databases::sqlite::Sqlite;
use forerun_migrations::database::{Acquire, CommitOutcome, Database, Fenced, Lease};
use forerun_migrations::history::Version;
use std::time::{Duration, Instant};

use super::{
    LONG, NO_LIMITS, acquire, database, held_by, history_row, identity, journal_row, lock_timeout,
    options, request, session,
};

#[tokio::test]
async fn the_lock_has_one_holder_and_a_growing_token() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (session(&folder, "a").await, session(&folder, "b").await);
    let lease = acquire(&mut *first, LONG).await;
    let holder = held_by(&mut *second).await.unwrap();
    assert_eq!(
        (
            holder.run_id.as_str(),
            holder.purpose.as_str(),
            holder.token
        ),
        ("a", "migrate up", lease.token)
    );
    assert_eq!(holder.backend, first.backend());
    assert_eq!(holder.alive, Some(true));
    assert!((58..=60).contains(&holder.expires_in_seconds), "{holder:?}");
    assert!((0..2).contains(&holder.held_seconds) && (0..2).contains(&holder.heartbeat_seconds));
    assert_eq!(second.holder().await.unwrap().unwrap().run_id, "a");

    first.release(&lease).await.unwrap();
    assert_eq!(second.holder().await.unwrap(), None);
    let next = acquire(&mut *second, LONG).await;
    assert_eq!((next.token, next.taken_over), (lease.token + 1, None));
    // The first holder gives back late: that must not touch the new one.
    first.release(&lease).await.unwrap();
    assert_eq!(first.holder().await.unwrap().unwrap().run_id, "b");
}

#[tokio::test]
async fn while_the_holder_writes_nobody_waits_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (session(&folder, "a").await, session(&folder, "b").await);
    acquire(&mut *first, Duration::from_millis(1)).await;
    first.begin(NO_LIMITS).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    // Expired, but in the middle of a transaction: it cannot be taken over, and says whose it is.
    assert_eq!(held_by(&mut *second).await.unwrap().run_id, "a");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_expired_lease_is_taken_over_and_its_holder_fenced_off() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (session(&folder, "a").await, session(&folder, "b").await);
    let old = acquire(&mut *first, Duration::from_millis(20)).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let new = acquire(&mut *second, LONG).await;
    assert_eq!(new.taken_over.as_ref().unwrap().run_id, "a");

    first.begin(NO_LIMITS).await.unwrap();
    assert_eq!(
        first.record_applied(&old, &history_row(1)).await.unwrap(),
        Fenced::LeaseLost
    );
    first.rollback().await.unwrap();
    assert_eq!(
        first.write_journal(&old, &journal_row(1, 1)).await.unwrap(),
        Fenced::LeaseLost
    );
    assert_eq!(
        first
            .clear_journal(&old, Version::from_stored(1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    assert_eq!(first.journal().await.unwrap(), []);
    let mut monitor = database(&folder).monitor(&identity("a")).await.unwrap();
    assert!(!monitor.heartbeat(&old).await.unwrap());
    assert!(monitor.heartbeat(&new).await.unwrap());
    assert_eq!(monitor.blockers("x").await.unwrap(), []);
}

#[tokio::test]
async fn each_record_prolongs_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    let lease = acquire(&mut *session, Duration::from_secs(2)).await;
    let longer = Lease {
        duration: LONG,
        ..lease
    };
    session.begin(NO_LIMITS).await.unwrap();
    session
        .record_applied(&longer, &history_row(1))
        .await
        .unwrap();
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert!(session.holder().await.unwrap().unwrap().expires_in_seconds > 50);
    // While the session writes, the second connection cannot, and knows that the lease is still held.
    session.begin(NO_LIMITS).await.unwrap();
    let mut monitor = database(&folder).monitor(&identity("a")).await.unwrap();
    assert!(monitor.heartbeat(&longer).await.unwrap());
}

#[tokio::test]
async fn an_evicted_holder_cannot_write_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (session(&folder, "a").await, session(&folder, "b").await);
    let lease = acquire(&mut *first, LONG).await;
    let holder = second.holder().await.unwrap().unwrap();
    second.evict(&holder).await.unwrap();
    assert_eq!(second.holder().await.unwrap(), None);
    assert_eq!(
        first
            .write_journal(&lease, &journal_row(1, 1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    assert!(acquire(&mut *second, LONG).await.token > lease.token);
    // The same holder is not evicted twice.
    first.evict(&holder).await.unwrap();
    assert_eq!(first.holder().await.unwrap().unwrap().run_id, "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runners_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let mut runners = Vec::new();
    for number in 0..16 {
        let path = path.clone();
        runners.push(tokio::spawn(async move {
            let mut session = Sqlite::new(options(&path))
                .connect(&identity(&format!("run {number}")))
                .await
                .unwrap();
            let deadline = Instant::now() + Duration::from_secs(60);
            let lease = loop {
                match session.try_acquire(&request(LONG)).await.unwrap() {
                    Acquire::Acquired(lease) => break lease,
                    Acquire::Held(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
                assert!(Instant::now() < deadline, "never got the lock");
            };
            if session.applied().await.unwrap().unwrap().is_empty() {
                session.begin(lock_timeout(10_000)).await.unwrap();
                session.run("CREATE TABLE t (a)").await.unwrap();
                assert_eq!(
                    session
                        .record_applied(&lease, &history_row(1))
                        .await
                        .unwrap(),
                    Fenced::Written
                );
                assert!(matches!(session.commit().await, CommitOutcome::Committed));
            }
            session.release(&lease).await.unwrap();
            lease.token
        }));
    }
    let mut tokens = Vec::new();
    for runner in runners {
        tokens.push(runner.await.unwrap());
    }
    tokens.sort_unstable();
    assert_eq!(tokens, (1..=16).collect::<Vec<_>>());
    assert_eq!(
        session(&folder, "x").await.history().await.unwrap().len(),
        1
    );
}

//! The runner lock between sessions of one process.

use forerun_migrations::database::{CommitOutcome, Database, Lease};
use std::time::{Duration, Instant};

use super::{LONG, NO_LIMITS, acquire, database, held_by, history_row, identity, session};

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

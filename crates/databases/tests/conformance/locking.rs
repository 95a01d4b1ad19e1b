//! The runner lock and its token.

use std::time::Duration;

use forerun_migrations::database::{Acquire, ErrorKind, Fenced, Lease, LeaseRequest};
use forerun_migrations::history::Version;

use super::recording::{journal, row};
use super::{LIMITS, Target, acquire, committed, identity, lease, session};

pub async fn only_one_session_gets_the_lock(target: &Target) {
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    assert_eq!(first.holder().await.unwrap(), None);
    let held = lease(&mut first).await;
    assert!(held.taken_over.is_none());
    assert_eq!(second.applied().await.unwrap(), Some(Vec::new()));
    let Acquire::Held(Some(holder)) = acquire(&mut second).await else {
        panic!("two holders")
    };
    assert_eq!(
        (holder.run_id.as_str(), holder.actor.as_str()),
        ("run-1", "tester")
    );
    assert_eq!(
        (holder.host.as_str(), holder.release.as_deref()),
        ("pod-1", Some("2.6.0"))
    );
    assert_eq!(holder.purpose, "migrate up");
    assert_eq!(holder.token, held.token);
    assert_eq!(
        (holder.backend.as_str(), holder.alive),
        (first.backend().as_str(), Some(true))
    );
    assert!(
        (1..=30).contains(&holder.expires_in_seconds)
            && (0..30).contains(&holder.held_seconds)
            && (0..30).contains(&holder.heartbeat_seconds),
        "{holder:?}"
    );
    assert_eq!(second.holder().await.unwrap().unwrap().run_id, "run-1");
}

pub async fn a_session_that_is_gone_loses_the_lock_at_once(target: &Target) {
    if !target.database.capabilities().heartbeat {
        // One process is one holder there: see the tests of that driver for a process that died.
        return;
    }
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    let held = lease(&mut first).await;
    drop(first);
    let next = lease(&mut second).await;
    assert!(next.token > held.token);
    assert_eq!(next.taken_over.expect("taken over").run_id, "run-1");
}

pub async fn a_released_lock_can_be_taken_again_with_a_higher_token(target: &Target) {
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    let held = lease(&mut first).await;
    first.release(&held).await.unwrap();
    assert_eq!(second.holder().await.unwrap(), None);
    let next = lease(&mut second).await;
    assert_eq!((next.token, next.taken_over), (held.token + 1, None));
    // Releasing what is not ours any more changes nothing.
    first.release(&held).await.unwrap();
    assert_eq!(first.holder().await.unwrap().unwrap().run_id, "run-2");
}

pub async fn an_expired_lease_is_taken_over_and_its_holder_writes_no_more(target: &Target) {
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    let request = LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration: Duration::from_secs(1),
    };
    let Acquire::Acquired(old) = first.try_acquire(&request).await.unwrap() else {
        panic!("nobody else wants it")
    };
    // It sits there, alive, and gives no sign.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let new = lease(&mut second).await;
    assert_eq!(new.token, old.token + 1);
    assert_eq!(new.taken_over.unwrap().run_id, "run-1");
    // Either its session is ended, or its token is old.
    let written = first.write_journal(&old, &journal(1)).await;
    assert!(!matches!(written, Ok(Fenced::Written)), "{written:?}");
    if first.begin(LIMITS).await.is_ok() {
        let recorded = first.record_applied(&old, &row(1)).await;
        assert!(!matches!(recorded, Ok(Fenced::Written)), "{recorded:?}");
        let _ = first.rollback().await;
    }
    assert_eq!(second.applied().await.unwrap(), Some(Vec::new()));
    assert_eq!(second.journal().await.unwrap(), []);
}

pub async fn many_runners_take_turns(target: &Target) {
    let mut runners = Vec::new();
    for number in 0..16 {
        let mut session = session(target, &format!("run-{number}")).await;
        runners.push(tokio::spawn(async move {
            let lease = lease(&mut session).await;
            if session.applied().await.unwrap().unwrap().is_empty() {
                session.begin(LIMITS).await.unwrap();
                session.run("CREATE TABLE t (a integer)").await.unwrap();
                // Where the statement above has ended the transaction, the record is one of its own.
                if session.record_applied(&lease, &row(1)).await.unwrap() != Fenced::Written {
                    session.rollback().await.unwrap();
                    session.begin(LIMITS).await.unwrap();
                    let fenced = session.record_applied(&lease, &row(1)).await.unwrap();
                    assert_eq!(fenced, Fenced::Written);
                }
                committed(&mut session).await;
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
        session(target, "run-x")
            .await
            .history()
            .await
            .unwrap()
            .len(),
        1
    );
}

pub async fn a_write_with_an_old_token_changes_nothing(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    let old = Lease {
        token: lease.token - 1,
        ..lease.clone()
    };
    session.begin(LIMITS).await.unwrap();
    assert_eq!(
        session.record_applied(&old, &row(1)).await.unwrap(),
        Fenced::LeaseLost
    );
    session.rollback().await.unwrap();
    let journal = journal(1);
    assert_eq!(
        session.write_journal(&old, &journal).await.unwrap(),
        Fenced::LeaseLost
    );
    assert_eq!(
        session
            .clear_journal(&old, &Version::from(1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    session.rollback().await.unwrap();
    let mut monitor = target.database.monitor(&identity("run-1")).await.unwrap();
    assert!(!monitor.heartbeat(&old).await.unwrap());
    assert!(monitor.heartbeat(&lease).await.unwrap());
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    assert!(session.journal().await.unwrap().is_empty());
}

pub async fn a_forced_eviction_frees_the_lock(target: &Target) {
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    let held = lease(&mut first).await;
    let holder = second.holder().await.unwrap().expect("a holder");
    second.evict(&holder).await.unwrap();
    assert_eq!(second.holder().await.unwrap(), None);
    let next = lease(&mut second).await;
    assert!(next.token > held.token);
    // The evicted one cannot write any more: its session is gone, or its token is old.
    let begun = first.begin(LIMITS).await;
    if begun.is_ok() {
        let fenced = first.record_applied(&held, &row(1)).await;
        assert!(!matches!(fenced, Ok(Fenced::Written)), "{fenced:?}");
        let _ = first.rollback().await;
    }
    assert_eq!(second.applied().await.unwrap(), Some(Vec::new()));
    // What was asked about the holder before says nothing about the next one.
    let mut third = session(target, "run-3").await;
    third.evict(&holder).await.unwrap();
    assert_eq!(third.holder().await.unwrap().unwrap().run_id, "run-2");
}

pub async fn tables_of_a_newer_format_are_left_alone(target: &Target) {
    let mut first = session(target, "run-1").await;
    let held = lease(&mut first).await;
    first.release(&held).await.unwrap();
    target.query("UPDATE forerun_lock SET format = 7");
    let request = LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration: Duration::from_secs(30),
    };
    let error = first.try_acquire(&request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unexpected);
    assert!(
        error.message.contains("newer forerun (format 7"),
        "{error:?}"
    );
    // Who only reads is told the same.
    let mut reader = session(target, "run-1").await;
    let read = reader.check_format().await.unwrap_err();
    assert_eq!((read.kind, read.message), (error.kind, error.message));
    // The refusal keeps nobody out.
    target.query("UPDATE forerun_lock SET format = 1");
    let mut second = session(target, "run-2").await;
    let Acquire::Acquired(_) = acquire(&mut second).await else {
        panic!("the refused one holds the lock")
    };
}

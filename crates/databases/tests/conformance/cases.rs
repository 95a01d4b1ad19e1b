//! Cases for a driver alone.

use std::time::Duration;

use forerun_migrations::database::{
    Acquire, CommitOutcome, ErrorKind, Fenced, Lease, LeaseRequest, Session, Timeouts,
};
use forerun_migrations::history::{
    AuditEntry, Checksums, Direction, HistoryRow, InDoubt, JournalRow, Kind, Origin, Version,
};

use super::{Target, identity};

const LIMITS: Timeouts = Timeouts {
    lock: Some(Duration::from_secs(5)),
    statement: None,
};

async fn session(target: &Target, run_id: &str) -> Box<dyn Session> {
    target
        .database
        .connect(&identity(run_id))
        .await
        .expect("connects")
}

async fn acquire(session: &mut Box<dyn Session>) -> Acquire {
    let request = LeaseRequest {
        purpose: "migrate up".to_owned(),
        duration: Duration::from_secs(30),
    };
    session.try_acquire(&request).await.expect("tries")
}

async fn lease(session: &mut Box<dyn Session>) -> Lease {
    for _ in 0..100 {
        if let Acquire::Acquired(lease) = acquire(session).await {
            return lease;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the lock is not to be had");
}

async fn committed(session: &mut Box<dyn Session>) {
    let outcome = session.commit().await;
    assert!(matches!(outcome, CommitOutcome::Committed), "{outcome:?}");
}

fn row(version: i64) -> HistoryRow {
    HistoryRow {
        version: Version::from_stored(version),
        description: "it's \\ \"odd\" — é".to_owned(),
        script: format!("{version:04}_x.sql"),
        kind: Kind::Data,
        phase: "expand".to_owned(),
        origin: Origin::Applied,
        checksums: Checksums {
            normalized: "a".repeat(64),
            raw: "b".repeat(64),
            sql: "c".repeat(64),
        },
        statements: 3,
        started_at: "2026-11-21T22:30:33.123456Z".to_owned(),
        finished_at: "2026-11-21T22:30:34.5Z".to_owned(),
        duration_ms: 1377,
        run_id: "run-1".to_owned(),
        release: Some("2.6.0".to_owned()),
        applied_by: "tester@pod-1".to_owned(),
        tool_version: "0.0.0".to_owned(),
    }
}

pub async fn reading_an_untouched_database_finds_and_creates_nothing(target: &Target) {
    let mut session = session(target, "run-1").await;
    assert_eq!(session.applied().await.unwrap(), None);
    assert!(session.journal().await.unwrap().is_empty());
    assert!(session.history().await.unwrap().is_empty());
    assert!(session.audit_trail(None).await.unwrap().is_empty());
    assert_eq!(session.holder().await.unwrap(), None);
    drop(session);
    let mut other = self::session(target, "run-2").await;
    assert_eq!(
        other.applied().await.unwrap(),
        None,
        "reading created the tables"
    );
}

pub async fn only_one_session_gets_the_lock(target: &Target) {
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    let held = lease(&mut first).await;
    assert!(held.taken_over.is_none());
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
    assert!(
        holder.expires_in_seconds > 0 && holder.expires_in_seconds <= 30,
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
    assert!(next.token > held.token);
    assert!(next.taken_over.is_none());
    // Releasing what is not ours any more changes nothing.
    first.release(&held).await.unwrap();
    assert_eq!(first.holder().await.unwrap().unwrap().run_id, "run-2");
}

pub async fn a_write_with_an_old_token_changes_nothing(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    let old = Lease {
        token: lease.token - 1,
        ..lease
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
            .clear_journal(&old, Version::from_stored(1))
            .await
            .unwrap(),
        Fenced::LeaseLost
    );
    session.rollback().await.unwrap();
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    assert!(session.journal().await.unwrap().is_empty());
}

pub async fn a_history_row_reads_back_as_written(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    let rows = [
        row(2),
        HistoryRow {
            release: None,
            origin: Origin::Baseline,
            kind: Kind::Schema,
            ..row(1)
        },
    ];
    session.begin(LIMITS).await.unwrap();
    for row in &rows {
        assert_eq!(
            session.record_applied(&lease, row).await.unwrap(),
            Fenced::Written
        );
    }
    committed(&mut session).await;
    let mut read = session.history().await.unwrap();
    assert_eq!(read[0].finished_at[..21], *"2026-11-21T22:30:34.5");
    for row in &mut read {
        row.finished_at = "2026-11-21T22:30:34.5Z".to_owned();
    }
    assert_eq!(read, [rows[1].clone(), rows[0].clone()]);
    let applied = session.applied().await.unwrap().unwrap();
    assert_eq!(applied[1].checksums, rows[0].checksums);
    assert_eq!(applied[0].origin, Origin::Baseline);

    let other = HistoryRow {
        checksums: Checksums {
            normalized: "d".repeat(64),
            raw: "e".repeat(64),
            sql: "f".repeat(64),
        },
        ..row(2)
    };
    session.begin(LIMITS).await.unwrap();
    assert_eq!(
        session.record_checksums(&lease, &other).await.unwrap(),
        Fenced::Written
    );
    assert_eq!(
        session
            .record_reverted(&lease, Version::from_stored(1))
            .await
            .unwrap(),
        Fenced::Written
    );
    committed(&mut session).await;
    let applied = session.applied().await.unwrap().unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!(applied[0].checksums, other.checksums);
}

fn journal(version: i64) -> JournalRow {
    JournalRow {
        version: Version::from_stored(version),
        script: "0001_x.sql".to_owned(),
        direction: Direction::Up,
        statements_done: 4,
        prefix_checksum: "9".repeat(64),
        in_doubt: Some(InDoubt {
            statement: 5,
            fingerprint: "unknown".to_owned(),
            answer: None,
        }),
        started_at: "2026-11-21T22:30:33.123456Z".to_owned(),
        run_id: "run-1".to_owned(),
    }
}

pub async fn a_journal_row_reads_back_as_written(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    let first = journal(1);
    assert_eq!(
        session.write_journal(&lease, &first).await.unwrap(),
        Fenced::Written
    );
    assert_eq!(
        session.journal().await.unwrap(),
        std::slice::from_ref(&first)
    );
    let answered = JournalRow {
        in_doubt: Some(InDoubt {
            statement: 5,
            fingerprint: "unknown".to_owned(),
            answer: Some(false),
        }),
        ..first.clone()
    };
    assert_eq!(
        session.write_journal(&lease, &answered).await.unwrap(),
        Fenced::Written
    );
    // Writing the same again is a write, too: a server that counts changed rows only must not be misread.
    assert_eq!(
        session.write_journal(&lease, &answered).await.unwrap(),
        Fenced::Written
    );
    assert_eq!(session.journal().await.unwrap(), [answered]);
    let settled = JournalRow {
        in_doubt: None,
        direction: Direction::Down,
        ..first
    };
    assert_eq!(
        session.write_journal(&lease, &settled).await.unwrap(),
        Fenced::Written
    );
    assert_eq!(session.journal().await.unwrap(), [settled]);
    assert_eq!(
        session
            .clear_journal(&lease, Version::from_stored(1))
            .await
            .unwrap(),
        Fenced::Written
    );
    assert!(session.journal().await.unwrap().is_empty());
    // Recording a version ends its journal.
    assert_eq!(
        session.write_journal(&lease, &journal(1)).await.unwrap(),
        Fenced::Written
    );
    session.begin(LIMITS).await.unwrap();
    assert_eq!(
        session.record_applied(&lease, &row(1)).await.unwrap(),
        Fenced::Written
    );
    committed(&mut session).await;
    assert!(session.journal().await.unwrap().is_empty());
}

pub async fn the_audit_keeps_its_order_and_who_wrote_it(target: &Target) {
    let mut session = session(target, "run-1").await;
    let _lease = lease(&mut session).await;
    let entries = [
        AuditEntry {
            event: "run.started",
            version: None,
            statement: None,
            attempt: None,
            message: "it's begun — \\".to_owned(),
            detail: serde_json::json!({ "a": [1, "'\\\""] }),
        },
        AuditEntry {
            event: "migration.failed",
            version: Some(Version::from_stored(7)),
            statement: Some(2),
            attempt: Some(3),
            message: "no".to_owned(),
            detail: serde_json::Value::Null,
        },
    ];
    session.audit(&entries).await.unwrap();
    let mut monitor = target.database.monitor(&identity("run-1")).await.unwrap();
    monitor.audit(&entries[1..]).await.unwrap();
    let rows = session.audit_trail(None).await.unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| row.event.as_str())
            .collect::<Vec<_>>(),
        ["run.started", "migration.failed", "migration.failed"]
    );
    assert_eq!(rows[0].message, entries[0].message);
    assert_eq!(rows[0].detail, entries[0].detail);
    assert_eq!(
        (rows[1].version, rows[1].statement, rows[1].attempt),
        (Some(Version::from_stored(7)), Some(2), Some(3))
    );
    assert_eq!(
        (
            rows[0].actor.as_str(),
            rows[0].host.as_str(),
            rows[0].release.as_deref()
        ),
        ("tester", "pod-1", Some("2.6.0"))
    );
    assert!(
        rows[0].at.starts_with("20") && rows[0].at.ends_with('Z'),
        "{}",
        rows[0].at
    );
    assert_eq!(
        session
            .audit_trail(Some(Version::from_stored(7)))
            .await
            .unwrap()
            .len(),
        2
    );
}

pub async fn a_rolled_back_record_leaves_no_trace(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    session.begin(LIMITS).await.unwrap();
    assert_eq!(
        session.record_applied(&lease, &row(1)).await.unwrap(),
        Fenced::Written
    );
    session.rollback().await.unwrap();
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    assert!(!session.reset().await.unwrap());
}

pub async fn a_forced_eviction_frees_the_lock(target: &Target) {
    let mut first = session(target, "run-1").await;
    let mut second = session(target, "run-2").await;
    let held = lease(&mut first).await;
    let holder = second.holder().await.unwrap().expect("a holder");
    second.evict(&holder).await.unwrap();
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
}

pub async fn errors_tell_their_kind(target: &Target) {
    let mut session = session(target, "run-1").await;
    let error = session.run("SELEC 1").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement, "{error:?}");
    assert!(error.code.is_some());
    assert!(
        error
            .position
            .is_none_or(|position| position <= "SELEC 1".len())
    );
    session
        .run("CREATE TABLE t (a integer PRIMARY KEY)")
        .await
        .unwrap();
    session.run("INSERT INTO t VALUES (1)").await.unwrap();
    let error = session.run("INSERT INTO t VALUES (1)").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Statement, "{error:?}");
    assert_eq!(
        session
            .first_row("SELECT a FROM t WHERE a = 2")
            .await
            .unwrap(),
        None
    );
    assert!(
        session
            .first_row("SELECT a FROM t")
            .await
            .unwrap()
            .unwrap()
            .contains('1')
    );

    // Somebody else's transaction holds the row.
    let mut other = self::session(target, "run-2").await;
    other.begin(LIMITS).await.unwrap();
    other.run("UPDATE t SET a = 5 WHERE a = 1").await.unwrap();
    let limits = Timeouts {
        lock: Some(Duration::from_secs(1)),
        statement: None,
    };
    let blocked = match session.begin(limits).await {
        Ok(()) => session
            .run("UPDATE t SET a = 6 WHERE a = 1")
            .await
            .map(|_| ()),
        Err(error) => Err(error),
    };
    assert_eq!(blocked.unwrap_err().kind, ErrorKind::LockTimeout);
    session.rollback().await.unwrap();
    committed(&mut other).await;
}

pub async fn a_cancelled_statement_comes_back(target: &Target) {
    let mut session = session(target, "run-1").await;
    let canceller = session.canceller();
    let cancelling = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        canceller.cancel().await
    });
    let endless = "SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n) AS x";
    let sql = match target.database.dialect() {
        // Its recursion is limited by default.
        forerun_sql::Dialect::Mysql => {
            "SELECT count(*) FROM seq_1_to_1000000000000 WHERE md5(seq) = 'x'"
        }
        _ => endless,
    };
    let error = session.run(sql).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled, "{error:?}");
    cancelling.await.unwrap().unwrap();
    session.run("SELECT 1").await.unwrap();
}

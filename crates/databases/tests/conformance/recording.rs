//! History, journal and audit: written together with the change.

use forerun_migrations::database::Fenced;
use forerun_migrations::history::{
    AuditEntry, Checksums, Direction, HistoryRow, InDoubt, JournalRow, Kind, Origin, Phase, Version,
};

use forerun_migrations::ledger::{Deployment, DeploymentStatus};

use super::{LIMITS, Target, committed, identity, lease, session};

pub fn row(version: u32) -> HistoryRow {
    HistoryRow {
        version: Version::from(version),
        description: "it's \\ \"odd\" — é".to_owned(),
        script: format!("{version:04}_x.sql"),
        kind: Kind::Data,
        phase: Phase::Expand,
        unused_since: None,
        deployment: None,
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

pub fn journal(version: u32) -> JournalRow {
    JournalRow {
        version: Version::from(version),
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

pub async fn reading_an_untouched_database_finds_and_creates_nothing(target: &Target) {
    let mut session = session(target, "run-1").await;
    assert_eq!(session.applied().await.unwrap(), None);
    assert!(session.journal().await.unwrap().is_empty());
    assert!(session.history().await.unwrap().is_empty());
    assert!(session.audit_trail(None).await.unwrap().is_empty());
    assert!(!session.was_ever_complete().await.unwrap());
    session.check_format().await.unwrap();
    assert_eq!(session.holder().await.unwrap(), None);
    drop(session);
    let mut other = self::session(target, "run-2").await;
    assert_eq!(
        other.applied().await.unwrap(),
        None,
        "reading created the tables"
    );
}

pub async fn a_history_row_reads_back_as_written(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    let rows = [
        // As numbers, 9 comes before 10.
        row(10),
        HistoryRow {
            release: None,
            phase: Phase::Contract,
            unused_since: Some("2.5.0 'é'".to_owned()),
            deployment: Some(4),
            origin: Origin::Baseline,
            kind: Kind::Schema,
            ..row(9)
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
    read.sort_by(|left, right| left.version.cmp(&right.version));
    assert_eq!(read[0].finished_at[..21], *"2026-11-21T22:30:34.5");
    for row in &mut read {
        row.finished_at = "2026-11-21T22:30:34.5Z".to_owned();
    }
    assert_eq!(read, [rows[1].clone(), rows[0].clone()]);
    let mut applied = session.applied().await.unwrap().unwrap();
    applied.sort_by(|left, right| left.version.cmp(&right.version));
    assert_eq!(applied[1].checksums, rows[0].checksums);
    assert_eq!(applied[0].origin, Origin::Baseline);

    let other = HistoryRow {
        checksums: Checksums {
            normalized: "d".repeat(64),
            raw: "e".repeat(64),
            sql: "f".repeat(64),
        },
        ..row(10)
    };
    session.begin(LIMITS).await.unwrap();
    assert_eq!(
        session.record_checksums(&lease, &other).await.unwrap(),
        Fenced::Written
    );
    assert_eq!(
        session
            .record_reverted(&lease, &Version::from(9))
            .await
            .unwrap(),
        Fenced::Written
    );
    committed(&mut session).await;
    let applied = session.applied().await.unwrap().unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!(applied[0].checksums, other.checksums);
}

pub async fn a_deployment_reads_back_as_written(target: &Target) {
    let mut session = session(target, "run-1").await;
    assert_eq!(session.deployments().await.unwrap(), []);
    assert_eq!(session.floor_marks().await.unwrap(), []);
    let mut lease = lease(&mut session).await;
    let opened = Deployment {
        id: 1,
        release: "it's \\ \"2.6\" — é".to_owned(),
        previous_release: None,
        status: DeploymentStatus::Open,
        directory_version: Some(Version::from(12)),
        started_at: "2026-11-21T22:30:33.123456Z".to_owned(),
        migrated_at: None,
        completed_at: None,
        run_id: "run-1".to_owned(),
        opened_by: "tester@pod-1".to_owned(),
    };
    let completed = Deployment {
        previous_release: Some("2.5".to_owned()),
        status: DeploymentStatus::Completed,
        directory_version: None,
        migrated_at: Some("2026-11-21T22:30:34.123456Z".to_owned()),
        completed_at: Some("2026-11-21T23:30:34.123456Z".to_owned()),
        run_id: "run-2".to_owned(),
        ..opened.clone()
    };
    for row in [&opened, &completed] {
        // In a transaction of its own, and in one that is open.
        for own in [true, false] {
            if !own {
                session.begin(LIMITS).await.unwrap();
            }
            let written = session.write_deployment(&lease, row).await.unwrap();
            assert_eq!(written, Fenced::Written);
            if !own {
                committed(&mut session).await;
            }
            assert_eq!(
                session.deployments().await.unwrap(),
                std::slice::from_ref(row)
            );
        }
    }
    session.begin(LIMITS).await.unwrap();
    let contract = HistoryRow {
        unused_since: Some("2.5.0".to_owned()),
        ..row(7)
    };
    for row in [&contract, &row(8)] {
        let _ = session.record_applied(&lease, row).await.unwrap();
    }
    committed(&mut session).await;
    let marks = session.floor_marks().await.unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(
        (&marks[0].script[..], &marks[0].unused_since[..]),
        ("0007_x.sql", "2.5.0")
    );
    lease.token -= 1;
    let refused = session.write_deployment(&lease, &opened).await.unwrap();
    assert_eq!(refused, Fenced::LeaseLost);
    assert_eq!(session.deployments().await.unwrap(), [completed]);
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
            .clear_journal(&lease, &Version::from(1))
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
            detail: serde_json::json!({ "ключ": [1, "'\\\""] }),
        },
        AuditEntry {
            event: "migration.failed",
            version: Some(Version::from(7)),
            statement: Some(2),
            attempt: Some(3),
            message: "no".to_owned(),
            detail: serde_json::Value::Null,
        },
    ];
    // In the transaction of a change and alone.
    session.begin(LIMITS).await.unwrap();
    session.audit(&entries[..1]).await.unwrap();
    committed(&mut session).await;
    session.audit(&entries[1..]).await.unwrap();
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
        (rows[1].version.clone(), rows[1].statement, rows[1].attempt),
        (Some(Version::from(7)), Some(2), Some(3))
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
            .audit_trail(Some(&Version::from(7)))
            .await
            .unwrap()
            .len(),
        2
    );
    let other = session.audit_trail(Some(&Version::from(8))).await;
    assert_eq!(other.unwrap(), []);
}

pub async fn a_rolled_back_record_leaves_no_trace(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    session.run("CREATE TABLE t (a integer)").await.unwrap();
    session.begin(LIMITS).await.unwrap();
    session.run("INSERT INTO t VALUES (1)").await.unwrap();
    let note = AuditEntry {
        event: "run.started",
        version: None,
        statement: None,
        attempt: None,
        message: "gone".to_owned(),
        detail: serde_json::Value::Null,
    };
    session.audit(&[note]).await.unwrap();
    assert_eq!(
        session.record_applied(&lease, &row(1)).await.unwrap(),
        Fenced::Written
    );
    session.rollback().await.unwrap();
    // Once more does no harm.
    session.rollback().await.unwrap();
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    assert_eq!(session.audit_trail(None).await.unwrap(), []);
    assert_eq!(target.query("SELECT count(*) FROM t"), "0");
    assert!(!session.reset().await.unwrap());
}

pub async fn a_script_that_ends_the_transaction_is_noticed(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    session.run("CREATE TABLE t (a integer)").await.unwrap();
    for script in [&["COMMIT"][..], &["ROLLBACK"], &["COMMIT", "BEGIN"]] {
        session.begin(LIMITS).await.unwrap();
        session.run("INSERT INTO t VALUES (1)").await.unwrap();
        for sql in script {
            session.run(sql).await.unwrap();
        }
        assert_eq!(
            session.record_applied(&lease, &row(1)).await.unwrap(),
            Fenced::TransactionEnded,
            "{script:?}"
        );
        session.rollback().await.unwrap();
        session.reset().await.unwrap();
    }
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
}

pub async fn a_script_may_use_savepoints(target: &Target) {
    let mut session = session(target, "run-1").await;
    let lease = lease(&mut session).await;
    session.run("CREATE TABLE t (a integer)").await.unwrap();
    session.begin(LIMITS).await.unwrap();
    for sql in [
        "INSERT INTO t VALUES (1)",
        "SAVEPOINT mine",
        "INSERT INTO t VALUES (2)",
        "ROLLBACK TO SAVEPOINT mine",
        "RELEASE SAVEPOINT mine",
    ] {
        session.run(sql).await.unwrap();
    }
    assert_eq!(
        session.record_applied(&lease, &row(1)).await.unwrap(),
        Fenced::Written
    );
    committed(&mut session).await;
    assert_eq!(target.query("SELECT a FROM t"), "1");
}

pub async fn a_run_that_came_to_the_end_is_found_in_the_audit(target: &Target) {
    let mut session = session(target, "run-1").await;
    let held = lease(&mut session).await;
    let entry = |event: &'static str, detail: serde_json::Value| AuditEntry {
        event,
        version: None,
        statement: None,
        attempt: None,
        message: String::new(),
        detail,
    };
    let nothing = serde_json::Value::Null;
    for incomplete in [
        entry("run.started", serde_json::json!({"ok": true})),
        entry("run.finished", nothing.clone()),
        entry("run.finished", serde_json::json!({"ok": false})),
        entry("run.finished", serde_json::json!({"ok": "true"})),
        entry(
            "run.finished",
            serde_json::json!({"ok": true, "left_for_later": 2}),
        ),
        entry(
            "run.finished",
            serde_json::json!({"ok": true, "left_for_later": null}),
        ),
        entry(
            "unlock",
            serde_json::json!({"ok": true, "left_for_later": 0}),
        ),
    ] {
        session
            .audit(std::slice::from_ref(&incomplete))
            .await
            .unwrap();
        assert!(
            !session.was_ever_complete().await.unwrap(),
            "{incomplete:?}"
        );
    }
    for complete in [
        entry("run.finished", serde_json::json!({"ok": true})),
        entry(
            "run.finished",
            serde_json::json!({"ok": true, "left_for_later": 0}),
        ),
        entry("baseline", nothing.clone()),
        entry("baseline.replaced", nothing.clone()),
        entry("adopted", nothing.clone()),
    ] {
        session
            .audit(std::slice::from_ref(&complete))
            .await
            .unwrap();
        assert!(session.was_ever_complete().await.unwrap(), "{complete:?}");
        target.query("DELETE FROM forerun_audit");
        assert!(!session.was_ever_complete().await.unwrap());
    }
    session.release(&held).await.unwrap();
}

//! History, journal, audit and what the catalog tells.

use forerun_migrations::database::{
    CommitOutcome, Database, ErrorKind, Fenced, Fingerprint, Session,
};
use forerun_migrations::history::Version;
use forerun_sql::{Dialect, classify};
use serde_json::json;

use super::{
    LONG, NO_LIMITS, acquire, database, history_row, identity, journal_row, kind, note, request,
    session,
};

#[tokio::test]
async fn history_journal_and_audit_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    let lease = acquire(&mut *session, LONG).await;
    let (row, version) = (history_row(7), Version::from_stored(7));

    assert_eq!(
        session
            .write_journal(&lease, &journal_row(7, 1))
            .await
            .unwrap(),
        Fenced::Written
    );
    assert_eq!(
        session
            .write_journal(&lease, &journal_row(7, 2))
            .await
            .unwrap(),
        Fenced::Written
    );
    assert_eq!(session.journal().await.unwrap(), [journal_row(7, 2)]);

    session.begin(NO_LIMITS).await.unwrap();
    session.run("CREATE TABLE t (a)").await.unwrap();
    session.audit(&[note("in the transaction")]).await.unwrap();
    assert_eq!(
        session.record_applied(&lease, &row).await.unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(session.history().await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(
        session.journal().await.unwrap(),
        [],
        "applied: nothing is unfinished"
    );
    let applied = session.applied().await.unwrap().unwrap();
    assert_eq!(
        (applied[0].version, &applied[0].checksums),
        (version, &row.checksums)
    );

    session.audit(&[note("alone")]).await.unwrap();
    let mut monitor = database(&folder).monitor(&identity("a")).await.unwrap();
    monitor.audit(&[note("beside")]).await.unwrap();
    let trail = session.audit_trail(Some(version)).await.unwrap();
    let messages: Vec<_> = trail.iter().map(|row| row.message.as_str()).collect();
    assert_eq!(messages, ["in the transaction", "alone", "beside"]);
    assert_eq!(
        (trail[0].run_id.as_str(), trail[0].release.as_deref()),
        ("a", Some("2.6.0"))
    );
    assert_eq!(trail[0].detail, json!({ "seconds": 1.5 }));
    assert!(
        trail[0].at.ends_with('Z') && trail[0].at.len() == 24,
        "{}",
        trail[0].at
    );
    assert_eq!(
        session
            .audit_trail(Some(Version::from_stored(8)))
            .await
            .unwrap(),
        []
    );

    let mut changed = row.clone();
    changed.checksums.raw = "x".repeat(64);
    session.begin(NO_LIMITS).await.unwrap();
    assert_eq!(
        session.record_checksums(&lease, &changed).await.unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(session.history().await.unwrap(), [changed]);

    session.begin(NO_LIMITS).await.unwrap();
    assert_eq!(
        session.record_reverted(&lease, version).await.unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(session.history().await.unwrap(), []);

    session
        .write_journal(&lease, &journal_row(8, 1))
        .await
        .unwrap();
    session
        .clear_journal(&lease, Version::from_stored(8))
        .await
        .unwrap();
    assert_eq!(session.journal().await.unwrap(), []);
}

#[tokio::test]
async fn a_rolled_back_migration_leaves_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    let lease = acquire(&mut *session, LONG).await;
    session.begin(NO_LIMITS).await.unwrap();
    session.run("CREATE TABLE t (a)").await.unwrap();
    session
        .record_applied(&lease, &history_row(1))
        .await
        .unwrap();
    session.rollback().await.unwrap();
    assert_eq!(session.history().await.unwrap(), []);
    assert!(session.run("SELECT * FROM t").await.is_err());
}

#[tokio::test]
async fn a_script_that_ends_the_transaction_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    let lease = acquire(&mut *session, LONG).await;
    for script in [
        &["COMMIT"][..],
        &["ROLLBACK"],
        &["COMMIT", "BEGIN IMMEDIATE"],
        &["ROLLBACK", "BEGIN"],
    ] {
        session.begin(NO_LIMITS).await.unwrap();
        for sql in script {
            session.run(sql).await.unwrap();
        }
        assert_eq!(
            session
                .record_applied(&lease, &history_row(1))
                .await
                .unwrap(),
            Fenced::TransactionEnded
        );
        session.rollback().await.unwrap();
    }
    session.begin(NO_LIMITS).await.unwrap();
    for sql in [
        "SAVEPOINT a",
        "CREATE TABLE t (a)",
        "ROLLBACK TO a",
        "RELEASE a",
    ] {
        session.run(sql).await.unwrap();
    }
    assert_eq!(
        session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
}

#[tokio::test]
async fn tables_of_a_newer_format_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    let lease = acquire(&mut *session, LONG).await;
    session.release(&lease).await.unwrap();
    session
        .run("UPDATE forerun_lock SET format = 2")
        .await
        .unwrap();
    let error = session.try_acquire(&request(LONG)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unexpected);
    assert!(
        error
            .message
            .contains("newer forerun (format 2, this build knows 1)"),
        "{}",
        error.message
    );
    assert_eq!(kind(session.applied().await), ErrorKind::Unexpected);
}

#[tokio::test]
async fn the_catalog_tells_whether_a_statement_took_effect() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    session.run("CREATE TABLE t (a)").await.unwrap();
    for sql in [
        "ALTER TABLE T ADD COLUMN b",
        "CREATE INDEX i ON t(a)",
        "DROP INDEX i",
        "DROP TABLE t",
    ] {
        let statement = classify(Dialect::Sqlite, sql);
        let before = session.fingerprint(&statement).await.unwrap();
        assert!(
            matches!(before, Fingerprint::Definition(_)),
            "{sql}: {before:?}"
        );
        assert_eq!(session.fingerprint(&statement).await.unwrap(), before);
        session.run(sql).await.unwrap();
        assert_ne!(
            session.fingerprint(&statement).await.unwrap(),
            before,
            "{sql}"
        );
    }
    let fingerprint = async |session: &mut Box<dyn Session>, sql| {
        session
            .fingerprint(&classify(Dialect::Sqlite, sql))
            .await
            .unwrap()
    };
    assert_eq!(
        fingerprint(&mut session, "VACUUM").await,
        Fingerprint::Repeatable
    );
    assert_eq!(
        fingerprint(&mut session, "INSERT INTO t VALUES (1)").await,
        Fingerprint::Unknown
    );
}

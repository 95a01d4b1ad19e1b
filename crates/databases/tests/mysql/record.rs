//! The end of several migrations in one transaction, with the announcement of those that follow.

use forerun_migrations::database::{Change, CommitOutcome, Fenced, Record, Session, Timeouts};
use forerun_migrations::history::{AuditEntry, JournalRow};
use forerun_test_support::MariadbServer;

use super::{acquire, connect, history_row, journal_row, version};

fn changes(numbers: &[u32]) -> Vec<Change> {
    numbers
        .iter()
        .map(|number| Change::Applied(Box::new(history_row(*number))))
        .collect()
}

fn announced(numbers: &[u32]) -> Vec<JournalRow> {
    numbers
        .iter()
        .map(|number| journal_row(*number, Some("definition:abc")))
        .collect()
}

fn entry(message: &str) -> AuditEntry {
    AuditEntry {
        event: "migration.applied",
        version: Some(version(1)),
        statement: None,
        attempt: Some(1),
        message: message.to_owned(),
        detail: serde_json::json!({ "it's": "\\" }),
    }
}

async fn messages(session: &mut dyn Session) -> Vec<String> {
    let trail = session.audit_trail(None).await.unwrap();
    trail.into_iter().map(|row| row.message).collect()
}

#[tokio::test]
async fn several_are_recorded_and_announced_at_once() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    for row in announced(&[1, 2]) {
        assert_eq!(
            session.write_journal(&lease, &row).await.unwrap(),
            Fenced::Written
        );
    }
    let audit = [entry("one"), entry("two"), entry("three")];
    let record = Record {
        begin: Some(Timeouts::default()),
        changes: &changes(&[1, 2, 3]),
        announced: &announced(&[4, 5]),
        audit: &audit,
    };
    assert_eq!(
        session.record(&lease, record).await.unwrap(),
        Fenced::Written
    );
    let mut other = connect(&target.url, "run-2").await;
    assert!(
        other.history().await.unwrap().is_empty(),
        "not committed yet"
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(
        session.history().await.unwrap(),
        [history_row(1), history_row(2), history_row(3)]
    );
    assert_eq!(session.journal().await.unwrap(), announced(&[4, 5]));
    assert_eq!(messages(session.as_mut()).await, ["one", "two", "three"]);

    let record = Record {
        changes: &[Change::Reverted(version(2)), Change::Reverted(version(1))],
        announced: &announced(&[6]),
        audit: &[],
        ..record
    };
    assert_eq!(
        session.record(&lease, record).await.unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(session.history().await.unwrap(), [history_row(3)]);
    assert_eq!(session.journal().await.unwrap(), announced(&[4, 5, 6]));
}

#[tokio::test]
async fn nothing_is_written_without_the_lease() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    target.execute("UPDATE forerun_lock SET token = token + 1");
    let record = Record {
        begin: Some(Timeouts::default()),
        changes: &changes(&[1, 2]),
        announced: &announced(&[3]),
        audit: &[entry("one")],
    };
    assert_eq!(
        session.record(&lease, record).await.unwrap(),
        Fenced::LeaseLost
    );
    session.rollback().await.unwrap();
    assert!(session.history().await.unwrap().is_empty());
    assert!(session.journal().await.unwrap().is_empty());
    assert!(messages(session.as_mut()).await.is_empty());
}

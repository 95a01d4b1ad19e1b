//! Short migrations on their way to the database at once. A driver that has nothing to offer runs none of them.

use forerun_migrations::database::{Lease, Session, Together, TogetherOutcome};
use forerun_migrations::history::{AuditEntry, HistoryRow, Version};

use super::recording::row;
use super::{LIMITS, Target, lease, session};

async fn together(
    session: &mut Box<dyn Session>,
    lease: &Lease,
    scripts: &[&str],
) -> TogetherOutcome {
    let read: Vec<(Vec<String>, HistoryRow, AuditEntry)> = (1..)
        .zip(scripts)
        .map(|(version, script)| {
            let entry = AuditEntry {
                event: "migration.applied",
                version: Some(Version::from(version)),
                statement: None,
                attempt: Some(1),
                message: (*script).to_owned(),
                detail: serde_json::json!({"duration_ms": null}),
            };
            let statements = script.split(';').map(str::to_owned).collect();
            (statements, row(version), entry)
        })
        .collect();
    let parts: Vec<Together<'_>> = read
        .iter()
        .map(|(statements, row, audit)| Together {
            statements,
            row,
            audit,
        })
        .collect();
    assert!(session.most_together() >= parts.len());
    session.apply_together(lease, LIMITS, &parts).await
}

/// Runs `scripts` and expects the first `applied` of them to be applied and recorded, and no other.
async fn applies(target: &Target, applied: usize, scripts: &[&str]) {
    let mut session = session(target, "run-1").await;
    if session.most_together() < 2 {
        assert!(target.url.starts_with("mysql"), "it could before");
        return;
    }
    let lease = lease(&mut session).await;
    let outcome = together(&mut session, &lease, scripts).await;
    assert!(outcome.lost.is_none(), "{outcome:?}");
    assert_eq!(outcome.applied, applied);
    // Another session sees only what is committed.
    let mut other = self::session(target, "run-2").await;
    let history = other.history().await.unwrap();
    assert_eq!(history.len(), applied);
    for row in &history {
        assert_ne!(row.started_at, self::row(1).started_at, "its own time");
        assert!(row.started_at <= row.finished_at && (0..60_000).contains(&row.duration_ms));
    }
    let audit = other.audit_trail(None).await.unwrap();
    assert_eq!(audit.len(), applied);
    assert!(
        audit
            .iter()
            .all(|entry| entry.detail["duration_ms"].is_number()),
        "{audit:?}"
    );
    for (index, name) in ["first", "second", "third", "fourth"].iter().enumerate() {
        let there = other
            .first_row(&format!("SELECT 1 AS found FROM {name}_items"))
            .await;
        assert_eq!(there.is_ok(), index < applied, "{name}: {there:?}");
    }
}

pub async fn all_are_applied(target: &Target) {
    let scripts = [
        "CREATE TABLE first_items (id int) -- with a comment at its end",
        "CREATE TABLE second_items (id int); CREATE TABLE more_items (id int)",
        "CREATE TABLE third_items (id int)",
    ];
    applies(target, 3, &scripts).await;
}

pub async fn those_before_an_error_are_applied(target: &Target) {
    let scripts = [
        "CREATE TABLE first_items (id int)",
        "CREATE TABLE second_items (id int)",
        // Its first statement succeeds.
        "CREATE TABLE third_items (id int); CREATE TABLE first_items (id int)",
        "CREATE TABLE fourth_items (id int)",
    ];
    applies(target, 2, &scripts).await;
}

/// PostgreSQL finds a syntax error before BEGIN has run, so no failed transaction keeps the next message from running.
pub async fn what_follows_a_syntax_error_is_not_applied(target: &Target) {
    let scripts = [
        "CREATE TABLE first_items (id int)",
        "CREATE TABLE second_items (id int,,)",
        "CREATE TABLE third_items (id int)",
        "CREATE TABLE fourth_items (id int)",
    ];
    applies(target, 1, &scripts).await;
}

pub async fn after_an_error_in_the_first_none_is_applied(target: &Target) {
    let scripts = [
        "CREATE TABLE forerun_lock (id int)",
        "CREATE TABLE second_items (id int)",
    ];
    applies(target, 0, &scripts).await;
}

pub async fn after_a_takeover_none_is_applied(target: &Target) {
    let mut session = session(target, "run-1").await;
    if session.most_together() < 2 {
        assert!(target.url.starts_with("mysql"), "it could before");
        return;
    }
    let lease = lease(&mut session).await;
    target.query("UPDATE forerun_lock SET token = token + 1");
    let scripts = [
        "CREATE TABLE first_items (id int)",
        "CREATE TABLE second_items (id int)",
    ];
    let outcome = together(&mut session, &lease, &scripts).await;
    assert!(outcome.lost.is_none(), "{outcome:?}");
    assert_eq!(outcome.applied, 0);
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    let there = session
        .first_row("SELECT 1 AS found FROM first_items")
        .await;
    there.expect_err("the table is there");
}

//! History, journal and audit: what is written is what is read, whatever the script did before.

use forerun_migrations::database::{
    Change, CommitOutcome, Fenced, Record, RecordOutcome, Together,
};
use forerun_migrations::history::{AuditEntry, Direction, InDoubt, JournalRow, Version};
use forerun_test_support::PostgresServer;

use super::{acquire, connect, history_row, no_limits};

fn journal_row(in_doubt: Option<InDoubt>) -> JournalRow {
    JournalRow {
        version: Version::from(7),
        script: "0007_it's.sql".to_owned(),
        direction: Direction::Up,
        statements_done: 2,
        prefix_checksum: "d".repeat(64),
        in_doubt,
        started_at: "2026-11-21T22:30:33.000001Z".to_owned(),
        run_id: "run-1".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_changes_role_path_and_encoding_is_recorded_all_the_same() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let role = format!("weak_{}", database.name);
    database.execute(&format!("CREATE ROLE {role}"));
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    for (version, script) in [
        (1, format!("SET ROLE {role}")),
        (2, format!("SET SESSION AUTHORIZATION {role}")),
        (3, "SELECT set_config('search_path', '', false)".to_owned()),
        (4, "SET client_encoding = 'LATIN1'".to_owned()),
        (5, "SET standard_conforming_strings = off".to_owned()),
    ] {
        session.begin(no_limits()).await.unwrap();
        session.run(&script).await.unwrap();
        let fenced = session
            .record_applied(&lease, &history_row(version))
            .await
            .unwrap();
        assert_eq!(fenced, Fenced::Written, "{script}");
        let entry = AuditEntry {
            event: "migration.applied",
            version: Some(Version::from(version)),
            statement: None,
            attempt: Some(1),
            message: "é 'quoted' \\".to_owned(),
            detail: serde_json::json!({"nul": "a\0b", "text": "it's"}),
        };
        session.audit(&[entry]).await.unwrap();
        assert!(matches!(session.commit().await, CommitOutcome::Committed));
        session.reset().await.unwrap();
    }
    let history = session.history().await.unwrap();
    assert_eq!(history.len(), 5);
    assert!(
        history
            .iter()
            .all(|row| row.description == history_row(1).description)
    );
    let trail = session.audit_trail(Some(&Version::from(4))).await.unwrap();
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].message, "é 'quoted' \\");
    assert_eq!(
        trail[0].detail,
        serde_json::json!({"nul": "a\u{fffd}b", "text": "it's"})
    );
    assert_eq!(
        (trail[0].actor.as_str(), trail[0].release.as_deref()),
        ("tester", Some("2.6.0"))
    );
    assert_eq!(session.audit_trail(None).await.unwrap().len(), 5);
    database.execute(&format!("DROP ROLE {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_chains_another_transaction_is_noticed() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    for script in ["COMMIT AND CHAIN", "ROLLBACK AND CHAIN"] {
        session.begin(no_limits()).await.unwrap();
        session.run(script).await.unwrap();
        let fenced = session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap();
        assert_eq!(fenced, Fenced::TransactionEnded, "{script}");
        session.rollback().await.unwrap();
        session.reset().await.unwrap();
    }
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
}

fn recorded(changes: &[Change]) -> Record<'_> {
    Record {
        begin: None,
        changes,
        announced: &[],
        audit: &[],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_and_its_commit_are_one_step() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let role = format!("weak_{}", database.name);
    database.execute(&format!("CREATE ROLE {role}"));
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    let mut version = 0;
    for script in [
        "CREATE TABLE a (id int)".to_owned(),
        "INSERT INTO a VALUES (1)".to_owned(),
        format!("SET ROLE {role}"),
        "SET client_encoding = 'LATIN1'".to_owned(),
    ] {
        version += 1;
        let changes = [Change::Applied(Box::new(history_row(version)))];
        session.begin(no_limits()).await.unwrap();
        session.run(&script).await.unwrap();
        let outcome = session
            .record_and_commit(&lease, recorded(&changes))
            .await
            .unwrap();
        assert!(
            matches!(outcome, RecordOutcome::Ended(CommitOutcome::Committed)),
            "{script}: {outcome:?}"
        );
        session.reset().await.unwrap();
    }
    let history = session.history().await.unwrap();
    assert_eq!(history.len(), 4);
    assert!(
        history
            .iter()
            .all(|row| row.description == history_row(1).description)
    );
    assert_eq!(database.query("SELECT count(*) FROM a"), "1");
    database.execute(&format!("DROP ROLE {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_after_a_takeover_or_the_end_of_the_transaction() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    let changes = [Change::Applied(Box::new(history_row(1)))];
    for script in ["COMMIT", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN"] {
        session.begin(no_limits()).await.unwrap();
        session.run(script).await.unwrap();
        let outcome = session
            .record_and_commit(&lease, recorded(&changes))
            .await
            .unwrap();
        assert!(
            matches!(outcome, RecordOutcome::Refused(Fenced::TransactionEnded)),
            "{script}: {outcome:?}"
        );
        session.reset().await.unwrap();
    }
    session.begin(no_limits()).await.unwrap();
    session.run("CREATE TABLE lost (id int)").await.unwrap();
    database.execute("UPDATE forerun_lock SET token = token + 1");
    let outcome = session
        .record_and_commit(&lease, recorded(&changes))
        .await
        .unwrap();
    assert!(
        matches!(outcome, RecordOutcome::Refused(Fenced::LeaseLost)),
        "{outcome:?}"
    );
    session.reset().await.unwrap();
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    assert_eq!(
        database.query("SELECT to_regclass('lost') IS NULL"),
        "t",
        "what ran before it is rolled back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_that_waits_for_the_commit_rolls_the_record_back() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE p (id int PRIMARY KEY); \
         CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
    );
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    let changes = [Change::Applied(Box::new(history_row(1)))];
    session.begin(no_limits()).await.unwrap();
    session.run("INSERT INTO c VALUES (7)").await.unwrap();
    match session.record_and_commit(&lease, recorded(&changes)).await {
        Ok(RecordOutcome::Ended(CommitOutcome::RolledBack(error))) => {
            assert_eq!(error.code.as_deref(), Some("23503"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_remarks_on_migrations_sent_together_is_told() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    let migration = Together {
        statements: &["CREATE TABLE a (at timestamp(9))".to_owned()],
        row: &history_row(1),
        audit: &AuditEntry {
            event: "migration.applied",
            version: Some(Version::from(1)),
            statement: None,
            attempt: Some(1),
            message: "applied".to_owned(),
            detail: serde_json::json!({}),
        },
    };
    let outcome = session
        .apply_together(&lease, no_limits(), &[migration])
        .await;
    assert_eq!(outcome.applied, 1);
    let told = outcome
        .notices
        .iter()
        .any(|notice| notice.message.contains("precision"));
    assert!(told, "{outcome:?}");
}

/// Who records changes by an event trigger sees the statement of the script, and nothing of ours.
#[tokio::test(flavor = "multi_thread")]
async fn event_triggers_see_the_statement_alone() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE seen (query text); \
         CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS \
         'BEGIN INSERT INTO seen VALUES (current_query()); END'; \
         CREATE EVENT TRIGGER see ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION see()",
    );
    let mut session = connect(&database.url, "run").await;
    let _lease = acquire(&mut session).await;
    assert_eq!(session.most_together(), 1);
    session.begin(no_limits()).await.unwrap();
    session.run("CREATE VIEW v AS SELECT 1").await.unwrap();
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(
        database.query("SELECT query FROM seen"),
        "CREATE VIEW v AS SELECT 1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_the_transaction_does_not_shift_the_place_of_an_error() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    session.begin(no_limits()).await.unwrap();
    assert!(
        !session.reset().await.unwrap(),
        "nothing was sent, so nothing is open"
    );
    for _ in 0..2 {
        session.begin(no_limits()).await.unwrap();
        let error = session.run("SELECT 'é', nothing").await.unwrap_err();
        assert_eq!(error.position, Some("SELECT 'é', ".len()));
        session.rollback().await.unwrap();
    }
    session.begin(no_limits()).await.unwrap();
    assert_eq!(
        session.first_row("SELECT 7 AS n").await.unwrap().as_deref(),
        Some("n=7")
    );
    session.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_kept_up_to_date_and_leaves_the_script_its_role() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let role = format!("app_{}", database.name);
    database.execute(&format!("CREATE ROLE {role}"));
    let mut session = connect(&database.url, "run").await;
    let lease = acquire(&mut session).await;
    let doubt = InDoubt {
        statement: 3,
        fingerprint: "definition:x".to_owned(),
        answer: Some(false),
    };

    // A statement in a transaction with the journal, then one outside: both see the role and path of the script.
    session.begin(no_limits()).await.unwrap();
    session.run(&format!("SET ROLE {role}")).await.unwrap();
    session.run("SET search_path = pg_catalog").await.unwrap();
    assert_eq!(
        session
            .write_journal(&lease, &journal_row(None))
            .await
            .unwrap(),
        Fenced::Written
    );
    assert!(matches!(session.commit().await, CommitOutcome::Committed));
    assert_eq!(
        session.journal().await.unwrap_err().code.as_deref(),
        Some("42501")
    );
    assert_eq!(
        session
            .write_journal(&lease, &journal_row(Some(doubt.clone())))
            .await
            .unwrap(),
        Fenced::Written
    );
    let row = session
        .first_row("SELECT current_user AS u, current_setting('search_path') AS s")
        .await
        .unwrap();
    assert_eq!(row.unwrap(), format!("u={role}, s=pg_catalog"));

    session.reset().await.unwrap();
    assert_eq!(session.journal().await.unwrap(), [journal_row(Some(doubt))]);
    session.begin(no_limits()).await.unwrap();
    assert_eq!(
        session
            .record_applied(&lease, &history_row(7))
            .await
            .unwrap(),
        Fenced::Written
    );
    session.commit().await;
    assert!(
        session.journal().await.unwrap().is_empty(),
        "the record removes the journal"
    );
    database.execute(&format!("DROP ROLE {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_versions_are_read_quickly() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut session = connect(&database.url, "run").await;
    acquire(&mut session).await;
    database.execute(
        "INSERT INTO forerun_history SELECT n, 'd', n || '_d.sql', 'schema', 'expand', 'applied', repeat('a', 64), \
         repeat('b', 64), repeat('c', 64), 1, now(), now(), 1, 'r', NULL, 'x', '0' FROM generate_series(1, 10000) n",
    );
    let applied = session.applied().await.unwrap().unwrap();
    assert_eq!(applied.len(), 10_000);
}

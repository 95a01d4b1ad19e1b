//! History, journal and audit: written together with the change, whatever a script did to the session.

use forerun_migrations::database::{CommitOutcome, Fenced, Timeouts};
use forerun_migrations::history::AuditEntry;
use forerun_test_support::{Direction, MariadbServer, When};

use super::{acquire, connect, history_row, journal_row, version};

fn entry(message: &str) -> AuditEntry {
    AuditEntry {
        event: "run.started",
        version: Some(version(3)),
        statement: None,
        attempt: Some(1),
        message: message.to_owned(),
        detail: serde_json::json!({ "ключ": ["'", "\\"] }),
    }
}

#[tokio::test]
async fn a_rolled_back_transaction_leaves_no_record() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT)");
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    session.begin(Timeouts::default()).await.unwrap();
    session.run("INSERT INTO t VALUES (1)").await.unwrap();
    session
        .write_journal(&lease, &journal_row(1, None))
        .await
        .unwrap();
    session.audit(&[entry("gone")]).await.unwrap();
    session.rollback().await.unwrap();
    session.rollback().await.unwrap();
    assert!(session.journal().await.unwrap().is_empty());
    assert!(session.audit_trail(None).await.unwrap().is_empty());
    assert_eq!(target.query("SELECT COUNT(*) FROM t"), "0");
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_unasked_is_noticed() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT)");
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    for ending in ["CREATE TABLE IF NOT EXISTS u (a INT)", "START TRANSACTION"] {
        session.begin(Timeouts::default()).await.unwrap();
        session.run("INSERT INTO t VALUES (1)").await.unwrap();
        session.run(ending).await.unwrap();
        let fenced = session
            .record_applied(&lease, &history_row(1))
            .await
            .unwrap();
        assert_eq!(fenced, Fenced::TransactionEnded, "{ending}");
        session.rollback().await.unwrap();
    }
    assert!(session.history().await.unwrap().is_empty());
}

#[tokio::test]
async fn bookkeeping_does_not_depend_on_what_a_script_has_set() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY)");
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    for (number, careless) in (1..).zip([
        "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'",
        "SET NAMES latin1",
        "USE mysql",
        "SET autocommit = 0",
        "SET SESSION TRANSACTION READ ONLY",
        "SET completion_type = 'RELEASE'",
        "SET sql_select_limit = 1, sql_safe_updates = 1, foreign_key_checks = 0",
        "LOCK TABLES mysql.user READ",
        "SET time_zone = '+05:00', timestamp = 1000000000",
    ]) {
        session.run(careless).await.unwrap();
        let row = journal_row(number, Some("repeatable"));
        assert_eq!(
            session.write_journal(&lease, &row).await.unwrap(),
            Fenced::Written,
            "{careless}"
        );
        session.audit(&[entry("größe")]).await.unwrap();
    }
    assert!(!session.reset().await.unwrap());
    let journal = session.journal().await.unwrap();
    assert_eq!(journal.len(), 9);
    for (number, row) in (1..).zip(journal) {
        assert_eq!(row, journal_row(number, Some("repeatable")));
    }
    assert!(
        session
            .audit_trail(None)
            .await
            .unwrap()
            .iter()
            .all(|row| row.message == "größe")
    );
}

#[tokio::test]
async fn the_id_of_the_last_row_survives_the_bookkeeping() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 4711");
    let mut session = connect(&target.url, "run-1").await;
    let lease = acquire(session.as_mut()).await;
    session.run("INSERT INTO t VALUES (NULL)").await.unwrap();
    session
        .write_journal(&lease, &journal_row(1, None))
        .await
        .unwrap();
    session.audit(&[entry("between")]).await.unwrap();
    let row = session
        .first_row("SELECT LAST_INSERT_ID() AS id")
        .await
        .unwrap();
    assert_eq!(row.as_deref(), Some("id=4711"));
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_unknown() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE TABLE t (a INT)");
    let proxy = target.proxy();
    for (number, when) in [(1, When::After), (2, When::Before)] {
        let mut session = connect(&target.url_through(&proxy), &format!("run-{number}")).await;
        let lease = loop {
            match session
                .try_acquire(&super::request(super::MINUTE))
                .await
                .unwrap()
            {
                forerun_migrations::database::Acquire::Acquired(lease) => break lease,
                forerun_migrations::database::Acquire::Held(_) => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
        };
        session.begin(Timeouts::default()).await.unwrap();
        session.run("INSERT INTO t VALUES (1)").await.unwrap();
        session
            .record_applied(&lease, &history_row(number))
            .await
            .unwrap();
        proxy.cut_when(Direction::ToServer, b"COMMIT", when);
        assert!(matches!(session.commit().await, CommitOutcome::Unknown(_)));
        let mut second = connect(&target.url, "run-9").await;
        // The history tells: the first commit had arrived, the second had not.
        let applied = loop {
            let applied = second.applied().await.unwrap().unwrap().len();
            if when == When::Before || applied == 1 {
                break applied;
            }
        };
        assert_eq!(applied, 1);
    }
    target.wait_until(
        "SELECT COUNT(*) FROM t",
        "1",
        std::time::Duration::from_secs(5),
    );
}

//! Statements of scripts: results, errors, limits, reset.

use std::time::Duration;

use forerun_migrations::database::{ErrorKind, Timeouts};
use forerun_sql::Dialect;

use super::{LIMITS, Target, committed, session};

/// A statement that does not end by itself.
fn endless(target: &Target) -> &'static str {
    match target.database.dialect() {
        // Its recursion is limited by default.
        Dialect::Mysql => "SELECT count(*) FROM seq_1_to_1000000000000 WHERE md5(seq) = 'x'",
        _ => {
            "SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
             WHERE i < 1000000000) SELECT i FROM n) AS x"
        }
    }
}

pub async fn statements_report_rows_and_first_rows(target: &Target) {
    let mut session = session(target, "run-1").await;
    session
        .run("CREATE TABLE t (a integer, b varchar(20))")
        .await
        .unwrap();
    for (sql, rows) in [
        ("INSERT INTO t VALUES (1, 'x'), (2, NULL)", Some(2)),
        ("UPDATE t SET a = 3 WHERE a = 9", Some(0)),
        ("DELETE FROM t WHERE a = 9", Some(0)),
    ] {
        assert_eq!(session.run(sql).await.unwrap().rows, rows, "{sql}");
    }
    for (sql, row) in [
        (
            "SELECT a, b, 'é' AS c FROM t ORDER BY a",
            Some("a=1, b=x, c=é"),
        ),
        ("SELECT b FROM t WHERE a = 2", Some("b=NULL")),
        ("SELECT * FROM t WHERE a = 9", None),
    ] {
        assert_eq!(
            session.first_row(sql).await.unwrap().as_deref(),
            row,
            "{sql}"
        );
    }
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
    let mut other = super::session(target, "run-2").await;
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
    // Nothing runs: this must not hit the next statement.
    canceller.cancel().await.unwrap();
    session.run("SELECT 1").await.unwrap();
    let cancelling = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        canceller.cancel().await
    });
    let error = session.run(endless(target)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled, "{error:?}");
    cancelling.await.unwrap().unwrap();
    session.run("SELECT 1").await.unwrap();
}

pub async fn a_long_statement_is_ended_by_its_time_limit(target: &Target) {
    let mut session = session(target, "run-1").await;
    let limits = Timeouts {
        lock: None,
        statement: Some(Duration::from_millis(300)),
    };
    session.begin(limits).await.unwrap();
    let error = session.run(endless(target)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::StatementTimeout, "{error:?}");
    session.rollback().await.unwrap();
    session.set_timeouts(limits).await.unwrap();
    let error = session.run(endless(target)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::StatementTimeout, "{error:?}");
    session.set_timeouts(Timeouts::default()).await.unwrap();
    session.run("SELECT 1").await.unwrap();
}

pub async fn a_transaction_that_a_script_leaves_open_is_rolled_back_and_told(target: &Target) {
    let mut session = session(target, "run-1").await;
    session.run("CREATE TABLE t (a integer)").await.unwrap();
    session.run("BEGIN").await.unwrap();
    session.run("INSERT INTO t VALUES (1)").await.unwrap();
    assert!(session.reset().await.unwrap());
    assert!(!session.reset().await.unwrap());
    assert_eq!(target.query("SELECT count(*) FROM t"), "0");
}

pub async fn all_rows_of_a_query_come_as_text(target: &Target) {
    let mut session = session(target, "run-1").await;
    let query = "SELECT 1 AS number, 'it''s' AS word, NULL AS nothing UNION ALL SELECT 2, '', 'x' ORDER BY number";
    let rows = session.rows(query).await.expect("a query");
    let text = |text: &str| Some(text.to_owned());
    // A SQLite file that does not exist has nothing, and is not made by looking.
    if !rows.is_empty() {
        assert_eq!(
            rows,
            [
                vec![text("1"), text("it's"), None],
                vec![text("2"), text(""), text("x")]
            ]
        );
    }
    session
        .run("CREATE TABLE made (id integer)")
        .await
        .expect("made");
    assert_eq!(
        session.rows("SELECT id FROM made").await.expect("empty"),
        Vec::<Vec<_>>::new()
    );
    session.begin(LIMITS).await.expect("begins");
    session
        .run("INSERT INTO made VALUES (7)")
        .await
        .expect("written");
    assert_eq!(
        session.rows("SELECT id FROM made").await.expect("own"),
        [[text("7")]]
    );
    session.rollback().await.expect("rolled back");
    assert!(session.rows("SELECT id FROM missing").await.is_err());
    assert_eq!(
        session.rows("SELECT id FROM made").await.expect("goes on"),
        Vec::<Vec<_>>::new()
    );
}

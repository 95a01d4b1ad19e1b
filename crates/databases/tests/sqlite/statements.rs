//! Statements of scripts: results, errors, limits, reset.

use forerun_migrations::database::{CommitOutcome, ErrorKind};
use std::time::{Duration, Instant};

use super::{NO_LIMITS, change, count, kind, lock_timeout, session};

#[tokio::test]
async fn values_are_shown_as_the_shell_shows_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    let row = session.first_row("SELECT x'0aff' AS c, 1.5 AS d").await;
    assert_eq!(row.unwrap().as_deref(), Some("c=0x0aff, d=1.5"));
    assert_eq!(
        kind(session.copy_start("COPY t FROM STDIN").await),
        ErrorKind::Statement
    );
}

#[tokio::test]
async fn errors_have_a_position_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    change(&mut *session, "CREATE TABLE t (a INTEGER PRIMARY KEY)").await;
    session.begin(NO_LIMITS).await.unwrap();
    session.run("INSERT INTO t VALUES (1)").await.unwrap();
    let error = session.run("SELECT 1 FORM t").await.unwrap_err();
    assert_eq!(
        (error.kind, error.position),
        (ErrorKind::Statement, Some(14))
    );
    assert_eq!(error.message, "near \"t\": syntax error");
    let error = session.run("INSERT INTO t VALUES (1)").await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Statement, Some("1555"))
    );
    assert_eq!(error.message, "UNIQUE constraint failed: t.a");
    session.rollback().await.unwrap();
    session.rollback().await.unwrap();
    assert_eq!(
        count(&mut *session, "SELECT count(*) AS n FROM t").await,
        "n=0"
    );
}

#[tokio::test]
async fn a_refused_commit_is_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    session.run("CREATE TABLE p (a PRIMARY KEY)").await.unwrap();
    session
        .run("CREATE TABLE c (a REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
        .await
        .unwrap();
    session.run("PRAGMA foreign_keys = ON").await.unwrap();
    session.begin(NO_LIMITS).await.unwrap();
    session.run("INSERT INTO c VALUES (1)").await.unwrap();
    match session.commit().await {
        CommitOutcome::RolledBack(error) => assert_eq!(error.kind, ErrorKind::Statement),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        count(&mut *session, "SELECT count(*) AS n FROM c").await,
        "n=0"
    );
    assert!(matches!(
        session.commit().await,
        CommitOutcome::RolledBack(_)
    ));
}

#[tokio::test]
async fn a_full_disk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    change(&mut *session, "CREATE TABLE t (a)").await;
    session.run("PRAGMA max_page_count = 4").await.unwrap();
    session.begin(NO_LIMITS).await.unwrap();
    assert_eq!(
        kind(session.run("INSERT INTO t VALUES (zeroblob(100000))").await),
        ErrorKind::DiskFull
    );
    session.rollback().await.unwrap();
}

#[tokio::test]
async fn waiting_for_another_writer_ends_with_the_lock_timeout_or_a_cancel() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, mut waiter) = (session(&folder, "a").await, session(&folder, "b").await);
    writer.begin(NO_LIMITS).await.unwrap();

    let started = Instant::now();
    let error = waiter.begin(lock_timeout(300)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockTimeout);
    assert!(
        (300..2000).contains(&started.elapsed().as_millis()),
        "{:?}",
        started.elapsed()
    );

    let canceller = waiter.canceller();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel().await.unwrap();
    };
    let (result, ()) = tokio::join!(waiter.begin(NO_LIMITS), cancel);
    assert_eq!(kind(result), ErrorKind::Cancelled);

    let release = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        writer.rollback().await.unwrap();
    };
    let (result, ()) = tokio::join!(waiter.begin(NO_LIMITS), release);
    result.unwrap();
}

#[tokio::test]
async fn reset_undoes_settings_and_temporary_objects() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    assert_eq!(
        count(&mut *session, "PRAGMA foreign_keys").await,
        "foreign_keys=0"
    );
    let other = folder.path().join("other.db");
    for sql in [
        "PRAGMA foreign_keys = ON",
        "PRAGMA legacy_alter_table = ON",
        "PRAGMA busy_timeout = 1",
        &format!("ATTACH '{}' AS other", other.display()),
        "CREATE TEMP TABLE scratch (a)",
    ] {
        session.run(sql).await.unwrap();
    }
    assert!(!session.reset().await.unwrap());
    assert_eq!(
        count(&mut *session, "PRAGMA foreign_keys").await,
        "foreign_keys=0"
    );
    assert_eq!(
        count(&mut *session, "PRAGMA legacy_alter_table").await,
        "legacy_alter_table=0"
    );
    assert_eq!(
        count(
            &mut *session,
            "SELECT count(*) AS n FROM pragma_database_list"
        )
        .await,
        "n=1"
    );
    assert!(session.run("SELECT * FROM scratch").await.is_err());

    // Without a pragma, too.
    session
        .run("CREATE TEMP VIEW scratch AS SELECT 1")
        .await
        .unwrap();
    session.run("BEGIN").await.unwrap();
    assert!(
        session.reset().await.unwrap(),
        "a transaction was left open"
    );
    assert!(session.run("SELECT * FROM scratch").await.is_err());
    assert!(!session.reset().await.unwrap());
}

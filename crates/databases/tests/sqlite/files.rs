//! The file: missing, unusable, read-only.

use forerun_databases::connection_url::SqliteOptions;
use forerun_databases::sqlite::Sqlite;
use forerun_migrations::database::{Database, ErrorKind, Lease};

use super::{LONG, NO_LIMITS, acquire, change, database, identity, kind, note, options, session};

#[tokio::test]
async fn reading_a_missing_file_does_not_create_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder, "a").await;
    assert_eq!(session.applied().await.unwrap(), None);
    assert_eq!(session.history().await.unwrap(), []);
    assert_eq!(session.journal().await.unwrap(), []);
    assert_eq!(session.audit_trail(None).await.unwrap(), []);
    assert_eq!(session.holder().await.unwrap(), None);
    assert!(!session.reset().await.unwrap());
    session.rollback().await.unwrap();
    let mut monitor = database(&folder).monitor(&identity("a")).await.unwrap();
    let lease = Lease {
        token: 1,
        duration: LONG,
        taken_over: None,
    };
    assert!(!monitor.heartbeat(&lease).await.unwrap());
    assert!(monitor.audit(&[note("x")]).await.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    acquire(&mut *session, LONG).await;
    assert!(folder.path().join("app.db").exists());
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
}

#[tokio::test]
async fn files_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let connect =
        async |options: SqliteOptions| match Sqlite::new(options).connect(&identity("a")).await {
            Ok(_) => panic!("connected"),
            Err(error) => (error.kind, error.message),
        };

    let (kind, message) = connect(options(&folder.path().join("no/app.db"))).await;
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(
        message.contains("/no of the database file does not exist"),
        "{message}"
    );

    let (kind, message) = connect(options(folder.path())).await;
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(message.ends_with("is a directory"), "{message}");

    let (kind, message) = connect(SqliteOptions {
        create: false,
        ..options(&folder.path().join("app.db"))
    })
    .await;
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(message.ends_with("app.db does not exist"), "{message}");

    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "this is no database, but long enough to look like one".repeat(20),
    )
    .unwrap();
    let (kind, message) = connect(options(&text)).await;
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(message.contains("file is not a database"), "{message}");
}

#[tokio::test]
async fn names_with_a_meaning_for_sqlite_are_plain_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:x?mode=ro", "ä b.db"] {
        let path = folder.path().join(name);
        let mut session = Sqlite::new(options(&path))
            .connect(&identity("a"))
            .await
            .unwrap();
        change(&mut *session, "CREATE TABLE t (a)").await;
        assert!(path.exists(), "{name}");
    }
}

#[tokio::test]
async fn a_read_only_file_can_be_read_but_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = session(&folder, "a").await;
    acquire(&mut *first, LONG).await;
    drop(first);
    // Permissions do not stop root, so the file itself does: SQLite writes none whose format is newer than its own.
    let path = folder.path().join("app.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[18] = 3;
    std::fs::write(&path, bytes).unwrap();

    let mut session = session(&folder, "b").await;
    assert_eq!(session.applied().await.unwrap(), Some(Vec::new()));
    assert!(session.holder().await.unwrap().is_some());
    assert_eq!(kind(session.begin(NO_LIMITS).await), ErrorKind::ReadOnly);
    assert_eq!(
        kind(session.run("CREATE TABLE t (a)").await),
        ErrorKind::ReadOnly
    );
    assert_eq!(kind(session.audit(&[note("x")]).await), ErrorKind::ReadOnly);
}

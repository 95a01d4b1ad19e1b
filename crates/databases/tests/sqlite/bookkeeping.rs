//! History, journal, audit and what the catalog tells.

use forerun_migrations::database::{Fingerprint, Session};
use forerun_sql::{Dialect, classify};

use super::session;

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

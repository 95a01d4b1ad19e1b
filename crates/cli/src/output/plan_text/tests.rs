//! A plan of a real directory, as a person reads it.

use std::fs;
use std::time::Duration;

use forerun_migrations::database::Capabilities;
use forerun_migrations::directory::{MigrationDirectory, ReadOptions};
use forerun_migrations::executor::Limits;
use forerun_migrations::history::{Direction, InDoubt, JournalRow, Version};
use forerun_migrations::plan::{plan, step};
use forerun_sql::Dialect;
use forerun_sql::effect::Work;

use super::render;

#[test]
fn each_statement_with_what_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write(
        "0001_users.sql",
        "CREATE TABLE users (id int);\nALTER TABLE users ADD COLUMN email text;\n",
    );
    write(
        "0002_index.sql",
        "-- forerun:timeout lock=2s statement=10m\nCREATE INDEX CONCURRENTLY users_email ON users (email);\nVACUUM users;\n",
    );
    write(
        "0003_rows.sql",
        "-- forerun:data\n-- forerun:assert \"no user without e-mail\"\nSELECT 1 FROM users WHERE email IS NULL;\n\
         UPDATE users SET email = lower(email);\n",
    );
    let read = MigrationDirectory::read(directory.path(), &ReadOptions::default()).unwrap();
    let capabilities = Capabilities {
        transactional_ddl: true,
        heartbeat: true,
    };
    let steps = read
        .migrations
        .iter()
        .map(|migration| {
            let summary = migration.up.inspect(Dialect::Postgres).unwrap();
            let journal = (migration.version == Version::from(2)).then(|| JournalRow {
                version: migration.version.clone(),
                script: migration.up.file_name.clone(),
                direction: Direction::Up,
                statements_done: 1,
                prefix_checksum: String::new(),
                in_doubt: Some(InDoubt {
                    statement: 2,
                    fingerprint: "repeatable".to_owned(),
                    answer: None,
                }),
                started_at: String::new(),
                run_id: String::new(),
            });
            step(
                migration,
                &migration.up,
                Direction::Up,
                summary,
                capabilities,
                journal,
            )
        })
        .collect();
    let plan = plan(steps, vec!["0004_later.sql".to_owned()], 0, Vec::new());
    let text = render(&plan, &Limits::default(), Dialect::Postgres, false);
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r#"
    0001_users.sql  schema, 70 B
      one transaction, recorded with it
         1  CREATE TABLE users (id int)
         2  ALTER TABLE users ADD COLUMN email text
            ACCESS EXCLUSIVE lock: reads and writes wait

    0002_index.sql  schema, 111 B
      statement by statement, each recorded: CREATE INDEX CONCURRENTLY on line 2 cannot run in a transaction
      goes on after statement 1, where an earlier run ended
      finds out first whether statement 2 took effect
      each statement waits for a table lock up to 2s, then gives way and is tried again for 10m; it may take 10m
         2  CREATE INDEX CONCURRENTLY users_email ON users (email)
            SHARE UPDATE EXCLUSIVE lock: reads and writes go on; other changes of the table wait
         3  VACUUM users
            SHARE UPDATE EXCLUSIVE lock: reads and writes go on; other changes of the table wait

    0003_rows.sql  data, 139 B
      one transaction, recorded with it
         3  SELECT 1 FROM users WHERE email IS NULL
            must return no row: no user without e-mail
         4  UPDATE users SET email = lower(email)
            ROW EXCLUSIVE lock: reads and writes go on; its rows stay locked until the end

    0004_later.sql stays pending
    Each statement waits for a table lock up to 5s, then gives way and is tried again for 10m; it may take any time.
    3 migrations to run, 6 statements; nothing was changed.
    "#);
}

#[test]
fn a_change_of_the_catalog_alone_has_a_limit_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let alter = "ALTER TABLE users ADD COLUMN email text;\n";
    fs::write(directory.path().join("0001_email.sql"), alter).unwrap();
    let own = format!("-- forerun:timeout statement=1h\n{alter}");
    fs::write(directory.path().join("0002_told.sql"), own).unwrap();
    let read = MigrationDirectory::read(directory.path(), &ReadOptions::default()).unwrap();
    let capabilities = Capabilities {
        transactional_ddl: true,
        heartbeat: true,
    };
    let steps = read.migrations.iter().map(|migration| {
        let summary = migration.up.inspect(Dialect::Postgres).unwrap();
        let up = Direction::Up;
        let mut step = step(migration, &migration.up, up, summary, capabilities, None);
        step.work = vec![Some(Work::Metadata)];
        step
    });
    let plan = plan(steps.collect(), Vec::new(), 1, Vec::new());
    let shown = |limits: &Limits| render(&plan, limits, Dialect::Postgres, false);
    let limited = "changes the catalog only: may take 10s once it has the lock";
    let text = shown(&Limits::default());
    assert_eq!(text.matches(limited).count(), 1, "{text}");
    // Who says how long statements may take is believed, and a wait without limit has no end to add to.
    let hour = Some(Duration::from_secs(3600));
    let (statement_timeout, ddl_lock_timeout) = (hour, Duration::ZERO);
    let told = Limits {
        statement_timeout,
        ..Limits::default()
    };
    let waits = Limits {
        ddl_lock_timeout,
        ..Limits::default()
    };
    for limits in [told, waits] {
        assert!(!shown(&limits).contains(limited));
    }
}

#[test]
fn a_statement_is_not_named_twice() {
    let directory = tempfile::tempdir().unwrap();
    let sql = "CREATE FULLTEXT INDEX f ON users (name);\n";
    fs::write(directory.path().join("0001_f.sql"), sql).unwrap();
    let read = MigrationDirectory::read(directory.path(), &ReadOptions::default()).unwrap();
    let capabilities = Capabilities {
        transactional_ddl: false,
        heartbeat: true,
    };
    let steps = read.migrations.iter().map(|migration| {
        let summary = migration.up.inspect(Dialect::Mysql).unwrap();
        let up = Direction::Up;
        step(migration, &migration.up, up, summary, capabilities, None)
    });
    let plan = plan(steps.collect(), Vec::new(), 1, Vec::new());
    let text = render(&plan, &Limits::default(), Dialect::Mysql, false);
    assert!(
        text.contains("  CREATE FULLTEXT INDEX f ON users (name)\n")
            && !text.contains("CREATE INDEX  "),
        "{text}"
    );
}

#[test]
fn nothing_to_do() {
    let text = render(
        &plan(Vec::new(), Vec::new(), 3, Vec::new()),
        &Limits::default(),
        Dialect::Sqlite,
        false,
    );
    assert_eq!(text, "Nothing to do; nothing was changed.\n");
}

//! What a script may do to its session and ask of its run: settings that last or do not, assertions, time limits,
//! transactions that it ends.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{NOTHING, databases, servers, text, up};
use story::{Product, Target, empty_project_for};

/// What a script changes in its session is gone for the next one.
#[test]
fn settings_of_a_script_do_not_reach_the_next_one() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_settings.sql",
        "CREATE SCHEMA elsewhere;\nSET search_path = elsewhere;\nSET statement_timeout = '59s';\nSET TIME ZONE 'Asia/Tokyo';\n\
         CREATE TABLE there (id integer);\nCREATE TEMP TABLE gone (id integer);\nSELECT set_config('app.x', '1', false);\n",
    );
    project.migration(
        "0002_next.sql",
        "CREATE TABLE here AS SELECT current_setting('search_path') AS path, current_setting('TimeZone') AS zone, \
         current_setting('statement_timeout') AS timeout;\n\
         SELECT pg_sleep(0.05);\nCREATE TEMP TABLE gone (id integer);\n",
    );
    let _ = up(&project, 0);
    assert_eq!(target.number("SELECT count(*) FROM elsewhere.there"), 0);
    let path = target.query("SELECT path FROM public.here");
    assert!(!path.contains("elsewhere"), "{path}");
    assert_ne!(target.query("SELECT zone FROM public.here"), "Asia/Tokyo");
    assert_ne!(target.query("SELECT timeout FROM public.here"), "59s");
    assert_eq!(
        target.applied(),
        [1, 2],
        "the history is not in the other schema"
    );
}

#[test]
fn sqlite_pragma_and_vacuum() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_tables.sql",
        "CREATE TABLE parents (id integer PRIMARY KEY);\n\
         CREATE TABLE children (id integer PRIMARY KEY, parent integer REFERENCES parents (id) ON DELETE CASCADE);\n\
         INSERT INTO parents VALUES (1);\nINSERT INTO children VALUES (1, 1);\n\
         CREATE TRIGGER log AFTER INSERT ON parents BEGIN\n  INSERT INTO children VALUES (new.id, new.id);\n  SELECT CASE WHEN 1 THEN 2 END;\nEND;\n",
    );
    // The rebuild of a table as SQLite's manual describes it: with foreign keys on, the rows of `children` would go.
    project.migration(
        "0002_rebuild.sql",
        "PRAGMA foreign_keys = OFF;\nBEGIN;\nCREATE TABLE new_parents (id integer PRIMARY KEY, name text);\n\
         INSERT INTO new_parents (id) SELECT id FROM parents;\nDROP TABLE parents;\n\
         ALTER TABLE new_parents RENAME TO parents;\nCOMMIT;\nPRAGMA foreign_keys = ON;\nVACUUM;\n",
    );
    project.migration("0003_wal.sql", "PRAGMA user_version = 7;\n");
    let _ = up(&project, 0);
    assert_eq!(target.query("SELECT count(*) FROM children"), "1");
    assert_eq!(target.query("PRAGMA user_version"), "7");
    assert_eq!(target.query("SELECT name FROM parents"), "");
    assert_eq!(target.applied(), [1, 2, 3]);
    target.assert_left_clean();
}

#[test]
fn assertions_hold_before_anything_changes() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration(
            "0001_users.sql",
            "CREATE TABLE users (id integer, email varchar(50));\n",
        );
        let _ = up(&project, 0);
        target.query("INSERT INTO users VALUES (1, 'a'), (2, 'a')");
        project.migration(
            "0002_unique.sql",
            "CREATE TABLE marker (id integer);\n\
             -- forerun:assert \"no duplicate e-mails\"\n\
             SELECT email, count(*) FROM users GROUP BY email HAVING count(*) > 1;\n\
             CREATE UNIQUE INDEX users_email ON users (email);\n",
        );
        let _ = up(&project, 3)
            .expect_text("no duplicate e-mails")
            .expect_text("migrations/0002_unique.sql:3:1")
            .expect_text("Nothing of 0002_unique.sql is applied");
        assert!(
            target.try_query("SELECT 1 FROM marker").is_err(),
            "{target:?}: it is checked first"
        );
        assert_eq!(target.applied(), [1]);
        target.assert_left_clean();
        target.query("DELETE FROM users WHERE id = 2");
        let _ = up(&project, 0);
        assert_eq!(target.applied(), [1, 2]);
        // One that cannot even be asked.
        project.migration(
            "0003_x.sql",
            "-- forerun:assert \"x\"\nSELECT nothing FROM users;\nDROP TABLE users;\n",
        );
        let _ = up(&project, 3)
            .expect_text("0003_x.sql:2")
            .expect_text("nothing");
        assert_eq!(target.number("SELECT count(*) FROM users"), 1);
    }
}

#[test]
fn timeouts_of_a_script() {
    for target in servers() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", "CREATE TABLE users (id integer);\n");
        let _ = up(&project, 0);
        let slow = match target.product {
            Product::Postgres => "SELECT pg_sleep(60)",
            _ => {
                "CREATE TABLE x AS SELECT count(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"
            }
        };
        project.migration(
            "0002_slow.sql",
            format!("-- forerun:timeout statement=300ms\n{slow};\n"),
        );
        // The file wins over the option.
        let _ = text(&project, &["up", "--statement-timeout", "1h"], 3)
            .expect_text("forerun:timeout statement=");
        target.assert_left_clean();
        project.migration(
            "0002_slow.sql",
            "-- forerun:timeout lock=200ms\nALTER TABLE users ADD COLUMN age integer;\n",
        );
        let mut session = target.session();
        session.run("BEGIN; INSERT INTO users VALUES (1);");
        let started = std::time::Instant::now();
        let outcome = text(
            &project,
            &["up", "--ddl-lock-timeout", "1h", "--retry-budget", "1s"],
            75,
        );
        let _ = outcome.expect_text("blocked by").expect_text("tries");
        assert!(started.elapsed().as_secs() < 20, "{target:?}");
        session.run("COMMIT;");
        let _ = up(&project, 0);
        assert_eq!(target.applied(), [1, 2]);
    }
}

/// A `COMMIT` that nobody can see in the text.
#[test]
fn a_hidden_commit_is_not_taken_for_success_or_for_nothing() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    let _ = up(&project, 0);
    let hidden = "INSERT INTO a VALUES (1);\nPREPARE hidden FROM 'COMMIT';\nEXECUTE hidden;\n";
    project.migration("0002_b.sql", format!("{hidden}INSERT INTO a VALUES (1);\n"));
    let outcome = up(&project, 3);
    assert_eq!(target.number("SELECT count(*) FROM a"), 1);
    assert!(
        !outcome.stderr.contains("Nothing of 0002_b.sql is applied"),
        "{outcome:?}"
    );
    project.migration("0002_b.sql", format!("{hidden}INSERT INTO a VALUES (2);\n"));
    let _ = up(&project, 0);
    assert_eq!(target.query("SELECT id FROM a ORDER BY id"), "1\n2");
}

/// A conflict clause of SQLite that ends our transaction.
#[test]
fn a_script_that_ends_our_transaction_is_reported() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration("0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT OR ROLLBACK INTO a VALUES (1);\n");
    let _ = up(&project, 3).expect_text("0001_a.sql");
    assert_eq!(target.applied(), NOTHING);
    assert!(
        target.try_query("SELECT 1 FROM a").is_err(),
        "nothing of it is left"
    );
    target.assert_left_clean();
}

//! Cases for engine and driver together.

use std::fs;
use std::path::Path;

use forerun_migrations::directory::DirectorySource;
use forerun_migrations::error::{RunError, StateAfterFailure};
use forerun_migrations::executor::{DownTo, LintMode, Outcome, UpOptions};
use forerun_migrations::plan::{Conflict, Scope};

use super::Target;

const ALL: UpOptions = UpOptions {
    scope: Scope::All,
    allow_out_of_order: false,
    ignore_other_history: false,
    lint: LintMode::Enforce,
    strict: false,
    accept_downtime: None,
};

fn source(project: &tempfile::TempDir) -> DirectorySource {
    project.path().to_owned().into()
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(directory.path(), name, text);
    }
    directory
}

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}

const SHOP: [(&str, &str); 4] = [
    (
        "0001_items.sql",
        "CREATE TABLE items (id integer PRIMARY KEY, name varchar(20));\nCREATE INDEX items_name ON items (name);\n",
    ),
    ("0001_items.down.sql", "DROP TABLE items;\n"),
    (
        "0002_first.sql",
        "-- forerun:data\nINSERT INTO items VALUES (1, 'a;b');\nINSERT INTO items VALUES (2, 'c');\n",
    ),
    ("0002_first.down.sql", "DELETE FROM items;\n"),
];

pub async fn migrations_are_applied_once_and_recorded(target: &Target) {
    let project = project(&SHOP);
    let (runner, _) = target.runner("run-1");
    let report = runner.up(&source(&project), ALL).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(report.migrations.len(), 2);
    assert_eq!(target.query("SELECT count(*) FROM items"), "2");

    let (again, _) = target.runner("run-2");
    let report = again.up(&source(&project), ALL).await.unwrap();
    assert_eq!((report.outcome, report.applied), (Outcome::UpToDate, 2));
    assert_eq!(target.query("SELECT count(*) FROM items"), "2");

    let (history, _) = again.history(None).await.unwrap();
    assert_eq!(
        history
            .iter()
            .map(|row| row.script.as_str())
            .collect::<Vec<_>>(),
        ["0001_items.sql", "0002_first.sql"]
    );
    assert_eq!(history[0].statements, 2);
    assert_eq!(history[0].release.as_deref(), Some("2.6.0"));
    let status = again.status(&source(&project)).await.unwrap();
    assert!(
        status.pending.is_empty() && status.unfinished.is_empty() && status.lock.is_none(),
        "{status:?}"
    );
    let events = target.query("SELECT event FROM forerun_audit ORDER BY id");
    assert_eq!(
        events.split_whitespace().collect::<Vec<_>>(),
        [
            "run.started",
            "deployment.opened",
            "migration.applied",
            "migration.applied",
            "deployment.migrated",
            "run.finished",
            "run.finished"
        ]
    );
}

pub async fn a_failed_migration_leaves_what_was_before_and_goes_on_when_mended(target: &Target) {
    let project = project(&SHOP);
    let broken = "CREATE TABLE extra (id integer);\nINSERT INTO extra VALUES (1);\nINSERT INTO nowhere VALUES (1);\n";
    write(project.path(), "0003_extra.sql", broken);
    let (runner, _) = target.runner("run-1");
    let error = runner.up(&source(&project), ALL).await.unwrap_err();
    let RunError::Migration(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (failure.script.as_str(), failure.statement),
        ("0003_extra.sql", Some(3))
    );
    assert_eq!(failure.position.unwrap().line, 3);
    if target.database.capabilities().transactional_ddl {
        assert_eq!(failure.state, StateAfterFailure::RolledBack);
    } else {
        assert_eq!(
            failure.state,
            StateAfterFailure::Partial { statements_done: 2 }
        );
    }
    let status = runner.status(&source(&project)).await.unwrap();
    assert_eq!((status.applied.len(), status.pending.len()), (2, 1));
    assert!(status.lock.is_none());

    write(
        project.path(),
        "0003_extra.sql",
        &broken.replace("nowhere", "extra"),
    );
    let (runner, _) = target.runner("run-2");
    runner.up(&source(&project), ALL).await.unwrap();
    assert_eq!(target.query("SELECT count(*) FROM extra"), "2");
    assert!(
        runner
            .status(&source(&project))
            .await
            .unwrap()
            .unfinished
            .is_empty()
    );
}

pub async fn down_reverts_the_newest_first(target: &Target) {
    let project = project(&SHOP);
    let (runner, _) = target.runner("run-1");
    runner.up(&source(&project), ALL).await.unwrap();
    let report = runner
        .down(&source(&project), DownTo::Count(1))
        .await
        .unwrap();
    assert_eq!(report.migrations[0].script, "0002_first.down.sql");
    assert_eq!(target.query("SELECT count(*) FROM items"), "0");
    let report = runner
        .down(&source(&project), DownTo::Count(5))
        .await
        .unwrap();
    assert_eq!((report.migrations.len(), report.applied), (1, 0));
    let report = runner.up(&source(&project), ALL).await.unwrap();
    assert_eq!(report.migrations.len(), 2);
}

pub async fn an_assertion_that_fails_stops_before_any_change(target: &Target) {
    let project = project(&SHOP);
    write(
        project.path(),
        "0003_unique.sql",
        "CREATE TABLE made (id integer);\n-- forerun:assert \"no item is called c\"\nSELECT id FROM items WHERE name = 'c';\n",
    );
    let (runner, _) = target.runner("run-1");
    let error = runner.up(&source(&project), ALL).await.unwrap_err();
    let RunError::Assertion {
        message,
        row,
        position,
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (message.as_str(), position.line),
        ("no item is called c", 3)
    );
    assert!(row.contains('2'), "{row}");
    // Nothing of it ran: the same table can be made by hand.
    let (_, history) = (
        target.query("SELECT count(*) FROM items"),
        runner.history(None).await.unwrap().0,
    );
    assert_eq!(history.len(), 2);
    target.query("CREATE TABLE made (id integer)");
}

pub async fn planning_changes_nothing(target: &Target) {
    let project = project(&SHOP);
    let (runner, _) = target.runner("run-1");
    let plan = runner.plan(&source(&project), ALL).await.unwrap();
    assert_eq!(plan.steps.len(), 2);
    let mut session = target
        .database
        .connect(&super::identity("run-2"))
        .await
        .unwrap();
    assert_eq!(
        session.applied().await.unwrap(),
        None,
        "planning created the tables"
    );
}

pub async fn changed_sql_is_a_conflict_and_a_changed_comment_is_not(target: &Target) {
    let project = project(&SHOP);
    let (runner, _) = target.runner("run-1");
    runner.up(&source(&project), ALL).await.unwrap();
    let (_, text) = SHOP[0];
    write(
        project.path(),
        "0001_items.sql",
        &format!("-- a remark\r\n{}", text.replace('\n', "\r\n")),
    );
    let (again, events) = target.runner("run-2");
    again.up(&source(&project), ALL).await.unwrap();
    assert!(format!("{:?}", events.0.lock().unwrap()).contains("comment_changed"));
    write(
        project.path(),
        "0001_items.sql",
        &text.replace("varchar(20)", "varchar(30)"),
    );
    let error = again.up(&source(&project), ALL).await.unwrap_err();
    let RunError::Conflict(conflicts) = error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(conflicts[..], [Conflict::Changed { .. }]),
        "{conflicts:?}"
    );
}

//! Status and history, as a person reads them.

use forerun_migrations::database::{Holder, ServerInfo};
use forerun_migrations::error::OtherTool;
use forerun_migrations::executor::{PendingMigration, Status};
use forerun_migrations::history::{
    AuditRow, Checksums, Direction, HistoryRow, InDoubt, JournalRow, Kind, Origin, Version,
};
use forerun_migrations::plan::Conflict;

use super::{audit, history, status};

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn row(version: u32, script: &str) -> HistoryRow {
    HistoryRow {
        version: Version::from(version),
        description: String::new(),
        script: script.to_owned(),
        kind: if version.is_multiple_of(2) {
            Kind::Data
        } else {
            Kind::Schema
        },
        phase: forerun_migrations::history::Phase::Expand,
        unused_since: None,
        deployment: None,
        origin: if script.is_empty() {
            Origin::Baseline
        } else {
            Origin::Applied
        },
        checksums: Checksums {
            normalized: String::new(),
            raw: String::new(),
            sql: String::new(),
        },
        statements: 1,
        started_at: "2026-01-31T12:00:00.5Z".to_owned(),
        finished_at: "2026-01-31T12:00:01.5Z".to_owned(),
        duration_ms: 1000,
        run_id: "r".to_owned(),
        release: (version == 2).then(|| "2.6.0".to_owned()),
        applied_by: "app@pod-a".to_owned(),
        tool_version: "0.1.0".to_owned(),
    }
}

fn empty() -> Status {
    Status {
        server: ServerInfo {
            product: "PostgreSQL 15.18".to_owned(),
            database: "app".to_owned(),
            schema: Some("public".to_owned()),
            working_schema: None,
            pooled: false,
        },
        applied: Vec::new(),
        pending: Vec::new(),
        held: Vec::new(),
        unfinished: Vec::new(),
        conflicts: Vec::new(),
        ahead: Vec::new(),
        lock: None,
        other_tools: Vec::new(),
    }
}

#[test]
fn up_to_date() {
    let status_now = Status {
        applied: vec![row(1, ""), row(2, "0002_b.sql")],
        ..empty()
    };
    insta::assert_snapshot!(plain(&status(&status_now, false)), @r#"
    PostgreSQL 15.18, database app, schema public

    2 applied
      1 (no file)  baseline 2026-01-31 12:00:01
      0002_b.sql  applied 2026-01-31 12:00:01

    Up to date at version 2.
    "#);
}

#[test]
fn everything_at_once() {
    let version = Version::from;
    let status_now = Status {
        applied: (1..=12)
            .map(|number| row(number, &format!("{number:04}_x.sql")))
            .collect(),
        pending: vec![PendingMigration {
            version: version(13),
            script: "0013_y.sql".to_owned(),
            kind: Kind::Data,
            phase: forerun_migrations::history::Phase::Expand,
        }],
        unfinished: vec![JournalRow {
            version: version(13),
            script: "0013_y.sql".to_owned(),
            direction: Direction::Up,
            statements_done: 1,
            prefix_checksum: String::new(),
            in_doubt: Some(InDoubt {
                statement: 2,
                fingerprint: "unknown".to_owned(),
                answer: None,
            }),
            started_at: "2026-01-31T12:00:00Z".to_owned(),
            run_id: "r".to_owned(),
        }],
        conflicts: vec![Conflict::Missing {
            version: version(3),
            script: "0003_x.sql".to_owned(),
        }],
        ahead: vec![version(14), version(15)],
        lock: Some(Holder {
            run_id: "r".to_owned(),
            actor: "app".to_owned(),
            host: "pod-a".to_owned(),
            release: None,
            purpose: "migrate up".to_owned(),
            backend: "1".to_owned(),
            alive: Some(true),
            token: 1,
            held_seconds: 5,
            heartbeat_seconds: 1,
            expires_in_seconds: 29,
        }),
        ..empty()
    };
    insta::assert_snapshot!(plain(&status(&status_now, false)), @r#"
    PostgreSQL 15.18, database app, schema public
    running now: app on pod-a (`migrate up`, run r, 1) for 5s, last heartbeat 1s ago

    12 applied
      … 2 older (--verbose lists them)
      0003_x.sql  applied 2026-01-31 12:00:01
      0004_x.sql  applied 2026-01-31 12:00:01
      0005_x.sql  applied 2026-01-31 12:00:01
      0006_x.sql  applied 2026-01-31 12:00:01
      0007_x.sql  applied 2026-01-31 12:00:01
      0008_x.sql  applied 2026-01-31 12:00:01
      0009_x.sql  applied 2026-01-31 12:00:01
      0010_x.sql  applied 2026-01-31 12:00:01
      0011_x.sql  applied 2026-01-31 12:00:01
      0012_x.sql  applied 2026-01-31 12:00:01

    unfinished: 0013_y.sql (up): 1 statement done, started 2026-01-31 12:00:00; statement 2 was started and may have taken effect
      most often the next run finds out by itself; `forerun migrate repair` shows how to answer

    1 pending
      0013_y.sql  data

    ahead: the database is 2 versions ahead of this directory, up to 15

    conflict: version 3 is applied (from 0003_x.sql), but the directory has no file for it
      restore 0003_x.sql from version control: an applied migration must stay in the directory

    1 conflict to settle before anything can run.
    "#);
}

#[test]
fn a_history_and_its_audit() {
    insta::assert_snapshot!(plain(&history(&[row(1, ""), row(2, "0002_größe.sql")])), @r#"
    VERSION  SCRIPT          KIND    HOW       WHEN (UTC)           TOOK    RELEASE  BY
    1        1 (no file)     schema  baseline  2026-01-31 12:00:01  1000ms           app@pod-a
    2        0002_größe.sql  data    applied   2026-01-31 12:00:01  1000ms  2.6.0    app@pod-a
    "#);
    assert_eq!(history(&[]), "No version is applied.\n");
    let audit_row = AuditRow {
        id: 1,
        at: "2026-01-31T12:00:00Z".to_owned(),
        run_id: "r".to_owned(),
        event: "migration.retry".to_owned(),
        version: Some(Version::from(2)),
        statement: Some(1),
        attempt: Some(1),
        message: "try 1 of 0002_b.sql:\nlock timeout".to_owned(),
        detail: serde_json::Value::Null,
        actor: "app".to_owned(),
        host: "pod-a".to_owned(),
        release: None,
        tool_version: "0.1.0".to_owned(),
    };
    insta::assert_snapshot!(plain(&audit(&[audit_row])), @r#"
    WHEN (UTC)           EVENT            STATEMENT  TRY  WHO        MESSAGE
    2026-01-31 12:00:00  migration.retry  1          1    app@pod-a  try 1 of 0002_b.sql: lock timeout
    "#);
}

#[test]
fn another_tools_history_is_said_with_what_to_do() {
    let status_now = Status {
        pending: vec![PendingMigration {
            version: Version::from(1),
            script: "1_a.sql".to_owned(),
            kind: Kind::Schema,
            phase: forerun_migrations::history::Phase::Expand,
        }],
        other_tools: vec![OtherTool {
            name: "goose",
            title: "goose",
            table: "goose_db_version".to_owned(),
            summary: "2 applied".to_owned(),
        }],
        ..empty()
    };
    let text = plain(&status(&status_now, false));
    assert!(
        text.contains(
            "other history: goose has migrated this database (goose_db_version, 2 applied)"
        ),
        "{text}"
    );
    assert!(
        text.contains("`forerun migrate adopt` takes that history over"),
        "{text}"
    );
}

//! Releases that are rolled out one after the other.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

use forerun_test_support::{CommandOutcome, ScratchProject};
use serde_json::Value;

use crate::answers::{document, json, text, texts};
use crate::story::{Target, empty_project_for};

/// The first migration.
pub const USERS: (&str, &str) = (
    "0001_users.sql",
    "CREATE TABLE users (id integer PRIMARY KEY, email varchar(100));\n",
);
/// What the second release adds.
pub const ADDRESS: (&str, &str) = (
    "0002_add_address.sql",
    "ALTER TABLE users ADD COLUMN address varchar(100);\n",
);
/// What goes when nothing uses it any more.
pub const DROP: (&str, &str) = (
    "0003_drop_email.sql",
    "-- forerun:contract after=0002 unused-since=2.5.0\nALTER TABLE users DROP COLUMN email;\n",
);
/// Something that comes after that.
pub const LATER: (&str, &str) = (
    "0004_add_phone.sql",
    "ALTER TABLE users ADD COLUMN phone varchar(100);\n",
);

/// `migrate up` of a release.
pub fn up(project: &ScratchProject, release: &str, code: i32) -> CommandOutcome {
    text(project, &["up", "--release", release], code)
}

/// `migrate deployed` of a release.
pub fn deployed(project: &ScratchProject, release: &str, code: i32) -> CommandOutcome {
    text(project, &["deployed", "--release", release], code)
}

/// Puts a migration into the project.
pub fn add(project: &ScratchProject, (name, sql): (&str, &str)) {
    project.migration(name, sql);
}

/// The ledger as JSON.
pub fn deployments(project: &ScratchProject) -> Value {
    document(&json(project, &["deployments"], 0))
}

/// Release and status of each.
pub fn ledger(project: &ScratchProject) -> Vec<String> {
    let found = deployments(project);
    let releases = texts(&found["deployments"], "release");
    let statuses = texts(&found["deployments"], "status");
    let rows = releases.iter().zip(&statuses);
    rows.map(|(release, status)| format!("{release} {status}"))
        .collect()
}

/// Entries of the audit.
pub fn audited(target: &Target<'_>, event: &str) -> i64 {
    target.number(&format!(
        "SELECT count(*) FROM forerun_audit WHERE event = '{event}'"
    ))
}

/// Runs the pending migrations of a release and rolls it out.
pub fn roll_out(project: &ScratchProject, release: &str) {
    let _ = up(project, release, 0);
    let _ = deployed(project, release, 0);
}

/// A database where 2.4.0 runs with the first migration.
pub fn running(target: &Target<'_>) -> ScratchProject {
    let project = empty_project_for(target);
    add(&project, USERS);
    roll_out(&project, "2.4.0");
    project
}

/// The same where 2.5.0 has followed, which no longer uses what the pending migration drops.
pub fn ready_to_drop(target: &Target<'_>) -> ScratchProject {
    let project = running(target);
    add(&project, ADDRESS);
    roll_out(&project, "2.5.0");
    add(&project, DROP);
    project
}

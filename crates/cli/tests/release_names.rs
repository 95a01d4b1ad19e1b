//! Which release is older, by the names that pipelines give them: hashes of commits, tags with a suffix, days.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, text};
use forerun_test_support::{CommandOutcome, ScratchProject};
use story::{Target, empty_project_for};

const USERS: (&str, &str) = (
    "0001_users.sql",
    "CREATE TABLE users (id integer PRIMARY KEY, email varchar(100));\n",
);
const ADDRESS: (&str, &str) = (
    "0002_add_address.sql",
    "ALTER TABLE users ADD COLUMN address varchar(100);\n",
);
const DROP: (&str, &str) = (
    "0003_drop_email.sql",
    "-- forerun:contract after=0002 unused-since=SINCE\nALTER TABLE users DROP COLUMN email;\n",
);

fn add(project: &ScratchProject, (name, sql): (&str, &str)) {
    project.migration(name, sql);
}

fn up(project: &ScratchProject, release: &str) -> CommandOutcome {
    text(project, &["up", "--release", release], 0)
}

fn roll_out(project: &ScratchProject, release: &str) -> CommandOutcome {
    let outcome = up(project, release);
    let _ = text(project, &["deployed", "--release", release], 0);
    outcome
}

fn wait(project: &ScratchProject, release: &str, code: i32) -> CommandOutcome {
    let words = ["wait", "--release", release, "--timeout", "20s"];
    text(project, &words, code)
}

/// A database where `first` and `second` were rolled out, and the column is dropped that is not used since `second`.
fn dropped(target: &Target<'_>, first: &str, second: &str, third: &str) -> ScratchProject {
    let project = empty_project_for(target);
    add(&project, USERS);
    let _ = roll_out(&project, first);
    add(&project, ADDRESS);
    let _ = roll_out(&project, second);
    project.migration(DROP.0, DROP.1.replace("SINCE", second));
    let _ = up(&project, third).expect_text("Applied 1 migration");
    project
}

#[test]
fn who_skipped_a_commit_and_deploys_it_first_goes_on() {
    for closed in [false, true] {
        for target in databases() {
            let project = empty_project_for(&target);
            add(&project, USERS);
            let _ = roll_out(&project, "aaa111a");
            add(&project, ADDRESS);
            project.migration(DROP.0, DROP.1.replace("SINCE", "bbb222b"));
            let held = match closed {
                false => up(&project, "ccc333c"),
                true => roll_out(&project, "ccc333c"),
            };
            let _ = held.expect_text("deploy release bbb222b first");
            project.remove("migrations/0003_drop_email.sql");
            let _ = roll_out(&project, "bbb222b");
            project.migration(DROP.0, DROP.1.replace("SINCE", "bbb222b"));
            let _ = up(&project, "ccc333c").expect_text("Applied 1 migration");
            assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
            let _ = wait(&project, "ccc333c", 0);
            let _ = wait(&project, "aaa111a", 5);
        }
    }
}

/// The release that runs again uses the column, whatever was completed before it.
#[test]
fn who_goes_back_to_an_older_commit_is_not_newer() {
    for target in databases() {
        let project = empty_project_for(&target);
        add(&project, USERS);
        add(&project, ADDRESS);
        let _ = roll_out(&project, "aaa111a");
        let _ = roll_out(&project, "bbb222b");
        let _ = roll_out(&project, "aaa111a");
        project.migration(DROP.0, DROP.1.replace("SINCE", "bbb222b"));
        let _ = up(&project, "ccc333c")
            .expect_text("release aaa111a runs now and still uses what it takes away");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
    }
}

#[test]
fn a_suffix_that_nobody_knows_makes_no_release_too_old() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = dropped(&target, "2.4.0", "2.5.0", "2.6.0");
    for release in [
        "2.5.0-alpine",
        "v2.5.0-3-gabc1234",
        "2.5.0-debian-12-r3",
        "2.6.0-alpine",
        "1023456",
    ] {
        let _ = wait(&project, release, 0);
    }
    for release in ["2.5.0-rc.1", "2.5.0-SNAPSHOT", "2.4.0-alpine", "v2.4.9"] {
        let _ = wait(&project, release, 5).expect_text("Deploy release 2.5.0 or a newer one");
    }
}

#[test]
fn commits_of_one_day_have_the_order_of_the_ledger() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = dropped(
        &target,
        "20261121-aaaaaa",
        "20261122-f3a9c1",
        "20261122-0b1d22",
    );
    let _ = wait(&project, "20261122-0b1d22", 0);
    // Never seen here.
    let _ = wait(&project, "20261122-00ab00", 0);
    let _ = wait(&project, "20261121-ffffff", 5);
    let _ = wait(&project, "20261120-123456", 5);
}

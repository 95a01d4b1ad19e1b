//! What the story tests share: one database of each product asked in the same words, a gate at which a run
//! stands still until the test opens it, the outcome that a run reports, and random moments that can be repeated.
//!
//! Everything is asked through the product's own client, never through the code under test.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

mod gate;
pub mod ledger;
mod random;
mod report;
mod target;

pub use gate::Gate;
pub use random::Random;
pub use report::{migrations_done, outcome};
pub use target::{Product, Target};

use std::time::Duration;

use forerun_test_support::{CommandOutcome, ProjectCommand, RunningCommand, ScratchProject};

/// How long a test waits for something that certainly comes. Nothing is measured with it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// An empty project for the built `forerun`.
pub fn project() -> ScratchProject {
    ScratchProject::new(env!("CARGO_BIN_EXE_forerun"))
}

/// The same, with the database of `target` in its environment.
pub fn empty_project_for(target: &Target<'_>) -> ScratchProject {
    let mut project = project();
    project.set_env("DATABASE_URL", &target.url());
    project
}

/// A project with these migrations, for this database.
pub fn project_for(target: &Target<'_>, migrations: &[(&str, String)]) -> ScratchProject {
    let project = empty_project_for(target);
    write_migrations(&project, migrations);
    project
}

/// Writes files into `migrations/`.
pub fn write_migrations(project: &ScratchProject, migrations: &[(&str, String)]) {
    for (name, sql) in migrations {
        project.migration(name, sql);
    }
}

/// `forerun migrate up` with more options, output for programs.
pub fn up(project: &ScratchProject, options: &[&str]) -> ProjectCommand {
    let mut arguments = vec!["--format", "json", "migrate", "up"];
    arguments.extend(options);
    project.command(&arguments)
}

/// `forerun migrate up` with more options, output for people.
pub fn up_for_people(project: &ScratchProject, options: &[&str]) -> ProjectCommand {
    let mut arguments = vec!["--format", "text", "migrate", "up"];
    arguments.extend(options);
    project.command(&arguments)
}

/// Waits for the end of a run that is to fail, and for what a person must be able to read there.
pub fn expect_failure(running: RunningCommand, code: i32, readable: &[&str]) -> CommandOutcome {
    let mut outcome = running.wait().expect_code(code);
    for text in readable {
        outcome = outcome.expect_text(text);
    }
    outcome
}

/// A run that died when all was done leaves its lease, and the next one has nothing to do that needs the lock. That
/// lease must be in nobody's way.
pub fn take_over_from_the_dead(project: &ScratchProject, target: &Target<'_>) {
    if !target.holder().is_empty() {
        let options = [
            "exec",
            "-u",
            &target.url(),
            "--lock-timeout",
            "30s",
            "--",
            "true",
        ];
        let _ = project.run(&options).expect_code(0);
    }
}

/// Number of rounds: `FORERUN_TEST_ROUNDS`, else `default`.
#[allow(
    clippy::disallowed_methods,
    reason = "a setting of the test run, not of the program"
)]
pub fn rounds(default: u32) -> u32 {
    std::env::var("FORERUN_TEST_ROUNDS").map_or(default, |rounds| {
        rounds.parse().expect("FORERUN_TEST_ROUNDS is a number")
    })
}

/// Asks again and again until `reached`.
///
/// # Panics
/// After [`PATIENCE`].
pub fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !reached() {
        assert!(
            std::time::Instant::now() < deadline,
            "waited in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Says on the real standard error that a part of a test could not run here, because the machine does not permit it.
/// (What is merely not installed is another matter: that fails where `CI` is set.)
#[allow(
    clippy::disallowed_methods,
    reason = "a setting of the test run, not of the program"
)]
pub fn skipped(why: &str) {
    use std::io::Write as _;
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {why}\n", thread.name().unwrap_or("a test"));
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("FORERUN_TEST_SKIP_LOG")
        && let Ok(mut log) = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
    {
        let _ = log.write_all(line.as_bytes());
    }
}

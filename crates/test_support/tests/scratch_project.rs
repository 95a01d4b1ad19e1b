//! Scratch projects and the commands run in them, with the shell as the program under test.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::time::Duration;

use forerun_test_support::{ScratchProject, SqliteFile};

fn shell() -> ScratchProject {
    ScratchProject::new("/bin/sh")
}

#[test]
fn environment_holds_only_what_the_test_sets() {
    let mut project = shell();
    project.set_env("DATABASE_URL", "sqlite://x.db");
    let outcome = project
        .command(&["-c", "env; pwd"])
        .env("ONE", "1")
        .env_remove("PATH")
        .run()
        .expect_code(0);
    let mut names: Vec<&str> = outcome
        .stdout
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    // The shell sets the first two and `_` itself.
    names.retain(|name| !["PWD", "OLDPWD", "_", "SHLVL", "LLVM_PROFILE_FILE"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["DATABASE_URL", "HOME", "ONE"]);
    assert!(
        outcome
            .stdout
            .ends_with(&format!("{}\n", project.path().display()))
    );
}

#[test]
fn files_are_written_and_read() {
    let project = shell();
    project.migration("0001_first.sql", "SELECT 1;\n");
    project.write("deep/er/file", b"\xff");
    assert_eq!(project.list("migrations"), ["0001_first.sql"]);
    assert_eq!(project.read("migrations/0001_first.sql"), "SELECT 1;\n");
    project.remove("migrations/0001_first.sql");
    assert!(project.list("migrations").is_empty());
}

#[test]
fn outcome_has_output_code_and_signal() {
    let project = shell();
    let outcome = project
        .command(&["-c", "cat; echo no >&2; exit 7"])
        .input("yes")
        .run();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("yes", "no\n")
    );
    assert_eq!((outcome.code(), outcome.signal()), (Some(7), None));
    let killed = project.run(&["-c", "kill -KILL $$"]);
    assert_eq!((killed.code(), killed.signal()), (None, Some(9)));
    let wrapped = project
        .command(&["-c", "echo $0 $#"])
        .wrapped_in(&["/usr/bin/env", "A=b"])
        .run();
    assert_eq!(wrapped.expect_code(0).stdout, "/bin/sh 0\n");
}

#[test]
fn running_command_can_be_signalled_paused_and_watched() {
    let project = shell();
    let script = "trap 'echo term; exit 143' TERM; echo ready; while :; do sleep 0.02; done";
    let mut running = project.spawn(&["-c", script]);
    running.wait_for_output("ready");
    running.pause();
    running.terminate();
    std::thread::sleep(Duration::from_millis(150));
    assert!(running.is_running() && !running.stdout_so_far().contains("term"));
    running.resume();
    let _ = running.wait().expect_code(143).expect_text("term");
}

#[test]
#[should_panic(expected = "did not end in time")]
fn hung_command_fails_the_test() {
    let _ = shell()
        .command(&["-c", "sleep 60"])
        .patience(Duration::from_millis(100))
        .run();
}

#[test]
fn big_output_does_not_stop_the_command() {
    let outcome = shell().run(&["-c", "head -c 3000000 /dev/zero | tr '\\0' x"]);
    assert_eq!(outcome.expect_code(0).stdout.len(), 3_000_000);
}

#[test]
fn sqlite_file_is_read_with_the_client() {
    let project = shell();
    let Some(database) = SqliteFile::at(&project.path().join("shop.db")) else {
        return;
    };
    database
        .execute("CREATE TABLE item (id INTEGER PRIMARY KEY); CREATE TABLE forerun_history (v);");
    database.execute("INSERT INTO item VALUES (1), (2);");
    assert_eq!(database.query("SELECT id, id * 2 FROM item"), "1|2\n2|4");
    assert_eq!(
        database.dump_schema(),
        "CREATE TABLE item (id INTEGER PRIMARY KEY);"
    );
    assert!(
        database
            .try_execute("SELECT * FROM missing")
            .unwrap_err()
            .contains("no such table")
    );
}

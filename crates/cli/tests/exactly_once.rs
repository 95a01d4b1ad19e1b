//! However many runners start at the same moment, every migration is applied exactly once; also when one of them is
//! killed and another one wakes up after its lock has passed on.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod story;

use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use forerun_test_support::{RunningCommand, ScratchProject};
use story::{Gate, PATIENCE, Product, Target, migrations_done, outcome, project_for, up, wait_for};

const RUNNERS: usize = 50;
const VERSIONS: [i64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Eight migrations. `ledger` has no key and `counters` counts, so that a second application would be seen.
/// `standing` is put into the third one.
fn migrations(standing: &str) -> Vec<(&'static str, String)> {
    [
        ("0001_ledger.sql", "CREATE TABLE ledger (entry integer NOT NULL);\n".to_owned()),
        ("0002_counters.sql", "CREATE TABLE counters (name varchar(20) PRIMARY KEY, value integer NOT NULL);\nINSERT INTO counters VALUES ('runs', 0);\nINSERT INTO ledger VALUES (2);\n".to_owned()),
        ("0003_standing.sql", format!("INSERT INTO ledger VALUES (3);\n{standing}UPDATE counters SET value = value + 1;\n")),
        ("0004_first_entries.sql", "-- forerun:data\nINSERT INTO ledger VALUES (40);\nINSERT INTO ledger SELECT entry + 1 FROM ledger WHERE entry = 40;\nUPDATE counters SET value = value + 1;\n".to_owned()),
        ("0005_accounts.sql", "CREATE TABLE accounts (id integer PRIMARY KEY, balance integer NOT NULL);\nINSERT INTO accounts VALUES (1, 100);\n".to_owned()),
        ("0006_note.sql", "ALTER TABLE accounts ADD COLUMN note varchar(50);\nUPDATE accounts SET balance = balance * 2;\nINSERT INTO ledger VALUES (6);\n".to_owned()),
        ("0007_index.sql", "CREATE INDEX accounts_balance ON accounts (balance);\nUPDATE counters SET value = value + 1;\n".to_owned()),
        ("0008_last_entries.sql", "-- forerun:data\nINSERT INTO ledger VALUES (8);\nUPDATE accounts SET balance = balance + 1;\nUPDATE counters SET value = value + 1;\n".to_owned()),
    ]
    .into()
}

/// What the tables hold after each migration was applied once.
fn assert_applied_once(target: &Target<'_>, versions: &[i64]) {
    assert_eq!(target.applied(), versions, "{target:?}: the history");
    assert_eq!(target.audited(), versions, "{target:?}: the audit");
    assert_eq!(
        target.query("SELECT entry FROM ledger ORDER BY entry"),
        "2\n3\n6\n8\n40\n41",
        "{target:?}"
    );
    assert_eq!(
        target.query("SELECT name, value FROM counters"),
        "runs|4",
        "{target:?}"
    );
    assert_eq!(
        target.query("SELECT id, balance FROM accounts"),
        "1|201",
        "{target:?}"
    );
    target.assert_left_clean();
}

fn start(project: &ScratchProject, number: usize, options: &[&str]) -> RunningCommand {
    up(project, options)
        .env("FORERUN_ACTOR", &format!("runner-{number:02}"))
        .patience(Duration::from_secs(240))
        .spawn()
}

fn fifty_at_once(target: Option<Target<'_>>) {
    let Some(target) = target else { return };
    let project = project_for(&target, &migrations(""));
    let running: Vec<_> = (0..RUNNERS)
        .map(|number| start(&project, number, &["--lock-timeout", "3m"]))
        .collect();
    let mut done = Vec::new();
    for running in running {
        let ended = running.wait().expect_code(0);
        match outcome(&ended).as_str() {
            "applied" => done.push(migrations_done(&ended)),
            "done_by_another" | "up_to_date" => assert_eq!(migrations_done(&ended), 0, "{ended:?}"),
            other => panic!("unexpected outcome {other}\n{ended:?}"),
        }
    }
    assert_eq!(
        done,
        [VERSIONS.len()],
        "{target:?}: one runner did all of the work"
    );
    assert_applied_once(&target, &VERSIONS);
}

/// A deployment of fifty replicas that all migrate at their start: all start up, and nothing is applied twice.
#[test]
fn fifty_runners_at_once_on_sqlite() {
    fifty_at_once(Target::sqlite());
}

/// The same on PostgreSQL.
#[test]
fn fifty_runners_at_once_on_postgresql() {
    fifty_at_once(Target::postgres());
}

/// The same on MariaDB.
#[test]
fn fifty_runners_at_once_on_mariadb() {
    fifty_at_once(Target::mariadb());
}

/// What only the holder of the lock may change, and the token.
fn protected(target: &Target<'_>) -> String {
    [
        "SELECT version, script, checksum, run_id FROM forerun_history ORDER BY version",
        "SELECT token, run_id FROM forerun_lock",
        "SELECT version, statements_done FROM forerun_journal",
        "SELECT count(*) FROM forerun_audit WHERE event LIKE 'migration.applied%'",
        "SELECT entry FROM ledger ORDER BY entry",
        "SELECT name, value FROM counters",
        "SELECT id, balance FROM accounts",
    ]
    .map(|query| target.query(query))
    .join("\n\n")
}

/// The paused runner wakes up when everybody else is done: it may say so in the audit, and nothing more.
fn wake_up(target: &Target<'_>, paused: RunningCommand, actor: &str) {
    let before = protected(target);
    let said = format!(
        "SELECT count(*) FROM forerun_audit WHERE actor = '{actor}' AND event = 'migration.applied'"
    );
    let applied = target.query(&said);
    paused.resume();
    let ended = paused.wait();
    assert!(
        matches!(ended.code(), Some(75 | 0)),
        "a runner that lost its lock asks for another try\n{ended:?}"
    );
    assert_eq!(
        protected(target),
        before,
        "the paused runner changed something\n{ended:?}"
    );
    assert_eq!(
        target.query(&said),
        applied,
        "it claims to have applied something\n{ended:?}"
    );
}

/// Takes out the runner that holds the lock now.
fn take_holder(
    runners: &mut Vec<(String, RunningCommand)>,
    target: &Target<'_>,
) -> (String, RunningCommand) {
    let holder = target.holder();
    let index = runners.iter().position(|(actor, _)| *actor == holder);
    runners.swap_remove(index.unwrap_or_else(|| panic!("{holder:?} is none of ours")))
}

fn one_killed_and_one_paused(target: Option<Target<'_>>) {
    let Some(target) = target else { return };
    let mut gate = Gate::closed(&target);
    let project = project_for(&target, &migrations(&gate.sql()));
    let options = ["--lock-timeout", "3m", "--lease", "3s"];
    let mut runners: Vec<_> = (0..RUNNERS)
        .map(|number| {
            (
                format!("runner-{number:02}"),
                start(&project, number, &options),
            )
        })
        .collect();

    gate.wait_until_reached();
    let (killed, process) = take_holder(&mut runners, &target);
    process.kill();
    assert_eq!(process.wait().signal(), Some(9));
    wait_for("somebody takes over from the killed runner", || {
        !["", &killed].contains(&&*target.holder())
    });

    gate.wait_until_reached();
    let (paused, process) = take_holder(&mut runners, &target);
    assert_ne!(paused, killed);
    process.pause();
    wait_for("somebody takes over from the paused runner", || {
        !["", &killed, &paused].contains(&&*target.holder())
    });

    gate.open();
    for (_, running) in runners {
        let _ = running.wait().expect_code(0);
    }
    assert_eq!(
        target.number("SELECT count(*) FROM forerun_audit WHERE event = 'lock.taken_over'"),
        2
    );
    wake_up(&target, process, &paused);
    assert_applied_once(&target, &VERSIONS);
}

/// One of fifty replicas is killed in the middle of a migration, and the node of another one stands still for longer
/// than its lease: the others finish the job, and the late one keeps its hands off.
#[test]
fn one_killed_and_one_paused_on_postgresql() {
    one_killed_and_one_paused(Target::postgres());
}

/// The same on MariaDB, where the migration was half done.
#[test]
fn one_killed_and_one_paused_on_mariadb() {
    one_killed_and_one_paused(Target::mariadb());
}

/// A `sqlite3` shell that holds the write lock of a file.
struct WriteLock {
    client: Child,
    _input: ChildStdin,
}

impl WriteLock {
    /// Takes it if it is free.
    fn try_take(target: &Target<'_>) -> Option<Self> {
        use std::io::{BufRead, BufReader, Write};
        let mut client = Command::new("sqlite3")
            .args(["-batch", "-bail"])
            .arg(target.file().path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sqlite3 can be started");
        let mut input = client.stdin.take().expect("it is piped");
        let output = client.stdout.take().expect("it is piped");
        // A shell that ended at once, because the file is locked, does not read any more.
        let _ = input
            .write_all(b"BEGIN IMMEDIATE;\nSELECT 'taken';\n")
            .and_then(|()| input.flush());
        let mut line = String::new();
        let _ = BufReader::new(output).read_line(&mut line);
        let taken = Self {
            client,
            _input: input,
        };
        (line.trim() == "taken").then_some(taken)
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

/// A command that holds the runner lock until [`open`](Self::open): what is started meanwhile has all of it before it.
struct StartLine<'project> {
    project: &'project ScratchProject,
    holder: RunningCommand,
}

impl<'project> StartLine<'project> {
    fn drawn(project: &'project ScratchProject, target: &Target<'_>) -> Self {
        let script = "while [ ! -e go ]; do sleep 0.05; done";
        let holder = project
            .command(&["exec", "--", "sh", "-c", script])
            .env("FORERUN_ACTOR", "start line")
            .patience(Duration::from_secs(240))
            .spawn();
        wait_for("the lock is held", || target.holder() == "start line");
        Self { project, holder }
    }

    fn open(self) {
        self.project.write("go", "");
        let _ = self.holder.wait().expect_code(0);
    }
}

/// Migrations of one row each beside the eight: so many that a run can be met in the middle.
const PADDING: std::ops::Range<i64> = 100..400;

/// SQLite has one writer: a runner that stands still *in* a transaction keeps everybody out, as it must. This one
/// stands still between two transactions, so that its lease runs out and the others go on.
#[test]
fn one_killed_and_one_paused_on_sqlite() {
    let expected: Vec<String> = PADDING.map(|number| number.to_string()).collect();
    for _ in 0..10 {
        let Some(target) = Target::sqlite() else {
            return;
        };
        // So that looking on does not get in the way of the runners, nor they in ours.
        target.query("PRAGMA journal_mode = wal");
        let project = project_for(
            &target,
            &migrations("CREATE TABLE padding (entry integer);\n"),
        );
        for number in PADDING {
            project.migration(
                &format!("0{number}_padding.sql"),
                format!("INSERT INTO padding VALUES ({number});\n"),
            );
        }
        let start_line = StartLine::drawn(&project, &target);
        let options = ["--lock-timeout", "3m", "--lease", "3s"];
        let mut runners: Vec<_> = (0..RUNNERS)
            .map(|number| {
                (
                    format!("runner-{number:02}"),
                    start(&project, number, &options),
                )
            })
            .collect();
        for (_, runner) in &mut runners {
            runner.wait_for_output("lock_waiting");
        }
        start_line.open();

        let Some((killed, process)) = holder_in_the_middle(&target, &mut runners) else {
            continue;
        };
        process.kill();
        if process.wait().signal() != Some(9) {
            continue;
        }
        wait_for("somebody takes over from the killed runner", || {
            target.holder() != killed
        });
        let Some((paused, process)) = pause_between_transactions(&target, &mut runners) else {
            continue;
        };
        wait_for("somebody takes over from the paused runner", || {
            ![&*paused, &*killed].contains(&&*target.holder())
        });
        for (_, running) in runners {
            let _ = running.wait().expect_code(0);
        }
        wake_up(&target, process, &paused);
        assert_eq!(
            target.query("SELECT entry FROM padding ORDER BY entry"),
            expected.join("\n")
        );
        let versions: Vec<i64> = VERSIONS.into_iter().chain(PADDING).collect();
        assert_applied_once(&target, &versions);
        return;
    }
    panic!("in ten tries no runner was caught between two transactions");
}

/// Takes out the runner that holds the lock and has made a start; `None` when all are through before.
fn holder_in_the_middle(
    target: &Target<'_>,
    runners: &mut Vec<(String, RunningCommand)>,
) -> Option<(String, RunningCommand)> {
    let mut applied = 0;
    wait_for("a runner is at work", || {
        let count = target.try_query("SELECT count(*) FROM forerun_history");
        applied = count.ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        applied > VERSIONS.len()
    });
    let holder = target.holder();
    let index = runners.iter().position(|(actor, _)| *actor == holder)?;
    Some(runners.swap_remove(index))
}

/// Stops the holder at a moment at which it has no transaction open. `None` when all are through before, or when this
/// machine was so slow that a runner may have lost its lease in a try.
fn pause_between_transactions(
    target: &Target<'_>,
    runners: &mut Vec<(String, RunningCommand)>,
) -> Option<(String, RunningCommand)> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if target.number("SELECT count(*) FROM forerun_history") > 250 {
            return None;
        }
        let holder = target.holder();
        let Some(index) = runners.iter().position(|(actor, _)| *actor == holder) else {
            continue;
        };
        let since = Instant::now();
        runners[index].1.pause();
        if let Some(lock) = WriteLock::try_take(target) {
            // Still its own: it has not ended meanwhile.
            let caught = target.holder() == holder;
            drop(lock);
            if caught {
                return Some(runners.swap_remove(index));
            }
        }
        runners[index].1.resume();
        if since.elapsed() > Duration::from_secs(1) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    None
}

#[test]
fn the_gate_knows_each_server() {
    // Guards the other tests of this file: a gate that does not stop anybody would prove nothing.
    for target in [Target::postgres(), Target::mariadb()]
        .into_iter()
        .flatten()
    {
        let mut gate = Gate::closed(&target);
        let mut session = target.session();
        session.send(&gate.sql());
        gate.wait_until_reached();
        gate.open();
        gate.wait_until_left();
        assert_ne!(target.product, Product::Sqlite);
    }
}

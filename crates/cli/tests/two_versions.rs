//! A column is renamed over three releases while two versions of an application are at work all the time: no request
//! fails and nothing is lost. The same in one step is refused before anything runs.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use forerun_test_support::{CommandOutcome, PostgresServer, ScratchProject, TestDatabase};

/// Sessions of each version of the application.
const SESSIONS: u64 = 3;
const USERS: u64 = 2_000;

/// A version of the application, at work in several sessions. A request that fails ends its thread with a panic.
struct Application {
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Application {
    /// `column` is where this version keeps the name of a user.
    fn start(database: &TestDatabase<'_>, release: &str, column: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(AtomicU64::new(0));
        let threads = (0..SESSIONS).map(|number| {
            let (stop, requests) = (Arc::clone(&stop), Arc::clone(&requests));
            let mut session = database.session();
            session.run(&format!(
                "SET application_name = 'shop@{release}';
                 PREPARE add(text) AS INSERT INTO users ({column}) VALUES ($1);
                 PREPARE rename(bigint, text) AS UPDATE users SET {column} = $2 WHERE id = $1;
                 PREPARE show(bigint) AS SELECT {column} FROM users WHERE id = $1;"
            ));
            let release = release.to_owned();
            thread::spawn(move || {
                let mut turn = number;
                while !stop.load(Ordering::Relaxed) {
                    let id = turn * 7_919 % USERS + 1;
                    session.run(&format!("EXECUTE add('new of {release} {turn}');"));
                    session.run(&format!("EXECUTE rename({id}, 'by {release} {turn}');"));
                    let shown = session.run(&format!("EXECUTE show({id});"));
                    assert!(!shown.is_empty(), "user {id} has no name for {release}");
                    requests.fetch_add(3, Ordering::Relaxed);
                    turn += SESSIONS;
                }
            })
        });
        let threads = threads.collect();
        Self {
            stop,
            requests,
            threads,
        }
    }

    /// Waits until it has done some more work from now on.
    fn at_work(&self) {
        let wanted = self.requests.load(Ordering::Relaxed) + 60;
        let patience = Instant::now() + Duration::from_secs(60);
        while self.requests.load(Ordering::Relaxed) < wanted {
            let broken = self.threads.iter().any(JoinHandle::is_finished);
            assert!(!broken, "a request of the application failed");
            assert!(Instant::now() < patience, "the application does not get on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Takes it down; every request must have gone well.
    fn retire(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("no request failed");
        }
        self.requests.load(Ordering::Relaxed)
    }
}

struct Story {
    database: TestDatabase<'static>,
    project: ScratchProject,
}

impl Story {
    /// Release 1.0.0 is deployed, with users.
    fn begin() -> Option<Self> {
        let server = PostgresServer::shared()?;
        let database = server.fresh_database();
        let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
        project.set_env("DATABASE_URL", &database.url);
        let story = Self { database, project };
        story.bring("0001_users.sql");
        let _ = story.up("1.0.0").expect_code(0);
        story.deployed("1.0.0");
        story.query(&format!(
            "INSERT INTO users (name) SELECT 'user ' || number FROM generate_series(1, {USERS}) AS number"
        ));
        Some(story)
    }

    /// A migration of the example comes with the next release.
    fn bring(&self, name: &str) {
        let example = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples/rename-column/migrations");
        let text = fs::read_to_string(example.join(name)).expect("it is in the example");
        self.project.migration(name, text);
    }

    fn up(&self, release: &str) -> CommandOutcome {
        self.project.run(&["migrate", "up", "--release", release])
    }

    fn deployed(&self, release: &str) {
        let deployed = ["migrate", "deployed", "--release", release];
        let _ = self.project.run(&deployed).expect_code(0);
    }

    fn start(&self, release: &str, column: &str) -> Application {
        Application::start(&self.database, release, column)
    }

    fn query(&self, sql: &str) -> String {
        self.database.query(sql)
    }

    fn has_column(&self, column: &str) -> bool {
        let count = self.query(&format!(
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name = '{column}'"
        ));
        count == "1"
    }
}

#[test]
fn a_column_is_renamed_over_three_releases_and_no_request_fails() {
    let Some(story) = Story::begin() else { return };
    let first = story.start("1.0.0", "name");
    first.at_work();

    for name in [
        "0002_add_full_name.sql",
        "0003_keep_names_in_step.sql",
        "0004_fill_full_name.sql",
    ] {
        story.bring(name);
    }
    let _ = story.up("1.1.0").expect_code(0);
    first.at_work();
    let second = story.start("1.1.0", "full_name");
    second.at_work();
    first.at_work();
    let different = story.query("SELECT count(*) FROM users WHERE name IS DISTINCT FROM full_name");
    assert_eq!(different, "0", "both versions see the same names");

    // Before 1.1.0 is all there is, what it replaces must stay.
    story.bring("0005_drop_name.sql");
    let _ = story
        .up("1.2.0")
        .expect_code(0)
        .expect_text("0005_drop_name.sql");
    assert!(story.has_column("name"));
    first.at_work();
    let requests = first.retire();
    story.deployed("1.1.0");

    // One forgotten pod of the first release.
    let mut forgotten = story.database.session();
    forgotten.run("SET application_name = 'shop@1.0.0'; SELECT 1;");
    let _ = story.up("1.2.0").expect_code(0).expect_text("shop@1.0.0");
    assert!(story.has_column("name"));
    drop(forgotten);
    second.at_work();

    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shop@1.0.0'";
    story
        .database
        .wait_until(left, "0", Duration::from_secs(30));
    let _ = story.up("1.2.0").expect_code(0);
    assert!(!story.has_column("name"));
    second.at_work();
    let third = story.start("1.2.0", "full_name");
    third.at_work();
    second.at_work();
    let requests = requests + second.retire() + third.retire();
    story.deployed("1.2.0");

    let users: u64 = story.query("SELECT count(*) FROM users").parse().unwrap();
    assert_eq!(
        users,
        USERS + requests / 3,
        "every user that was added is there"
    );
    assert_eq!(
        story.query("SELECT count(*) FROM users WHERE full_name IS NULL"),
        "0"
    );
}

#[test]
fn renaming_in_one_step_is_refused_before_anything_runs() {
    let Some(story) = Story::begin() else { return };
    let first = story.start("1.0.0", "name");
    first.at_work();
    story
        .project
        .migration("0002_note.sql", "ALTER TABLE users ADD COLUMN note text;\n");
    story.project.migration(
        "0003_rename.sql",
        "ALTER TABLE users RENAME COLUMN name TO full_name;\n",
    );
    let refused = story.up("1.1.0").expect_code(5);
    let _ = refused
        .expect_text("0003_rename.sql")
        .expect_text("bc-rename-column");
    assert!(!story.has_column("note"), "nothing ran");
    first.at_work();

    // Called a contract migration it has to wait for a release that does not use the name: this one does.
    story.project.migration(
        "0003_rename.sql",
        "-- forerun:contract unused-since=1.1.0\nALTER TABLE users RENAME COLUMN name TO full_name;\n",
    );
    let strict = ["migrate", "up", "--release", "1.1.0", "--strict"];
    let _ = story.project.run(&strict).expect_code(5);
    assert!(story.has_column("name"));
    first.at_work();
    first.retire();
}

#[test]
fn the_first_deployment_can_be_repeated_whatever_it_does() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", &database.url);
    project.set_env("FORERUN_RELEASE", "1.0.0");
    project.migration(
        "0001_users.sql",
        "CREATE TABLE users (id int, name text);\n",
    );
    project.migration("0002_wrong.sql", "CREATE TABLE oops (id no_such_type);\n");
    project.migration(
        "0003_better.sql",
        "ALTER TABLE users RENAME COLUMN name TO full_name;\nALTER TABLE users ALTER COLUMN id TYPE bigint;\n",
    );
    let up = ["migrate", "up"];
    let _ = project.run(&up).expect_code(3);
    // Nothing can have started yet that knows `name`.
    project.migration("0002_wrong.sql", "CREATE TABLE oops (id int);\n");
    let _ = project.run(&up).expect_code(0);
    project.migration(
        "0004_again.sql",
        "ALTER TABLE users RENAME COLUMN full_name TO name;\n",
    );
    let _ = project.run(&up).expect_code(5);
}

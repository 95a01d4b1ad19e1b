//! A password is never shown: not in output, errors, tables, the process list or the last words.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use std::fs;

use answers::{Account, everything, percent_encoded, servers};
use forerun_test_support::{CommandOutcome, ScratchProject};
use story::{Gate, Target, project, wait_for};

/// Characters that mean something in URLs, shells, JSON and SQL, and letters that are no ASCII.
const PASSWORD: &str = "Zq9 p@ss:w/rd?&=#%25'\"\\$x!é日;--{}[]|`<>~^*()Zq9";

/// What of it must not be found anywhere: itself, percent-encoded, as JSON and Rust write it, and its parts.
fn traces() -> Vec<String> {
    let quoted = serde_json::to_string(PASSWORD).unwrap();
    vec![
        PASSWORD.to_owned(),
        percent_encoded(PASSWORD),
        percent_encoded(PASSWORD).to_lowercase(),
        quoted.trim_matches('"').to_owned(),
        format!("{PASSWORD:?}").trim_matches('"').to_owned(),
        // Most libraries that cut a URL at the wrong place show one of these.
        "Zq9".to_owned(),
        "rd?&=".to_owned(),
        "w%2Frd".to_owned(),
    ]
}

fn assert_hidden(what: &str, text: &str) {
    for trace in traces() {
        assert!(!text.contains(&trace), "{what} shows {trace:?}:\n{text}");
    }
}

fn assert_nothing_shown(outcome: &CommandOutcome) {
    assert_hidden("standard output", &outcome.stdout);
    assert_hidden("standard error", &outcome.stderr);
}

/// A project whose last words are looked at after every command.
struct Watched {
    project: ScratchProject,
}

impl Watched {
    fn new() -> Self {
        let mut project = project();
        let file = project.write("termination-log", "");
        project.set_env("TERMINATION_MESSAGE_PATH", &file.display().to_string());
        project.migration(
            "0001_users.sql",
            "CREATE TABLE users (id integer PRIMARY KEY);\n",
        );
        project.migration("0001_users.down.sql", "DROP TABLE users;\n");
        project.migration(
            "0002_rows.sql",
            "-- forerun:data\nINSERT INTO users (id) VALUES (1);\n",
        );
        Self { project }
    }

    /// As text with everything that can be shown, and as JSON.
    fn run(&self, arguments: &[&str], variables: &[(String, String)]) -> i32 {
        let mut code = 0;
        for format in [&["--format", "text", "-v"][..], &["--format", "json"]] {
            let mut words = format.to_vec();
            words.extend(arguments);
            let mut command = self.project.command(&words);
            for (name, value) in variables {
                command = command.env(name, value);
            }
            let outcome = command.run();
            assert_nothing_shown(&outcome);
            assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
            assert_hidden("the last words", &self.project.read("termination-log"));
            code = outcome.code().expect("no signal");
        }
        code
    }
}

const COMMANDS: &[&[&str]] = &[
    &["migrate", "plan"],
    &["migrate", "status"],
    &["migrate", "schema"],
    &["migrate", "up"],
    &["migrate", "up"],
    &["migrate", "history"],
    &["migrate", "history", "1"],
    &["migrate", "wait", "--version", "latest"],
    &["migrate", "validate"],
    &["migrate", "repair"],
    &["migrate", "unlock"],
    &["migrate", "down"],
    &["exec", "--", "true"],
    &["exec", "--", "false"],
    &["exec", "--", "no-such-program"],
];

#[test]
fn no_command_shows_the_password() {
    for target in servers() {
        let account = Account::owner(&target, PASSWORD);
        let url = account.url();
        let watched = Watched::new();
        let mut as_parts = Vec::new();
        for command in COMMANDS {
            let mut with_url = command.to_vec();
            let position = with_url
                .iter()
                .position(|word| *word == "--")
                .unwrap_or(with_url.len());
            with_url.splice(position..position, ["-u", &url]);
            let code = watched.run(&with_url, &[]);
            assert!(
                [0, 1, 5, 127].contains(&code),
                "{target:?} {command:?}: {code}"
            );
            let _ = watched.run(command, &[("DATABASE_URL".to_owned(), url.clone())]);
            as_parts.push(watched.run(command, &account.variables("DB_")));
        }
        assert_eq!(as_parts[2..5], [0, 0, 0], "{target:?}: and it works");
        assert_hidden("a table", &everything(&target));
        assert_eq!(target.applied(), [1, 2]);
    }
}

#[test]
fn no_error_shows_the_password() {
    for target in servers() {
        let account = Account::owner(&target, PASSWORD);
        let watched = Watched::new();
        let (user, password, port) = (&account.user, percent_encoded(PASSWORD), account.port);
        let engine = account.engine;
        let database = &account.database;
        let wrong = Account {
            password: format!("{PASSWORD}!"),
            database: database.clone(),
            user: user.clone(),
            ..account
        };
        for (url, code) in [
            // Wrong password, unknown host, nobody there, unknown database.
            (wrong.url(), 2),
            (account.url_at("no-such-host.invalid", port), 75),
            (account.url_at("127.0.0.1", 1), 75),
            (
                format!("{engine}://{user}:{password}@127.0.0.1:{port}/no_such_database"),
                2,
            ),
            (
                format!("{engine}://nobody:{password}@127.0.0.1:{port}/{database}"),
                2,
            ),
            // A URL that cannot be right: the password as it is, bad ports, options, schemes, escapes.
            (
                format!("{engine}://{user}:{PASSWORD}@127.0.0.1:{port}/{database}"),
                2,
            ),
            (
                format!("{engine}://{user}:{password}@127.0.0.1:port/{database}"),
                2,
            ),
            (
                format!("{engine}://{user}:{password}@127.0.0.1:{port}/{database}?nothing=1"),
                2,
            ),
            (
                format!("{engine}://{user}:{password}%zz@127.0.0.1:{port}/{database}"),
                2,
            ),
            (
                format!("oracle://{user}:{password}@127.0.0.1:{port}/{database}"),
                2,
            ),
            (
                format!("{engine}:/{user}:{password}@127.0.0.1:{port}/{database}"),
                2,
            ),
            (format!("{user}:{password}@127.0.0.1:{port}/{database}"), 2),
            (
                format!(
                    "jdbc:{engine}://127.0.0.1:{port}/{database}?user={user}&password={password}"
                ),
                0,
            ),
            (
                format!(
                    "{engine}://127.0.0.1:{port}/{database}?password={password}&sslmode=nonsense"
                ),
                2,
            ),
        ] {
            for (arguments, variables) in [
                (vec!["migrate", "up", "-u", &url], vec![]),
                (
                    vec!["migrate", "status"],
                    vec![("DATABASE_URL".to_owned(), url.clone())],
                ),
            ] {
                let found = watched.run(&arguments, &variables);
                assert_eq!(found, code, "{target:?}: {arguments:?}");
            }
            // In the wrong place, with a typing mistake, twice.
            for arguments in [
                vec!["migrate", "up", &url],
                vec!["migrate", &url],
                vec![&url],
                vec!["migrate", "up", "--ulr", &url],
                vec!["migrate", "up", "-u", &url, "-u", &url],
                vec!["migrate", "up", "-u", &url, "--timeout", "soon"],
                vec!["migrate", "up", "--dir", &url],
            ] {
                // Anything but a URL is the name of a directory there.
                if arguments.contains(&"--dir") && !url.contains("://") {
                    continue;
                }
                let found = watched.run(&arguments, &[]);
                assert_eq!(found, 2, "{arguments:?}");
            }
        }
        // Parts in the wrong variables.
        let mut variables = account.variables("DATABASE_");
        for part in ["HOST", "PORT"] {
            for (name, value) in &mut variables {
                if name.ends_with(part) {
                    *value = account.url();
                }
            }
            assert_eq!(watched.run(&["migrate", "up"], &variables), 2, "{part}");
        }
        assert_hidden("a table", &everything(&target));
    }
}

/// A failed run has more to say than others, and so have a lost connection and a killed session.
#[test]
fn no_failed_run_shows_the_password() {
    for target in servers() {
        let account = Account::owner(&target, PASSWORD);
        let watched = Watched::new();
        watched
            .project
            .migration("0003_wrong.sql", "INSERT INTO nowhere VALUES (1);\n");
        let url = account.url();
        assert_eq!(watched.run(&["migrate", "up", "-u", &url], &[]), 3);
        let proxy = target.database().proxy();
        let gate = Gate::closed(&target);
        if account.engine == "postgres" {
            target.query(&format!(
                "GRANT USAGE ON SCHEMA test_gate TO {0}; GRANT SELECT ON test_gate.opened TO {0}",
                account.user
            ));
        }
        watched.project.migration("0003_wrong.sql", gate.sql());
        let through = account.url_at("127.0.0.1", proxy.port());
        let running = watched
            .project
            .spawn(&["--format", "text", "-v", "migrate", "up", "-u", &through]);
        gate.wait_until_reached();
        proxy.refuse(true);
        proxy.cut_now();
        let outcome = running.wait().expect_code(75);
        assert_nothing_shown(&outcome);
        assert_hidden("the last words", &watched.project.read("termination-log"));
        assert_hidden("a table", &everything(&target));
    }
}

/// The command lines of a run and of everything that it has started: nobody else's.
fn command_lines(process: u32) -> String {
    // Processes come and go.
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let mut text = String::from_utf8_lossy(&line).replace('\0', " ");
    text.push('\n');
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    for child in children.unwrap_or_default().split_whitespace() {
        text.push_str(&command_lines(child.parse().expect("a process id")));
    }
    text
}

/// `ps` of another user while a run is at work.
#[test]
fn the_process_list_does_not_show_the_password() {
    for target in servers() {
        let account = Account::owner(&target, PASSWORD);
        let (url, encoded) = (account.url(), percent_encoded(PASSWORD));
        let with_parameter = format!(
            "{}://{}@127.0.0.1:{}/{}?password={encoded}",
            account.engine, account.user, account.port, account.database
        );
        let project = project();
        let mut spellings = vec![
            vec!["-u".to_owned(), url.clone()],
            vec!["--url".to_owned(), url.clone()],
            vec![format!("--url={url}")],
            vec![format!("-u={url}")],
            vec![format!("-u{url}")],
        ];
        if account.engine == "postgres" {
            spellings.push(vec!["-u".to_owned(), with_parameter]);
        }
        for spelling in spellings {
            let mut words = vec!["exec"];
            words.extend(spelling.iter().map(String::as_str));
            words.extend([
                "--",
                "sh",
                "-c",
                "touch ready; while [ ! -e done ]; do sleep 0.05; done",
            ]);
            let running = project.spawn(&words);
            wait_for("the command runs", || project.path().join("ready").exists());
            let command_lines = command_lines(running.id());
            assert!(command_lines.contains("forerun exec"), "{command_lines}");
            assert!(
                command_lines.contains(
                    "
sh -c"
                ),
                "{command_lines}"
            );
            assert_hidden("a command line", &command_lines);
            project.write("done", "");
            assert_nothing_shown(&running.wait().expect_code(0));
            project.remove("done");
            project.remove("ready");
        }
        assert_hidden("a table", &everything(&target));
    }
}

/// What a guarded command is given on its own command line is masked in the audit and in what forerun says.
#[test]
fn secrets_of_a_guarded_command_are_masked() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let mut project = project();
    project.set_env("DATABASE_URL", &target.url());
    for secret in [
        &["--password", "Zq9hush"][..],
        &["--db-password=Zq9hush"],
        &["PGPASSWORD=Zq9hush"],
        &["postgres://app:Zq9hush@db/shop"],
        &["--token", "Zq9hush"],
    ] {
        let mut words = vec!["--format", "text", "-v", "exec", "--", "true"];
        words.extend(secret);
        assert_nothing_shown(&project.run(&words).expect_code(0));
        assert_hidden("a table", &everything(&target));
    }
}

/// A server quotes what it does not understand.
#[test]
fn secrets_of_a_script_are_masked_where_they_are_kept() {
    for target in servers() {
        let mut project = project();
        project.set_env("DATABASE_URL", &target.url());
        let file = project.write("termination-log", "");
        project.set_env("TERMINATION_MESSAGE_PATH", &file.display().to_string());
        project.migration(
            "0001_user.sql",
            "CREATE USER zz IDENTIFED BY 'Zq9hush' PASSWORD \"Zq9hush\";\n",
        );
        let _ = project.run(&["migrate", "up"]).expect_code(3);
        assert_hidden("a table", &everything(&target));
        assert_hidden("the last words", &project.read("termination-log"));
        let history = project.run(&["migrate", "history", "1"]);
        assert_nothing_shown(&history);
    }
}

/// What somebody else runs is not even from the directory.
#[test]
fn secrets_of_a_session_in_the_way_are_masked() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let mut project = project();
    project.set_env("DATABASE_URL", &target.url());
    target.query("CREATE TABLE busy (a integer); CREATE ROLE busy_role");
    project.migration("0001_x.sql", "ALTER TABLE busy ADD COLUMN x integer;\n");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            target.query(
                "DO $$ BEGIN PERFORM count(*) FROM busy; PERFORM pg_sleep(4); \
                 ALTER ROLE busy_role PASSWORD 'Zq9hush'; END $$; DROP ROLE busy_role",
            )
        });
        wait_for("the table is in use", || {
            target.query("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4)%'")
                == "2"
        });
        let outcome = project.run(&["migrate", "up", "--ddl-lock-timeout", "1s"]);
        assert_nothing_shown(&outcome);
        assert!(outcome.stdout.contains("PASSWORD '***'"), "{outcome:?}");
        let _ = other.join();
    });
    assert_hidden("a table", &everything(&target));
}

//! The exit codes are a contract with `podFailurePolicy` and scripts: each is caused here, in every way that the
//! contract names, and compared with the number.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{Account, databases, servers};
use forerun_test_support::{CommandOutcome, ScratchProject};
use story::{Gate, Product, Target, empty_project_for, project, wait_for};

const USERS: &str = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(20));\n";

/// `forerun --format text migrate …`: ends with this code and says this.
fn ends(project: &ScratchProject, arguments: &[&str], code: i32, said: &[&str]) -> CommandOutcome {
    let mut words = vec!["--format", "text", "migrate"];
    words.extend(arguments);
    let mut outcome = project.run(&words).expect_code(code);
    for text in said {
        outcome = outcome.expect_text(text);
    }
    outcome
}

#[test]
fn code_0_done_and_nothing_to_do() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        let _ = ends(&project, &["up"], 0, &["Applied 1 migration"]);
        let _ = ends(&project, &["up"], 0, &["Nothing to do"]);
        let _ = ends(&project, &["status", "--exit-code"], 0, &["Up to date"]);
        let _ = ends(&project, &["wait", "--version", "latest"], 0, &[]);
    }
}

#[test]
fn code_2_usage() {
    let project = project();
    for (arguments, said) in [
        (&["--format", "text", "migrate", "upp"][..], "up"),
        (&["migrate", "up", "--no-such-option"], "--no-such-option"),
        (&["migrate", "up", "--timeout", "soon"], "soon"),
        (&["migrate", "down", "x"], "x"),
        (&["migrate"], "Usage"),
        (&[], "Usage"),
        (&["exec"], "CMD"),
        (&["migrate", "unlock", "--even-if-alive"], "--force"),
    ] {
        let _ = project.run(arguments).expect_code(2).expect_text(said);
    }
}

#[test]
fn code_2_configuration() {
    let project = project();
    project.migration("0001_users.sql", USERS);
    let _ = ends(&project, &["up"], 2, &["DATABASE_URL"]);
    for (url, said) in [
        ("oracle://db/shop", "oracle"),
        ("postgres://db:no/shop", "port"),
        ("postgresql//db/shop", "postgres"),
    ] {
        let _ = ends(&project, &["up", "-u", url], 2, &[said]);
    }
    let outcome = project
        .command(&["migrate", "up", "-u", "sqlite:a.db"])
        .env("MIGRATION_TIMEOUT", "five")
        .run()
        .expect_code(2);
    drop(outcome.expect_text("MIGRATION_TIMEOUT"));
    let _ = ends(
        &project,
        &["up", "-u", "sqlite:a.db", "--dir", "elsewhere"],
        2,
        &["elsewhere", "--dir"],
    );
    let _ = ends(
        &project,
        &["up", "-u", "sqlite:a.db", "--dir", "s3://bucket/x"],
        2,
        &["s3://bucket/x"],
    );
    project.migration("0002_latin.sql", b"SELECT 'caf\xe9';\n");
    let _ = ends(
        &project,
        &["up", "-u", "sqlite:a.db"],
        2,
        &["0002_latin.sql:1", "UTF-8"],
    );
    assert_eq!(
        project.list("."),
        ["migrations"],
        "no database was made on the way"
    );
}

#[test]
fn code_2_wrong_password_database_or_privilege() {
    for target in servers() {
        let project = project();
        project.migration("0001_users.sql", USERS);
        let mut account = Account::owner(&target, "right");
        account.password = "wrong".to_owned();
        let _ = ends(
            &project,
            &["up", "-u", &account.url()],
            2,
            &[&account.user, "Check user and password"],
        );
        account.password = "right".to_owned();
        let database = std::mem::replace(&mut account.database, "no_such_database".to_owned());
        let _ = ends(
            &project,
            &["up", "-u", &account.url()],
            2,
            &["no_such_database"],
        );
        account.database = database;
        let reader = Account::reader(&target, "reader");
        let _ = ends(&project, &["up", "-u", &reader.url()], 2, &["grant"]);
        let _ = ends(&project, &["up", "-u", &account.url()], 0, &[]);
    }
}

#[test]
fn code_3_a_migration_failed() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        project.migration("0002_more.sql", "INSERT INTO userz (id) VALUES (1);\n");
        let _ = ends(
            &project,
            &["up"],
            3,
            &["0002_more.sql", "userz", "migrations/0002_more.sql:1:"],
        );
        assert_eq!(target.applied(), [1], "{target:?}");
        // A statement that the server refuses for its rows, not for its text.
        project.migration(
            "0002_more.sql",
            "INSERT INTO users (id) VALUES (1);\nINSERT INTO users (id) VALUES (1);\n",
        );
        let _ = ends(&project, &["up"], 3, &["0002_more.sql:2:1"]);
        assert_eq!(
            target.number("SELECT count(*) FROM users"),
            0,
            "{target:?}: row changes are one transaction"
        );
        project.migration(
            "0002_more.sql",
            "-- forerun:assert \"nobody is called x\"\nSELECT id FROM users WHERE name = 'x';\nDELETE FROM users;\n",
        );
        target.query("INSERT INTO users (id, name) VALUES (7, 'x')");
        let _ = ends(&project, &["up"], 3, &["nobody is called x", "7"]);
        assert_eq!(target.number("SELECT count(*) FROM users"), 1, "{target:?}");
    }
}

#[test]
fn code_3_a_statement_took_too_long() {
    for target in servers() {
        let project = empty_project_for(&target);
        // On MariaDB, functions that wait end without an error when their time is over.
        project.migration(
            "0001_slow.sql",
            match target.product {
                Product::Postgres => "SELECT pg_sleep(60);\n",
                _ => {
                    "CREATE TABLE counted AS SELECT count(*) AS many FROM information_schema.columns a, \
                      information_schema.columns b, information_schema.columns c;\n"
                }
            },
        );
        let _ = ends(
            &project,
            &["up", "--statement-timeout", "300ms"],
            3,
            &["0001_slow.sql", "--statement-timeout"],
        );
        assert_eq!(target.applied(), [0_i64; 0], "{target:?}");
        target.assert_left_clean();
    }
}

#[test]
fn code_4_changed_missing_out_of_order_sum() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        project.migration("0003_more.sql", "INSERT INTO users (id) VALUES (3);\n");
        let _ = ends(&project, &["up"], 0, &[]);

        project.migration("0001_users.sql", USERS.replace("20", "30"));
        let _ = ends(
            &project,
            &["up"],
            4,
            &["0001_users.sql", "changed", "repair 1 --accept-change"],
        );
        let _ = ends(&project, &["status", "--exit-code"], 4, &["changed"]);
        let _ = ends(&project, &["status"], 0, &["changed"]);

        project.remove("migrations/0001_users.sql");
        let _ = ends(&project, &["up"], 4, &["0001_users.sql", "restore"]);

        project.migration("0001_users.sql", USERS);
        project.migration("0002_late.sql", "INSERT INTO users (id) VALUES (2);\n");
        let _ = ends(
            &project,
            &["up"],
            4,
            &["0002_late.sql", "--allow-out-of-order"],
        );
        let _ = ends(&project, &["up", "--allow-out-of-order"], 0, &[]);
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");

        let _ = ends(&project, &["hash"], 0, &[]);
        project.migration("0004_new.sql", "INSERT INTO users (id) VALUES (4);\n");
        let _ = ends(
            &project,
            &["up"],
            4,
            &["forerun.sum", "0004_new.sql", "forerun migrate hash"],
        );
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
    }
}

#[test]
fn code_4_unresumable() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_half.sql",
        format!("{USERS}CREATE TABLE wrong (id nothing);\n"),
    );
    let _ = ends(&project, &["up"], 3, &[]);
    project.migration(
        "0001_half.sql",
        format!(
            "{}CREATE TABLE wrong (id integer);\n",
            USERS.replace("20", "30")
        ),
    );
    let _ = ends(&project, &["up"], 4, &["0001_half.sql", "--start-over"]);
}

#[test]
fn code_4_in_doubt() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let mut gate = Gate::closed(&target);
    let project = empty_project_for(&target);
    let body = gate.sql();
    target.query(&format!(
        "DELIMITER //\nCREATE PROCEDURE slow() BEGIN {body} END//\nDELIMITER ;"
    ));
    project.migration(
        "0001_call.sql",
        "CALL slow();\nCREATE TABLE later (id integer);\n",
    );
    let running = project.command(&["migrate", "up", "--lease", "3s"]).spawn();
    target.wait_until(
        "SELECT count(*) FROM forerun_journal WHERE in_doubt_statement = 1",
        "1",
    );
    running.kill();
    let _ = running.wait();
    gate.open();
    let _ = ends(
        &project,
        &["up"],
        4,
        &[
            "migrate repair 1 --done",
            "migrate repair 1 --not-done",
            "0001_call.sql:1:1",
        ],
    );
    assert!(target.try_query("SELECT 1 FROM later").is_err());
}

#[test]
fn code_5_refused() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        project.migration(
            "0002_rows.sql",
            "-- forerun:data\nINSERT INTO users (id) VALUES (1);\n",
        );
        let _ = ends(&project, &["data"], 5, &["0001_users.sql"]);
        let _ = ends(&project, &["up"], 0, &[]);
        let _ = ends(&project, &["down"], 5, &["0002_rows.sql", ".down.sql"]);
        let _ = ends(&project, &["baseline", "2"], 5, &["not empty"]);
        let _ = ends(
            &project,
            &["repair", "1", "--start-over"],
            5,
            &["no unfinished attempt"],
        );
        let _ = ends(
            &project,
            &["repair", "1", "--accept-change"],
            5,
            &["0001_users.sql"],
        );
        assert_eq!(target.applied(), [1, 2], "{target:?}");
    }
}

#[test]
fn code_5_unlocking_a_living_holder() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let project = empty_project_for(&target);
        project.migration("0001_slow.sql", gate.sql());
        let running = project
            .command(&["migrate", "up"])
            .env("FORERUN_ACTOR", "release-7")
            .spawn();
        gate.wait_until_reached();
        let _ = ends(&project, &["unlock"], 0, &["release-7"]);
        let _ = ends(
            &project,
            &["unlock", "--force"],
            5,
            &["release-7", "--even-if-alive"],
        );
        assert_eq!(target.holder(), "release-7", "{target:?}");
        gate.open();
        let _ = running.wait().expect_code(0);
    }
}

#[test]
fn code_6_not_up_to_date() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        let _ = ends(&project, &["status"], 0, &["0001_users.sql"]);
        let _ = ends(&project, &["status", "--exit-code"], 6, &["0001_users.sql"]);
        let _ = ends(
            &project,
            &["wait", "--version", "latest", "--timeout", "300ms"],
            6,
            &["version 1"],
        );
        let _ = ends(&project, &["up"], 0, &[]);
        let _ = ends(
            &project,
            &["wait", "--version", "2", "--timeout", "300ms"],
            6,
            &["version 2"],
        );
    }
    // Without time it looks once.
    let started = std::time::Instant::now();
    let Some(target) = Target::sqlite() else {
        return;
    };
    let now = ["wait", "--version", "1", "--timeout", "0"];
    let _ = ends(&empty_project_for(&target), &now, 6, &["version 1"]);
    assert!(started.elapsed().as_secs() < 30);
    let unreachable = [
        "wait",
        "-u",
        "postgres://a@127.0.0.1:1/b",
        "--timeout",
        "300ms",
    ];
    let _ = ends(&project(), &unreachable, 6, &["127.0.0.1"]);
}

#[test]
fn code_75_unreachable() {
    let project = project();
    project.migration("0001_users.sql", USERS);
    for url in [
        "postgres://a:b@127.0.0.1:1/shop",
        "mysql://a:b@127.0.0.1:1/shop",
        "postgres://a:b@no-such-host.invalid/shop",
        "mysql://a:b@no-such-host.invalid/shop",
    ] {
        let host = if url.contains("invalid") {
            "no-such-host.invalid"
        } else {
            "127.0.0.1"
        };
        let _ = ends(&project, &["up", "-u", url], 75, &[host, "--wait"]);
        let _ = ends(&project, &["status", "-u", url], 75, &[host]);
        let _ = project
            .run(&["exec", "-u", url, "--", "true"])
            .expect_code(75);
    }
}

#[test]
fn code_75_another_runner_holds_the_lock() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        let running = project
            .command(&["exec", "--", "sleep", "60"])
            .env("FORERUN_ACTOR", "release-7")
            .spawn();
        wait_for("the lock is held", || target.holder() == "release-7");
        let _ = ends(&project, &["up", "--lock-timeout", "0"], 75, &["release-7"]);
        let _ = ends(
            &project,
            &["up", "--lock-timeout", "500ms"],
            75,
            &["release-7"],
        );
        assert!(
            target.try_query("SELECT 1 FROM users").is_err(),
            "{target:?}"
        );
        running.terminate();
        let _ = running.wait().expect_code(143);
        let _ = ends(&project, &["up", "--lock-timeout", "0"], 0, &[]);
    }
}

#[test]
fn code_75_retries_used_up_on_a_table_lock() {
    for target in servers() {
        let project = empty_project_for(&target);
        project.migration("0001_users.sql", USERS);
        let _ = ends(&project, &["up"], 0, &[]);
        let mut session = target.session();
        let locked = match target.product {
            Product::Postgres => "BEGIN; LOCK TABLE users IN ACCESS SHARE MODE;",
            _ => "BEGIN; SELECT count(*) FROM users;",
        };
        session.run(locked);
        project.migration(
            "0002_more.sql",
            "ALTER TABLE users ADD COLUMN age integer;\n",
        );
        let limits = ["up", "--ddl-lock-timeout", "1s", "--retry-budget", "2s"];
        let _ = ends(
            &project,
            &limits,
            75,
            &["0002_more.sql", "blocked by", "--retry-budget"],
        );
        session.run("ROLLBACK;");
        let _ = ends(&project, &["up"], 0, &[]);
        assert_eq!(target.applied(), [1, 2]);
    }
}

#[test]
fn code_75_the_time_limit() {
    for target in servers() {
        let gate = Gate::closed(&target);
        let project = empty_project_for(&target);
        project.migration("0001_slow.sql", gate.sql());
        let _ = ends(
            &project,
            &["up", "--timeout", "700ms"],
            75,
            &["time limit of 700ms"],
        );
        gate.wait_until_left();
        target.assert_left_clean();
    }
}

#[test]
fn codes_130_and_143_interrupted_and_left_clean() {
    for target in servers() {
        for (code, name) in [(130, "SIGINT"), (143, "SIGTERM")] {
            let mut gate = Gate::closed(&target);
            let project = empty_project_for(&target);
            project.migration("0001_slow.sql", gate.sql());
            let running = project
                .command(&["--format", "text", "migrate", "up"])
                .spawn();
            gate.wait_until_reached();
            if code == 130 {
                running.interrupt();
            } else {
                running.terminate();
            }
            let _ = running
                .wait()
                .expect_code(code)
                .expect_text(name)
                .expect_text("Run it again");
            gate.wait_until_left();
            target.assert_left_clean();
            gate.open();
        }
    }
}

/// SQLite has no server that could be asked to stop: the statement ends itself.
#[test]
fn code_143_in_the_middle_of_a_long_statement_of_sqlite() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let project = empty_project_for(&target);
    target.query("CREATE TABLE ledger (entry integer); CREATE TABLE work (steps integer); INSERT INTO work VALUES (4000000000)");
    project.migration("0001_slow.sql", Gate::endless());
    let mut running = project.command(&["migrate", "up"]).spawn();
    running.wait_for_output("statement_started");
    running.terminate();
    let _ = running.wait().expect_code(143);
    target.assert_left_clean();
    target.query("UPDATE work SET steps = 3");
    let _ = ends(&project, &["up"], 0, &[]);
    assert_eq!(target.applied(), [1]);
}

#[test]
fn exec_passes_the_code_of_its_command_on() {
    for target in databases() {
        let project = empty_project_for(&target);
        for code in [0, 1, 3, 42, 255] {
            let _ = project
                .run(&["exec", "--", "sh", "-c", &format!("exit {code}")])
                .expect_code(code);
        }
        let _ = project
            .run(&["exec", "--", "sh", "-c", "kill -TERM $$"])
            .expect_code(143);
        let _ = project
            .run(&["exec", "--", "no-such-program"])
            .expect_code(127);
    }
}

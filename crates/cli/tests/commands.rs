//! The commands that look at or change the history, as somebody tries them who has only the help: with text and with
//! JSON.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{
    Account, NOTHING, databases, document, everything, finished, json, servers, shop, text, texts,
    up,
};

use serde_json::{Value, json};
use story::{Gate, Product, Target, project, wait_for};

#[test]
fn down_reverts_newest_first() {
    for target in databases() {
        let project = shop(&target);
        let _ = up(&project, 0);
        let _ = text(&project, &["down", "--dry-run"], 0)
            .expect_text("0003_orders.down.sql")
            .expect_text("1 migration to revert, 1 statement; nothing was changed");
        let outcome = text(&project, &["down"], 0).expect_text("1 migration to revert, 3 applied");
        assert!(
            outcome.stdout.contains("Reverted 1 migration"),
            "{outcome:?}"
        );
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        assert!(target.try_query("SELECT 1 FROM orders").is_err());
        let _ = up(&project, 0);
        let last = finished(&json(&project, &["down", "2"], 0));
        assert_eq!(
            (&last["outcome"], &last["migrations"]),
            (&json!("reverted"), &json!(2))
        );
        assert_eq!(target.applied(), [1], "{target:?}");
        assert_eq!(target.number("SELECT count(*) FROM users"), 0);
        let _ = up(&project, 0);
        let _ = text(&project, &["down", "--to", "0001"], 0);
        assert_eq!(target.applied(), [1], "{target:?}");
        let _ = text(&project, &["down", "--to", "1"], 0).expect_text("Nothing to revert");
        // More than there is.
        let _ = text(&project, &["down", "9"], 0);
        assert_eq!(target.applied(), NOTHING, "{target:?}");
        let _ = text(&project, &["down"], 0).expect_text("Nothing to revert");
        let reverted = target.query(
            "SELECT version FROM forerun_audit WHERE event = 'migration.reverted' ORDER BY id",
        );
        assert_eq!(reverted, "3\n3\n2\n3\n2\n1", "{target:?}");
        target.assert_left_clean();
        let _ = up(&project, 0);
        assert_eq!(target.applied(), [1, 2, 3]);
    }
}

#[test]
fn down_runs_nothing_when_one_script_is_missing_and_stops_at_a_failure() {
    for target in databases() {
        let project = shop(&target);
        let _ = up(&project, 0);
        project.remove("migrations/0002_rows.down.sql");
        let before = target.query("SELECT count(*) FROM users");
        let _ = text(&project, &["down", "3"], 5).expect_text("0002_rows.sql");
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
        project.migration("0002_rows.down.sql", "DELETE FROM userz;\n");
        let _ = text(&project, &["down", "3"], 3).expect_text("0002_rows.down.sql:1");
        assert_eq!(
            target.applied(),
            [1, 2],
            "{target:?}: what was reverted before stays so"
        );
        assert_eq!(target.query("SELECT count(*) FROM users"), before);
        project.migration("0002_rows.down.sql", "DELETE FROM users;\n");
        let _ = text(&project, &["down", "3"], 0);
        assert_eq!(target.applied(), NOTHING, "{target:?}");
    }
}

/// All that only looks leaves every table, row and file as it was; in an empty database it makes nothing.
#[test]
fn looking_changes_nothing_at_all() {
    for target in databases() {
        let project = shop(&target);
        let looks: &[&[&str]] = &[
            &["plan"],
            &["up", "--dry-run"],
            &["schema", "--dry-run"],
            &["down", "--dry-run"],
            &["status"],
            &["history"],
            &["history", "1"],
            &["unlock"],
            &["repair"],
            &["validate"],
            &["wait", "--version", "0"],
            &["baseline", "3", "--dry-run"],
        ];
        let look = || {
            for arguments in looks {
                for format in ["text", "json"] {
                    let mut words = vec!["--format", format, "migrate"];
                    words.extend(*arguments);
                    words.extend((arguments[0] == "wait").then_some("--timeout=200ms"));
                    let outcome = project.run(&words);
                    assert!([0, 5, 6].contains(&outcome.code().unwrap()), "{outcome:?}");
                }
            }
        };
        let empty = everything(&target);
        look();
        assert_eq!(
            everything(&target),
            empty,
            "{target:?}: an empty database stays empty"
        );
        assert!(!empty.contains("forerun"), "{empty}");
        if target.product == Product::Sqlite {
            assert!(!target.file().path().exists(), "no file is made");
        }
        let _ = json(&project, &["schema"], 0);
        let before = everything(&target);
        assert!(before.contains("forerun_history"), "{before}");
        look();
        assert_eq!(everything(&target), before, "{target:?}");
        assert_eq!(project.list("migrations").len(), 6);
    }
}

#[test]
fn plan_tells_what_up_will_do() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = shop(&target);
    project.migration(
        "0004_index.sql",
        "CREATE INDEX CONCURRENTLY orders_id ON orders (id);\n",
    );
    project.migration(
        "0005_alter.sql",
        "ALTER TABLE users ADD COLUMN name text;\n",
    );
    let _ = text(&project, &["plan"], 0)
        .expect_text("0001_users.sql")
        .expect_text("CREATE TABLE users (id integer PRIMARY KEY)")
        .expect_text("one transaction")
        .expect_text("statement by statement")
        .expect_text("CREATE INDEX CONCURRENTLY on line 1 cannot run in a transaction")
        .expect_text("ACCESS EXCLUSIVE")
        .expect_text("nothing was changed");
    let plan = document(&json(&project, &["plan"], 0));
    let steps = plan["steps"].as_array().unwrap();
    let modes: Vec<&str> = steps
        .iter()
        .map(|step| step["mode"].as_str().unwrap())
        .collect();
    assert_eq!(
        modes,
        [
            "transaction",
            "transaction",
            "transaction",
            "statements",
            "transaction"
        ]
    );
    assert_eq!(steps[1]["summary"]["kind"], "data");
    assert_eq!(
        steps[4]["summary"]["statements"][0]["classification"]["table_lock"],
        "ACCESS EXCLUSIVE"
    );
    assert!(plan["hash"].is_string() && plan["target"].is_string());
    let schema = document(&json(&project, &["schema", "--dry-run"], 0));
    assert_eq!(schema["steps"].as_array().unwrap().len(), 1);
    assert_eq!(schema["left_for_later"].as_array().unwrap().len(), 4);
    let _ = up(&project, 0);
    let _ = text(&project, &["plan"], 0).expect_text("Nothing to do");
    let down = document(&json(&project, &["up", "--dry-run"], 0));
    assert_eq!(down["steps"], json!([]));
}

#[test]
fn status_and_history() {
    for target in databases() {
        let project = shop(&target);
        let _ = text(&project, &["status"], 0).expect_text("3 migrations pending");
        let _ = text(&project, &["history"], 0).expect_text("No version is applied");
        let run = project
            .command(&["migrate", "schema", "--release", "2.5.0"])
            .env("FORERUN_ACTOR", "deploy-bot")
            .env("POD_NAME", "shop-migrations-x7k2p")
            .run()
            .expect_code(0);
        let run_id = answers::lines(&run.stdout)[0]["run_id"].clone();
        let status = document(&json(&project, &["status"], 0));
        assert_eq!(status["up_to_date"], false);
        assert_eq!(texts(&status["applied"], "script"), ["0001_users.sql"]);
        assert_eq!(texts(&status["pending"], "kind"), ["data", "schema"]);
        assert!(status["server"]["product"].is_string());
        for empty in ["unfinished", "conflicts", "ahead"] {
            assert_eq!(status[empty], json!([]), "{empty}");
        }
        assert_eq!(status["lock"], Value::Null);
        let _ = text(&project, &["status"], 0)
            .expect_text("1 applied")
            .expect_text("2 pending")
            .expect_text("0002_rows.sql");

        let history = document(&json(&project, &["history", "1"], 0));
        let row = &history["history"][0];
        for (field, value) in [
            ("version", json!("1")),
            ("description", json!("users")),
            ("script", json!("0001_users.sql")),
            ("kind", json!("schema")),
            ("phase", json!("expand")),
            ("origin", json!("applied")),
            ("statements", json!(1)),
            ("release", json!("2.5.0")),
            ("applied_by", json!("deploy-bot@shop-migrations-x7k2p")),
            ("run_id", run_id.clone()),
        ] {
            assert_eq!(row[field], value, "{target:?} {field}");
        }
        for digest in ["normalized", "raw", "sql"] {
            assert_eq!(
                row["checksums"][digest].as_str().unwrap().len(),
                64,
                "{digest}"
            );
        }
        let audit = &history["audit"][0];
        for (field, value) in [
            ("event", json!("migration.applied")),
            ("version", json!("1")),
            ("actor", json!("deploy-bot")),
            ("host", json!("shop-migrations-x7k2p")),
            ("release", json!("2.5.0")),
            ("run_id", run_id.clone()),
        ] {
            assert_eq!(audit[field], value, "{target:?} {field}");
        }
        let _ = text(&project, &["history"], 0)
            .expect_text("deploy-bot@shop-migrations-x7k2p")
            .expect_text("2.5.0");
        // The run itself is in the audit too.
        let runs = target.query(
            "SELECT event, actor, host, app_release FROM forerun_audit WHERE event LIKE 'run.%' ORDER BY id",
        );
        let who = "deploy-bot|shop-migrations-x7k2p|2.5.0";
        assert_eq!(
            runs,
            format!("run.started|{who}\nrun.finished|{who}"),
            "{target:?}"
        );
        let nothing = document(&json(&project, &["history", "9"], 0));
        assert_eq!(nothing["history"], json!([]));
    }
}

/// An image of the release before, after a rollback.
#[test]
fn a_database_ahead_of_the_directory() {
    for target in databases() {
        let project = shop(&target);
        let _ = up(&project, 0);
        project.remove("migrations/0003_orders.sql");
        project.remove("migrations/0003_orders.down.sql");
        let outcome = text(&project, &["up"], 0)
            .expect_text("warning:")
            .expect_text("version 3");
        assert!(outcome.stdout.contains("Nothing to do"), "{outcome:?}");
        let lines = answers::lines(&json(&project, &["up"], 0).stdout);
        assert!(
            lines.iter().any(|line| line["code"] == "database_ahead"),
            "{lines:?}"
        );
        let _ = json(&project, &["wait", "--version", "latest"], 0);
        let status = document(&json(&project, &["status", "--exit-code"], 0));
        assert_eq!(status["ahead"], json!(["3"]), "{target:?}");
        // Nothing is reverted without its script.
        let _ = text(&project, &["down"], 5).expect_text("does not have version 3");
        assert_eq!(target.applied(), [1, 2, 3]);
    }
}

#[test]
fn a_user_that_may_only_read_can_look() {
    for target in servers() {
        let project = shop(&target);
        let _ = json(&project, &["schema"], 0);
        let reader = Account::reader(&target, "only reads").url();
        for arguments in [
            &["status", "-u", &reader][..],
            &["plan", "-u", &reader],
            &["up", "--dry-run", "-u", &reader],
            &["history", "-u", &reader],
            &["history", "1", "-u", &reader],
            &["unlock", "-u", &reader],
            &["repair", "-u", &reader],
            &["wait", "-u", &reader],
            &["wait", "--version", "1", "-u", &reader],
        ] {
            let _ = json(&project, arguments, 0);
        }
        let _ = json(&project, &["status", "--exit-code", "-u", &reader], 6);
        let _ = json(
            &project,
            &[
                "wait",
                "--version",
                "3",
                "--timeout",
                "200ms",
                "-u",
                &reader,
            ],
            6,
        );
        let _ = up(&project, 0);
        // With nothing to do it needs no more either.
        let _ = json(&project, &["up", "-u", &reader], 0);
    }
}

#[test]
fn wait_until_a_version_is_applied() {
    for target in databases() {
        let project = shop(&target);
        let mut waiting =
            project.spawn(&["migrate", "wait", "--version", "latest", "--timeout", "60"]);
        waiting.wait_for_output("waiting");
        let _ = json(&project, &["schema"], 0);
        assert!(waiting.is_running(), "{target:?}: not all is applied yet");
        let _ = up(&project, 0);
        assert_eq!(
            finished(&waiting.wait().expect_code(0))["outcome"],
            "reached"
        );
        let _ = text(&project, &["wait", "--version", "2"], 0).expect_text("version 2 is applied");
    }
}

#[test]
fn repair_accepts_a_change_on_the_record() {
    for target in databases() {
        let project = shop(&target);
        let _ = up(&project, 0);
        let _ = text(&project, &["repair"], 0).expect_text("Nothing needs a decision");
        // A comment needs no decision, but may be recorded.
        let users = project.read("migrations/0001_users.sql");
        project.migration("0001_users.sql", format!("-- the users\n{users}"));
        let _ = text(&project, &["up"], 0).expect_text("comments or layout only");
        project.migration(
            "0001_users.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY);\n",
        );
        let _ = text(&project, &["up"], 4);
        let open = document(&json(&project, &["repair"], 0));
        assert_eq!(open["open"][0]["version"], "1");
        let _ = text(&project, &["repair"], 0).expect_text("--accept-change");
        let before = everything(&target);
        let _ = text(
            &project,
            &["repair", "1", "--accept-change", "--dry-run"],
            0,
        );
        assert_eq!(everything(&target), before, "{target:?}");
        // Which version is clear without its number.
        let _ = text(&project, &["repair", "--accept-change"], 0)
            .expect_text("Recorded the present text of 0001_users.sql");
        let _ = text(&project, &["up"], 0);
        assert_eq!(
            target.query("SELECT version FROM forerun_audit WHERE event = 'repair'"),
            "1",
            "{target:?}"
        );
        let _ = text(&project, &["repair", "--accept-change"], 5);
        let _ = text(&project, &["repair", "9", "--accept-change"], 5).expect_text("version 9");
    }
}

/// The other decisions of `repair` are in `resume.rs`, where there is something to decide.
#[test]
fn unlock_shows_the_holder_and_ends_it_on_demand() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let mut project = project();
        project.set_env("DATABASE_URL", &target.url());
        project.migration("0001_slow.sql", gate.sql());
        let running = project
            .command(&["migrate", "up", "--release", "2.5.0"])
            .env("FORERUN_ACTOR", "deploy-bot")
            .env("POD_NAME", "pod-1")
            .spawn();
        gate.wait_until_reached();
        let _ = text(&project, &["unlock"], 0)
            .expect_text("deploy-bot")
            .expect_text("pod-1")
            .expect_text("It is alive");
        let state = document(&json(&project, &["unlock"], 0));
        assert_eq!(state["released"], false);
        assert_eq!(state["holder"]["actor"], "deploy-bot", "{state}");
        let status = document(&json(&project, &["status"], 0));
        assert_eq!(status["lock"]["host"], "pod-1", "{status}");
        let _ = text(&project, &["status"], 0)
            .expect_text("running now:")
            .expect_text("deploy-bot");
        let forced = project
            .command(&[
                "--format",
                "json",
                "migrate",
                "unlock",
                "--force",
                "--even-if-alive",
            ])
            .env("FORERUN_ACTOR", "on-call")
            .run()
            .expect_code(0);
        assert_eq!(document(&forced)["released"], true);
        let outcome = running.wait().expect_code(75);
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
        assert_eq!(target.holder(), "");
        let audit = "SELECT actor FROM forerun_audit WHERE event = 'lock.forced'";
        assert_eq!(target.query(audit), "on-call", "{target:?}");
        gate.open();
        gate.wait_until_left();
        let _ = up(&project, 0);
        assert_eq!(target.applied(), [1]);
        let _ = text(&project, &["unlock", "--force"], 0).expect_text("free");
        let free = document(&json(&project, &["unlock"], 0));
        assert_eq!(free["holder"], Value::Null);
    }
}

#[test]
fn unlock_ends_a_dead_holder() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let mut project = project();
    project.set_env("DATABASE_URL", &target.url());
    let running = project
        .command(&["exec", "--", "sleep", "60"])
        .env("FORERUN_ACTOR", "gone")
        .spawn();
    wait_for("the lock is held", || target.holder() == "gone");
    running.kill();
    let _ = running.wait();
    let _ = text(&project, &["unlock"], 0)
        .expect_text("gone")
        .expect_text("It is dead");
    let _ = text(&project, &["unlock", "--force"], 0).expect_text("gone");
    assert_eq!(target.holder(), "");
}

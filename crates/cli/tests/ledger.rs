//! Two versions at once: deployments that open and close, contract migrations that wait for them, and the oldest release
//! that may still run.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod rollout;
mod story;

use answers::{databases, document, finished, json, lines, text, texts};
use forerun_test_support::MariadbServer;
use rollout::{
    ADDRESS, DROP, LATER, USERS, add, audited, deployed, deployments, ledger, ready_to_drop,
    roll_out, running, up,
};
use serde_json::{Value, json};
use story::{Product, Target, empty_project_for};

#[test]
fn a_column_goes_one_full_rollout_later() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        let _ = up(&project, "2.5.0", 0)
            .expect_text("deployment 2 of release 2.5.0 opened, after 2.4.0");
        let _ = deployed(&project, "2.5.0", 0).expect_text("Release 2.5.0 is deployed");
        add(&project, DROP);
        let _ = up(&project, "2.6.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
        let _ = deployed(&project, "2.6.0", 0);
        for (version, phase, unused_since, deployment) in [
            (1, "expand", "IS NULL", 1),
            (2, "expand", "IS NULL", 2),
            (3, "contract", "= '2.5.0'", 3),
        ] {
            let rows = target.number(&format!(
                "SELECT count(*) FROM forerun_history WHERE version = '{version}' AND phase = '{phase}' \
                 AND unused_since {unused_since} AND deployment = {deployment}"
            ));
            assert_eq!(rows, 1, "{target:?}: {version}");
        }
        let found = deployments(&project);
        assert_eq!(found["floor"]["release"], "2.5.0");
        assert_eq!(found["floor"]["script"], "0003_drop_email.sql");
        assert_eq!(found["deployments"][2]["previous_release"], "2.5.0");
        assert_eq!(found["deployments"][2]["directory_version"], "3");
        for time in ["started_at", "migrated_at", "completed_at"] {
            assert!(found["deployments"][2][time].is_string(), "{found}");
        }
        let shown = text(&project, &["deployments"], 0);
        for expected in [
            "2.6.0",
            "completed",
            "The oldest release that may run is 2.5.0, since 0003_drop_email.sql.",
        ] {
            let _ = shown.clone().expect_text(expected);
        }
        assert_eq!(audited(&target, "deployment.opened"), 3);
        assert_eq!(audited(&target, "deployment.completed"), 3);
        target.assert_left_clean();
    }
}

#[test]
fn a_new_database_waives_the_gates() {
    for target in databases() {
        let project = empty_project_for(&target);
        for migration in [USERS, ADDRESS, DROP] {
            add(&project, migration);
        }
        // Without a release, too.
        let _ = text(&project, &["up"], 0).expect_text("Applied 3 migrations");
        let other = target.another();
        let project = empty_project_for(&other);
        for migration in [USERS, ADDRESS, DROP] {
            add(&project, migration);
        }
        // Also when the first run fails half way and is repeated.
        project.migration(DROP.0, DROP.1.replace("email", "e_mail"));
        let _ = up(&project, "2.6.0", 3);
        assert_eq!(ledger(&project), ["2.6.0 failed"], "{other:?}");
        let _ = deployed(&project, "2.6.0", 5)
            .expect_text("its migrations have not ended well")
            .expect_text("Run `forerun migrate up --release 2.6.0` until it ends well");
        add(&project, DROP);
        let _ = up(&project, "2.6.0", 0).expect_text("deployment 1 of release 2.6.0 opened again");
        assert_eq!(other.applied(), [1, 2, 3], "{other:?}");
        assert_eq!(ledger(&project), ["2.6.0 open"]);
    }
}

#[test]
fn a_skipped_release_is_named_and_the_run_stops_before_the_file() {
    for target in databases() {
        let project = running(&target);
        for migration in [ADDRESS, DROP] {
            add(&project, migration);
        }
        let plan = document(&json(&project, &["plan", "--release", "2.6.0"], 0));
        assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan}");
        assert_eq!(texts(&plan["held"], "script"), ["0003_drop_email.sql"]);
        assert_eq!(
            texts(&plan["held"][0]["reasons"], "gate"),
            ["same_deployment", "still_used"]
        );
        assert_eq!(plan["left_for_later"], json!(["0003_drop_email.sql"]));
        assert_eq!(plan["blocked"], json!([]));
        let _ = up(&project, "2.6.0", 0)
            .expect_text("held: 0003_drop_email.sql")
            .expect_text("deploy release 2.5.0 first, close it with `forerun migrate deployed`")
            .expect_text("release 2.4.0 runs now and still uses what it takes away")
            .expect_text("Stopped before 0003_drop_email.sql");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        assert_eq!(audited(&target, "migration.held"), 1);
        // Other pods of it, which find nothing more to do.
        let held = json(&project, &["up", "--release", "2.6.0"], 0);
        let last = finished(&held);
        assert_eq!(
            (&last["outcome"], &last["migrations"]),
            (&json!("held"), &json!(0))
        );
        assert_eq!(
            lines(&held.stdout)
                .iter()
                .filter(|line| line["event"] == "held")
                .count(),
            1
        );
        assert_eq!(audited(&target, "migration.held"), 2);
        let status = document(&json(&project, &["status"], 0));
        assert_eq!(texts(&status["pending"], "phase"), ["contract"]);
        assert_eq!(texts(&status["held"], "script"), ["0003_drop_email.sql"]);
        let _ = text(&project, &["status"], 0)
            .expect_text("held:")
            .expect_text("1 migration pending; 0003_drop_email.sql has to wait.");
        // Strictly it is an error, with everything before it done.
        let strict = text(&project, &["up", "--release", "2.6.0", "--strict"], 5);
        let _ = strict
            .expect_text("error: 0003_drop_email.sql has to wait: version 2")
            .expect_text("everything from 0003_drop_email.sql on is pending");
        assert_eq!(ledger(&project), ["2.4.0 completed", "2.6.0 open"]);
        // Once this release runs alone, the next run goes on.
        roll_out(&project, "2.6.0");
        let _ = up(&project, "2.6.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
    }
}

#[test]
fn it_needs_a_completed_deployment_and_a_release() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        let _ = up(&project, "2.5.0", 0);
        add(&project, DROP);
        let _ = up(&project, "2.6.0", 0)
            .expect_text(
                "no deployment has been completed since version 2 was applied (with release 2.5.0)",
            )
            .expect_text("release 2.4.0 runs now");
        let _ = text(&project, &["up"], 0).expect_text("without --release (FORERUN_RELEASE)");
        let _ = text(&project, &["up", "--strict"], 5).expect_text("without --release");
        // The rollout of 2.5.0 had ended; nobody had said so.
        let _ = deployed(&project, "2.5.0", 0);
        let _ = text(&project, &["up"], 0).expect_text("without --release");
        let _ = up(&project, "2.6.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
    }
}

#[test]
fn a_rollback_is_a_deployment_of_its_own() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        let _ = up(&project, "2.5.0", 0);
        // Rolled back before it was complete; the old image has the first file only.
        project.remove("migrations/0002_add_address.sql");
        let _ = up(&project, "2.4.0", 0).expect_text("older release after a rollback");
        let _ = deployed(&project, "2.4.0", 0).expect_text("superseded now: 2.5.0");
        assert_eq!(
            ledger(&project),
            ["2.4.0 completed", "2.5.0 superseded", "2.4.0 completed"],
            "{target:?}"
        );
        // What 2.5.0 has added was never rolled out, whatever was completed since.
        add(&project, ADDRESS);
        project.migration(
            DROP.0,
            "-- forerun:contract after=0002\nALTER TABLE users DROP COLUMN email;\n",
        );
        let _ = up(&project, "2.6.0", 0)
            .expect_text("no deployment has been completed since version 2 was applied");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
    }
}

#[test]
fn accepted_downtime_is_audited() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        add(&project, DROP);
        // Strictly, what is held is a failure of the deployment.
        let _ = text(&project, &["up", "--release", "2.6.0", "--strict"], 5);
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        assert_eq!(ledger(&project), ["2.4.0 completed", "2.6.0 failed"]);
        let run = json(
            &project,
            &[
                "up",
                "--release",
                "2.6.0",
                "--accept-downtime",
                "the shop is closed on Sunday",
            ],
            0,
        );
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
        let events = lines(&run.stdout);
        let told = events
            .iter()
            .find(|line| line["event"] == "gate_overridden")
            .unwrap();
        assert_eq!(told["reason"], "the shop is closed on Sunday");
        assert_eq!(
            texts(&told["gates"], "gate"),
            ["same_deployment", "still_used"]
        );
        let history = document(&json(&project, &["history", "3"], 0));
        let audit = history["audit"].as_array().unwrap();
        let entry = audit
            .iter()
            .find(|row| row["event"] == "override.accept_downtime")
            .unwrap();
        assert_eq!(entry["detail"]["reason"], "the shop is closed on Sunday");
        assert_eq!(
            texts(&entry["detail"]["gates"], "gate"),
            ["same_deployment", "still_used"]
        );
        // Nothing to accept is nothing to record.
        let _ = text(&project, &["up", "--accept-downtime", " "], 2);
        let _ = text(&project, &["up", "--accept-downtime", "why not"], 0);
        assert_eq!(audited(&target, "override.accept_downtime"), 1);
    }
}

#[test]
fn scopes_stop_before_what_is_held() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        add(&project, DROP);
        project.migration(
            "0004_fill.sql",
            "-- forerun:data\nUPDATE users SET address = '';\n",
        );
        let run = |scope: &str, code| json(&project, &[scope, "--release", "2.6.0"], code);
        assert_eq!(finished(&run("schema", 0))["outcome"], "held");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        // The data migration comes after it, so the step that should run it cannot; before that nothing is deployed.
        let _ = deployed(&project, "2.6.0", 5).expect_text("have not ended well");
        let data = finished(&run("data", 5));
        assert_eq!(data["error"]["code"], "held", "{data}");
        assert_eq!(target.applied(), [1, 2], "{target:?}");
        // Where the data comes first, the schema run ends before it and nothing is held.
        let other = target.another();
        let project = running(&other);
        project.migration(
            "0002_fill.sql",
            "-- forerun:data\nUPDATE users SET email = '';\n",
        );
        add(&project, DROP);
        let schema = json(&project, &["schema", "--release", "2.6.0", "--strict"], 0);
        assert_eq!(finished(&schema)["outcome"], "up_to_date");
    }
}

#[test]
fn an_old_release_cannot_start_above_its_floor() {
    for target in databases() {
        let project = ready_to_drop(&target);
        let _ = up(&project, "v2.6.0", 0);
        let wait = |release: &str, code| {
            let words = [
                "wait",
                "--version",
                "latest",
                "--release",
                release,
                "--timeout",
                "20s",
            ];
            json(&project, &words, code)
        };
        let refused = wait("2.4.0", 5);
        let last = finished(&refused);
        assert_eq!(last["error"]["code"], "below_floor");
        let message = last["message"].as_str().unwrap();
        assert!(
            message.contains("0003_drop_email.sql has taken away what releases before 2.5.0 use"),
            "{message}"
        );
        assert!(
            lines(&refused.stdout)
                .iter()
                .any(|line| line["event"] == "below_floor")
        );
        assert_eq!(audited(&target, "release.refused"), 1, "{target:?}");
        // Also where only the connection is asked for.
        let _ = text(
            &project,
            &["wait", "--release", "2.4.9", "--timeout", "20s"],
            5,
        );
        // A rollback above the floor, with the files of then.
        project.remove("migrations/0003_drop_email.sql");
        let _ = wait("2.5.0", 0);
        let _ = wait("2.6.0", 0);
        let _ = wait("some-branch", 0);
        let _ = text(
            &project,
            &["wait", "--version", "latest", "--timeout", "20s"],
            0,
        );
        // The old migrations run, and say what is to come.
        let _ = up(&project, "2.4.0", 0).expect_text("the oldest release that can run is 2.5.0");
        // Where the column is back, the release may run again.
        add(&project, DROP);
        project.migration(
            "0003_drop_email.down.sql",
            "ALTER TABLE users ADD COLUMN email varchar(100);\n",
        );
        let _ = text(&project, &["down"], 0);
        assert_eq!(deployments(&project)["floor"], Value::Null);
        let _ = text(
            &project,
            &["wait", "--release", "2.4.0", "--timeout", "20s"],
            0,
        );
    }
}

#[test]
fn closing_is_safe_to_repeat_and_explains_what_it_cannot_close() {
    for target in databases() {
        let project = empty_project_for(&target);
        add(&project, USERS);
        // Nothing at all is there yet.
        let _ = text(&project, &["deployed"], 5).expect_text("the ledger has no deployment");
        let _ = deployed(&project, "1.0", 5).expect_text("--unopened");
        let _ = text(&project, &["deployments"], 0).expect_text("No deployment is recorded");
        let _ = up(&project, "1.0", 0);
        for _ in 0..2 {
            let _ = deployed(&project, "v1.0.0", 0);
        }
        let _ = deployed(&project, "1.0", 0).expect_text("was closed before");
        let _ = text(&project, &["deployed"], 0).expect_text("was closed before");
        assert_eq!(ledger(&project), ["1.0 completed"], "{target:?}");
        let _ = deployed(&project, "1.1", 5)
            .expect_text("it was never opened")
            .expect_text("forerun migrate up --release 1.1");
        // A release with nothing to run is in the ledger after its `up`, and one without an `up` can be put there.
        let _ = up(&project, "1.1", 0).expect_text("Nothing to do");
        let words = ["deployed", "--release", "1.2", "--unopened"];
        let _ = text(&project, &words, 0).expect_text("superseded now: 1.1");
        assert_eq!(
            ledger(&project),
            ["1.0 completed", "1.1 superseded", "1.2 completed"]
        );
        let _ = deployed(&project, "1.0", 5).expect_text("release 1.2 was completed after it");
        assert_eq!(audited(&target, "deployment.superseded"), 1);
        // Another pod, or the same Job again, adds nothing.
        let _ = up(&project, "1.2", 0);
        assert_eq!(ledger(&project).len(), 3);
        // As the Job after a rollout to an older release says it: no run of its own, and the release in the environment.
        let unopened = ["migrate", "deployed", "--unopened"];
        let _ = project
            .run(&unopened)
            .expect_code(2)
            .expect_text("--release");
        let rolled_back = project.command(&unopened).env("FORERUN_RELEASE", "1.0");
        let _ = rolled_back.run().expect_code(0);
        assert_eq!(ledger(&project).last().unwrap(), "1.0 completed");
    }
}

/// A pod that waits for the migrations of its version needs what was added for it.
#[test]
fn nobody_waits_for_a_contract_migration_that_is_held() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        add(&project, DROP);
        let _ = up(&project, "2.5.0", 0).expect_text("held: 0003_drop_email.sql");
        let wait = ["wait", "--version", "latest", "--timeout"];
        let _ =
            text(&project, &[&wait[..], &["20s"]].concat(), 0).expect_text("version 2 is applied");
        // What is added after it is held as well.
        add(&project, LATER);
        let _ = text(&project, &[&wait[..], &["0"]].concat(), 6)
            .expect_text("version 4 is not applied");
    }
}

#[test]
fn an_application_without_migrations_has_a_ledger_too() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.write("migrations/README.md", "none yet\n");
        roll_out(&project, "1.0");
        assert_eq!(ledger(&project), ["1.0 completed"], "{target:?}");
    }
}

#[test]
fn several_close_at_once() {
    for target in databases() {
        let project = running(&target);
        let _ = up(&project, "2.5.0", 0);
        let closing: Vec<_> = (0..4)
            .map(|_| project.spawn(&["migrate", "deployed", "--release", "2.5.0"]))
            .collect();
        for one in closing {
            let _ = one.wait().expect_code(0);
        }
        assert_eq!(
            ledger(&project),
            ["2.4.0 completed", "2.5.0 completed"],
            "{target:?}"
        );
        assert_eq!(audited(&target, "deployment.completed"), 2, "{target:?}");
        target.assert_left_clean();
    }
}

#[test]
fn several_pods_open_one_deployment() {
    for target in databases() {
        let project = running(&target);
        add(&project, ADDRESS);
        let pods: Vec<_> = (0..4)
            .map(|_| project.spawn(&["migrate", "up", "--release", "2.5.0"]))
            .collect();
        for pod in pods {
            let _ = pod.wait().expect_code(0);
        }
        assert_eq!(
            ledger(&project),
            ["2.4.0 completed", "2.5.0 open"],
            "{target:?}"
        );
        let _ = deployed(&project, "2.5.0", 0);
    }
}

#[test]
fn a_forgotten_session_of_an_old_release_holds_it() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = ready_to_drop(&target);
    let mut cron = target.session();
    let _ = cron.run("SET application_name = 'cron@2.4.0';");
    let _ = up(&project, "2.6.0", 0)
        .expect_text("releases before 2.5.0 are still connected: cron@2.4.0");
    assert_eq!(target.applied(), [1, 2]);
    // One that does not tell is a warning, and strictly a reason to wait.
    let _ = cron.run("SET application_name = 'psql';");
    let _ = text(&project, &["up", "--release", "2.6.0", "--strict"], 5)
        .expect_text("1 session is connected without telling a release, such as `psql`");
    let _ = cron.run("SET application_name = 'cron@2.5.0';");
    let _ = text(&project, &["up", "--release", "2.6.0", "--strict"], 0)
        .expect_text("Applied 1 migration");
}

#[test]
fn a_server_that_does_not_know_its_sessions_is_a_warning() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = ready_to_drop(&target);
    let _ = text(&project, &["up", "--release", "2.6.0", "--strict"], 5)
        .expect_text("performance_schema is off on this server");
    let _ = up(&project, "2.6.0", 0)
        .expect_text("warning: which releases are connected cannot be told")
        .expect_text("Applied 1 migration");
}

#[test]
fn mariadb_tells_its_sessions_with_the_performance_schema() {
    let Some(server) = MariadbServer::builder()
        .option("--performance-schema=ON")
        .start()
    else {
        return;
    };
    let target = Target::on_mariadb(&server);
    let project = ready_to_drop(&target);
    let _ = text(
        &project,
        &["up", "--release", "2.6.0", "--dry-run", "--strict"],
        0,
    )
    .expect_text("1 migration to run");
    let mut client = target.session();
    let _ = client.run("SELECT 1;");
    let _ = text(&project, &["up", "--release", "2.6.0", "--strict"], 5)
        .expect_text("1 session is connected without telling a release");
}

#[test]
fn commits_are_releases_as_well() {
    for target in databases() {
        let project = empty_project_for(&target);
        add(&project, USERS);
        roll_out(&project, "a1b2c3d");
        add(&project, ADDRESS);
        project.migration(DROP.0, DROP.1.replace("2.5.0", "e4f5a6b"));
        let _ = up(&project, "e4f5a6b", 0).expect_text(
            "unused-since names this release, e4f5a6b, which was never completed here",
        );
        let _ = deployed(&project, "e4f5a6b", 0);
        let _ = up(&project, "0c1d2e3", 0).expect_text("Applied 1 migration");
        let _ = text(
            &project,
            &["wait", "--release", "a1b2c3d", "--timeout", "20s"],
            5,
        )
        .expect_text("Deploy release e4f5a6b or a newer one");
    }
}

/// Tables that an earlier forerun has made are read as they are, and brought up by the first run that writes.
#[test]
fn tables_of_format_1_are_upgraded_in_place() {
    for target in databases() {
        let project = empty_project_for(&target);
        add(&project, USERS);
        let _ = text(&project, &["up"], 0);
        for sql in [
            "ALTER TABLE forerun_history DROP COLUMN unused_since",
            "ALTER TABLE forerun_history DROP COLUMN deployment",
            "DROP TABLE forerun_deployment",
            "UPDATE forerun_lock SET format = 1",
        ] {
            let _ = target.query(sql);
        }
        let _ = text(&project, &["status"], 0).expect_text("Up to date at version 1");
        let _ = text(&project, &["history"], 0).expect_text("0001_users.sql");
        let _ = text(&project, &["deployments"], 0).expect_text("No deployment is recorded");
        let _ = text(&project, &["wait", "--version", "1", "--release", "1.0"], 0);
        let _ = text(&project, &["up"], 0).expect_text("Nothing to do");
        assert_eq!(
            target.number("SELECT format FROM forerun_lock"),
            1,
            "{target:?}"
        );
        add(&project, ADDRESS);
        add(&project, DROP);
        let _ = up(&project, "2.5.0", 0).expect_text("held: 0003_drop_email.sql");
        assert_eq!(
            target.number("SELECT format FROM forerun_lock"),
            2,
            "{target:?}"
        );
        let _ = deployed(&project, "2.5.0", 0);
        let _ = up(&project, "2.6.0", 0).expect_text("Applied 1 migration");
        assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
        if target.product == Product::Sqlite {
            target.assert_left_clean();
        }
    }
}

/// In the words of who takes the lock.
#[test]
fn tables_of_a_newer_format_are_told_by_whatever_reads_them() {
    for target in databases() {
        let project = empty_project_for(&target);
        add(&project, USERS);
        let _ = text(&project, &["up"], 0);
        let _ = target.query("UPDATE forerun_lock SET format = 9");
        for command in ["status", "history", "plan"] {
            let outcome = project.run(&["--format", "text", "migrate", command]);
            assert!(!outcome.status.success(), "{target:?}: {outcome:?}");
            let _ = outcome.expect_text(
                "the bookkeeping tables were written by a newer forerun (format 9, this build knows 2): use that version",
            );
        }
    }
}

#[test]
fn a_new_contract_migration_is_a_file_with_its_directive() {
    let project = story::project();
    let _ = text(&project, &["new", "drop_email", "--contract"], 0);
    let name = project.list("migrations").pop().unwrap();
    assert!(
        project
            .read(&format!("migrations/{name}"))
            .starts_with("-- forerun:contract\n")
    );
    let _ = text(&project, &["validate", "--dialect", "postgres"], 0);
}

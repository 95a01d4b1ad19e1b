//! The command lines and variables of two published guides (a Helm hook Job that runs `migrate apply`, and Jobs with
//! `migrate up`, `schema` and `data`), typed as they stand there.
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
use std::os::unix::fs::PermissionsExt;

use answers::{Account, databases, finished, servers};
use forerun_test_support::{CommandOutcome, ProjectCommand, ScratchProject};
use story::{Gate, Product, Target, project};

/// Migrations of an application that used golang-migrate before; one of them changes rows.
const SHOP: [(&str, &str); 6] = [
    (
        "000001_users.up.sql",
        "CREATE TABLE users (id integer PRIMARY KEY, email varchar(200) NOT NULL);\n",
    ),
    ("000001_users.down.sql", "DROP TABLE users;\n"),
    (
        "000002_first_user.up.sql",
        "-- forerun:data\nINSERT INTO users (id, email) VALUES (1, 'a@example.com');\n",
    ),
    ("000002_first_user.down.sql", "DELETE FROM users;\n"),
    (
        "000003_orders.up.sql",
        "CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL);\n",
    ),
    ("000003_orders.down.sql", "DROP TABLE orders;\n"),
];

fn shop() -> ScratchProject {
    let project = project();
    for (name, sql) in SHOP {
        project.migration(name, sql);
    }
    project
}

fn with(command: ProjectCommand, variables: &[(String, String)]) -> ProjectCommand {
    variables
        .iter()
        .fold(command, |command, (name, value)| command.env(name, value))
}

fn assert_shop(target: &Target<'_>) {
    assert_eq!(target.applied(), [1, 2, 3], "{target:?}");
    assert_eq!(
        target.query("SELECT email FROM users"),
        "a@example.com",
        "{target:?}"
    );
    assert_eq!(
        target.number("SELECT count(*) FROM orders"),
        0,
        "{target:?}"
    );
    target.assert_left_clean();
}

/// Nothing that looks like a database was made in the project by a run that should have had one.
fn assert_no_scratch_database(project: &ScratchProject) {
    assert_eq!(project.list("."), ["migrations"]);
    assert_eq!(project.list("migrations").len(), SHOP.len());
    assert_eq!(fs::read_dir(project.home()).unwrap().count(), 0);
}

/// `migrate apply -u <URL> --dir file:///src/`, with the parts in the environment as the Job has them: the option
/// wins.
#[test]
fn the_job_of_the_first_guide() {
    for target in databases() {
        let project = project();
        for (name, sql) in SHOP {
            project.write(&format!("src/{name}"), sql);
        }
        let directory = format!("file://{}/", project.path().join("src").display());
        let url = target.url();
        let job = || {
            let job = project.command(&["migrate", "apply", "-u", &url, "--dir", &directory]);
            let unused = ["HOST", "PORT", "NAME", "USER", "PASSWORD"]
                .map(|part| (format!("DATABASE_{part}"), "unused.invalid".to_owned()));
            with(job, &unused).run().expect_code(0)
        };
        let first = finished(&job());
        assert_eq!(first["outcome"], "applied", "{target:?}");
        assert_eq!(first["migrations"], 3, "{target:?}");
        assert_shop(&target);
        // `helm upgrade` with nothing new.
        assert_eq!(finished(&job())["outcome"], "up_to_date", "{target:?}");
        assert_shop(&target);
    }
}

/// `migrate up` with nothing but the five variables, in both spellings.
#[test]
fn parts_of_the_url_from_the_environment() {
    for prefix in ["DATABASE_", "DB_"] {
        for target in servers() {
            let project = shop();
            let variables = Account::of_server(&target).variables(prefix);
            let _ = with(project.command(&["migrate", "up"]), &variables)
                .run()
                .expect_code(0);
            assert_shop(&target);
        }
        let Some(target) = Target::sqlite() else {
            return;
        };
        let file = target.file().path().display().to_string();
        let variables = [(format!("{prefix}NAME"), file)];
        let _ = with(shop().command(&["migrate", "up"]), &variables)
            .run()
            .expect_code(0);
        assert_shop(&target);
    }
}

/// Secrets as mounted files: each variable with `_FILE`, a line end after the value as editors leave it.
#[test]
fn parts_of_the_url_from_files() {
    for prefix in ["DATABASE_", "DB_"] {
        for target in servers() {
            let project = shop();
            let mut variables = Account::of_server(&target).variables(prefix);
            for (name, value) in &mut variables {
                let file = project.write(&format!("secrets/{name}"), format!("{value}\n"));
                *name = format!("{name}_FILE");
                *value = file.display().to_string();
            }
            let _ = with(project.command(&["migrate", "up"]), &variables)
                .run()
                .expect_code(0);
            assert_shop(&target);
        }
    }
}

/// The URL by reference: a variable of any name, a file, and both in DATABASE_URL.
#[test]
fn the_url_by_reference() {
    for target in databases() {
        let project = shop();
        let url = target.url();
        let secret = project.write("secret", format!("{url}\n"));
        let file = format!("file://{}", secret.display());
        let path = secret.display().to_string();
        let up = |arguments: &[&str], variables: &[(&str, &str)]| {
            let mut command = project.command(&["migrate", "up"]);
            for argument in arguments {
                command = command.argument(argument);
            }
            for (name, value) in variables {
                command = command.env(name, value);
            }
            let _ = command.run().expect_code(0);
        };
        up(&["-u", "env://SHOP_DATABASE"], &[("SHOP_DATABASE", &url)]);
        up(&["--url", &file], &[]);
        up(
            &[],
            &[
                ("DATABASE_URL", "env://SHOP_DATABASE"),
                ("SHOP_DATABASE", &url),
            ],
        );
        up(&[], &[("DATABASE_URL", &file)]);
        up(&[], &[("DATABASE_URL_FILE", &path)]);
        assert_shop(&target);
        // A secret that is not there is named.
        for (reference, named) in [
            ("env://SHOP_DATABASE", "SHOP_DATABASE"),
            ("file:///run/secrets/none", "/run/secrets/none"),
        ] {
            let _ = project
                .run(&["--format", "text", "migrate", "up", "-u", reference])
                .expect_code(2)
                .expect_text(named);
        }
    }
}

/// What libpq understands: the unix socket, `PG*` variables, `~/.pgpass`.
#[test]
fn postgresql_as_libpq_knows_it() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = shop();
    let account = Account::of_server(&target);
    let _ = project
        .run(&["migrate", "up", "-u", &target.database().socket_url])
        .expect_code(0);
    assert_shop(&target);
    let pgpass = project.home().join(".pgpass");
    let line = format!("127.0.0.1:*:*:{}:{}\n", account.user, account.password);
    fs::write(&pgpass, line).unwrap();
    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o600)).unwrap();
    let outcome = project
        .command(&["migrate", "up"])
        .env("DATABASE_URL", "postgres://")
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", &account.port.to_string())
        .env("PGDATABASE", &account.database)
        .env("PGUSER", &account.user)
        .run()
        .expect_code(0);
    assert_eq!(finished(&outcome)["outcome"], "up_to_date");
}

#[test]
fn mariadb_through_its_socket() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = shop();
    let _ = project
        .run(&["migrate", "up", "-u", &target.database().socket_url])
        .expect_code(0);
    assert_shop(&target);
}

/// The two steps of the second guide: `migrate schema`, then `migrate data`.
#[test]
fn schema_and_data_as_steps() {
    for target in databases() {
        let mut project = shop();
        project.set_env("DATABASE_URL", &target.url());
        project.set_env("MIGRATION_TIMEOUT", "300");
        project.set_env("MIGRATION_LOCK_TIMEOUT", "60");

        // In the wrong order nothing happens.
        let refused = project
            .run(&["--format", "text", "migrate", "data"])
            .expect_code(5);
        let refused = refused
            .expect_text("000001_users.up.sql")
            .expect_text("forerun migrate schema");
        drop(refused.expect_text("Nothing was run"));
        assert!(
            target.try_query("SELECT 1 FROM users").is_err(),
            "{target:?}"
        );

        let schema = finished(&project.run(&["migrate", "schema"]).expect_code(0));
        assert_eq!(
            (&schema["outcome"], &schema["migrations"]),
            (&"applied".into(), &1.into())
        );
        assert_eq!(
            target.applied(),
            [1],
            "the data migration and what follows it stay"
        );
        // The Job is started again, by its backoffLimit or by the next release.
        let again = project
            .run(&["--format", "text", "migrate", "schema"])
            .expect_code(0);
        drop(again.expect_text("000002_first_user.up.sql"));
        assert_eq!(target.applied(), [1]);

        let data = finished(&project.run(&["migrate", "data"]).expect_code(0));
        assert_eq!(
            data["migrations"], 2,
            "{target:?}: it runs to the end, in order"
        );
        assert_shop(&target);
        for step in ["schema", "data", "up"] {
            let outcome = project.run(&["migrate", step]).expect_code(0);
            assert_eq!(
                finished(&outcome)["outcome"],
                "up_to_date",
                "{target:?} {step}"
            );
        }
    }
}

/// A step of data where there is none succeeds: charts keep it in every release.
#[test]
fn a_release_without_data_migrations() {
    let Some(target) = Target::sqlite() else {
        return;
    };
    let mut project = project();
    project.set_env("DATABASE_URL", &target.url());
    project.migration("0001_users.sql", "CREATE TABLE users (id integer);\n");
    let _ = project.run(&["migrate", "schema"]).expect_code(0);
    let _ = project.run(&["migrate", "data"]).expect_code(0);
    assert_eq!(target.applied(), [1]);
}

fn stopped(outcome: &CommandOutcome) -> String {
    let last = finished(outcome);
    last["error"]["code"].as_str().expect("a word").to_owned()
}

/// `MIGRATION_TIMEOUT` is the limit of the whole run: the statement is cancelled on the server, nothing is left.
#[test]
fn the_time_limit_from_the_environment() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let mut project = project();
        project.set_env("DATABASE_URL", &target.url());
        project.migration(
            "0001_slow.sql",
            format!("{}CREATE TABLE late (id integer);\n", gate.sql()),
        );
        let outcome = project
            .command(&["migrate", "up"])
            .env("MIGRATION_TIMEOUT", "1")
            .env("MIGRATION_LOCK_TIMEOUT", "60")
            .run()
            .expect_code(75);
        assert_eq!(stopped(&outcome), "timed_out", "{target:?}");
        assert!(
            target.try_query("SELECT 1 FROM late").is_err(),
            "{target:?}"
        );
        assert_eq!(target.applied(), [0_i64; 0]);
        gate.wait_until_left();
        gate.open();
        let _ = project.run(&["migrate", "up"]).expect_code(0);
        assert_eq!(target.applied(), [1]);
    }
}

/// `MIGRATION_LOCK_TIMEOUT` is how long another runner is waited for, and that one is named.
#[test]
fn the_lock_timeout_from_the_environment() {
    for target in servers() {
        let mut gate = Gate::closed(&target);
        let mut project = project();
        project.set_env("DATABASE_URL", &target.url());
        project.migration("0001_slow.sql", gate.sql());
        let first = project
            .command(&["migrate", "up"])
            .env("FORERUN_ACTOR", "first-release")
            .spawn();
        gate.wait_until_reached();
        let started = std::time::Instant::now();
        let second = project
            .command(&["--format", "text", "migrate", "up"])
            .env("MIGRATION_LOCK_TIMEOUT", "1")
            .run()
            .expect_code(75)
            .expect_text("first-release")
            .expect_text("--lock-timeout");
        assert!(started.elapsed().as_millis() >= 1000, "{second:?}");
        gate.open();
        let _ = first.wait().expect_code(0);
        assert_eq!(target.applied(), [1]);
    }
}

/// In a cluster with a Service called `db` or `database`, pods have `DB_PORT=tcp://…`. That is explained.
#[test]
fn a_service_link_in_place_of_the_port() {
    let project = shop();
    for prefix in ["DATABASE_", "DB_"] {
        let outcome = project
            .command(&["--format", "text", "migrate", "up"])
            .env(&format!("{prefix}HOST"), "db")
            .env(&format!("{prefix}PORT"), "tcp://10.96.17.4:5432")
            .env(&format!("{prefix}NAME"), "shop")
            .env(&format!("{prefix}USER"), "shop")
            .env(&format!("{prefix}PASSWORD"), "secret")
            .run()
            .expect_code(2)
            .expect_text("tcp://")
            .expect_text(&format!("{prefix}PORT"))
            .expect_text("Kubernetes")
            .expect_text("enableServiceLinks: false");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
    }
    assert_no_scratch_database(&project);
    // Where the URL is given, nobody looks at it.
    let Some(target) = Target::sqlite() else {
        return;
    };
    let _ = project
        .command(&["migrate", "up", "-u", &target.url()])
        .env("DATABASE_PORT", "tcp://10.96.17.4:5432")
        .run()
        .expect_code(0);
}

/// A Job without its secret must not "succeed" on a database that nobody asked for.
#[test]
fn without_a_url_it_says_what_to_set() {
    let project = shop();
    for command in [
        &["migrate", "up"][..],
        &["migrate", "apply"],
        &["migrate", "schema"],
        &["migrate", "data"],
        &["migrate", "down"],
        &["migrate", "plan"],
        &["migrate", "status"],
        &["migrate", "history"],
        &["migrate", "wait"],
        &["migrate", "baseline", "1"],
        &["migrate", "repair"],
        &["migrate", "unlock"],
        &["exec", "--", "true"],
    ] {
        let mut words = vec!["--format", "text"];
        words.extend(command);
        let outcome = project.run(&words).expect_code(2);
        for named in ["DATABASE_URL", "--url", "DATABASE_HOST", "DB_HOST"] {
            assert!(outcome.stderr.contains(named), "{named}: {outcome:?}");
        }
    }
    // A value of the chart that was not set.
    for url in ["", " "] {
        let outcome = project.run(&["--format", "text", "migrate", "apply", "-u", url]);
        drop(outcome.expect_code(2).expect_text("--url is empty"));
    }
    // A part of the parts is missing.
    for (name, value, missing) in [
        ("DB_HOST", "db", "DB_NAME"),
        ("DATABASE_NAME", "shop", "DATABASE_HOST"),
    ] {
        let outcome = project
            .command(&["--format", "text", "migrate", "up"])
            .env(name, value)
            .run();
        drop(outcome.expect_code(2).expect_text(missing));
    }
    assert_no_scratch_database(&project);
}

/// The init container of the second guide, without `nc`.
#[test]
fn waiting_for_a_database_that_is_starting() {
    let project = shop();
    let Some(target) = Target::postgres() else {
        return;
    };
    let proxy = target.database().proxy();
    proxy.refuse(true);
    let url = target.database().url_through(&proxy);
    let mut waiting = project.spawn(&["migrate", "wait", "-u", &url, "--timeout", "60"]);
    let mut job = project.spawn(&["migrate", "up", "-u", &url, "--wait", "1m"]);
    waiting.wait_for_output("database_waiting");
    job.wait_for_output("database_waiting");
    proxy.refuse(false);
    let _ = waiting.wait().expect_code(0);
    let _ = job.wait().expect_code(0);
    assert_eq!(target.product, Product::Postgres);
    assert_shop(&target);
}

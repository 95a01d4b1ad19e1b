//! What the examples and the Kubernetes guide show, done: a Django project from PyPI under the runner lock, a chart of
//! one's own under Helm, and every values file and command line in them.
//!
//! Django comes from PyPI (kept in `~/.cache/forerun`), Helm from `FORERUN_TEST_HELM`, `PATH` or the cache that
//! `scripts/cluster build` fills. Where one cannot be had the tests say SKIPPED, or fail where `CI` is set.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod answers;
mod django;
mod markdown;
mod story;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use answers::{Account, databases};
use forerun_test_support::{CommandOutcome, helm_programs};
use story::{Product, Target, empty_project_for, project, skipped, wait_for};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the crate is in the repository")
}

fn example(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

/// Skips the calling test, or fails it in CI.
fn missing(why: &str) {
    let in_ci = env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    assert!(!in_ci, "{why} (nothing is skipped where CI is set)");
    skipped(why);
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}

fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

// ------------------------------------------------------------------------------------------------- Django

/// `forerun exec -- python manage.py migrate …`, as the migration Job runs it.
const MIGRATE: [&str; 8] = [
    "--format",
    "text",
    "exec",
    "--",
    "python",
    "manage.py",
    "migrate",
    "--noinput",
];

#[test]
fn two_django_migrations_at_once_run_one_after_the_other() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let Some(project) = django::project(&target) else {
        return;
    };
    let before = [&MIGRATE[..], &["orders", "0002"]].concat();
    let _ = project.run(&before).expect_code(0);
    target.query("INSERT INTO orders_customer (name, email) VALUES ('Ada', 'Ada@Example.com')");

    // The data migration has to wait for a session of the application, so the first runner is at work for as long.
    let mut application = target.session();
    application.run("BEGIN; LOCK TABLE orders_customer IN ACCESS EXCLUSIVE MODE;");
    let first = project.spawn(&MIGRATE);
    wait_for("the first one holds the lock", || {
        !target.holder().is_empty()
    });
    let mut second = project.spawn(&MIGRATE);
    second.wait_for_output("waiting for the runner lock");
    application.run("COMMIT;");

    let first = first.wait().expect_code(0);
    assert!(
        first
            .stdout
            .contains("Applying orders.0003_fill_email_key... OK"),
        "{first:?}"
    );
    let second = second.wait().expect_code(0);
    assert!(
        second.stdout.contains("No migrations to apply."),
        "{second:?}"
    );
    assert_eq!(
        target.query("SELECT email_key FROM orders_customer"),
        "ada@example.com"
    );
    let done = "SELECT count(*) FROM django_migrations WHERE app = 'orders'";
    assert_eq!(target.number(done), 3);
}

#[test]
fn a_django_migration_that_fails_ends_with_its_own_exit_code() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let Some(project) = django::project(&target) else {
        return;
    };
    let broken = "orders/migrations/0004_broken.py";
    project.write(
        broken,
        "from django.db import migrations\n\n\n\
         class Migration(migrations.Migration):\n    \
             dependencies = [('orders', '0003_fill_email_key')]\n    \
             operations = [migrations.RunSQL('ALTER TABLE no_such_table ADD COLUMN x integer')]\n",
    );
    let outcome = project.run(&MIGRATE).expect_code(1);
    assert!(
        outcome
            .stdout
            .contains("Applying orders.0003_fill_email_key... OK"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("no_such_table"), "{outcome:?}");
    assert_eq!(target.holder(), "", "the lock is given back");
    project.remove(broken);
    let outcome = project.run(&MIGRATE).expect_code(0);
    assert!(
        outcome.stdout.contains("No migrations to apply."),
        "{outcome:?}"
    );
}

#[test]
fn django_models_and_migrations_agree() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let Some(project) = django::project(&target) else {
        return;
    };
    let check = [
        "exec",
        "--",
        "python",
        "manage.py",
        "makemigrations",
        "--check",
        "--dry-run",
    ];
    let _ = project.run(&check).expect_code(0);
}

// --------------------------------------------------------------------------------------------------- shop

/// The page that the readiness probe of the shop asks for.
fn products(account: &Account) -> String {
    let program = example("shop").join("app/products");
    let mut command = Command::new(program);
    command.env("DATABASE_HOST", "127.0.0.1").env("LC_ALL", "C");
    for (name, value) in account.variables("DATABASE_") {
        command.env(name, value);
    }
    succeed(&mut command)
}

#[test]
fn the_shop_opens_when_its_migrations_are_applied() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let account = Account::of_server(&target);
    let closed = products(&account);
    assert!(closed.starts_with("Status: 503"), "{closed}");
    assert!(
        !closed.contains("relation"),
        "the page tells nothing of the database: {closed}"
    );
    let directory = example("shop").join("migrations");
    let directory = directory.display().to_string();
    let _ = empty_project_for(&target)
        .run(&["migrate", "up", "--dir", &directory])
        .expect_code(0);
    let open = products(&account);
    assert!(open.contains("Blue mug|12.50\n"), "{open}");
    assert!(open.contains("Tea pot, one litre|39.00\n"), "{open}");
}

#[test]
fn the_shop_migrates_on_every_product_and_back_again() {
    let directory = example("shop").join("migrations").display().to_string();
    for target in databases() {
        let project = empty_project_for(&target);
        let _ = project
            .run(&["migrate", "up", "--dir", &directory])
            .expect_code(0);
        assert_eq!(target.applied(), [1, 2, 3, 4, 5], "{target:?}");
        assert_eq!(
            target.number("SELECT count(*) FROM products"),
            3,
            "{target:?}"
        );
        // MariaDB wants the table in DROP INDEX, the others do not know that.
        if target.product != Product::Mariadb {
            let _ = project
                .run(&["migrate", "down", "5", "--dir", &directory])
                .expect_code(0);
            assert!(target.applied().is_empty(), "{target:?}");
        }
    }
}

// ------------------------------------------------------------------------------------- a chart of one's own

/// The values with which the chart is tried.
const VARIANTS: [&[&str]; 2] = [&[], &["--values", "values-django.yaml"]];

fn helm(program: &Path, arguments: &[&str]) -> String {
    let chart = example("helm-hook");
    succeed(Command::new(program).args(arguments).current_dir(chart))
}

fn template(program: &Path, release: &str, options: &[&str]) -> String {
    helm(program, &[&["template", release, "."], options].concat())
}

#[test]
fn helm_finds_nothing_wrong_with_the_chart() {
    for program in helm_programs() {
        for variant in VARIANTS {
            helm(&program, &[&["lint", "--strict", "."], variant].concat());
        }
        let typo = ["lint", ".", "--set", "migrations.backofLimit=1"];
        let output = run(Command::new(&program)
            .args(typo)
            .current_dir(example("helm-hook")));
        assert!(!output.status.success(), "{output:?}");
    }
}

#[test]
fn the_chart_does_not_have_the_faults_of_the_usual_recipe() {
    for program in helm_programs() {
        for variant in VARIANTS {
            let longest = "r".repeat(53);
            let text = template(&program, &longest, variant);
            assert_eq!(
                text,
                template(&program, &longest, variant),
                "it renders the same every time"
            );
            let names: Vec<&str> = text
                .lines()
                .filter_map(|line| line.strip_prefix("  name: "))
                .collect();
            assert_eq!(names.len(), 2, "{text}");
            assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
            assert!(text.contains("value: \"5432\""), "{text}");
            assert!(!text.contains("imagePullSecrets"), "{text}");
            let secret = ["--set", "imagePullSecret=registry"];
            let text = template(&program, "shop", &[variant, &secret].concat());
            assert_eq!(
                text.matches("imagePullSecrets:\n        - name: \"registry\"")
                    .count(),
                2,
                "{text}"
            );
        }
    }
}

#[test]
fn forerun_check_finds_nothing_in_the_chart() {
    for program in helm_programs() {
        for variant in VARIANTS {
            assert_nothing_found(&template(&program, "shop", variant), "examples/helm-hook");
        }
    }
}

fn assert_nothing_found(manifests: &str, of: &str) {
    // Some of the values are for a Helm that waits longer than it does by itself.
    let outcome = project()
        .command(&[
            "--format",
            "json",
            "check",
            "--strict",
            "--helm-timeout",
            "2h",
            "-",
        ])
        .input(manifests)
        .run();
    assert_eq!(outcome.code(), Some(0), "{of}: {outcome:?}");
    let answer = answers::document(&outcome);
    assert_eq!(
        answer["findings"].as_array().map(Vec::len),
        Some(0),
        "{of}: {answer:#}"
    );
}

// --------------------------------------------------------------------- values and commands of the guide

/// The pages whose values and commands are tried.
fn pages() -> Vec<PathBuf> {
    let root = repository();
    let mut pages = vec![root.join("README.md")];
    for directory in [
        "docs/guide",
        "docs/guide/kubernetes",
        "examples/shop",
        "examples/django",
        "examples/helm-hook",
    ] {
        let entries = fs::read_dir(root.join(directory)).unwrap().flatten();
        pages.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
        );
    }
    pages.sort();
    pages
}

/// Every values file that is shown: where it stands, and its text.
fn shown_values() -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for name in ["shop", "django"] {
        let file = example(name).join("values.yaml");
        shown.push((
            file.display().to_string(),
            fs::read_to_string(file).unwrap(),
        ));
    }
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for block in markdown::blocks(&text) {
            let place = format!("{}:{}", page.display(), block.line);
            match block.kind.as_str() {
                "yaml values" => shown.push((place, block.text)),
                "yaml migrations" => shown.push((place, markdown::under_a_deployment(&block.text))),
                _ => {}
            }
        }
    }
    assert!(shown.len() > 10, "the guide shows values: {}", shown.len());
    shown
}

#[test]
fn the_links_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in markdown::links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let headings = markdown::headings(&fs::read_to_string(&target).unwrap());
                assert!(
                    headings.iter().any(|known| known == heading),
                    "{}: {link}\n{headings:#?}",
                    page.display()
                );
            }
        }
    }
}

fn render(values: &str, options: &[&str]) -> CommandOutcome {
    let arguments = [
        "--format", "text", "render", "--name", "shop", "--values", "-",
    ];
    project()
        .command(&[&arguments, options].concat())
        .input(values)
        .run()
}

#[test]
fn the_values_that_are_shown_can_be_rendered() {
    for (place, values) in shown_values() {
        // As they say themselves; and, where they say nothing about it, for every delivery.
        let mut deliveries: Vec<&[&str]> = vec![&[]];
        if !values.contains("hook:") {
            deliveries.extend([&["--delivery", "argo"][..], &["--delivery", "plain"]]);
        }
        for delivery in deliveries {
            let of = format!("{place} {delivery:?}");
            let outcome = render(&values, delivery);
            assert_eq!(outcome.code(), Some(0), "{of}: {outcome:?}");
            assert!(outcome.stdout.contains("kind: Job"), "{of}: {outcome:?}");
            assert_nothing_found(&outcome.stdout, &of);
        }
    }
}

#[test]
fn the_commands_that_are_shown_exist() {
    let mut known = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for block in markdown::blocks(&text) {
            if block.kind != "sh" && block.kind != "console" {
                continue;
            }
            for words in markdown::commands(&block.text, "forerun") {
                // The options are read up to --help, which then ends it.
                let end = words
                    .iter()
                    .position(|word| word == "--")
                    .unwrap_or(words.len());
                let mut arguments: Vec<&str> = words[..end].iter().map(String::as_str).collect();
                arguments.push("--help");
                let outcome = project().run(&arguments);
                assert_eq!(
                    outcome.code(),
                    Some(0),
                    "{}:{}: {words:?}\n{outcome:?}",
                    page.display(),
                    block.line
                );
                known += 1;
            }
        }
    }
    assert!(known > 20, "the guide shows commands: {known}");
}

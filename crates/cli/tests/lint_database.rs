//! `forerun migrate lint` with both `--dialect` and a database.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, document, json, text};
use forerun_test_support::ScratchProject;
use story::{Product, Target, empty_project_for};

/// What a user calls the product.
fn dialect(target: &Target<'_>) -> &'static str {
    match target.product {
        Product::Postgres => "postgres",
        Product::Mariadb => "mariadb",
        Product::Sqlite => "sqlite",
    }
}

/// The first of two migrations is applied.
fn half_applied(target: &Target<'_>) -> ScratchProject {
    let project = empty_project_for(target);
    project.migration(
        "0001_orders.sql",
        "CREATE TABLE orders (id bigint PRIMARY KEY);\n",
    );
    let _ = text(&project, &["up"], 0);
    project.migration(
        "0002_more.sql",
        "ALTER TABLE orders ADD COLUMN note text;\n",
    );
    project
}

#[test]
fn the_database_of_the_url_is_asked_whatever_says_the_dialect() {
    for target in databases() {
        let project = half_applied(&target);
        let judged = |words: &[&str]| {
            let found = document(&json(&project, &[&["lint"], words].concat(), 0));
            (
                found["judged"].clone(),
                found["schema_from"].as_str().unwrap().to_owned(),
            )
        };
        let (url, dialect) = (target.url(), dialect(&target));
        let pending = (1.into(), "database".to_owned());
        assert_eq!(judged(&["--url", &url]), pending, "{target:?}");
        assert_eq!(
            judged(&["--url", &url, "--dialect", dialect]),
            pending,
            "{target:?}"
        );
        // The one of the environment is there for other commands.
        let all = (2.into(), "directory".to_owned());
        assert_eq!(judged(&["--dialect", dialect]), all, "{target:?}");
    }
}

#[test]
fn a_database_of_another_kind_is_refused() {
    for target in databases() {
        let project = half_applied(&target);
        let other = match target.product {
            Product::Sqlite => "postgres",
            Product::Postgres | Product::Mariadb => "sqlite",
        };
        let url = target.url();
        let _ = text(&project, &["lint", "--url", &url, "--dialect", other], 2)
            .expect_text("--dialect says")
            .expect_text("Leave --dialect out");
        // Also where no database is asked.
        let words = ["lint", "--url", &url, "--dialect", other, "--base", "main"];
        let _ = text(&project, &words, 2).expect_text("--dialect says");
    }
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = half_applied(&target);
    let words = ["lint", "--url", &target.url(), "--dialect", "mysql"];
    let _ = text(&project, &words, 2)
        .expect_text("the server is MariaDB")
        .expect_text("are to be judged for MySQL");
}

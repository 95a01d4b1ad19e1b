//! Where an error is: file, line and column, with a caret exactly under the place.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use answers::{databases, finished};
use story::{Product, Target, empty_project_for};
use unicode_width::UnicodeWidthStr;

/// What stands above the caret, from its column to the end of the line.
fn under_the_caret(stderr: &str) -> String {
    let mut above = "";
    for line in stderr.lines() {
        if let Some(before) = line.strip_suffix('^') {
            let column = before.width();
            let mut width = 0;
            let rest = above.chars().skip_while(|character| {
                let before = width;
                width += character.to_string().width();
                before < column
            });
            return rest.collect();
        }
        above = line;
    }
    panic!("no caret in\n{stderr}");
}

/// An `up` that fails at `wrong` in its only migration: the place, the caret and the JSON name it exactly.
fn points_at(target: &Target<'_>, sql: &str, wrong: &str) {
    let project = empty_project_for(target);
    let position = sql.find(wrong).expect("it is in there");
    let before = &sql[..position];
    let line = before.matches('\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = sql[line_start..position].chars().count() + 1;
    // Line 1 holds a whole statement, so that the place counts in the file and not in the statement.
    project.migration(
        "0001_a.sql",
        format!("CREATE TABLE users (id integer);\n{sql}"),
    );
    let outcome = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(3);
    let place = format!("migrations/0001_a.sql:{}:{column}\n", line + 1);
    assert!(
        outcome.stderr.contains(&place),
        "{target:?}: {place}{outcome:?}"
    );
    let found = under_the_caret(&outcome.stderr);
    assert!(
        found.starts_with(wrong.trim_start()),
        "{target:?}: {found:?} instead of {wrong:?}\n{outcome:?}"
    );
    // A column of spaces and bars in front of it: nothing but the caret stands in its line.
    let error = finished(
        &project
            .run(&["--format", "json", "migrate", "up"])
            .expect_code(3),
    )["error"]
        .clone();
    assert_eq!(error["line"], line + 1, "{target:?}: {error}");
    assert_eq!(error["column"], column, "{target:?}: {error}");
    assert_eq!(error["file"], "migrations/0001_a.sql");
}

#[test]
fn the_caret_is_exactly_under_the_place() {
    for target in databases() {
        points_at(&target, "INSERT INTO users (id) VALUEZ (1);\n", "VALUEZ");
        points_at(
            &target,
            "INSERT INTO users (id)\n\n    VALUEZ (1);\n",
            "VALUEZ",
        );
        points_at(
            &target,
            "INSERT INTO users\n\t(id)\n\t\tVALUEZ\t(1);\n",
            "VALUEZ",
        );
        points_at(
            &target,
            "/* größe */ INSERT INTO users (id) /* 日本語 */ VALUEZ (1);\n",
            "VALUEZ",
        );
        points_at(
            &target,
            "INSERT INTO users (id) SELECT length('é😀日本') VALUEZ (1);\n"
                .replace("VALUEZ (1)", "FROM FROM x")
                .as_str(),
            "FROM x",
        );
        points_at(
            &target,
            "\r\nINSERT INTO users (id)\r\n  VALUEZ (1);\r\n",
            "VALUEZ",
        );
    }
}

/// Where the server names a column or a table, its name is found too, where it says where.
#[test]
fn a_name_that_does_not_exist() {
    for target in databases() {
        if target.product == Product::Mariadb {
            continue;
        }
        points_at(
            &target,
            "INSERT INTO users (id)\n  SELECT nothing FROM users;\n",
            "nothing",
        );
    }
    let Some(target) = Target::postgres() else {
        return;
    };
    points_at(&target, "SELECT 'ü', \"größe\" FROM users;\n", "\"größe\"");
    points_at(
        &target,
        "SELECT 1;\nALTER TABLE users\n  ADD COLUMN note textt;\n",
        "textt",
    );
}

/// An error without a place in its statement is shown at the statement's own.
#[test]
fn an_error_that_is_about_rows() {
    for target in databases() {
        let project = empty_project_for(&target);
        project.migration(
            "0001_a.sql",
            "CREATE TABLE users (id integer PRIMARY KEY);\nINSERT INTO users VALUES (1);\n  INSERT INTO users\n    VALUES (1);\n",
        );
        let _ = project
            .run(&["--format", "text", "migrate", "up"])
            .expect_code(3)
            .expect_text("migrations/0001_a.sql:3:3\n")
            .expect_text("3 │ INSERT INTO users")
            .expect_text("in statement 3");
    }
}

/// A long line is cut around the place, and a statement of megabytes is not printed.
#[test]
fn long_statements_are_cut() {
    for target in databases() {
        let values = "(1), ".repeat(100_000);
        let sql = format!("INSERT INTO users (id) VALUES {values}VALUEZ (1);\n");
        let project = empty_project_for(&target);
        project.migration(
            "0001_a.sql",
            format!("CREATE TABLE users (id integer);\n{sql}"),
        );
        let outcome = project
            .run(&["--format", "text", "migrate", "up"])
            .expect_code(3);
        assert!(
            outcome.stderr.len() < 4000,
            "{} bytes",
            outcome.stderr.len()
        );
    }
}

/// Rows of a COPY that the server cannot read: the place of the COPY, and which row it was.
#[test]
fn a_row_of_a_copy() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_a.sql",
        "CREATE TABLE users (id integer, name text);\n\nCOPY users (id, name) FROM STDIN;\n1\ta\nx\tb\n\\.\nSELECT 1;\n",
    );
    let _ = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(3)
        .expect_text("migrations/0001_a.sql:3:1\n")
        .expect_text("COPY users, line 2, column id: \"x\"");
}

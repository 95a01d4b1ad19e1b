//! Reading 10,000 files of each layout, beside reading the same bytes and hashing them once.

use std::fs;
use std::path::Path;

use crate::measure::{Entrant, contest, run};
use crate::options::Options;
use crate::report::Report;
use crate::store::clean;

const BOUND: f64 = 2.0;
const ROUNDS: usize = 15;

/// A layout, and the file of one migration: its path from the directory on, and its text.
type File = fn(usize, &str) -> (String, String);

const LAYOUTS: &[(&str, File)] = &[
    ("native", |number, sql| {
        (format!("{number:05}_create_item.sql"), sql.to_owned())
    }),
    ("golang-migrate", |number, sql| {
        (format!("{number:05}_create_item.up.sql"), sql.to_owned())
    }),
    ("goose", |number, sql| {
        let name = format!("{number:05}_create_item.sql");
        (name, format!("-- +goose Up\n{sql}\n-- +goose Down\nDROP TABLE item_{number};\n"))
    }),
    ("dbmate", |number, sql| {
        let name = format!("{number:05}_create_item.sql");
        (name, format!("-- migrate:up\n{sql}\n-- migrate:down\nDROP TABLE item_{number};\n"))
    }),
    ("flyway", |number, sql| {
        (format!("V{number}__create_item.sql"), sql.to_owned())
    }),
    ("atlas", |number, sql| {
        (format!("{number:05}_create_item.sql"), sql.to_owned())
    }),
    ("sqlx", |number, sql| {
        (format!("{number:05}_create_item.sql"), sql.to_owned())
    }),
    ("refinery", |number, sql| {
        (format!("V{number}__create_item.sql"), sql.to_owned())
    }),
    ("diesel", |number, sql| {
        (format!("{number:05}_create_item/up.sql"), sql.to_owned())
    }),
    ("liquibase", |number, sql| {
        let name = format!("{number:05}_create_item.sql");
        let rollback = format!("--rollback DROP TABLE item_{number};");
        (name, format!("--liquibase formatted sql\n\n--changeset ann:{number}\n{sql}\n{rollback}\n"))
    }),
    ("tern", |number, sql| {
        let name = format!("{number:05}_create_item.sql");
        let separator = "---- create above / drop below ----";
        (name, format!("{sql}\n{separator}\nDROP TABLE item_{number};\n"))
    }),
];

/// Measures each layout.
///
/// # Errors
/// The directories cannot be written.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let count = if options.quick { 500 } else { 10_000 };
    report.say(&format!("\n## Reading {count} files ({ROUNDS} rounds)\n"));
    let reader = std::env::current_exe()
        .map_err(|error| error.to_string())?
        .with_file_name("read-directory");
    for (layout, file) in LAYOUTS {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        write(directory.path(), count, *file)?;
        let read = |layout: &str| {
            let mut command = clean(&reader);
            command.arg(layout).arg(directory.path());
            run(&mut command)
        };
        let entrants = vec![
            Entrant::new(layout, || read(layout)),
            Entrant::new("read each file and hash it", || read("plain")),
        ];
        let series = contest(layout, ROUNDS, entrants);
        report.table(&series);
        let what = format!("{layout}: forerun ÷ reading and hashing once");
        report.ratio(&what, &series[0], &series[1], BOUND);
    }
    Ok(())
}

fn write(directory: &Path, count: usize, file: File) -> Result<(), String> {
    for number in 1..=count {
        let sql = format!(
            "-- The items of shop {number}, with what the till needs.\nCREATE TABLE item_{number} (\n    id bigint NOT NULL \
             PRIMARY KEY,\n    name varchar(200) NOT NULL,\n    price numeric(12, 2) NOT NULL DEFAULT 0,\n    created_at \
             timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP\n);\nCREATE INDEX item_{number}_name ON item_{number} (name);\n"
        );
        let (name, text) = file(number, &sql);
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| error.to_string())?;
        }
        fs::write(path, text).map_err(|error| error.to_string())?;
    }
    Ok(())
}

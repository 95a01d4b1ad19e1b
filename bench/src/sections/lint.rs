//! `forerun migrate lint`: one file, and 10,000 files of which each changes the table of the one before.

use std::fs;
use std::path::Path;

use crate::measure::{Entrant, contest, median, run};
use crate::options::Options;
use crate::report::Report;
use crate::store::clean;

const ONE_MILLISECONDS: f64 = 20.0;
const ALL_SECONDS: f64 = 5.0;

/// Measures both, as whole processes.
///
/// # Errors
/// The directories cannot be written.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let count = if options.quick { 500 } else { 10_000 };
    report.say(&format!("\n## forerun migrate lint, 1 and {count} files\n"));
    let (one, all) = (directory(1)?, directory(count)?);
    let lint = |directory: &Path| {
        let mut command = clean(&options.forerun);
        let words = ["migrate", "lint", "--dialect", "postgres", "--dir"];
        run(command.args(words).arg(directory))
    };
    let small = contest("lint of 1 file", 30, vec![Entrant::new("1 file", || lint(one.path()))]);
    let large = contest(
        "lint of all files",
        5,
        vec![Entrant::new("all files", || lint(all.path()))],
    );
    report.table(&small);
    report.table(&large);
    let milliseconds = median(&small[0].walls()).map(|seconds| seconds * 1000.0);
    report.bound("lint of 1 file, median", milliseconds, ONE_MILLISECONDS, " ms");
    let what = format!("lint of {count} files, median");
    report.bound(&what, median(&large[0].walls()), ALL_SECONDS, " s");
    Ok(())
}

fn directory(count: usize) -> Result<tempfile::TempDir, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    for number in 1..=count {
        let sql = format!(
            "-- The items of shop {number}, with what the till needs.\nCREATE TABLE item_{number} (\n    id bigint NOT NULL \
             PRIMARY KEY,\n    name varchar(200) NOT NULL,\n    price numeric(12, 2) NOT NULL DEFAULT 0,\n    created_at \
             timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP\n);\nCREATE INDEX item_{number}_name ON item_{number} (name);\n\
             ALTER TABLE item_{} ADD COLUMN note text;\n",
            number.saturating_sub(1).max(1)
        );
        let path = directory.path().join(format!("{number:05}_create_item.sql"));
        fs::write(path, sql).map_err(|error| error.to_string())?;
    }
    Ok(directory)
}

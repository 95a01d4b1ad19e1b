//! Measures forerun: how its time relates to a plain client session, to the least that a run can be, and to
//! other migration tools, all in the same run on the same servers.
//!
//! `bench/run` calls it; docs/reference/benchmarks.md explains the method. It is not part of the tests.

mod machine;
mod measure;
mod options;
mod peers;
mod recorded;
mod report;
mod sections;
mod store;

use std::process::ExitCode;

use options::Options;
use report::Report;
use sections::{copy, lint, noop, read, render, up, version};
use store::{Product, Store};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::default();
    if let Err(error) = measure(&options, &mut report) {
        eprintln!("bench: {error}");
        return ExitCode::from(2);
    }
    report.say(&format!(
        "\n{} bound(s) do not hold, {} could not be measured.",
        report.failed, report.unmeasured
    ));
    match (report.failed, report.unmeasured) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    for line in machine::describe() {
        report.say(&line);
    }
    let program = options.forerun.display().to_string();
    let origin = match &options.built_from {
        Some(commit) => format!("built from {commit}"),
        None => "a binary given with --forerun".to_owned(),
    };
    let version = machine::said(&program, &["--version"]);
    report.say(&format!("- {version} ({origin})"));
    report.say(&format!("- load average at the start: {}", machine::load()));
    let (peers, missing) = if options.peers {
        peers::find(&options.peers_directory)
    } else {
        (Vec::new(), Vec::new())
    };
    for reason in missing {
        report.say(&format!("- not measured: {reason}"));
    }
    if options.quick {
        report.say("- `--quick`: these numbers only show that the benchmark works");
    }

    if options.wants("version") {
        version::measure(options, report);
    }
    if options.wants("render") {
        render::measure(options, report)?;
    }
    if options.wants("read") {
        read::measure(options, report)?;
    }
    if options.wants("lint") {
        lint::measure(options, report)?;
    }
    for product in &options.products {
        if options.wants("up") || options.wants("noop") {
            let store = Store::start(*product)?;
            if options.wants("up") {
                up::measure(options, &store, &peers, report)?;
            }
            if options.wants("noop") {
                noop::measure(options, &store, &peers, report)?;
            }
        }
    }
    if options.wants("copy") {
        copy::measure(options, &Store::start(Product::Postgres)?, report)?;
    }
    report.say(&format!("\n- load average at the end: {}", machine::load()));
    Ok(())
}

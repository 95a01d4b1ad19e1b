//! `forerun migrate adopt`.

use std::collections::BTreeSet;

use forerun_migrations::error::{Refusal, RunError};
use forerun_migrations::executor::{AdoptOptions, AdoptReport, AdoptedVersion};
use forerun_migrations::history::Version;
use forerun_migrations::history::foreign::{self, Acceptance, Accepted};
use serde::Serialize;

use super::context::Context;
use crate::arguments::{Adopt, version};
use crate::command_error::CommandError;
use crate::output::style::{DIM, count, one_line, paint};
use crate::output::{Done, tables};
use crate::settings;

pub fn run(context: &Context, arguments: &Adopt) -> Result<Done, CommandError> {
    if arguments.undo {
        return undo(context, arguments);
    }
    let options = AdoptOptions {
        from: arguments.from.as_deref().and_then(foreign::named),
        table: arguments.table.clone(),
        accepted: Accepted {
            changed: acceptance("--accept-change", &arguments.accept_change)?,
            missing: acceptance("--accept-missing", &arguments.accept_missing)?,
        },
        dry_run: arguments.dry_run,
    };
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    if !arguments.dry_run {
        context.announce("migrate adopt", &runner, Some(&directory.path));
    }
    let adopted = context.block_on(&runner, runner.adopt(&directory, &options));
    let report = match adopted {
        Err(CommandError::Run { error, .. }) if arguments.if_any && is_none(&error) => {
            return Ok(none(context, arguments, &options));
        }
        adopted => adopted.map_err(|error| error.about(&arguments.directory))?,
    };
    if arguments.dry_run {
        context.output.result(&report, || mapping(&report));
        return Ok(Done::new("planned", ""));
    }
    for version in &report.versions {
        context.output.note(&format!("  {}", line(version)));
    }
    Ok(done(&report))
}

fn is_none(error: &RunError) -> bool {
    matches!(error, RunError::Refused(Refusal::NoOtherHistory { .. }))
}

/// No other tool has a history, and that is well.
fn none(context: &Context, arguments: &Adopt, options: &AdoptOptions) -> Done {
    #[derive(Serialize)]
    struct Document {
        tool: Option<&'static str>,
        versions: [AdoptedVersion; 0],
    }
    let what = match (&options.table, options.from) {
        (Some(table), _) => format!("table {table}"),
        (None, Some(peer)) => format!("history of {}", peer.title()),
        (None, None) => "history of another tool".to_owned(),
    };
    let sentence = format!("Nothing to adopt: there is no {what} in this database.");
    if !arguments.dry_run {
        return Done::new("up_to_date", sentence);
    }
    let document = Document {
        tool: None,
        versions: [],
    };
    context.output.result(&document, || format!("{sentence}\n"));
    Done::new("planned", "")
}

fn undo(context: &Context, arguments: &Adopt) -> Result<Done, CommandError> {
    #[derive(Serialize)]
    struct Document<'a> {
        forgotten: &'a [Version],
    }
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    if !arguments.dry_run {
        context.announce("migrate adopt --undo", &runner, None);
    }
    let versions = context.block_on(&runner, runner.undo_adoption(arguments.dry_run))?;
    let described = count(versions.len(), "version");
    if arguments.dry_run {
        let document = Document {
            forgotten: &versions,
        };
        context.output.result(&document, || {
            format!("Would forget {described} that were taken over; nothing was changed.\n")
        });
        return Ok(Done::new("planned", ""));
    }
    Ok(if versions.is_empty() {
        Done::new("up_to_date", "Nothing to undo: no history was taken over.")
    } else {
        Done::new(
            "forgotten",
            format!(
                "Forgot {described} that had been taken over; the database itself is as it was."
            ),
        )
    })
}

/// Versions as they were typed.
fn acceptance(option: &str, texts: &[String]) -> Result<Acceptance, CommandError> {
    if texts.iter().any(|text| text == "all") {
        return Ok(Acceptance::All);
    }
    let versions: Result<BTreeSet<Version>, String> =
        texts.iter().map(|text| version(text)).collect();
    match versions {
        Ok(versions) => Ok(Acceptance::Versions(versions)),
        Err(message) => Err(CommandError::Usage {
            message: format!("{option}: {message}"),
            advice: "Give the version that the message names, or `all`.".to_owned(),
        }),
    }
}

fn done(report: &AdoptReport) -> Done {
    let AdoptReport { title, table, .. } = report;
    let left = match report.pending.len() {
        0 => String::new(),
        pending => format!(" Left pending: {}.", count(pending, "migration")),
    };
    if report.versions.is_empty() {
        let why = match report.already {
            0 => "it has recorded nothing".to_owned(),
            already => format!("{} recorded here already", are(already, "version")),
        };
        return Done::new(
            "up_to_date",
            format!("Nothing to adopt from {title} ({table}): {why}.{left}"),
        );
    }
    let versions = count(report.versions.len(), "version");
    Done {
        migrations: report.versions.len(),
        ..Done::new(
            "adopted",
            format!("Took {versions} over from {title} ({table}).{left}"),
        )
    }
}

fn are(number: usize, noun: &str) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", count(number, noun))
}

/// What would be recorded, and from which row.
fn mapping(report: &AdoptReport) -> String {
    let mut text = format!(
        "{} ({}), directory read as {}\n\n",
        report.title,
        one_line(&report.table),
        report.layout
    );
    if !report.versions.is_empty() {
        let rows: Vec<[String; 5]> = report.versions.iter().map(cells).collect();
        let is_version = |column: usize| rows.iter().all(|row| row[column] == row[0]);
        text.push_str(&match (is_version(1), is_version(2)) {
            (false, false) => columns([0, 1, 2, 3, 4], &rows),
            (false, true) => columns([0, 1, 3, 4], &rows),
            (true, false) => columns([0, 2, 3, 4], &rows),
            (true, true) => columns([0, 3, 4], &rows),
        });
        text.push('\n');
    }
    if !report.pending.is_empty() {
        text.push_str("Left for `forerun migrate up`:\n");
        for script in &report.pending {
            text.push_str(&format!("  {}\n", one_line(script)));
        }
        text.push('\n');
    }
    let sentence = match (report.versions.len(), report.already) {
        (0, 0) => format!("Nothing to adopt: {} has recorded nothing.", report.title),
        (0, already) => format!(
            "Nothing to adopt: {} recorded here already.",
            are(already, "version")
        ),
        (new, _) => format!(
            "Would record {}; nothing was changed.",
            count(new, "version")
        ),
    };
    text.push_str(&sentence);
    text.push('\n');
    text
}

const HEAD: [&str; 5] = ["version", "file", "because of", "applied", "checksum"];

/// Some columns of the mapping: what is called like its version is not said twice.
fn columns<const COLUMNS: usize>(shown: [usize; COLUMNS], rows: &[[String; 5]]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| shown.map(|column| row[column].clone()))
        .collect();
    tables::table(shown.map(|column| HEAD[column]), &rows)
}

fn cells(version: &AdoptedVersion) -> [String; 5] {
    let applied = version
        .applied_at
        .as_deref()
        .map_or("", |at| at.get(..19).unwrap_or(at));
    let applied = applied.replace('T', " ");
    let applied = match &version.applied_by {
        Some(by) => format!("{applied} {by}"),
        None => applied,
    };
    [
        version.version.to_string(),
        version
            .script
            .clone()
            .unwrap_or_else(|| "(no file)".to_owned()),
        version.row.clone(),
        applied.trim().to_owned(),
        checked(version).to_owned(),
    ]
    .map(|cell| one_line(&cell).to_string())
}

fn checked(version: &AdoptedVersion) -> &'static str {
    match (version.accepted, version.verified) {
        (Some("changed"), _) => "differs, accepted",
        (Some(_), _) => "missing, accepted",
        (None, true) => "same",
        (None, false) => "",
    }
}

fn line(version: &AdoptedVersion) -> String {
    let script = match &version.script {
        Some(script) => one_line(script).to_string(),
        None => format!("{} (no file)", one_line(version.version.as_str())),
    };
    if version.script.as_ref() == Some(&version.row) {
        return script;
    }
    format!(
        "{script}  {}",
        paint(DIM, format!("← {}", one_line(&version.row)))
    )
}

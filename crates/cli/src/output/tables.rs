//! Status and history for people.

use std::fmt::Write;

use forerun_migrations::executor::{Ledger, Status};
use forerun_migrations::history::{AuditRow, HistoryRow, JournalRow, Phase};
use unicode_width::UnicodeWidthStr;

use super::style::{BAD, DIM, GOOD, STRONG, WARNING, count, one_line, paint};
use crate::command_error::conflicts;

/// Applied versions that are listed, the newest; all with --verbose.
const APPLIED: usize = 10;

/// Rows under a head, in columns as wide as their content; the last one is not padded.
pub fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = head.map(UnicodeWidthStr::width);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |cells: [&str; COLUMNS]| {
        let mut line = String::new();
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let padding = if index + 1 == COLUMNS {
                0
            } else {
                width.saturating_sub(cell.width()) + 2
            };
            let _ = write!(line, "{cell}{:padding$}", "");
        }
        line.truncate(line.trim_end().len());
        line
    };
    let mut text = format!("{}\n", paint(DIM, line(head)));
    for row in rows {
        let _ = writeln!(text, "{}", line(row.each_ref().map(String::as_str)));
    }
    text
}

/// Where a database stands.
pub fn status(status: &Status, verbose: bool) -> String {
    let mut text = String::new();
    let server = &status.server;
    let schema = server
        .schema
        .as_ref()
        .map(|schema| format!(", schema {schema}"))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "{}, database {}{schema}",
        one_line(&server.product),
        one_line(&server.database)
    );
    if let Some(holder) = &status.lock {
        let _ = writeln!(
            text,
            "{} {}",
            match holder.alive {
                Some(false) => paint(WARNING, "left behind:"),
                _ => paint(WARNING, "running now:"),
            },
            one_line(&holder.to_string())
        );
    }
    for tool in &status.other_tools {
        let _ = writeln!(
            text,
            "{} {} has migrated this database ({}, {})",
            paint(WARNING, "other history:"),
            tool.title,
            one_line(&tool.table),
            tool.summary
        );
    }
    applied(&mut text, &status.applied, verbose);
    for row in &status.unfinished {
        let _ = writeln!(
            text,
            "\n{} {}",
            paint(WARNING, "unfinished:"),
            unfinished(row)
        );
        if is_question(row) {
            let _ = writeln!(
                text,
                "  most often the next run finds out by itself; `forerun migrate repair` shows how to answer"
            );
        }
    }
    if !status.pending.is_empty() {
        let _ = writeln!(
            text,
            "\n{}",
            paint(STRONG, format!("{} pending", status.pending.len()))
        );
        for pending in &status.pending {
            let _ = writeln!(
                text,
                "  {}  {}",
                one_line(&pending.script),
                paint(
                    DIM,
                    match pending.phase {
                        Phase::Expand => pending.kind.to_string(),
                        Phase::Contract => format!("{}, contract", pending.kind),
                    }
                )
            );
            let held = status.held.iter();
            for held in held.filter(|held| held.version == pending.version) {
                for reason in &held.reasons {
                    let _ = writeln!(
                        text,
                        "    {} {}",
                        paint(WARNING, "held:"),
                        one_line(&reason.message)
                    );
                }
                let waiting = held.waiting_sentence();
                if let Some((waiting, advice)) = waiting.zip(held.advice.as_ref()) {
                    let (waiting, advice) = (one_line(&waiting), one_line(advice));
                    let _ = writeln!(text, "    {} {waiting}. {advice}", paint(WARNING, "held:"));
                }
            }
        }
    }
    if !status.ahead.is_empty() {
        let newest = status
            .ahead
            .iter()
            .max()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "\n{} the database is {} ahead of this directory, up to {newest}",
            paint(WARNING, "ahead:"),
            count(status.ahead.len(), "version")
        );
    }
    for conflict in &status.conflicts {
        let _ = writeln!(
            text,
            "\n{} {}",
            paint(BAD, "conflict:"),
            one_line(&conflicts::sentence(conflict))
        );
        let _ = writeln!(text, "  {}", one_line(&conflicts::advice(conflict)));
    }
    let _ = writeln!(text, "\n{}", status_sentence(status));
    text
}

fn applied(text: &mut String, rows: &[HistoryRow], verbose: bool) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{}",
        paint(STRONG, format!("{} applied", rows.len()))
    );
    let skipped = if verbose {
        0
    } else {
        rows.len().saturating_sub(APPLIED)
    };
    if skipped > 0 {
        let _ = writeln!(
            text,
            "  {}",
            paint(DIM, format!("… {skipped} older (--verbose lists them)"))
        );
    }
    for row in rows.iter().skip(skipped) {
        let _ = writeln!(
            text,
            "  {}  {}",
            script(row),
            paint(
                DIM,
                format!("{} {}", row.origin.as_str(), moment(&row.finished_at))
            )
        );
    }
}

/// The last sentence of a status.
pub fn status_sentence(status: &Status) -> String {
    if !status.conflicts.is_empty() {
        return format!(
            "{} to settle before anything can run.",
            count(status.conflicts.len(), "conflict")
        );
    }
    if let Some(row) = status.unfinished.first() {
        return format!(
            "A migration is unfinished; `forerun migrate {}` goes on with it.",
            row.direction.as_str()
        );
    }
    if let [first, more @ ..] = status.other_tools.as_slice() {
        let from = match more {
            [] => String::new(),
            _ => format!(" --from {}", first.name),
        };
        return format!(
            "`forerun migrate adopt{from}` takes that history over; until then nothing runs."
        );
    }
    let stop = status.held.first();
    let stop = stop.and_then(|held| {
        let mut pending = status.pending.iter();
        Some((
            pending.position(|pending| pending.version == held.version)?,
            held,
        ))
    });
    if let Some((before, held)) = stop {
        let pending = count(status.pending.len(), "migration");
        let needed = match held.waiting.is_empty() {
            true => "",
            false => ", with exit code 5",
        };
        let held = one_line(&held.script);
        return match (before, needed) {
            (0, "") => format!("{pending} pending; {held} has to wait."),
            (0, needed) => format!(
                "{pending} pending; {held} has to wait, and `forerun migrate up` stops before it{needed}."
            ),
            (before, needed) => format!(
                "{pending} pending; `forerun migrate up` applies {before} of them and stops before {held}{needed}."
            ),
        };
    }
    if !status.pending.is_empty() {
        return format!(
            "{} pending; `forerun migrate up` applies {}.",
            count(status.pending.len(), "migration"),
            if status.pending.len() == 1 {
                "it"
            } else {
                "them"
            }
        );
    }
    // They are in order, numbers before names.
    let mut versions = status.applied.iter().map(|row| &row.version);
    let newest = versions.clone().rfind(|version| version.is_number());
    match newest.or_else(|| versions.next_back()) {
        Some(newest) => format!("{} at version {newest}.", paint(GOOD, "Up to date")),
        None => "There are no migrations.".to_owned(),
    }
}

/// Whether nobody has said yet if the statement in doubt took effect.
fn is_question(row: &JournalRow) -> bool {
    row.in_doubt
        .as_ref()
        .is_some_and(|doubt| doubt.answer.is_none())
}

/// What an unfinished attempt has done.
pub fn unfinished(row: &JournalRow) -> String {
    let doubt = row
        .in_doubt
        .as_ref()
        .map(|doubt| match doubt.answer {
            Some(true) => format!("; statement {} is declared done", doubt.statement),
            Some(false) => format!("; statement {} is declared not done", doubt.statement),
            None => format!(
                "; statement {} was started and may have taken effect",
                doubt.statement
            ),
        })
        .unwrap_or_default();
    let done = count(
        usize::try_from(row.statements_done).unwrap_or(0),
        "statement",
    );
    format!(
        "{} ({}): {done} done, started {}{doubt}",
        one_line(&row.script),
        row.direction.as_str(),
        moment(&row.started_at)
    )
}

/// The history.
pub fn history(rows: &[HistoryRow]) -> String {
    if rows.is_empty() {
        return "No version is applied.\n".to_owned();
    }
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                row.version.to_string(),
                script(row),
                row.kind.to_string(),
                row.origin.as_str().to_owned(),
                moment(&row.finished_at),
                format!("{}ms", row.duration_ms),
                row.release.as_deref().map(one_line).unwrap_or_default(),
                one_line(&row.applied_by),
            ]
        })
        .collect();
    table(
        [
            "VERSION",
            "SCRIPT",
            "KIND",
            "HOW",
            "WHEN (UTC)",
            "TOOK",
            "RELEASE",
            "BY",
        ],
        &cells,
    )
}

/// The ledger.
pub fn deployments(ledger: &Ledger) -> String {
    let floor = match &ledger.floor {
        Some(floor) => format!(
            "The oldest release that may run is {}, since {}.\n",
            one_line(&floor.release),
            one_line(&floor.script)
        ),
        None => String::new(),
    };
    if ledger.deployments.is_empty() {
        return format!(
            "No deployment is recorded; `forerun migrate up --release RELEASE` opens one.\n{floor}"
        );
    }
    let when = |time: &Option<String>| time.as_deref().map(moment).unwrap_or_default();
    let cells: Vec<_> = ledger
        .deployments
        .iter()
        .map(|row| {
            [
                row.id.to_string(),
                one_line(&row.release),
                row.status.as_str().to_owned(),
                moment(&row.started_at),
                when(&row.migrated_at),
                when(&row.completed_at),
                row.previous_release
                    .as_deref()
                    .map(one_line)
                    .unwrap_or_default(),
                one_line(&row.opened_by),
            ]
        })
        .collect();
    let head = [
        "NUMBER",
        "RELEASE",
        "STATUS",
        "STARTED (UTC)",
        "MIGRATED",
        "COMPLETED",
        "AFTER",
        "BY",
    ];
    format!("{}{floor}", table(head, &cells))
}

/// What the audit knows of one version.
pub fn audit(rows: &[AuditRow]) -> String {
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                moment(&row.at),
                row.event.clone(),
                row.statement
                    .map(|number| number.to_string())
                    .unwrap_or_default(),
                row.attempt
                    .map(|number| number.to_string())
                    .unwrap_or_default(),
                format!("{}@{}", one_line(&row.actor), one_line(&row.host)),
                one_line(&row.message),
            ]
        })
        .collect();
    table(
        ["WHEN (UTC)", "EVENT", "STATEMENT", "TRY", "WHO", "MESSAGE"],
        &cells,
    )
}

fn script(row: &HistoryRow) -> String {
    if row.script.is_empty() {
        format!("{} (no file)", row.version)
    } else {
        one_line(&row.script)
    }
}

/// `2026-01-31T12:00:00.123Z` as `2026-01-31 12:00:00`.
fn moment(stored: &str) -> String {
    let seconds = stored.get(..19).unwrap_or(stored);
    one_line(&seconds.replace('T', " "))
}

#[cfg(test)]
mod tests;

//! A plan for people: file by file and statement by statement.

use std::fmt::Write;
use std::time::Duration;

use forerun_migrations::directory::{ScriptTimeouts, StatementSummary};
use forerun_migrations::executor::Limits;
use forerun_migrations::history::Direction;
use forerun_migrations::lint::Finding;
use forerun_migrations::plan::{Mode, Plan, Step};
use forerun_sql::{Dialect, LockClass, TransactionUse, format_duration};

use super::lint_text::severity;
use super::style::{DIM, STRONG, WARNING, bytes, count, one_line, paint};

/// Statements that are shown of one script, in full with --verbose.
const SHOWN: usize = 50;
/// Characters of a statement that are shown.
const PREVIEW: usize = 90;

/// Several lines, ending in one sentence.
pub fn render(plan: &Plan, limits: &Limits, dialect: Dialect, verbose: bool) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        migration(&mut text, step, limits, dialect, verbose);
    }
    for held in &plan.held {
        for reason in &held.reasons {
            let _ = writeln!(
                text,
                "{} {}: {}",
                paint(WARNING, "held"),
                one_line(&held.script),
                one_line(&reason.message)
            );
        }
        let waiting = held.waiting_sentence().filter(|_| !plan.blocked.is_empty());
        if let Some((waiting, advice)) = waiting.zip(held.advice.as_ref()) {
            let _ = writeln!(
                text,
                "{} {}: {}; `forerun migrate up` ends with exit code 5. {}",
                paint(WARNING, "held"),
                one_line(&held.script),
                one_line(&waiting),
                one_line(advice)
            );
        }
    }
    for held in &plan.overridden {
        for reason in &held.reasons {
            let _ = writeln!(
                text,
                "{} {} runs although {}",
                paint(WARNING, "downtime accepted:"),
                one_line(&held.script),
                one_line(&reason.message)
            );
        }
    }
    for file in &plan.left_for_later {
        let _ = writeln!(
            text,
            "{}",
            paint(DIM, format!("{} stays pending", one_line(file)))
        );
    }
    if !plan.ahead.is_empty() {
        let newest = plan
            .ahead
            .iter()
            .max()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "{} the database is {} ahead of this directory, up to {newest}",
            paint(WARNING, "warning:"),
            count(plan.ahead.len(), "version")
        );
    }
    let statements: u64 = plan
        .steps
        .iter()
        .map(|step| step.summary.statement_count)
        .sum();
    let reverts = plan
        .steps
        .iter()
        .any(|step| step.direction == Direction::Down);
    let what = if plan.steps.is_empty() {
        "Nothing to do".to_owned()
    } else {
        let statements = count(
            usize::try_from(statements).unwrap_or(usize::MAX),
            "statement",
        );
        let migrations = count(plan.steps.len(), "migration");
        format!(
            "{migrations} to {}, {statements}",
            if reverts { "revert" } else { "run" }
        )
    };
    if !plan.steps.is_empty() {
        let _ = writeln!(
            text,
            "Each statement {}.",
            limit_words(ScriptTimeouts::default(), limits)
        );
    }
    let _ = writeln!(text, "{what}; nothing was changed.");
    text
}

fn migration(text: &mut String, step: &Step, limits: &Limits, dialect: Dialect, verbose: bool) {
    let direction = if step.direction == Direction::Down {
        "reverts with "
    } else {
        ""
    };
    let size = bytes(step.script.bytes);
    // The kind is one of the migration, and a down script does not say it.
    let facts = match step.direction {
        Direction::Up if step.summary.contract.is_some() => {
            format!("{}, contract, {size}", step.summary.kind)
        }
        Direction::Up => format!("{}, {size}", step.summary.kind),
        Direction::Down => size,
    };
    let _ = writeln!(
        text,
        "{direction}{}  {}",
        paint(STRONG, one_line(&step.script.file_name)),
        paint(DIM, facts)
    );
    let mode = match (step.mode, &step.mode_reason) {
        (Mode::Transaction, _) => "one transaction, recorded with it".to_owned(),
        (Mode::Statements, Some(reason)) => {
            format!("statement by statement, each recorded: {reason}")
        }
        (Mode::Statements, None) => "statement by statement, each recorded".to_owned(),
    };
    let _ = writeln!(text, "  {}", one_line(&mode));
    if let Some(journal) = &step.journal {
        let _ = writeln!(
            text,
            "  goes on after statement {}, where an earlier run ended",
            journal.statements_done
        );
        if let Some(doubt) = &journal.in_doubt {
            let _ = writeln!(
                text,
                "  finds out first whether statement {} took effect",
                doubt.statement
            );
        }
    }
    if step.summary.timeouts != ScriptTimeouts::default() {
        let _ = writeln!(
            text,
            "  each statement {}",
            limit_words(step.summary.timeouts, limits)
        );
    }
    let shown = if verbose { usize::MAX } else { SHOWN };
    for statement in step.summary.statements.iter().take(shown) {
        one_statement(text, step, statement, limits, dialect);
    }
    let rest = step
        .summary
        .statement_count
        .saturating_sub(step.summary.statements.len().min(shown) as u64);
    if rest > 0 {
        let _ = writeln!(
            text,
            "  {}",
            paint(
                DIM,
                format!(
                    "  … and {}",
                    count(
                        usize::try_from(rest).unwrap_or(usize::MAX),
                        "more statement"
                    )
                )
            )
        );
    }
    for finding in &step.findings {
        finding_line(text, finding);
    }
    text.push('\n');
}

/// What the linter says, and where.
fn finding_line(text: &mut String, finding: &Finding) {
    let place = format!("line {}", finding.start.line);
    let rule = finding.rule.id;
    let line = match &finding.allowed {
        Some(reason) => paint(
            DIM,
            one_line(&format!("{place}: {rule} is allowed: {reason}")),
        ),
        None => {
            let (style, name) = severity(finding.severity);
            let message = one_line(&finding.message);
            format!("{} {place}: {rule}: {message}", paint(style, name))
        }
    };
    let _ = writeln!(text, "  {line}");
}

/// How long a statement waits and runs: what the script says, else the settings.
fn limit_words(own: ScriptTimeouts, limits: &Limits) -> String {
    let lock = own.lock.unwrap_or(limits.ddl_lock_timeout);
    let statement = own
        .statement
        .or(limits.statement_timeout)
        .filter(|limit| !limit.is_zero());
    let lock = if lock.is_zero() {
        "waits for table locks without limit".to_owned()
    } else {
        format!(
            "waits for a table lock up to {}, then gives way and is tried again for {}",
            format_duration(lock),
            format_duration(limits.retry_budget)
        )
    };
    let statement = statement.map_or("may take any time".to_owned(), |limit: Duration| {
        format!("may take {}", format_duration(limit))
    });
    format!("{lock}; it {statement}")
}

fn one_statement(
    text: &mut String,
    step: &Step,
    statement: &StatementSummary,
    limits: &Limits,
    dialect: Dialect,
) {
    let verb = &statement.classification.verb;
    let preview = shortened(&one_line(&statement.preview));
    // The preview of most statements begins with the verb; words between (`CREATE FULLTEXT INDEX`) are no other one.
    let first = |text: &str| text.split_whitespace().next().map(str::to_ascii_uppercase);
    let named = first(&preview) == first(verb);
    let verb = if named {
        String::new()
    } else {
        format!("{}  ", one_line(verb))
    };
    let _ = writeln!(
        text,
        "  {}  {verb}{preview}",
        paint(DIM, format!("{:>4}", statement.position.line))
    );
    if let Some(assert) = &statement.assert {
        let _ = writeln!(text, "        must return no row: {}", one_line(assert));
    }
    if let Some(effect) = effect(statement, dialect) {
        let _ = writeln!(text, "        {}", paint(DIM, effect));
    }
    if let Some(limit) = metadata_limit(step, statement, limits) {
        let words = format!(
            "changes the catalog only: may take {} once it has the lock",
            format_duration(limit)
        );
        let _ = writeln!(text, "        {}", paint(DIM, words));
    }
}

/// The limit that a run gives to a statement because it should be short; none where it waits for its lock without limit.
fn metadata_limit(step: &Step, statement: &StatementSummary, limits: &Limits) -> Option<Duration> {
    let lock = step.summary.timeouts.lock;
    let lock = lock.unwrap_or(limits.ddl_lock_timeout);
    let told = limits
        .statement_timeout
        .is_some_and(|limit| !limit.is_zero());
    let limit = step.metadata_limit(statement.index, statement.classification.lock, told);
    limit.filter(|_| !lock.is_zero())
}

fn shortened(preview: &str) -> String {
    match preview.char_indices().nth(PREVIEW) {
        Some((end, _)) => format!("{}…", preview.get(..end).unwrap_or_default()),
        None => preview.to_owned(),
    }
}

/// What others notice of it, in plain words.
fn effect(statement: &StatementSummary, dialect: Dialect) -> Option<String> {
    let classification = &statement.classification;
    // Nobody uses a table that is being created.
    let creates_table = classification.verb.starts_with("CREATE TABLE");
    if let Some(lock) = classification
        .table_lock
        .filter(|lock| !creates_table && *lock != "ACCESS SHARE")
    {
        return Some(format!("{lock} lock: {}", blocks(lock)));
    }
    match (classification.lock, classification.transaction) {
        (LockClass::OnlineBuild, _) => {
            Some("reads and writes go on; may take long, without a lock timeout".to_owned())
        }
        // One writer at a time, whatever it writes.
        (LockClass::BlockingDdl | LockClass::Dml, _) if dialect == Dialect::Sqlite => None,
        (LockClass::BlockingDdl, _) if !creates_table => {
            Some("may stop reads and writes of the table while it runs".to_owned())
        }
        (_, TransactionUse::Outside) if dialect != Dialect::Mysql => {
            Some("cannot be rolled back".to_owned())
        }
        _ => None,
    }
}

/// What a table lock of PostgreSQL stops (manual, section 13.3.1 "Table-Level Locks").
fn blocks(lock: &str) -> &'static str {
    match lock {
        "ROW SHARE" | "ROW EXCLUSIVE" => {
            "reads and writes go on; its rows stay locked until the end"
        }
        "SHARE UPDATE EXCLUSIVE" => "reads and writes go on; other changes of the table wait",
        "SHARE" | "SHARE ROW EXCLUSIVE" => "reads go on, writes wait",
        "EXCLUSIVE" => "plain reads go on, everything else waits",
        "ACCESS EXCLUSIVE" => "reads and writes wait",
        _ => "see the manual of the database",
    }
}

#[cfg(test)]
mod tests;

//! Errors of the engine.

use forerun_migrations::database::{DatabaseError, ErrorKind};
use forerun_migrations::directory::SumMismatch;
use forerun_migrations::error::{Refusal, RunError};
use forerun_migrations::ledger::CloseProblem;
use forerun_migrations::lint::Finding;
use forerun_sql::lint::Kind;
use forerun_sql::{Dialect, format_duration};

use super::{Explanation, Place, adoption, conflicts, directory, migration, stopped};
use crate::exit_code::ExitCode;
use crate::output::excerpt;

/// `options` are those that a command which is suggested needs as well, each after a space.
pub(super) fn explain(error: &RunError, dialect: Dialect, options: &str) -> Explanation {
    match error {
        // Also when a file is gone in the middle of a run.
        RunError::Directory(error) => Explanation { state: None, ..directory(error) },
        RunError::Database { doing, error } => database(doing, error, dialect),
        RunError::Sum(mismatch) => sum(mismatch),
        RunError::Conflict(found) => conflicts::explain(found),
        RunError::Refused(refusal) => refused(refusal, options),
        RunError::LockNotObtained { waited, holder } => {
            let message = match waited.as_secs() {
                0 => "another runner has the runner lock".to_owned(),
                seconds => format!(
                    "another runner kept the runner lock for the {} that this one waited",
                    format_duration(std::time::Duration::from_secs(seconds))
                ),
            };
            let explanation = Explanation::new(ExitCode::Temporary, "lock_not_obtained", message);
            let explanation = match holder {
                Some(holder) => explanation.detail("holder", holder.to_string()),
                None => explanation.detail("holder", "not known: it has not written its lease yet"),
            };
            explanation.state("Nothing was run.").advise(
                "Wait for the other runner and try again (--lock-timeout sets how long); if it is dead, see `forerun migrate \
                 unlock`.",
            )
        }
        RunError::Adoption { title, table, problems } => adoption::explain(title, table, problems),
        RunError::OtherLockNotObtained { title, waited, holder } => {
            let waited = format_duration(std::time::Duration::from_secs(waited.as_secs()));
            let message = format!("{title} kept its own lock for the {waited} that this run waited");
            let explanation = Explanation::new(ExitCode::Temporary, "other_lock_not_obtained", message);
            let explanation = match holder {
                Some(holder) => explanation.detail("holder", holder.clone()),
                None => explanation,
            };
            explanation.state("Nothing was recorded.").advise(format!(
                "Wait until {title} is done and try again (--lock-timeout sets how long). If it died, release its lock in \
                 its own way first."
            ))
        }
        RunError::LeaseLost { version } => {
            let what = version.clone().map(|version| format!(" while version {version} was being run")).unwrap_or_default();
            Explanation::new(ExitCode::Temporary, "lease_lost", format!("the runner lock was lost{what}"))
                .state(
                    "What was not recorded is rolled back, or is settled by the next run; another runner may be at work \
                     already.",
                )
                .advise("Run it again: it goes on where the history says. `forerun migrate unlock` shows who holds the lock.")
        }
        RunError::Trace(error) => super::trace::explain(error, dialect),
        RunError::Migration(failure) => migration::explain(failure, dialect),
        RunError::Assertion { script, path, position, message, row, .. } => {
            let mut explanation = Explanation::new(
                ExitCode::MigrationFailed,
                "assertion_failed",
                format!("{script}: assertion failed: {message}"),
            );
            explanation.place =
                Some(Place { file: path.clone(), line: position.line, column: position.column });
            explanation.excerpt = excerpt::of_file(path, *position);
            explanation
                .detail("first row", row.clone())
                .state(format!("Nothing of {script} is applied."))
                .advise("Correct the rows that the query returns and run `forerun migrate up` again.")
        }
        RunError::Condition { script, path, line, expected, found, .. } => {
            let mut explanation = Explanation::new(
                ExitCode::MigrationFailed,
                "condition_failed",
                format!("{script}: its condition expects {expected} and found {found}"),
            );
            explanation.place = Some(Place { file: path.clone(), line: *line, column: 1 });
            explanation
                .state(format!("Nothing of {script} is applied."))
                .advise("Bring the database to what the condition expects, or correct the condition, and run it again.")
        }
        RunError::TransactionEnded { script, .. } => Explanation::new(
            ExitCode::MigrationFailed,
            "transaction_ended",
            format!("{script} ended the transaction it runs in"),
        )
        .state(format!(
            "What {script} did before that is committed, and the migration is not recorded as applied: a second run would \
             do that part again."
        ))
        .advise(
            "Remove COMMIT, ROLLBACK and procedures that commit from the script, or add `-- forerun:no-transaction` at its \
             top; undo by hand what it did, then run it again.",
        ),
        RunError::InDoubt { version, script, path, statement, position, sql } => {
            let mut explanation = Explanation::new(
                ExitCode::Conflict,
                "in_doubt",
                format!("did statement {statement} of {script} take effect? An earlier run ended while it was running"),
            );
            explanation.place =
                Some(Place { file: path.clone(), line: position.line, column: position.column });
            explanation.excerpt = excerpt::of_statement(*position, sql, None);
            explanation
                .detail("check", "look in the database whether the change of this statement is there")
                .detail("if it is", format!("forerun migrate repair {version} --done"))
                .detail("if not", format!("forerun migrate repair {version} --not-done"))
                .state("The statements before it are done and recorded; nothing was run now.")
                .advise("Answer with one of the two commands, then run `forerun migrate up` again.")
        }
        RunError::LostVariable { version, script, path, position, name } => {
            let mut explanation = Explanation::new(
                ExitCode::Conflict,
                "lost_variable",
                format!("{script} goes on with @{name}, whose value an earlier attempt computed and is gone with its session"),
            );
            explanation.place = Some(Place { file: path.clone(), line: position.line, column: position.column });
            explanation.excerpt = excerpt::of_file(path, *position);
            explanation
                .state("The statements before it are done and recorded; nothing was run now.")
                .advise(format!(
                    "Write the value itself, or the query for it, in place of @{name} in the statements that are not done \
                     yet; or undo by hand what was done and run `forerun migrate repair {version} --start-over`."
                ))
        }
        RunError::Interrupted { signal, finished, at } => {
            stopped::explain(error, ExitCode::Interrupted(*signal), *finished, at, dialect)
        }
        RunError::TimedOut { finished, at, .. } => {
            stopped::explain(error, ExitCode::Temporary, *finished, at, dialect)
        }
        RunError::Held { held, blocked, finished } => super::held::explain(held, blocked, *finished),
        RunError::StillMigrating { release, holder } => Explanation::new(
            ExitCode::Temporary,
            "still_migrating",
            format!("the deployment of release {release} cannot be closed: its migrations are still running"),
        )
        .detail("holder", holder.to_string())
        .state("The ledger is as it was.")
        .advise("Run `forerun migrate deployed` again when they have ended, and the rollout after them."),
        RunError::BelowFloor { release, floor } => Explanation::new(
            ExitCode::Refused,
            "below_floor",
            format!(
                "release {release} can no longer run on this database: {} has taken away what releases before {} use",
                floor.script, floor.release
            ),
        )
        .advise(format!("Deploy release {} or a newer one.", floor.release)),
        RunError::NotUpToDate { reason } => {
            Explanation::new(ExitCode::NotUpToDate, "not_up_to_date", format!("waited in vain: {reason}"))
                .advise("See `forerun migrate status`, or wait longer with --timeout.")
        }
    }
}

fn sum(mismatch: &SumMismatch) -> Explanation {
    let mut explanation = Explanation::new(
        ExitCode::Conflict,
        "sum_mismatch",
        "the directory does not match its forerun.sum",
    );
    for (files, label) in [
        (&mismatch.added, "added"),
        (&mismatch.changed, "changed"),
        (&mismatch.missing, "missing"),
    ] {
        for file in files {
            explanation = explanation.detail(label, file.clone());
        }
    }
    if mismatch.edited {
        explanation =
            explanation.detail("edited", "forerun.sum itself was edited, or merged by hand");
    }
    explanation
        .state("Nothing was run.")
        .advise("If the directory is as it should be, run `forerun migrate hash` and commit both.")
}

pub(super) fn finished_before(finished: usize) -> String {
    match finished {
        0 => "No migration was finished".to_owned(),
        1 => "1 migration was finished and stays".to_owned(),
        count => format!("{count} migrations were finished and stay"),
    }
}

/// The stable word of a kind of error.
pub(super) fn kind_code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::Authentication => "authentication",
        ErrorKind::Configuration => "configuration",
        ErrorKind::ConnectionLost => "connection_lost",
        ErrorKind::LockTimeout => "lock_timeout",
        ErrorKind::Deadlock => "deadlock",
        ErrorKind::StatementTimeout => "statement_timeout",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::ReadOnly => "read_only",
        ErrorKind::DiskFull => "disk_full",
        ErrorKind::Statement => "statement",
        ErrorKind::Unexpected => "unexpected",
    }
}

/// What the server adds to its sentence.
pub(super) fn database_details(mut explanation: Explanation, error: &DatabaseError) -> Explanation {
    for (label, text) in [
        ("detail", &error.detail),
        ("hint", &error.hint),
        ("context", &error.context),
    ] {
        if let Some(text) = text {
            explanation = explanation.detail(label, text.clone());
        }
    }
    explanation
}

/// Outside of any migration: connecting, reading the history, bookkeeping.
fn database(doing: &str, error: &DatabaseError, dialect: Dialect) -> Explanation {
    let sqlite = dialect == Dialect::Sqlite;
    let (exit_code, advice) = match error.kind {
        ErrorKind::Unreachable if sqlite => (
            ExitCode::Temporary,
            "Check that nothing else keeps the file locked, and try again.",
        ),
        ErrorKind::Unreachable => (
            ExitCode::Temporary,
            "Check host and port and that the server runs, and try again; --wait (MIGRATION_WAIT) waits for a server that \
             is starting.",
        ),
        ErrorKind::Authentication => (
            ExitCode::Usage,
            "Check user and password (DATABASE_URL, or DATABASE_USER and DATABASE_PASSWORD).",
        ),
        ErrorKind::Configuration => (
            ExitCode::Usage,
            "Correct the connection settings and run it again.",
        ),
        ErrorKind::ConnectionLost => (
            ExitCode::Temporary,
            "Run it again: it goes on where the history says.",
        ),
        ErrorKind::LockTimeout
        | ErrorKind::Deadlock
        | ErrorKind::StatementTimeout
        | ErrorKind::Cancelled => (
            ExitCode::Temporary,
            "Another session was in the way; run it again.",
        ),
        ErrorKind::ReadOnly if sqlite => (
            ExitCode::Usage,
            "Make the file and its directory writable for the user that runs forerun.",
        ),
        ErrorKind::ReadOnly => (
            ExitCode::Temporary,
            "Connect to the primary server, or wait until this one accepts writes, and run it again.",
        ),
        ErrorKind::DiskFull => (
            ExitCode::Temporary,
            "Make room on the disk of the database and run it again.",
        ),
        ErrorKind::Statement if doing.starts_with("reading") => (
            ExitCode::Usage,
            "The user needs the right to read forerun's tables (SELECT on forerun_history and others), and to migrate also to \
             create and to write them; grant it, or use another user.",
        ),
        ErrorKind::Statement => (
            ExitCode::Usage,
            "The user needs the right to create forerun's tables (forerun_history and others) and to write them; grant it, \
             or use another user.",
        ),
        ErrorKind::Unexpected => (
            ExitCode::Usage,
            "Use a version of forerun that is at least as new as the one that wrote the bookkeeping tables, and a server \
             that is supported.",
        ),
    };
    let code = error
        .code
        .as_ref()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    // Where the connection is made and the settings do not fit, nothing has failed to connect.
    let message = match error.kind {
        ErrorKind::Configuration | ErrorKind::ReadOnly if doing == "connecting" => {
            format!("cannot use this database: {}{code}", error.message)
        }
        _ => format!("{doing} failed: {}{code}", error.message),
    };
    let explanation = Explanation::new(exit_code, kind_code(error.kind), message);
    database_details(explanation, error).advise(advice)
}

/// Safety rules.
fn refused(refusal: &Refusal, options: &str) -> Explanation {
    let explanation = Explanation::new(ExitCode::Refused, "refused", refusal.to_string());
    match refusal {
        Refusal::SchemaFirst(files) => files
            .iter()
            .fold(explanation, |explanation, file| explanation.detail("comes before", file.clone()))
            .state("Nothing was run.")
            .advise("Run `forerun migrate schema` first, or `forerun migrate up` for everything in order."),
        Refusal::NoDownScript(_) => explanation.state("Nothing was reverted.").advise(
            "Write the down script (the same name, ending in .down.sql), or undo the change with a new migration.",
        ),
        Refusal::UnknownToDirectory(_) => explanation.state("Nothing was reverted.").advise(
            "Use the directory of the release that applied them: only it has their down scripts.",
        ),
        Refusal::PlanChanged => explanation.state("Nothing was reverted.").advise(
            "Look at `forerun migrate status` and run it again; `--to V` says where to stop whatever happens meanwhile.",
        ),
        Refusal::NotClosable { release, problem } => {
            let release = release.as_deref().unwrap_or("RELEASE");
            let advice = match problem.as_ref() {
                CloseProblem::NothingOpen => "Run `forerun migrate up --release RELEASE` when a deployment begins; for a \
                    release without migrations, `forerun migrate deployed --release RELEASE --unopened`."
                    .to_owned(),
                CloseProblem::NeverOpened => format!(
                    "Run `forerun migrate up --release {release}` when its deployment begins. If it has no migrations to \
                     run, `forerun migrate deployed --release {release} --unopened` records it; see `forerun migrate \
                     deployments` for the releases that are known."
                ),
                CloseProblem::NotMigrated(row) => format!(
                    "Run `forerun migrate up --release {}` until it ends well, and close it then.",
                    row.release
                ),
                CloseProblem::Later { .. } => format!(
                    "If {release} was rolled back to, run `forerun migrate up --release {release}` first, or `forerun \
                     migrate deployed --release {release} --unopened`."
                ),
            };
            explanation.state("The ledger is as it was.").advise(advice)
        }
        Refusal::HistoryNotEmpty { .. } => explanation.state("Nothing was recorded.").advise(
            "A baseline is for a database that forerun has not seen yet; see `forerun migrate status`.",
        ),
        Refusal::NoFileForBaseline { before, after, .. } => {
            let nearest = match after {
                Some(after) => format!("{before} and {after}"),
                None => before.to_string(),
            };
            explanation.detail("nearest", nearest).state("Nothing was recorded.").advise(
                "Give the last version that the database has. If it really is one whose file is gone, say so with \
                 --without-file: all files up to it are declared present, and one that is added later is refused as late.",
            )
        }
        Refusal::OtherHistory(tools) => {
            let from = match &tools[..] {
                [_] => String::new(),
                _ => format!(" --from {}", tools.first().map(|tool| tool.name).unwrap_or_default()),
            };
            let command = format!("forerun migrate adopt{from}{options}");
            explanation
                .detail("take it over", format!("{command} (with --dry-run: what that would record)"))
                .detail("or", "--ignore-other-history (FORERUN_IGNORE_OTHER_HISTORY=1), if that table means something else")
                .state("Nothing was run: forerun has no history here, and would run everything again.")
                .advise(format!("Run `{command}` first."))
        }
        Refusal::NoOtherHistory { looked_for } => explanation
            .detail("looked for", once(looked_for).join(", "))
            .state("Nothing was recorded.")
            .advise(
                "Say which table it is with --table SCHEMA.NAME; or declare what is present already with `forerun migrate \
                 baseline VERSION`.",
            ),
        Refusal::SeveralHistories(tools) => tools
            .iter()
            .fold(explanation, |explanation, tool| {
                explanation.detail("possible", format!("forerun migrate adopt --from {}{options}", tool.name))
            })
            .state("Nothing was recorded.")
            .advise("Say which one goes on: --from TOOL."),
        Refusal::UnknownTable { .. } => explanation.state("Nothing was recorded.").advise(
            "Name the table of the tool that has migrated this database; or declare what is present already with `forerun \
             migrate baseline VERSION`.",
        ),
        Refusal::AppliedSince(_) => explanation.state("Nothing was forgotten.").advise(
            "Revert it with `forerun migrate down` and undo then. Or stay: the other tool's table is as it was, and does not \
             know of what forerun has applied.",
        ),
        Refusal::Lint(findings) => lint(explanation, findings),
        Refusal::HolderAlive(_) => explanation.state("The lock is still held.").advise(
            "Wait for it; to end a runner that is at work, whatever it is doing, add --even-if-alive.",
        ),
        Refusal::NothingToRepair(_) => explanation
            .state("Nothing was changed.")
            .advise("See `forerun migrate repair` for what needs a decision."),
    }
}

/// What the linter keeps from running: each finding with its place, and what can be done about it.
fn lint(mut explanation: Explanation, findings: &[Finding]) -> Explanation {
    explanation.code = "lint";
    explanation.problems = findings
        .iter()
        .map(|finding| {
            format!(
                "{}: {}: {}",
                finding.place(),
                finding.rule.id,
                finding.message
            )
        })
        .collect();
    if findings.iter().any(|finding| finding.kind == Kind::Breaks) {
        explanation = explanation.detail(
            "contract",
            "what the running release still uses goes into a migration of its own with `-- forerun:contract`, which waits \
             until that release is gone",
        );
    }
    let rule = findings.first().map_or("RULE", |finding| finding.rule.id);
    explanation
        .detail(
            "allow",
            format!("`-- forerun:allow {rule} \"why it may be\"` above the statement lets it run, and is recorded"),
        )
        .detail("or", "--lint warn (FORERUN_LINT=warn) makes warnings of all findings of this run")
        .state("Nothing was run.")
        .advise("`forerun migrate lint` with the same URL shows what to write instead.")
}

/// Each name once: several tools use the same ones.
fn once(names: &[String]) -> Vec<&str> {
    let mut seen = std::collections::BTreeSet::new();
    let names = names.iter().map(String::as_str);
    names.filter(|name| seen.insert(*name)).collect()
}

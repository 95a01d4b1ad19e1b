//! What an earlier attempt at a script has done, what its session took with it, and what it left in doubt.

use forerun_sql::{
    Dialect, Piece, Position, SessionEffect, Splitter, SqlHasher, Statement, classify,
    session_effect, user_variables,
};

use super::Runner;
use super::attempt::{AttemptError, Current};
use super::summaries::Summaries;
use crate::database::Fingerprint;
use crate::directory::{MigrationDirectory, Script};
use crate::error::RunError;
use crate::history::{Direction, InDoubt, JournalRow};
use crate::plan::Conflict;

/// What an earlier attempt has done, and what its session took with it.
pub(super) struct Past {
    /// Statements done.
    pub done: i64,
    /// Digest of their SQL.
    pub prefix: String,
    pub in_doubt: Option<InDoubt>,
    /// Settings of the session, in order.
    pub settings: Vec<Statement>,
    /// User variables whose values are gone.
    variables: Vec<String>,
}

impl Past {
    pub fn of(journal: &JournalRow) -> Self {
        Self {
            done: journal.statements_done,
            prefix: journal.prefix_checksum.clone(),
            in_doubt: journal.in_doubt.clone(),
            settings: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Whether a statement may have taken effect. One that is declared not done may be taken out of the script as well.
    pub fn still_in_doubt(&self) -> bool {
        let in_doubt = self.in_doubt.as_ref();
        in_doubt.is_some_and(|in_doubt| in_doubt.answer != Some(false))
    }

    /// The script ends before what was run of it does.
    pub fn unresumable(&self) -> AttemptError {
        let in_doubt = self.in_doubt.as_ref().map(|in_doubt| in_doubt.statement);
        AttemptError::Unresumable {
            statements_done: self.done,
            in_doubt,
        }
    }

    /// Takes in a statement that is done.
    pub fn remember(
        &mut self,
        dialect: Dialect,
        statement: Statement,
        changed: bool,
    ) -> Result<(), AttemptError> {
        if changed {
            return Err(AttemptError::Unresumable {
                statements_done: self.done,
                in_doubt: None,
            });
        }
        let classification = classify(dialect, &statement.text);
        match session_effect(dialect, &statement.text, &classification) {
            SessionEffect::None => {}
            SessionEffect::Setting => self.settings.push(statement),
            SessionEffect::Variables(names) => self.variables.extend(names),
        }
        Ok(())
    }

    /// Refuses a statement that would go on with a variable whose value is gone.
    pub fn refuse_lost_variables(
        &mut self,
        dialect: Dialect,
        statement: &Statement,
    ) -> Result<(), AttemptError> {
        if self.variables.is_empty() {
            return Ok(());
        }
        let classification = classify(dialect, &statement.text);
        let used = user_variables(&statement.text);
        if let Some(name) = used.iter().find(|name| self.variables.contains(name)) {
            let assigned_anew =
                session_effect(dialect, &statement.text, &classification) == SessionEffect::Setting;
            if !assigned_anew {
                return Err(AttemptError::LostVariable {
                    name: name.clone(),
                    current: Current::of(statement),
                });
            }
            self.variables.retain(|lost| !used.contains(lost));
        }
        Ok(())
    }
}

pub(super) const REPEATABLE: &str = "repeatable";
pub(super) const UNKNOWN: &str = "unknown";

/// What the journal stores of a statement that is about to be sent: with its number the digest of the script up to it,
/// and the catalog before it.
pub(super) fn in_doubt(statement: i64, prefix: &str, before: &Fingerprint) -> InDoubt {
    InDoubt {
        statement,
        fingerprint: format!("{prefix} {}", state_of(before)),
        answer: None,
    }
}

pub(super) fn state_of(fingerprint: &Fingerprint) -> String {
    match fingerprint {
        Fingerprint::Definition(digest) | Fingerprint::Absent(digest) => {
            format!("definition:{digest}")
        }
        Fingerprint::Repeatable => REPEATABLE.to_owned(),
        Fingerprint::Unknown => UNKNOWN.to_owned(),
    }
}

/// The catalog before the statement in doubt, as [`state_of`] says it.
pub(super) fn state_before(in_doubt: &InDoubt) -> &str {
    in_doubt
        .fingerprint
        .split_once(' ')
        .map_or("", |(_, before)| before)
}

/// Whether a script that has the digest `prefix` up to the statement in doubt can go on there: what is declared not done
/// may be corrected, anything else must be what was announced.
pub(super) fn is_what_was_announced(in_doubt: &InDoubt, prefix: &str) -> bool {
    let announced = in_doubt
        .fingerprint
        .split_once(' ')
        .map(|(prefix, _)| prefix);
    announced == Some(prefix) || in_doubt.answer == Some(false)
}

/// Unfinished attempts that stand in the way of `direction`.
pub(super) fn unfinished_conflicts(
    directory: &MigrationDirectory,
    journal: &[JournalRow],
    direction: Direction,
) -> Vec<Conflict> {
    let conflict = |row: &JournalRow| {
        let script = row.script.clone();
        let version = row.version.clone();
        if row.direction != direction {
            Some(Conflict::UnfinishedOther {
                version,
                script,
                direction: row.direction.as_str(),
            })
        } else if directory.get(&version).is_none() {
            Some(Conflict::JournalWithoutFile { version, script })
        } else {
            None
        }
    };
    journal.iter().filter_map(conflict).collect()
}

/// Statements in doubt of which only a person can tell whether they took effect, and nobody has.
pub(super) fn questions(journal: &[JournalRow]) -> impl Iterator<Item = Conflict> {
    let rows = journal.iter().filter(|row| row.direction == Direction::Up);
    rows.filter_map(|row| {
        let in_doubt = row.in_doubt.as_ref()?;
        let asked = in_doubt.answer.is_none() && state_before(in_doubt) == UNKNOWN;
        asked.then(|| Conflict::InDoubt {
            version: row.version.clone(),
            script: row.script.clone(),
            statement: in_doubt.statement,
        })
    })
}

impl Runner {
    /// All that keeps `up` from going on with what is unfinished, as far as the directory and the journal tell.
    pub(super) fn conflicts_of_unfinished(
        &self,
        directory: &MigrationDirectory,
        journal: &[JournalRow],
        summaries: &mut Summaries,
    ) -> Result<Vec<Conflict>, RunError> {
        let mut conflicts = unfinished_conflicts(directory, journal, Direction::Up);
        for row in journal.iter().filter(|row| row.direction == Direction::Up) {
            let Some(migration) = directory.get(&row.version) else {
                continue;
            };
            let checkpoint = migration.checkpoint.as_ref();
            let ran = checkpoint.filter(|script| script.file_name == row.script);
            let script = ran.unwrap_or(&migration.up);
            conflicts.extend(self.conflict_of(script, row, summaries)?);
        }
        Ok(conflicts)
    }

    /// Whether the part of a script that was run is what the journal says.
    fn conflict_of(
        &self,
        script: &Script,
        row: &JournalRow,
        summaries: &mut Summaries,
    ) -> Result<Option<Conflict>, RunError> {
        let dialect = self.database.dialect();
        let past = Past::of(row);
        let unresumable = |in_doubt: Option<i64>| {
            Ok(Some(Conflict::Unresumable {
                version: row.version.clone(),
                script: script.file_name.clone(),
                statements_done: row.statements_done,
                in_doubt,
            }))
        };
        let summary = summaries.of(self, script)?;
        let mut hasher = SqlHasher::new(dialect);
        let mut splitter = Splitter::new(script.open_inspected(summary)?, dialect);
        let mut seen = 0;
        // The statement in doubt is the one after those that are done.
        let wanted = past.done + i64::from(past.in_doubt.is_some());
        while seen < wanted {
            let piece = splitter
                .next_piece()
                .map_err(|error| script.split_error(error, Position::START))?;
            let statement = match piece {
                None => break,
                Some(Piece::Statement(statement)) => statement,
                Some(_) => continue,
            };
            hasher.statement(&statement);
            seen = i64::try_from(statement.index).unwrap_or(i64::MAX);
            if seen == past.done && hasher.prefix() != past.prefix {
                return unresumable(None);
            }
            if let Some(in_doubt) = &past.in_doubt
                && seen == in_doubt.statement
                && !is_what_was_announced(in_doubt, &hasher.prefix())
            {
                return unresumable(Some(in_doubt.statement));
            }
        }
        if seen < past.done || (seen < wanted && past.still_in_doubt()) {
            return unresumable(past.in_doubt.map(|in_doubt| in_doubt.statement));
        }
        Ok(None)
    }
}

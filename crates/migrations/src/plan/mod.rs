//! What a run would do: directory × history × options → [`Plan`] or conflicts.
//!
//! Pure: no I/O, no clock. The executor makes the plan once to show it and again under the lock, so it never acts
//! on what another runner has changed meanwhile.

mod compare;
mod covered;

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

pub use compare::{Comparison, Conflict, Difference, Pending, compare};
pub(crate) use compare::{is_only_checkpoint, script_of};
pub(crate) use covered::{covers, is_present};

use crate::database::Capabilities;
use crate::directory::{Condition, Migration, Script, ScriptSummary, StatementSummary, hex};
use crate::history::{Direction, JournalRow, Kind, Version};
use crate::ledger::HoldReason;
use crate::lint::{Finding, SchemaFrom};
use crate::number::count;
use forerun_sql::LockClass;
use forerun_sql::effect::Work;

/// Which pending migrations to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those before the first pending data migration.
    Schema,
    /// From the first pending data migration to the end.
    Data,
}

/// How a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In one transaction with its history row.
    Transaction,
    /// Statement by statement, with a journal.
    Statements,
}

/// One migration of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Version.
    pub version: Version,
    /// Words of the file name.
    pub description: String,
    /// Up or down.
    pub direction: Direction,
    /// The script to run.
    pub script: Script,
    /// What is in it.
    pub summary: ScriptSummary,
    /// How it is run.
    pub mode: Mode,
    /// Why it is not run in one transaction.
    pub mode_reason: Option<String>,
    /// What an earlier attempt left.
    pub journal: Option<JournalRow>,
    /// What the linter says of it, once it was asked.
    pub findings: Vec<Finding>,
    /// Of each of its statements the most work that it does under a lock on a table that was there before, once the
    /// linter was asked; see [`forerun_sql::lint::Linter::work`].
    #[serde(skip)]
    pub work: Vec<Option<Work>>,
    /// It is recorded already and runs once more.
    pub again: bool,
    /// Of a contract migration that does not say it: the first release that lives without what it takes away, by the
    /// ledger.
    #[serde(skip)]
    pub unused_since: Option<String>,
    /// What must hold for it to run.
    #[serde(skip)]
    pub conditions: Vec<Condition>,
}

/// The longest that a change of the catalog alone may take: others wait for it, and it should be done in milliseconds.
const METADATA_LIMIT: Duration = Duration::from_secs(10);

impl Step {
    /// How long the statement with this number, from 1, may take at most once it has its lock, because it changes the
    /// catalog alone. `None` where it does not, or nobody knows, or where the script says how long it may take; a limit
    /// that the run has (`told`) is believed as well.
    pub fn metadata_limit(&self, index: u64, class: LockClass, told: bool) -> Option<Duration> {
        let place = usize::try_from(index.saturating_sub(1)).unwrap_or(usize::MAX);
        let work = self.work.get(place).copied().flatten();
        let told = told || self.summary.timeouts.statement.is_some();
        let short = class == LockClass::BlockingDdl && work == Some(Work::Metadata) && !told;
        short.then_some(METADATA_LIMIT)
    }
}

/// What a run would do, in order.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The migrations to run.
    pub steps: Vec<Step>,
    /// Pending migrations that the scope leaves for later, and those that have to wait, as file names.
    pub left_for_later: Vec<String>,
    /// Contract migrations that have to wait, in order; the run stops before the first of them.
    pub held: Vec<Held>,
    /// Migrations that this command has to run and cannot, because they stand behind one that is held, as file names: it
    /// ends with an error.
    pub blocked: Vec<String>,
    /// Those that would have to wait and run because somebody accepts the downtime.
    pub overridden: Vec<Held>,
    /// Versions in the history.
    pub applied: usize,
    /// Versions in the history that are newer than everything in the directory.
    pub ahead: Vec<Version>,
    /// File names of steps that are older than what is applied.
    pub out_of_order: Vec<String>,
    /// Where the linter knows from what is there before the steps; `None` when it was not asked.
    pub schema_from: Option<SchemaFrom>,
    /// Digest of what the plan was made from: versions, checksums, modes and resume points.
    pub hash: String,
}

/// A contract migration that has to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Version.
    pub version: Version,
    /// File name.
    pub script: String,
    /// Why; never empty.
    pub reasons: Vec<HeldReason>,
    /// Of the first that is held: pending migrations behind it that are no contract migrations, as file names. The
    /// release needs them, and they wait for it.
    pub waiting: Vec<String>,
    /// What lets those run, where there are any.
    pub advice: Option<String>,
}

/// One condition that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldReason {
    /// Which, with its facts.
    #[serde(flatten)]
    pub reason: HoldReason,
    /// The same as a sentence, with what to do.
    pub message: String,
}

impl HeldReason {
    /// With its sentence; see [`HoldReason::sentence`].
    pub fn new(reason: HoldReason, blocks: bool) -> Self {
        let message = reason.sentence(blocks);
        Self { reason, message }
    }
}

impl Held {
    /// All reasons, one after the other.
    pub fn sentences(&self) -> String {
        let sentences = self.reasons.iter().map(|reason| reason.message.as_str());
        sentences.collect::<Vec<_>>().join("; ")
    }

    /// `0009_x.sql waits behind it`, where something does.
    pub fn waiting_sentence(&self) -> Option<String> {
        match self.waiting.as_slice() {
            [] => None,
            [only] => Some(format!("{only} waits behind it")),
            [first, ..] => Some(format!(
                "{}, from {first} on, wait behind it",
                count(self.waiting.len(), "migration")
            )),
        }
    }
}

impl Plan {
    /// Bytes of the scripts to run.
    pub fn bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.script.bytes).sum()
    }
}

/// The pending migrations that `scope` selects, in order, and the rest. `kind_of` tells schema from data.
///
/// # Errors
/// File names of pending schema migrations that come before the first data migration of [`Scope::Data`].
pub fn select<'a>(
    pending: &[Pending<'a>],
    scope: Scope,
    kind_of: impl Fn(&Pending<'a>) -> Kind,
) -> Result<(Vec<Pending<'a>>, Vec<Pending<'a>>), Vec<String>> {
    let first_data = pending
        .iter()
        .position(|pending| kind_of(pending) == Kind::Data);
    match (scope, first_data) {
        (Scope::All, _) | (Scope::Schema, None) => Ok((pending.to_vec(), Vec::new())),
        (Scope::Schema, Some(data)) => Ok((pending[..data].to_vec(), pending[data..].to_vec())),
        (Scope::Data, None) => Ok((Vec::new(), pending.to_vec())),
        (Scope::Data, Some(0)) => Ok((pending.to_vec(), Vec::new())),
        (Scope::Data, Some(data)) => Err(pending[..data]
            .iter()
            .map(|pending| pending.script.file_name.clone())
            .collect()),
    }
}

/// A step for one script.
pub fn step(
    migration: &Migration,
    script: &Script,
    direction: Direction,
    summary: ScriptSummary,
    capabilities: Capabilities,
    journal: Option<JournalRow>,
) -> Step {
    let (mode, mode_reason) = match (
        mode(script, &summary, capabilities.transactional_ddl),
        &journal,
    ) {
        // What an earlier attempt has done must not be done again, even if the rest would fit into a transaction now.
        ((Mode::Transaction, _), Some(journal)) => (
            Mode::Statements,
            Some(format!(
                "an earlier attempt has done {} of it",
                count(journal.statements_done, "statement")
            )),
        ),
        (own, _) => own,
    };
    Step {
        version: migration.version.clone(),
        description: migration.description.clone(),
        direction,
        script: script.clone(),
        summary,
        mode,
        mode_reason,
        journal,
        findings: Vec::new(),
        work: Vec::new(),
        again: false,
        unused_since: None,
        conditions: match direction {
            Direction::Up => migration.conditions.clone(),
            Direction::Down => Vec::new(),
        },
    }
}

/// Puts steps together.
pub fn plan(
    steps: Vec<Step>,
    left_for_later: Vec<String>,
    applied: usize,
    ahead: Vec<Version>,
) -> Plan {
    let mut digest = Sha256::new();
    for step in &steps {
        let resume = step
            .journal
            .as_ref()
            .map_or(0, |journal| journal.statements_done);
        digest.update(format!(
            "{} {} {} {:?} {resume}\n",
            step.version,
            step.direction.as_str(),
            step.script.normalized,
            step.mode
        ));
    }
    let hash = hex(&digest.finalize());
    Plan {
        steps,
        left_for_later,
        held: Vec::new(),
        blocked: Vec::new(),
        overridden: Vec::new(),
        applied,
        ahead,
        out_of_order: Vec::new(),
        schema_from: None,
        hash,
    }
}

/// How a script is run that no earlier attempt has begun.
pub(crate) fn mode_of(script: &Script, summary: &ScriptSummary, transactional_ddl: bool) -> Mode {
    mode(script, summary, transactional_ddl).0
}

/// One transaction where the database can and the script lets it.
fn mode(
    script: &Script,
    summary: &ScriptSummary,
    transactional_ddl: bool,
) -> (Mode, Option<String>) {
    if let Some(words) = &script.no_transaction {
        return (Mode::Statements, Some(format!("the file says `{words}`")));
    }
    if summary.no_transaction {
        return (
            Mode::Statements,
            Some("the file says `-- forerun:no-transaction`".to_owned()),
        );
    }
    if !transactional_ddl && summary.controls > 0 && !summary.wrapped {
        return (
            Mode::Statements,
            Some("it begins and ends transactions by itself".to_owned()),
        );
    }
    if summary.outside_transaction == 0 {
        return (Mode::Transaction, None);
    }
    let reason = match summary.first_outside() {
        Some(statement) => format!(
            "{} on line {} {}",
            statement.classification.verb,
            statement.position.line,
            if transactional_ddl {
                "cannot run in a transaction"
            } else {
                "does not take part in a transaction"
            }
        ),
        None => "a statement of it cannot run in a transaction".to_owned(),
    };
    (Mode::Statements, Some(reason))
}

/// Whether a statement changes the catalog under a lock that stops others.
pub fn is_blocking(statement: &StatementSummary) -> bool {
    statement.classification.lock == LockClass::BlockingDdl
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(version: u32) -> Migration {
        let file_name = format!("{version}_x.sql");
        let up = Script::for_test(&file_name, "");
        Migration::new(Version::from(version), version.to_string(), "x", up)
    }

    fn chosen(kinds: &[Kind], scope: Scope) -> Result<(usize, usize), Vec<String>> {
        let migrations: Vec<Migration> = (0_u32..).take(kinds.len()).map(migration).collect();
        let pending: Vec<Pending<'_>> = migrations
            .iter()
            .map(|migration| Pending {
                migration,
                script: &migration.up,
                again: false,
            })
            .collect();
        let kind_of = |pending: &Pending<'_>| {
            let version = pending.migration.version.as_str();
            kinds[version.parse::<usize>().unwrap()]
        };
        select(&pending, scope, kind_of).map(|(chosen, rest)| (chosen.len(), rest.len()))
    }

    #[test]
    fn schema_stops_before_the_first_data_migration() {
        use Kind::{Data, Schema};
        assert_eq!(
            chosen(&[Schema, Schema, Data, Schema], Scope::Schema),
            Ok((2, 2))
        );
        assert_eq!(chosen(&[Data, Schema], Scope::Schema), Ok((0, 2)));
        assert_eq!(chosen(&[Schema], Scope::Schema), Ok((1, 0)));
    }

    #[test]
    fn data_runs_everything_from_the_first_data_migration_on() {
        use Kind::{Data, Schema};
        assert_eq!(chosen(&[Data, Schema, Data], Scope::Data), Ok((3, 0)));
        assert_eq!(
            chosen(&[Schema, Data], Scope::Data),
            Err(vec!["0_x.sql".to_owned()])
        );
        assert_eq!(chosen(&[Schema], Scope::Data), Ok((0, 1)));
        assert_eq!(chosen(&[], Scope::Data), Ok((0, 0)));
    }
}

//! What a script does about transactions by itself, and whether forerun can run it so.
//!
//! forerun puts a transaction around a script and writes the history in it. A script that begins and commits as a
//! whole means the same thing, so its `BEGIN` and `COMMIT` are left out. Any other `COMMIT` would make half of the
//! script permanent without a record. A script that runs without our transaction may group its statements, if each
//! group that is begun is ended.

use forerun_sql::{Dialect, Position, Statement, TransactionUse, classify};

use super::Script;
use super::error::DirectoryError;
use super::inspect::preview;

/// Sees all statements, remembers a few of them.
pub(super) struct TransactionControls {
    dialect: Dialect,
    count: u64,
    first: Option<Control>,
    second: Option<Control>,
    last: Option<Control>,
    /// The group that is open after the statements seen.
    open: Option<Control>,
    /// A statement in the open group does not take part in transactions.
    broken: bool,
    groups: Vec<TransactionGroup>,
    /// The first statement that asks for a transaction of a special kind, and why that cannot be.
    special: Option<(Control, &'static str)>,
    /// The first statement that does not fit a sequence of groups.
    misplaced: Option<(Control, &'static str)>,
}

/// A transaction that a script opens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionGroup {
    /// Number of the statement that opens it.
    pub begin: u64,
    /// Number of the statement that ends it.
    pub end: u64,
    /// It ends with ROLLBACK: nothing in it lasts.
    pub rolled_back: bool,
    /// A statement in it does not take part in transactions; on MySQL that ends the transaction.
    pub broken: bool,
}

/// What a script does about transactions.
pub(super) struct Verdict {
    /// `BEGIN` and `COMMIT` wrap the script as a whole.
    pub wrapped: bool,
    /// Statements that begin or end a transaction.
    pub controls: u64,
    pub groups: Vec<TransactionGroup>,
}

#[derive(Clone)]
struct Control {
    index: u64,
    position: Position,
    text: String,
    sort: TransactionUse,
}

impl TransactionControls {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            count: 0,
            first: None,
            second: None,
            last: None,
            open: None,
            broken: false,
            groups: Vec::new(),
            special: None,
            misplaced: None,
        }
    }

    /// Takes in the next statement of the script, number `index`.
    pub(super) fn statement(&mut self, statement: &Statement, index: u64, sort: TransactionUse) {
        if self.special.is_none()
            && let Some(problem) = special(self.dialect, &statement.text, sort)
        {
            let control = Control {
                index,
                position: statement.position,
                text: preview(&statement.text),
                sort,
            };
            self.special = Some((control, problem));
        }
        if matches!(sort, TransactionUse::Inside | TransactionUse::Savepoint) {
            return;
        }
        // MySQL ends a transaction by itself where others refuse.
        let strict = self.dialect != Dialect::Mysql;
        let control = Control {
            index,
            position: statement.position,
            text: preview(&statement.text),
            sort,
        };
        let open = self.open.is_some();
        let problem = match sort {
            TransactionUse::Outside if open && strict => Some(
                "cannot run inside a transaction, but stands between BEGIN and COMMIT. Move it out of them",
            ),
            TransactionUse::Begin if open && strict => Some(
                "begins a transaction inside another one. Add the COMMIT that is missing before it",
            ),
            TransactionUse::Commit | TransactionUse::Rollback if !open && strict => Some(
                "ends a transaction that was not begun. Remove it, or add the BEGIN that is missing before it",
            ),
            _ => None,
        };
        if let (Some(problem), None) = (problem, &self.misplaced) {
            self.misplaced = Some((control.clone(), problem));
        }
        match sort {
            TransactionUse::Begin => {
                self.open = Some(control.clone());
                self.broken = false;
            }
            TransactionUse::Commit | TransactionUse::Rollback => {
                if let Some(begin) = self.open.take() {
                    let rolled_back = sort == TransactionUse::Rollback;
                    self.groups.push(TransactionGroup {
                        begin: begin.index,
                        end: index,
                        rolled_back,
                        broken: self.broken,
                    });
                }
            }
            TransactionUse::Outside if open => {
                self.broken = true;
                return;
            }
            TransactionUse::Outside | TransactionUse::Inside | TransactionUse::Savepoint => return,
        }
        self.count += 1;
        match self.count {
            1 => self.first = Some(control.clone()),
            2 => self.second = Some(control.clone()),
            _ => {}
        }
        self.last = Some(control);
    }

    /// The verdict: whether `BEGIN` and `COMMIT` wrap the script as a whole and are to be left out.
    pub(super) fn finish(
        mut self,
        script: &Script,
        transactional: bool,
        statement_count: u64,
    ) -> Result<Verdict, DirectoryError> {
        let controls = self.count;
        let groups = std::mem::take(&mut self.groups);
        let verdict = |wrapped| {
            Ok(Verdict {
                wrapped,
                controls,
                groups,
            })
        };
        let refuse = |control: Control, problem| {
            Err(DirectoryError::TransactionControl {
                path: script.path.clone(),
                position: control.position,
                statement: control.text,
                problem,
            })
        };
        if let Some((control, problem)) = self.special {
            return refuse(control, problem);
        }
        if !transactional {
            if let Some((control, problem)) = self.misplaced {
                return refuse(control, problem);
            }
            if let Some(control) = self.open {
                return refuse(
                    control,
                    "begins a transaction that is never ended. Add a COMMIT at the end of the script",
                );
            }
            return verdict(false);
        }
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return verdict(false);
        };
        let begins = first.sort == TransactionUse::Begin && first.index == 1;
        let commits = last.sort == TransactionUse::Commit && last.index == statement_count;
        if self.count == 2 && begins && commits {
            if !is_plain(&first) {
                return refuse(
                    first,
                    "asks for a transaction of a special kind, but forerun opens its own. Remove it and the COMMIT",
                );
            }
            if is_plain(&last) {
                return verdict(true);
            }
        }
        let offending = if begins {
            self.second.unwrap_or(first)
        } else {
            first
        };
        let problem = match offending.sort {
            TransactionUse::Begin => {
                "begins a transaction, but forerun runs the whole script in its own. Remove it and the statement that \
                 ends it, or write `-- forerun:no-transaction` at the top to run the script as written"
            }
            _ => {
                "would end the transaction in which forerun runs this script and records it. Remove it, or write \
                 `-- forerun:no-transaction` at the top to run the script as written"
            }
        };
        refuse(offending, problem)
    }
}

/// `BEGIN` and `COMMIT` in their usual spellings, without isolation levels and the like.
fn is_plain(control: &Control) -> bool {
    const WORDS: [&str; 10] = [
        "BEGIN",
        "START",
        "COMMIT",
        "END",
        "TRANSACTION",
        "WORK",
        "DEFERRED",
        "IMMEDIATE",
        "EXCLUSIVE",
        "TRAN",
    ];
    control
        .text
        .split(' ')
        .all(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// Why a statement cannot stand in any script, if it cannot.
fn special(dialect: Dialect, text: &str, sort: TransactionUse) -> Option<&'static str> {
    if asks_for_a_snapshot(dialect, text) {
        return Some(
            "asks for a transaction that sees only what was there when it began; forerun could not tell any more whether \
             its lock is still held. Remove it; if rows must not change meanwhile, use LOCK TABLE or SELECT … FOR UPDATE",
        );
    }
    if dialect != Dialect::Postgres || sort != TransactionUse::Outside {
        return None;
    }
    let verb = classify(dialect, text).verb;
    match verb.as_str() {
        "PREPARE TRANSACTION" => Some(
            "would leave what stands before it to a transaction that somebody else has to commit, while the migration counts \
             as applied. Remove it",
        ),
        "COMMIT PREPARED" | "ROLLBACK PREPARED" => Some(
            "ends a transaction that was prepared elsewhere, which cannot be a part of a migration. Remove it, and run it by \
             hand",
        ),
        _ => None,
    }
}

/// Whether a statement sets an isolation level above READ COMMITTED for its transaction. The lease is compared in the
/// transaction of the migration, and must be seen as it is at that moment.
fn asks_for_a_snapshot(dialect: Dialect, text: &str) -> bool {
    if dialect == Dialect::Sqlite || text.len() > 200 {
        return false;
    }
    let words = text.to_ascii_uppercase();
    let begins = [
        "SET TRANSACTION",
        "SET SESSION",
        "SET LOCAL TRANSACTION",
        "BEGIN",
        "START TRANSACTION",
    ];
    let level = ["REPEATABLE READ", "SERIALIZABLE"];
    dialect == Dialect::Postgres
        && begins.iter().any(|begin| words.starts_with(begin))
        && words.contains("ISOLATION LEVEL")
        && level.iter().any(|level| words.contains(level))
}

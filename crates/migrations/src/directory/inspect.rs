//! What a script consists of: its directives and its statements, without keeping its text.

use std::fs::File;
use std::time::Duration;

use forerun_sql::directive::refuse_inner_directives;
use forerun_sql::{
    Classification, Contract, Dialect, Directive, DirectiveKind, LockClass, Piece, Position,
    SplitError, Splitter, SqlHasher, Statement, TransactionUse, classify, parse_directives,
};
use serde::Serialize;

use super::Script;
use super::error::{DirectoryError, DirectoryWarning};
use super::transaction_control::{TransactionControls, TransactionGroup};
use crate::history::{Direction, Kind, Phase, Version};

/// Statements that a [`ScriptSummary`] describes one by one; the rest are counted.
pub const MAX_STATEMENTS: usize = 10_000;

/// Characters of a statement that a summary keeps.
const PREVIEW_CHARACTERS: usize = 120;

/// What a script consists of.
#[derive(Debug, Clone, Serialize)]
pub struct ScriptSummary {
    /// `data` or, without the directive, `schema`.
    pub kind: Kind,
    /// What must be true before it may run, if it says `contract`.
    pub contract: Option<ContractConditions>,
    /// What it says the linter shall let pass.
    pub allows: Vec<Allow>,
    /// The script says `no-transaction`.
    pub no_transaction: bool,
    /// Its limits.
    pub timeouts: ScriptTimeouts,
    /// Its first [`MAX_STATEMENTS`] statements.
    pub statements: Vec<StatementSummary>,
    /// How many it has.
    pub statement_count: u64,
    /// How many of them cannot run inside a transaction: one is enough for the script to run without.
    pub outside_transaction: u64,
    /// Its checks: number of the query and the sentence of `forerun:assert`.
    pub assertions: Vec<(u64, String)>,
    /// Digest of the SQL without comments and layout, lower-case hex.
    pub sql_checksum: String,
    /// It has `COPY … FROM STDIN` with rows.
    pub has_copy: bool,
    /// `BEGIN` is its first and `COMMIT` its last statement, and there is no other transaction control: both are
    /// to be left out, since forerun's own transaction replaces them. Never set for a script that runs without
    /// a transaction, where such groups are run as written.
    pub wrapped: bool,
    /// Statements that begin or end a transaction.
    pub controls: u64,
    /// The transactions that it opens by itself, in order; all of them, also beyond [`MAX_STATEMENTS`].
    #[serde(skip)]
    pub groups: Vec<TransactionGroup>,
    /// The file as it was when this was made.
    #[serde(skip)]
    pub(crate) stamp: Option<FileStamp>,
    /// What a person should look at.
    pub warnings: Vec<DirectoryWarning>,
}

/// What tells a file from the one it replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStamp {
    pub(super) bytes: u64,
    inode: u64,
    modified: Option<std::time::SystemTime>,
}

impl FileStamp {
    pub(super) fn of(file: &File) -> std::io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            bytes: metadata.len(),
            inode: std::os::unix::fs::MetadataExt::ino(&metadata),
            modified: metadata.modified().ok(),
        })
    }
}

/// Limits that a script sets for its statements. Zero means no limit, `None` that the script says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ScriptTimeouts {
    /// Longest wait for a lock, per try.
    pub lock: Option<Duration>,
    /// Longest execution of one statement.
    pub statement: Option<Duration>,
}

/// What `forerun:contract` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContractConditions {
    /// The migrations whose deployment must be completed; empty when it names none, which stands for all before it.
    pub after: Vec<Version>,
    /// The first release that does not use what the script takes away, as written.
    pub unused_since: Option<String>,
    /// Where the directive stands.
    pub position: Position,
}

/// One `forerun:allow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allow {
    /// Name of the rule; whether there is such a rule is not checked here.
    pub rule: String,
    /// Why it may be.
    pub reason: String,
    /// Where the directive stands.
    pub position: Position,
    /// The statement it stands before, from 1; `None` above the first one, where it is about the whole script.
    pub statement: Option<u64>,
}

/// One statement.
#[derive(Debug, Clone, Serialize)]
pub struct StatementSummary {
    /// Its number, from 1.
    pub index: u64,
    /// Where it begins.
    pub position: Position,
    /// What it is.
    pub classification: Classification,
    /// Its first characters, on one line.
    pub preview: String,
    /// The sentence of `forerun:assert`, when it is a check that must return no rows.
    pub assert: Option<String>,
}

impl ScriptSummary {
    /// Whether it takes away what an earlier release may use.
    pub fn phase(&self) -> Phase {
        if self.contract.is_some() {
            Phase::Contract
        } else {
            Phase::Expand
        }
    }

    /// The first release that does not use what the script takes away, if it says so.
    pub fn unused_since(&self) -> Option<String> {
        self.contract.as_ref()?.unused_since.clone()
    }

    /// The sentence of the check that a statement is, if it is one.
    pub fn assertion(&self, index: u64) -> Option<&str> {
        self.assertions
            .iter()
            .find(|(query, _)| *query == index)
            .map(|(_, message)| message.as_str())
    }

    /// The first statement that cannot run in a transaction, if it is among those described.
    pub fn first_outside(&self) -> Option<&StatementSummary> {
        self.statements
            .iter()
            .find(|statement| statement.classification.transaction == TransactionUse::Outside)
    }
}

impl Script {
    /// Reads the whole script and tells what is in it. Memory does not grow with rows or, beyond
    /// [`MAX_STATEMENTS`], with statements.
    ///
    /// Finds everything that is wrong with a script as a text: constructs without an end, directives that are
    /// unknown or in the wrong place, transaction control that forerun cannot let through.
    pub fn inspect(&self, dialect: Dialect) -> Result<ScriptSummary, DirectoryError> {
        let mut inspection = Inspection::new(self, dialect);
        let (stamp, text) = self.open_file()?;
        inspection.summary.stamp = Some(stamp);
        let mut splitter = Splitter::new(text, dialect);
        loop {
            let before = splitter.position();
            match splitter.next_piece() {
                Ok(None) => break,
                Ok(Some(piece)) => inspection.piece(&piece, before)?,
                Err(error) => return Err(self.split_error(error, before)),
            }
        }
        inspection.finish()
    }
}

/// The state of one [`Script::inspect`].
struct Inspection<'a> {
    script: &'a Script,
    dialect: Dialect,
    summary: ScriptSummary,
    hasher: SqlHasher,
    controls: TransactionControls,
    /// An `assert` that waits for its query.
    assert: Option<(Position, String)>,
}

impl<'a> Inspection<'a> {
    fn new(script: &'a Script, dialect: Dialect) -> Self {
        let summary = ScriptSummary {
            kind: Kind::Schema,
            contract: None,
            allows: Vec::new(),
            no_transaction: script.no_transaction.is_some(),
            timeouts: ScriptTimeouts::default(),
            statements: Vec::new(),
            statement_count: 0,
            outside_transaction: 0,
            assertions: Vec::new(),
            sql_checksum: String::new(),
            has_copy: false,
            wrapped: false,
            controls: 0,
            groups: Vec::new(),
            stamp: None,
            warnings: Vec::new(),
        };
        let hasher = SqlHasher::new(dialect);
        let controls = TransactionControls::new(dialect);
        Self {
            script,
            dialect,
            summary,
            hasher,
            controls,
            assert: None,
        }
    }

    fn piece(&mut self, piece: &Piece<'_>, start: Position) -> Result<(), DirectoryError> {
        match piece {
            Piece::Statement(statement) => self.statement(statement),
            Piece::Client(line) => self.comments(&line.leading, line.leading_position),
            Piece::Trailing(text) => self.comments(text, start),
            Piece::CopyData(rows) => {
                self.summary.has_copy = true;
                self.hasher.copy_data(rows);
                Ok(())
            }
            Piece::CopyEnd(_) => {
                self.summary.has_copy = true;
                Ok(())
            }
        }
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), DirectoryError> {
        self.comments(&statement.leading, statement.leading_position)?;
        refuse_inner_directives(self.dialect, statement)
            .map_err(|error| self.directive_error(error.position, error.message))?;
        self.hasher.statement(statement);
        self.summary.statement_count += 1;
        let index = self.summary.statement_count;
        let classification = classify(self.dialect, &statement.text);
        if classification.transaction == TransactionUse::Outside {
            self.summary.outside_transaction += 1;
        }
        self.controls
            .statement(statement, index, classification.transaction);
        let assert = match self.assert.take() {
            Some((position, message)) => {
                if classification.lock != LockClass::Query {
                    let message = "forerun:assert must stand directly before a query (SELECT, WITH … SELECT, VALUES or \
                                   SHOW) that returns rows when something is wrong";
                    return Err(self.directive_error(position, message));
                }
                Some(message)
            }
            None => None,
        };
        if let Some(message) = &assert {
            self.summary.assertions.push((index, message.clone()));
        }
        if self.summary.statements.len() < MAX_STATEMENTS {
            self.summary.statements.push(StatementSummary {
                index,
                position: statement.position,
                classification,
                preview: preview(&statement.text),
                assert,
            });
        }
        Ok(())
    }

    /// Takes in the directives of the comments between two statements.
    fn comments(&mut self, text: &str, start: Position) -> Result<(), DirectoryError> {
        let directives = parse_directives(self.dialect, text, start)
            .map_err(|error| self.directive_error(error.position, error.message))?;
        directives
            .into_iter()
            .try_for_each(|directive| self.directive(directive))
    }

    fn directive(&mut self, directive: Directive) -> Result<(), DirectoryError> {
        let position = directive.position;
        let name = match &directive.kind {
            DirectiveKind::Data => "data",
            DirectiveKind::NoTransaction => "no-transaction",
            DirectiveKind::Timeout { .. } => "timeout",
            DirectiveKind::Assert { .. } => "assert",
            DirectiveKind::Contract(_) => "contract",
            DirectiveKind::Backfill { .. } => "backfill",
            DirectiveKind::Allow { .. } => "allow",
        };
        let whole = !matches!(name, "assert" | "allow" | "backfill");
        if whole && self.summary.statement_count > 0 {
            let message = format!(
                "forerun:{name} is about the whole script: move it above the first statement"
            );
            return Err(self.directive_error(position, message));
        }
        match directive.kind {
            DirectiveKind::Data => self.summary.kind = Kind::Data,
            DirectiveKind::NoTransaction => self.summary.no_transaction = true,
            DirectiveKind::Timeout { statement, lock } => {
                let limits = &mut self.summary.timeouts;
                let twice = (statement.is_some() && limits.statement.is_some())
                    || (lock.is_some() && limits.lock.is_some());
                if twice {
                    let message =
                        "this limit is set by an earlier forerun:timeout already: keep one of them";
                    return Err(self.directive_error(position, message));
                }
                limits.statement = statement.or(limits.statement);
                limits.lock = lock.or(limits.lock);
            }
            DirectiveKind::Assert { message } => {
                if let Some((first, _)) = self.assert.replace((position, message)) {
                    let message = format!(
                        "there is another forerun:assert at {first} for the same query: give each one its own query"
                    );
                    return Err(self.directive_error(position, message));
                }
            }
            DirectiveKind::Contract(contract) => self.contract(position, contract)?,
            DirectiveKind::Allow { rule, reason } => {
                let before = self.summary.statement_count;
                self.summary.allows.push(Allow {
                    rule,
                    reason,
                    position,
                    statement: (before > 0).then_some(before + 1),
                });
            }
            DirectiveKind::Backfill { .. } => {
                let message = format!(
                    "forerun:{name} is not supported by this version yet; running the script without it would not do \
                     what it says"
                );
                return Err(self.directive_error(position, message));
            }
        }
        Ok(())
    }

    fn contract(&mut self, position: Position, contract: Contract) -> Result<(), DirectoryError> {
        if self.script.direction == Direction::Down {
            let message = "forerun:contract is about the way up: a script that reverts needs none";
            return Err(self.directive_error(position, message));
        }
        if let Some(first) = &self.summary.contract {
            let message = format!(
                "there is another forerun:contract at {}: write all conditions into one",
                first.position
            );
            return Err(self.directive_error(position, message));
        }
        let mut after = Vec::with_capacity(contract.after.len());
        for text in contract.after {
            let Some(version) = Version::parse(&text).or_else(|| Version::named(&text)) else {
                let message = format!(
                    "\"{text}\" is not a version: after= takes the numbers in front of the file names, such as after=0007"
                );
                return Err(self.directive_error(position, message));
            };
            after.push(version);
        }
        self.summary.contract = Some(ContractConditions {
            after,
            unused_since: contract.unused_since,
            position,
        });
        Ok(())
    }

    fn finish(mut self) -> Result<ScriptSummary, DirectoryError> {
        if let Some((position, _)) = self.assert.take() {
            let message = "there is no query after this forerun:assert";
            return Err(self.directive_error(position, message));
        }
        let statements = self.summary.statement_count;
        let useless = self.summary.allows.iter().find(|allow| {
            allow
                .statement
                .is_some_and(|statement| statement > statements)
        });
        if let Some(allow) = useless {
            let message = "there is no statement after this forerun:allow";
            return Err(self.directive_error(allow.position, message));
        }
        let mut summary = self.summary;
        let transactional = !summary.no_transaction
            && summary.outside_transaction == 0
            && self.dialect != Dialect::Mysql;
        let verdict = self
            .controls
            .finish(self.script, transactional, summary.statement_count)?;
        summary.wrapped = verdict.wrapped;
        summary.controls = verdict.controls;
        summary.groups = verdict.groups;
        summary.sql_checksum = self.hasher.finish();
        if summary.statement_count == 0 && self.script.direction == Direction::Up {
            summary.warnings.push(DirectoryWarning::EmptyScript {
                file: self.script.file_name.clone(),
            });
        }
        Ok(summary)
    }

    fn directive_error(&self, position: Position, message: impl Into<String>) -> DirectoryError {
        DirectoryError::Directive {
            path: self.script.path.clone(),
            position,
            message: message.into(),
        }
    }
}

impl Script {
    /// What the splitter found wrong, at its place in this file; `reached` where it has no place of its own.
    pub(crate) fn split_error(&self, error: SplitError, reached: Position) -> DirectoryError {
        let path = self.path.clone();
        let position = match &error {
            SplitError::Unterminated { start, .. } | SplitError::TooLong { start, .. } => *start,
            SplitError::ClientCommand { position, .. }
            | SplitError::AfterCopy { position }
            | SplitError::NotUtf8 { position } => *position,
            _ => reached,
        };
        match error {
            SplitError::Io(source) => DirectoryError::Io {
                action: "read",
                path,
                source,
            },
            error => DirectoryError::Syntax {
                path,
                position,
                message: error.to_string(),
            },
        }
    }
}

/// The first characters of a statement, with every run of white space as one space.
pub(super) fn preview(text: &str) -> String {
    let mut line = String::new();
    let mut characters = 0;
    for character in text.chars() {
        let character = if character.is_whitespace() {
            ' '
        } else {
            character
        };
        if character == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if characters == PREVIEW_CHARACTERS {
            line.push('…');
            break;
        }
        line.push(character);
        characters += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

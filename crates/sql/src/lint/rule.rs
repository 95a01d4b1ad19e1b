//! What a rule is, and what it is shown.

use std::ops::Range;

use serde::Serialize;

use super::finding::{Kind, Severity};
use super::linter::{File, Server};
use super::proposal::Proposal;
use super::view_indexes::ViewIndexes;
use crate::effect::{Blocks, Work};
use crate::operation::{Operation, Operations};
use crate::schema::Schema;
use crate::{Dialect, ObjectName};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, in kebab-case, as `forerun:allow` takes it.
    pub id: &'static str,
    /// How bad its findings are; [`Severity::Info`] only when it is enabled.
    pub severity: Severity,
    /// What its findings endanger.
    pub kind: Kind,
    /// Where it applies.
    pub dialects: &'static [Dialect],
    /// What it has to know.
    pub needs: Needs,
    /// What it finds, as a short sentence without full stop: `CREATE INDEX without CONCURRENTLY`.
    pub summary: &'static str,
    /// Why that hurts, and what helps: a paragraph or two of Markdown for its page.
    pub why: &'static str,
    /// Examples: each is a test, and on its page.
    pub examples: &'static [Example],
    /// What other tools call it.
    pub peers: Peers,
    /// Looks for it.
    pub check: Check,
}

/// What a rule has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// The statement alone.
    Statement,
    /// The file and its transaction.
    File,
    /// The schema that the directory has made so far.
    Schema,
    /// The directory as it is somewhere else, such as the branch that it is going to be merged into.
    Directory,
    /// What a server did with the statement on a scratch database.
    Server,
}

/// What a rule finds, and what it does not.
#[derive(Debug)]
pub struct Example {
    /// For which dialect.
    pub dialect: Dialect,
    /// An earlier migration that makes what the others use.
    pub before: &'static str,
    /// A migration in which the rule finds something.
    pub found: &'static str,
    /// The same in safety: one migration after the other, none of which has an error.
    pub instead: &'static [&'static str],
    /// What `found` does on a server, for rules that say so: a test looks.
    pub claims: &'static [Claim],
}

/// What a server does, shown by a test on a real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// On which table.
    pub table: &'static str,
    /// The server's name of the lock, as in [`Effect`](crate::effect::Effect).
    pub lock: &'static str,
    /// Who waits.
    pub blocks: Blocks,
    /// For how much work.
    pub work: Work,
}

/// What other tools call a rule; empty when they do not have it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peers {
    /// squawk.
    pub squawk: &'static str,
    /// strong_migrations.
    pub strong_migrations: &'static str,
    /// Atlas.
    pub atlas: &'static str,
    /// Eugene.
    pub eugene: &'static str,
}

impl Peers {
    /// Nobody has it.
    pub const NONE: Self = Self {
        squawk: "",
        strong_migrations: "",
        atlas: "",
        eugene: "",
    };
}

/// How a rule looks.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// At each operation.
    Operation(fn(&At<'_>, &mut Report<'_>)),
    /// At each statement, with all of its operations and the schema before it.
    Statement(fn(&StatementAt<'_>, &mut Report<'_>)),
    /// At each file, with the schema before it. Spans count from the start of the statement that is reported with
    /// [`Report::in_statement`].
    File(fn(&FileAt<'_>, &Schema, &mut Report<'_>)),
    /// The linter itself finds it, or whoever calls it ([`Also`](super::Also)).
    Built,
}

/// One operation in its surroundings.
pub struct At<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Its number in its statement, from 0.
    pub place: usize,
    /// Its statement, with the schema as it is before this operation.
    pub statement: StatementAt<'a>,
}

/// One statement in its surroundings.
#[derive(Clone, Copy)]
pub struct StatementAt<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its number in the file, from 0.
    pub place: usize,
    /// What it does.
    pub operations: &'a Operations,
    /// The schema before it.
    pub schema: &'a Schema,
    /// The unique indexes of materialized views before it.
    pub(super) views: &'a ViewIndexes,
    /// Its file.
    pub file: &'a FileAt<'a>,
}

/// One file in its surroundings.
#[derive(Clone, Copy)]
pub struct FileAt<'a> {
    /// Its dialect.
    pub dialect: Dialect,
    /// As it was given.
    pub file: &'a File<'a>,
    /// What its statements do, in order.
    pub operations: &'a [Operations],
    /// Its number among the files.
    pub number: usize,
    /// The number of the first file of those that run together with this one: tables made since then are new.
    pub together_since: usize,
    /// What is known of the server.
    pub server: Server,
}

impl<'a> At<'a> {
    /// The schema before this operation.
    pub fn schema(&self) -> &'a Schema {
        self.statement.schema
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.statement.schema.dialect()
    }

    /// Whether a table is there before this file (and those that run with it): rows may be in it, and the running
    /// release may use it. A table that nobody knows counts as there.
    pub fn is_old(&self, table: &ObjectName) -> bool {
        self.statement.is_old(table)
    }

    /// Whether a column is there before this file and those that run with it.
    pub fn is_old_column(&self, table: &ObjectName, column: &str) -> bool {
        let known = self.schema().column(table, column);
        self.is_old(table)
            && known.is_none_or(|column| column.made_in < self.statement.file.together_since)
    }

    /// The operations before this one that share its transaction: those of earlier statements when the file runs in one
    /// transaction, and the earlier ones of its own statement.
    pub fn earlier(&self) -> impl Iterator<Item = &'a Operation> {
        let before = self.statement.earlier();
        let own = self
            .statement
            .operations
            .list
            .get(..self.place)
            .unwrap_or_default();
        before.chain(own)
    }
}

impl<'a> StatementAt<'a> {
    /// As [`At::is_old`].
    pub fn is_old(&self, table: &ObjectName) -> bool {
        let known = self.schema.table(table);
        known.is_none_or(|table| !table.temporary && table.made_in < self.file.together_since)
    }

    /// The operations of earlier statements that share the transaction of this one.
    pub fn earlier(&self) -> impl Iterator<Item = &'a Operation> {
        let count = match self.file.file.transaction {
            true => self.place,
            false => 0,
        };
        let statements = self.file.operations.get(..count).unwrap_or_default();
        statements.iter().flat_map(|operations| &operations.list)
    }
}

/// Takes what a rule finds.
pub struct Report<'a> {
    pub(super) found: &'a mut Vec<Found>,
    pub(super) rule: &'static Rule,
    pub(super) statement: usize,
}

/// What a rule found, in the words of the statement.
pub(super) struct Found {
    pub rule: &'static Rule,
    pub severity: Severity,
    pub statement: usize,
    pub span: Range<usize>,
    pub message: String,
    pub instead: Proposal,
    pub rewrites: bool,
}

impl Report<'_> {
    /// Something at this place of the statement: what happens, and what to write instead (one migration after the other; of
    /// the statement, unless it says that it is of the file).
    pub fn add(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        instead: impl Into<Proposal>,
    ) {
        self.add_as(self.rule.severity, span, message, instead);
    }

    /// The same, less or more bad than the rule usually is.
    pub fn add_as(
        &mut self,
        severity: Severity,
        span: Range<usize>,
        message: impl Into<String>,
        instead: impl Into<Proposal>,
    ) {
        self.found.push(Found {
            rule: self.rule,
            severity,
            statement: self.statement,
            span,
            message: message.into(),
            instead: instead.into(),
            rewrites: false,
        });
    }

    /// What follows is about the statement with this number in the file, from 0.
    pub fn in_statement(&mut self, place: usize) -> &mut Self {
        self.statement = place;
        self
    }
}

//! Says what kind of statement a statement is, from its keywords alone.
//!
//! This is no parser: it looks at the first words, and further only where the answer is further.
//! It must never refuse a statement. One file per dialect; `cursor` walks over the words.

mod cursor;
mod mysql;
mod postgres;
mod postgres_alter;
mod sqlite;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::cursor::Cursor;
pub(crate) use self::cursor::folded_name;
use crate::Dialect;

/// What a statement is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Classification {
    /// The leading keywords in capitals, such as `CREATE INDEX CONCURRENTLY`; for display.
    pub verb: String,
    /// How it relates to a transaction block.
    pub transaction: TransactionUse,
    /// What it may block and how to run it.
    pub lock: LockClass,
    /// The objects it names as its target, in the order written.
    pub objects: Vec<ObjectName>,
    /// PostgreSQL's name for the strongest table lock it takes, such as `ACCESS EXCLUSIVE`
    /// (manual, section "Explicit Locking", and the page of the command).
    pub table_lock: Option<&'static str>,
    /// The label that `ALTER TYPE … ADD VALUE` adds.
    pub enum_value: Option<String>,
}

/// How a statement relates to a transaction block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionUse {
    /// It may run inside a transaction block.
    Inside,
    /// The server refuses it inside a transaction block, commits implicitly, or ignores it there.
    Outside,
    /// It starts a transaction.
    Begin,
    /// It commits the transaction.
    Commit,
    /// It rolls the transaction back.
    Rollback,
    /// It sets, releases or returns to a savepoint.
    Savepoint,
}

/// What a statement may block and how it should be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockClass {
    /// DDL that waits for, and then blocks, others: run with a short lock timeout and retry.
    BlockingDdl,
    /// A long build that lets reads and writes go on: run without a lock timeout.
    OnlineBuild,
    /// Changes rows.
    Dml,
    /// Reads.
    Query,
    /// Settings, transaction control, and everything unknown.
    Other,
}

/// The kind of a named object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of SQL")]
pub enum ObjectKind {
    Table,
    View,
    MaterializedView,
    Index,
    Sequence,
    Trigger,
    Procedure,
    Function,
    Event,
    Package,
    /// `DATABASE`, and in MySQL also `SCHEMA`, which is the same there.
    Database,
    Schema,
    Type,
    Domain,
    /// Anything else that has a name.
    Other,
}

/// The name of an object, unquoted.
///
/// PostgreSQL names that were not quoted are in lower case, as the catalog has them. MySQL and
/// SQLite names are as written; compare them as the server's settings say (MySQL) or without
/// regard to case (SQLite).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ObjectName {
    /// What it is.
    pub kind: ObjectKind,
    /// The schema (PostgreSQL, SQLite) or database (MySQL), if written.
    pub schema: Option<String>,
    /// Its own name.
    pub name: String,
}

/// Classifies one statement (without its terminator). Never fails: what it does not know is
/// [`LockClass::Other`] and [`TransactionUse::Inside`].
pub fn classify(dialect: Dialect, text: &str) -> Classification {
    let mut cursor = Cursor::new(dialect, text);
    match dialect {
        Dialect::Postgres => postgres::classify(&mut cursor),
        Dialect::Mysql => mysql::classify(&mut cursor),
        Dialect::Sqlite => sqlite::classify(&mut cursor),
    }
}

impl Classification {
    /// What is assumed until more is known.
    fn new(verb: impl Into<String>, transaction: TransactionUse, lock: LockClass) -> Self {
        Self {
            verb: verb.into(),
            transaction,
            lock,
            objects: Vec::new(),
            table_lock: None,
            enum_value: None,
        }
    }

    fn with_objects(mut self, objects: impl IntoIterator<Item = ObjectName>) -> Self {
        self.objects.extend(objects);
        self
    }

    fn with_table_lock(mut self, table_lock: &'static str) -> Self {
        self.table_lock = Some(table_lock);
        self
    }

    fn outside(mut self) -> Self {
        self.transaction = TransactionUse::Outside;
        self
    }
}

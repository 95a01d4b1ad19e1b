//! What an operation does to others while it runs: which lock it takes on which table, and how long the work is that it
//! does under it.
//!
//! Facts from the manuals (PostgreSQL "Explicit Locking" and the pages of the commands; MySQL "Online DDL Operations";
//! MariaDB "InnoDB Online DDL"), each shown on a real server by a test. An operation on a table that is made in the same
//! file has effects as well: rules decide whether they matter.

use serde::Serialize;

use crate::operation::Operation;
use crate::schema::Schema;
use crate::{Dialect, ObjectName};

pub(crate) mod mysql;
mod postgres;
mod sqlite;

pub(crate) use postgres::volatile_function;

/// What happens to one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Which.
    pub table: ObjectName,
    /// The server's name of the lock: `ACCESS EXCLUSIVE`; `LOCK=SHARED`, `LOCK=NONE` on MySQL and MariaDB.
    pub lock: &'static str,
    /// Who has to wait while it is held.
    pub blocks: Blocks,
    /// What is done while it is held.
    pub work: Work,
}

/// Who has to wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// Nobody who reads or writes rows.
    Nobody,
    /// Writers.
    Writers,
    /// Readers and writers.
    Everybody,
}

/// How much work is done under a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Catalog only: as long as it takes to write a few rows.
    Metadata,
    /// Rows that the statement itself changes.
    Rows,
    /// The whole table is read.
    Scan,
    /// The whole table is read and an index is built.
    IndexBuild,
    /// The whole table is written anew.
    Rewrite,
}

impl Effect {
    /// Whether others wait for as long as the table is large.
    pub fn is_long_blocking(&self) -> bool {
        self.blocks > Blocks::Nobody && self.work >= Work::Scan
    }
}

/// The effects of an operation on the tables of a schema, as it is before the operation.
pub fn effects(operation: &Operation, schema: &Schema) -> Vec<Effect> {
    match schema.dialect() {
        Dialect::Postgres => postgres::effects(&operation.kind, schema),
        Dialect::Mysql => mysql::effects(&operation.kind, schema),
        Dialect::Sqlite => sqlite::effects(&operation.kind, schema),
    }
}

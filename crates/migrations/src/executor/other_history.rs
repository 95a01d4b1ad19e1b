//! Other tools' histories in the database: looking for them, and not running beside one by mistake.

use forerun_sql::Dialect;

use super::Runner;
use super::inspect::Recorded;
use crate::database::{DatabaseError, ErrorKind, Session};
use crate::error::{OtherTool, Refusal, RunError};
use crate::history::foreign::{
    self, PeerHistory, Place, Row, State, Table, TableName, read_tables, tables_query,
};

/// The history of another tool, as it was read.
pub(super) struct OtherHistory {
    pub peer: &'static dyn PeerHistory,
    pub table: Table,
    /// All tables that were found.
    pub others: Vec<Table>,
    /// The table's name for people.
    pub shown: String,
    pub rows: Vec<Row>,
    pub state: State,
}

impl OtherHistory {
    pub fn place<'a>(&'a self, dialect: Dialect, database: &'a str) -> Place<'a> {
        Place {
            dialect,
            database,
            table: &self.table,
            others: &self.others,
        }
    }

    /// For people.
    pub fn described(&self) -> OtherTool {
        OtherTool {
            name: self.peer.name(),
            title: self.peer.title(),
            table: self.shown.clone(),
            summary: self.state.summary(),
        }
    }
}

impl Runner {
    /// All histories of other tools, or that of `from`; in the table `wanted` or in those of their usual names.
    pub(super) async fn other_histories(
        &self,
        session: &mut dyn Session,
        from: Option<&'static dyn PeerHistory>,
        wanted: Option<&TableName>,
    ) -> Result<Vec<OtherHistory>, RunError> {
        let dialect = self.database.dialect();
        let peers: Vec<_> = match from {
            Some(peer) => vec![peer],
            None => foreign::all().collect(),
        };
        let query = tables_query(dialect, &peers, wanted);
        let tables = read_tables(session.rows(&query).await.map_err(reading)?);
        let database = session.server().database.clone();
        let usual_schema = session.server().schema.clone();
        let mut found = Vec::new();
        for table in tables.iter().filter(|table| is_wanted(table, wanted)) {
            let Some(peer) = table.owner(wanted.is_some()) else {
                if let Some(wanted) = wanted {
                    let columns = table.columns.iter().map(|(name, _)| name.clone());
                    return Err(Refusal::UnknownTable {
                        table: wanted.to_string(),
                        columns: columns.collect(),
                    }
                    .into());
                }
                continue;
            };
            if peers.iter().all(|wanted| wanted.name() != peer.name()) {
                continue;
            }
            let place = Place {
                dialect,
                database: &database,
                table,
                others: &tables,
            };
            let rows = session.rows(&peer.query(&place)).await.map_err(reading)?;
            let rows: Vec<Row> = rows.into_iter().map(Row).collect();
            found.push(OtherHistory {
                peer,
                table: table.clone(),
                others: tables.clone(),
                shown: table.shown(match dialect {
                    Dialect::Postgres => usual_schema.as_deref(),
                    Dialect::Mysql => Some(&database),
                    Dialect::Sqlite => None,
                }),
                state: peer.state(&rows),
                rows,
            });
        }
        Ok(found)
    }

    /// Refuses to begin a history of our own where another tool has one.
    pub(super) async fn refuse_other_history(
        &self,
        session: &mut dyn Session,
        recorded: &Recorded,
        ignore: bool,
    ) -> Result<(), RunError> {
        if ignore {
            return Ok(());
        }
        let used = self.tools_before_us(session, recorded).await?;
        if used.is_empty() {
            Ok(())
        } else {
            Err(Refusal::OtherHistory(used).into())
        }
    }

    /// The tools that have migrated this database. Asks only while our own history is empty.
    pub(super) async fn tools_before_us(
        &self,
        session: &mut dyn Session,
        recorded: &Recorded,
    ) -> Result<Vec<OtherTool>, RunError> {
        if !recorded.applied.is_empty() || !recorded.journal.is_empty() {
            return Ok(Vec::new());
        }
        let found = match self.other_histories(session, None, None).await {
            // A table that this user must not read says nothing.
            Err(RunError::Database { error, .. }) if error.kind == ErrorKind::Statement => {
                self.warn(
                    "other_history",
                    format!(
                        "there may be a history of another tool, which cannot be read: {error}"
                    ),
                );
                return Ok(Vec::new());
            }
            found => found?,
        };
        let used = found.iter().filter(|history| !history.state.is_empty());
        Ok(used.map(OtherHistory::described).collect())
    }
}

fn is_wanted(table: &Table, wanted: Option<&TableName>) -> bool {
    wanted.is_none_or(|wanted| {
        let schema = wanted.schema.as_ref();
        table.name.eq_ignore_ascii_case(&wanted.name)
            && schema.is_none_or(|schema| table.schema.eq_ignore_ascii_case(schema))
    })
}

pub(super) fn reading(error: DatabaseError) -> RunError {
    RunError::Database {
        doing: "reading the history of another tool",
        error,
    }
}

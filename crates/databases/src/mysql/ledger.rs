//! The ledger of deployments, and who is connected.

use forerun_migrations::database::DatabaseError;
use forerun_migrations::history::Version;
use forerun_migrations::ledger::{
    ClientSession, ClientSessions, Deployment, DeploymentStatus, FloorMark,
};
use mysql_async::Row;

use super::bookkeeping::{Tables, if_table_exists, known};
use super::connection::Connection;
use super::{error, literal, row};

impl Tables {
    /// All deployments; empty without the table.
    pub(super) async fn deployments(
        &self,
        connection: &mut Connection,
    ) -> Result<Vec<Deployment>, DatabaseError> {
        let rows = connection
            .rows(&self.statement(include_str!("sql/select_deployments.sql"), &[]))
            .await;
        if_table_exists(rows)?
            .unwrap_or_default()
            .iter()
            .map(deployment)
            .collect()
    }

    /// Contract migrations that say since when what they took away is unused; empty without the tables.
    pub(super) async fn floor_marks(
        &self,
        connection: &mut Connection,
    ) -> Result<Vec<FloorMark>, DatabaseError> {
        let select = "SELECT version, script, unused_since FROM {database}.forerun_history \
                      WHERE unused_since IS NOT NULL";
        let rows = match connection.rows(&self.statement(select, &[])).await {
            Err(error) if error::number(&error) == Some(error::UNKNOWN_COLUMN) => Ok(Vec::new()),
            rows => rows,
        };
        let rows = if_table_exists(rows)?.unwrap_or_default();
        let marks = rows.iter().map(|found| FloorMark {
            version: Version::from_stored(row::text(found, 0)),
            script: row::text(found, 1),
            unused_since: row::text(found, 2),
        });
        Ok(marks.collect())
    }

    /// The statement that writes a deployment, in a transaction that has locked the lease.
    pub(super) fn replace_deployment(&self, deployment: &Deployment) -> String {
        let time = |time: Option<&str>| time.map_or_else(|| "NULL".to_owned(), literal::time);
        let directory_version = deployment.directory_version.as_ref().map(Version::as_str);
        let values = [
            deployment.id.to_string(),
            literal::text(&deployment.release),
            literal::optional_text(deployment.previous_release.as_deref()),
            literal::text(deployment.status.as_str()),
            literal::optional_text(directory_version),
            time(Some(&deployment.started_at)),
            time(deployment.migrated_at.as_deref()),
            time(deployment.completed_at.as_deref()),
            literal::text(&deployment.run_id),
            literal::text(&deployment.opened_by),
        ];
        let replace = "REPLACE INTO {database}.forerun_deployment (id, app_release, previous_release, status, \
                       directory_version, started_at, migrated_at, completed_at, run_id, opened_by) VALUES ({values})";
        self.statement(replace, &[("values", values.join(", "))])
    }
}

/// Who else uses `database`. Only the performance schema has the names that sessions give themselves.
pub(super) async fn client_sessions(
    connection: &mut Connection,
    database: &str,
) -> Result<ClientSessions, DatabaseError> {
    let on = connection.first("SELECT @@performance_schema").await?;
    if on.is_none_or(|found| row::text(&found, 0) != "1") {
        let why = "performance_schema is off on this server".to_owned();
        return Ok(ClientSessions::Unknown(why));
    }
    let values = [("name", literal::text(database))];
    let sql = literal::fill(include_str!("sql/client_sessions.sql"), &values);
    match connection.rows(&sql).await {
        Ok(rows) => Ok(ClientSessions::Known(rows.iter().map(session).collect())),
        Err(error) if error::number(&error) == Some(error::TABLE_ACCESS_DENIED) => {
            let why = "this user may not read performance_schema.session_connect_attrs".to_owned();
            Ok(ClientSessions::Unknown(why))
        }
        Err(error) => Err(error),
    }
}

fn session(found: &Row) -> ClientSession {
    ClientSession {
        backend: row::text(found, 0),
        user: row::text(found, 1),
        application: row::text(found, 2),
        client: row::text(found, 3),
    }
}

fn deployment(found: &Row) -> Result<Deployment, DatabaseError> {
    Ok(Deployment {
        id: row::number(found, 0)?,
        release: row::text(found, 1),
        previous_release: row::optional_text(found, 2),
        status: known(
            DeploymentStatus::parse(&row::text(found, 3)),
            "forerun_deployment.status",
            found,
            3,
        )?,
        directory_version: row::optional_text(found, 4).map(Version::from_stored),
        started_at: row::text(found, 5),
        migrated_at: row::optional_text(found, 6),
        completed_at: row::optional_text(found, 7),
        run_id: row::text(found, 8),
        opened_by: row::text(found, 9),
    })
}

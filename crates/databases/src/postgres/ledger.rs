//! The ledger of deployments, and who is connected.

use forerun_migrations::database::{DatabaseError, Fenced, Lease};
use forerun_migrations::history::{VERSION_CHARACTERS, Version};
use forerun_migrations::ledger::{
    ClientSession, ClientSessions, Deployment, DeploymentStatus, FloorMark,
};

use super::bookkeeping::{is_undefined_column, qualified, read};
use super::link::Link;
use super::literal::{limited, optional, text};
use super::row::Row;
use super::session::PostgresSession;

pub(super) async fn deployments(
    link: &Link,
    schema: &str,
) -> Result<Vec<Deployment>, DatabaseError> {
    let sql = qualified(include_str!("sql/deployments.sql"), schema);
    let rows = read(link, &sql).await?.unwrap_or_default();
    let deployments = rows.iter().map(Row).map(|row| {
        let optional = |column| Ok::<_, DatabaseError>(row.optional(column)?.map(str::to_owned));
        Ok(Deployment {
            id: row.number(0)?,
            release: row.string(1)?,
            previous_release: optional(2)?,
            status: row.word(3, DeploymentStatus::parse)?,
            directory_version: optional(4)?.map(Version::from_stored),
            started_at: row.string(5)?,
            migrated_at: optional(6)?,
            completed_at: optional(7)?,
            run_id: row.string(8)?,
            opened_by: row.string(9)?,
        })
    });
    deployments.collect()
}

pub(super) async fn floor_marks(
    link: &Link,
    schema: &str,
) -> Result<Vec<FloorMark>, DatabaseError> {
    let sql = qualified(
        "SELECT version, script, unused_since FROM {schema}.forerun_history WHERE unused_since IS NOT NULL",
        schema,
    );
    let rows = match read(link, &sql).await {
        Err(error) if is_undefined_column(&error) => None,
        rows => rows?,
    };
    let rows = rows.unwrap_or_default();
    let marks = rows.iter().map(Row).map(|row| {
        Ok(FloorMark {
            version: Version::from_stored(row.string(0)?),
            script: row.string(1)?,
            unused_since: row.string(2)?,
        })
    });
    marks.collect()
}

pub(super) async fn client_sessions(link: &Link) -> Result<ClientSessions, DatabaseError> {
    let rows = link.rows(include_str!("sql/client_sessions.sql")).await?;
    let sessions = rows.iter().map(Row).map(|row| {
        Ok(ClientSession {
            backend: row.string(0)?,
            user: row.string(1)?,
            application: row.string(2)?,
            client: row.string(3)?,
        })
    });
    sessions
        .collect::<Result<_, _>>()
        .map(ClientSessions::Known)
}

impl PostgresSession {
    pub(super) async fn upsert_deployment(
        &mut self,
        lease: &Lease,
        row: &Deployment,
    ) -> Result<Fenced, DatabaseError> {
        let time = |time: Option<&str>| match time {
            Some(time) => format!("{}::timestamptz", text(time)),
            None => "NULL::timestamptz".to_owned(),
        };
        let directory_version = row.directory_version.as_ref().map(Version::as_str);
        let values = [
            row.id.to_string(),
            limited(&row.release, 255),
            optional(row.previous_release.as_deref(), 255),
            text(row.status.as_str()),
            optional(directory_version, VERSION_CHARACTERS),
            time(Some(&row.started_at)),
            time(row.migrated_at.as_deref()),
            time(row.completed_at.as_deref()),
            limited(&row.run_id, 64),
            limited(&row.opened_by, 512),
        ];
        let body = format!(
            "written AS (INSERT INTO {}.forerun_deployment (id, app_release, previous_release, status, \
             directory_version, started_at, migrated_at, completed_at, run_id, opened_by) SELECT {} FROM lease \
             ON CONFLICT (id) DO UPDATE SET status = excluded.status, previous_release = excluded.previous_release, \
             directory_version = excluded.directory_version, migrated_at = excluded.migrated_at, \
             completed_at = excluded.completed_at, run_id = excluded.run_id)",
            self.schema(),
            values.join(", "),
        );
        self.write_fenced(lease, &body).await
    }
}

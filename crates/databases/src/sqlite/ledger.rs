//! The ledger of deployments.

use forerun_migrations::database::{DatabaseError, Fenced, Lease};
use forerun_migrations::history::Version;
use forerun_migrations::ledger::{Deployment, DeploymentStatus, FloorMark};
use rusqlite::params;

use super::bookkeeping::{read_format, stored};
use super::file::DatabaseFile;

impl DatabaseFile {
    pub fn deployments(&mut self) -> Result<Vec<Deployment>, DatabaseError> {
        let rows = self.read(|connection| {
            if read_format(connection)? < 2 {
                return Ok(Vec::new());
            }
            let sql = "SELECT id, app_release, previous_release, status, directory_version, started_at, migrated_at, \
                       completed_at, run_id, opened_by FROM main.forerun_deployment";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(Deployment {
                    id: row.get(0)?,
                    release: row.get(1)?,
                    previous_release: row.get(2)?,
                    status: stored(row, 3, DeploymentStatus::parse)?,
                    directory_version: row.get::<_, Option<String>>(4)?.map(Version::from_stored),
                    started_at: row.get(5)?,
                    migrated_at: row.get(6)?,
                    completed_at: row.get(7)?,
                    run_id: row.get(8)?,
                    opened_by: row.get(9)?,
                })
            })?;
            rows.collect()
        })?;
        Ok(rows.unwrap_or_default())
    }

    pub fn floor_marks(&mut self) -> Result<Vec<FloorMark>, DatabaseError> {
        let rows = self.read(|connection| {
            if read_format(connection)? < 2 {
                return Ok(Vec::new());
            }
            let sql = "SELECT version, script, unused_since FROM main.forerun_history WHERE unused_since IS NOT NULL";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(FloorMark {
                    version: Version::from_stored(row.get::<_, String>(0)?),
                    script: row.get(1)?,
                    unused_since: row.get(2)?,
                })
            })?;
            rows.collect()
        })?;
        Ok(rows.unwrap_or_default())
    }

    pub fn write_deployment(
        &mut self,
        lease: &Lease,
        row: &Deployment,
    ) -> Result<Fenced, DatabaseError> {
        self.fenced(lease, |connection| {
            connection
                .prepare_cached(include_str!("sql/write_deployment.sql"))?
                .execute(params![
                    row.id,
                    row.release,
                    row.previous_release,
                    row.status.as_str(),
                    row.directory_version.as_ref().map(Version::as_str),
                    row.started_at,
                    row.migrated_at,
                    row.completed_at,
                    row.run_id,
                    row.opened_by,
                ])?;
            Ok(())
        })
    }
}

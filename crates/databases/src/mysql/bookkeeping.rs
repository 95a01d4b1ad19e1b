//! The bookkeeping tables: creating, reading and writing them.
//!
//! Nothing here decides whether a write is allowed; [`super::session`] checks the lease and the transaction
//! first. All names are qualified and all values independent of session settings, since a script may have
//! changed the current database, `sql_mode` or the character set.

use forerun_migrations::database::{DatabaseError, ErrorKind, Identity};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, Checksums, Direction, HistoryRow, InDoubt, JournalRow,
    Kind, Origin, Phase, TABLES_FORMAT, Version,
};
use mysql_async::Row;

use super::connection::Connection;
use super::literal::{self, fill};
use super::{error, row};

/// In the order in which they are created: the lock table comes last, so that it is there only when all are.
const TABLES: [(&str, &str); 5] = [
    ("forerun_history", include_str!("sql/create_history.sql")),
    ("forerun_audit", include_str!("sql/create_audit.sql")),
    ("forerun_journal", include_str!("sql/create_journal.sql")),
    (
        "forerun_deployment",
        include_str!("sql/create_deployment.sql"),
    ),
    ("forerun_lock", include_str!("sql/create_lock.sql")),
];

const HISTORY_COLUMNS: &str = "version, description, script, kind, phase, origin, checksum, checksum_raw, checksum_sql, \
     statements, started_at, finished_at, duration_ms, run_id, app_release, applied_by, tool_version, unused_since, deployment";
const JOURNAL_COLUMNS: &str = "version, script, direction, statements_done, prefix_checksum, in_doubt_statement, \
     in_doubt_fingerprint, in_doubt_answer, started_at, run_id, updated_at";

/// The tables of one database.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    database: String,
}

impl Tables {
    /// The tables in `database`.
    pub(super) fn new(database: &str) -> Self {
        Self {
            database: database.to_owned(),
        }
    }

    /// A template with the values and the name of the database.
    pub(super) fn statement(&self, template: &str, values: &[(&str, String)]) -> String {
        let mut all = vec![("database", literal::identifier(&self.database))];
        all.extend(values.iter().cloned());
        fill(template, &all)
    }

    /// Creates what is missing, and refuses tables of a newer forerun. Idempotent and safe beside others
    /// that do the same. Commits an open transaction when it has to create something.
    pub(super) async fn ensure(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let names: Vec<String> = TABLES.iter().map(|(name, _)| format!("'{name}'")).collect();
        let present: Vec<String> = connection
            .rows(&format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = {} AND table_name IN ({})",
                literal::text(&self.database),
                names.join(", ")
            ))
            .await?
            .iter()
            .map(|found| row::text(found, 0))
            .collect();
        let has = |name: &str| present.iter().any(|table| table == name);
        if has("forerun_lock") && !has("forerun_deployment") {
            self.upgrade(connection).await?;
        }
        for (name, template) in TABLES {
            if present.iter().all(|table| table != name) {
                connection.execute(&self.statement(template, &[])).await.map_err(|error| {
                    if error::number(&error) == Some(error::TABLE_ACCESS_DENIED) {
                        error.with_hint(format!(
                            "forerun keeps its history in tables of the database `{}`: GRANT CREATE, SELECT, \
                             INSERT, UPDATE, DELETE there.",
                            self.database
                        ))
                    } else {
                        error
                    }
                })?;
            }
        }
        let insert = "INSERT IGNORE INTO {database}.forerun_lock (name, format, token) VALUES ('runner', {format}, 0)";
        connection
            .execute(&self.statement(insert, &[("format", TABLES_FORMAT.to_string())]))
            .await
    }

    /// Brings tables of format 1 to the one of this build; the table that is created next shows that it was done.
    async fn upgrade(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        for column in ["unused_since VARCHAR(255) NULL", "deployment BIGINT NULL"] {
            let alter = format!("ALTER TABLE {{database}}.forerun_history ADD COLUMN {column}");
            match connection.execute(&self.statement(&alter, &[])).await {
                // An earlier try came so far.
                Err(error) if error::number(&error) == Some(error::DUPLICATE_COLUMN) => {}
                result => result?,
            }
        }
        let update = "UPDATE {database}.forerun_lock SET format = {format} WHERE format < {format}";
        connection
            .execute(&self.statement(update, &[("format", TABLES_FORMAT.to_string())]))
            .await
    }

    /// An error when the tables are of a newer forerun.
    pub(super) async fn check_format(
        &self,
        connection: &mut Connection,
    ) -> Result<(), DatabaseError> {
        let sql = "SELECT format FROM {database}.forerun_lock WHERE name = 'runner'";
        let found = if_table_exists(connection.first(&self.statement(sql, &[])).await)?;
        match found.flatten() {
            Some(found) => check_format(row::number(&found, 0)?),
            None => Ok(()),
        }
    }

    /// History, or `None` without the tables.
    pub(super) async fn history(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Vec<HistoryRow>>, DatabaseError> {
        let select = |ledger: &str| {
            let values = [("ledger", ledger.to_owned())];
            self.statement(include_str!("sql/select_history.sql"), &values)
        };
        let rows = match connection.rows(&select("unused_since, deployment")).await {
            // Of format 1, which the next run upgrades.
            Err(error) if error::number(&error) == Some(error::UNKNOWN_COLUMN) => {
                connection.rows(&select("NULL, NULL")).await
            }
            rows => rows,
        };
        match if_table_exists(rows)? {
            Some(rows) => rows
                .iter()
                .map(history_row)
                .collect::<Result<_, _>>()
                .map(Some),
            None => Ok(None),
        }
    }

    /// What planning needs of the history, or `None` without the tables.
    pub(super) async fn applied(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
        let sql = self.statement(include_str!("sql/select_applied.sql"), &[]);
        let rows = connection.map_rows(&sql, applied_version).await;
        match if_table_exists(rows)? {
            Some(rows) => rows.into_iter().collect::<Result<_, _>>().map(Some),
            None => Ok(None),
        }
    }

    /// Unfinished attempts; empty without the tables.
    pub(super) async fn journal(
        &self,
        connection: &mut Connection,
    ) -> Result<Vec<JournalRow>, DatabaseError> {
        let rows = connection
            .rows(&self.statement(include_str!("sql/select_journal.sql"), &[]))
            .await;
        if_table_exists(rows)?
            .unwrap_or_default()
            .iter()
            .map(journal_row)
            .collect()
    }

    /// Audit rows; empty without the tables.
    pub(super) async fn audit_trail(
        &self,
        connection: &mut Connection,
        version: Option<&Version>,
    ) -> Result<Vec<AuditRow>, DatabaseError> {
        let condition = version.map_or_else(
            || "TRUE".to_owned(),
            |version| format!("version = {}", literal::text(version.as_str())),
        );
        let sql = self.statement(
            include_str!("sql/select_audit.sql"),
            &[("condition", condition)],
        );
        let rows = connection.rows(&sql).await;
        if_table_exists(rows)?
            .unwrap_or_default()
            .iter()
            .map(audit_row)
            .collect()
    }

    /// Whether the audit says that a run came to the end of a directory, or found one there.
    pub(super) async fn was_ever_complete(
        &self,
        connection: &mut Connection,
    ) -> Result<bool, DatabaseError> {
        let sql = self.statement(include_str!("sql/was_ever_complete.sql"), &[]);
        let found = if_table_exists(connection.first(&sql).await)?;
        Ok(found.flatten().is_some())
    }

    /// The statement that adds a history row if `token` is still the lease's: no row affected means that it is not.
    pub(super) fn insert_history(&self, applied: &HistoryRow, token: i64) -> String {
        let values = [
            ("columns", HISTORY_COLUMNS.to_owned()),
            ("values", history_values(applied)),
            ("token", token.to_string()),
        ];
        self.statement(include_str!("sql/insert_history.sql"), &values)
    }

    /// The statement that adds more of them in the same transaction.
    pub(super) fn insert_more_history(&self, applied: &[&HistoryRow]) -> String {
        let rows = applied
            .iter()
            .map(|row| format!("({})", history_values(row)));
        let insert = "INSERT INTO {database}.forerun_history ({columns}) VALUES {rows}";
        let values = [
            ("columns", HISTORY_COLUMNS.to_owned()),
            ("rows", rows.collect::<Vec<_>>().join(", ")),
        ];
        self.statement(insert, &values)
    }

    /// Removes a history row.
    pub(super) async fn delete_history(
        &self,
        connection: &mut Connection,
        version: &Version,
    ) -> Result<(), DatabaseError> {
        let delete = "DELETE FROM {database}.forerun_history WHERE version = {version}";
        connection
            .execute(&self.statement(delete, &[("version", literal::text(version.as_str()))]))
            .await
    }

    /// Replaces the checksums of a history row.
    pub(super) async fn update_checksums(
        &self,
        connection: &mut Connection,
        applied: &HistoryRow,
    ) -> Result<(), DatabaseError> {
        let values = [
            ("version", literal::text(applied.version.as_str())),
            ("checksum", literal::text(&applied.checksums.normalized)),
            ("checksum_raw", literal::text(&applied.checksums.raw)),
            ("checksum_sql", literal::text(&applied.checksums.sql)),
        ];
        connection
            .execute(&self.statement(include_str!("sql/update_checksums.sql"), &values))
            .await
    }

    /// The statement that writes the progress of an attempt if `token` is still the lease's: no row affected means
    /// that it is not.
    pub(super) fn replace_journal(&self, progress: &JournalRow, token: i64) -> String {
        let values = [
            ("columns", JOURNAL_COLUMNS.to_owned()),
            ("values", journal_values(progress)),
            ("token", token.to_string()),
        ];
        self.statement(include_str!("sql/replace_journal.sql"), &values)
    }

    /// The statement that writes the progress of several, in a transaction that has locked the lease.
    pub(super) fn replace_journals(&self, progress: &[JournalRow]) -> String {
        let rows = progress
            .iter()
            .map(|row| format!("({})", journal_values(row)));
        let replace = "REPLACE INTO {database}.forerun_journal ({columns}) VALUES {rows}";
        let values = [
            ("columns", JOURNAL_COLUMNS.to_owned()),
            ("rows", rows.collect::<Vec<_>>().join(", ")),
        ];
        self.statement(replace, &values)
    }

    /// The statement that removes the progress of versions, where there is any.
    pub(super) fn delete_journal(&self, versions: &[&Version]) -> String {
        let versions: Vec<String> = versions
            .iter()
            .map(|version| literal::text(version.as_str()))
            .collect();
        let delete = "DELETE FROM {database}.forerun_journal WHERE version IN ({versions})";
        self.statement(delete, &[("versions", versions.join(", "))])
    }

    /// Appends to the audit, in one statement.
    pub(super) async fn insert_audit(
        &self,
        connection: &mut Connection,
        identity: &Identity,
        entries: &[AuditEntry],
    ) -> Result<(), DatabaseError> {
        if entries.is_empty() {
            return Ok(());
        }
        let rows: Vec<String> = entries
            .iter()
            .map(|entry| {
                let columns = [
                    "UTC_TIMESTAMP(6)".to_owned(),
                    literal::text(&identity.run_id),
                    literal::text(entry.event),
                    literal::optional_text(entry.version.as_ref().map(Version::as_str)),
                    literal::optional_number(entry.statement),
                    literal::optional_number(entry.attempt),
                    literal::text(&entry.message),
                    literal::text(&entry.detail.to_string()),
                    literal::text(&identity.actor),
                    literal::text(&identity.host),
                    literal::optional_text(identity.release.as_deref()),
                    literal::text(&identity.tool_version),
                ];
                format!("({})", columns.join(", "))
            })
            .collect();
        let insert = "INSERT INTO {database}.forerun_audit (`at`, run_id, event, version, statement, attempt, message, \
                      detail, actor, host, app_release, tool_version) VALUES {rows}";
        connection
            .execute(&self.statement(insert, &[("rows", rows.join(", "))]))
            .await
    }
}

/// The values of [`HISTORY_COLUMNS`].
fn history_values(applied: &HistoryRow) -> String {
    [
        literal::text(applied.version.as_str()),
        literal::text(&applied.description),
        literal::text(&applied.script),
        literal::text(applied.kind.as_str()),
        literal::text(applied.phase.as_str()),
        literal::text(applied.origin.as_str()),
        literal::text(&applied.checksums.normalized),
        literal::text(&applied.checksums.raw),
        literal::text(&applied.checksums.sql),
        applied.statements.to_string(),
        literal::time(&applied.started_at),
        literal::time(&applied.finished_at),
        applied.duration_ms.to_string(),
        literal::text(&applied.run_id),
        literal::optional_text(applied.release.as_deref()),
        literal::text(&applied.applied_by),
        literal::text(&applied.tool_version),
        literal::optional_text(applied.unused_since.as_deref()),
        literal::optional_number(applied.deployment),
    ]
    .join(", ")
}

/// The values of [`JOURNAL_COLUMNS`].
fn journal_values(progress: &JournalRow) -> String {
    let doubt = progress.in_doubt.as_ref();
    [
        literal::text(progress.version.as_str()),
        literal::text(&progress.script),
        literal::text(progress.direction.as_str()),
        progress.statements_done.to_string(),
        literal::text(&progress.prefix_checksum),
        literal::optional_number(doubt.map(|doubt| doubt.statement)),
        literal::optional_text(doubt.map(|doubt| doubt.fingerprint.as_str())),
        literal::optional_number(doubt.and_then(|doubt| doubt.answer).map(i64::from)),
        literal::time(&progress.started_at),
        literal::text(&progress.run_id),
        "UTC_TIMESTAMP(6)".to_owned(),
    ]
    .join(", ")
}

fn applied_version(found: &Row) -> Result<AppliedVersion, DatabaseError> {
    Ok(AppliedVersion {
        version: Version::from_stored(row::text(found, 0)),
        script: row::text(found, 1),
        origin: known(
            Origin::parse(&row::text(found, 2)),
            "forerun_history.origin",
            found,
            2,
        )?,
        checksums: Checksums {
            // Not sent when it is the same, as it mostly is: this is what a run with nothing to do waits for.
            raw: row::optional_text(found, 4).unwrap_or_else(|| row::text(found, 3)),
            normalized: row::text(found, 3),
            sql: row::text(found, 5),
        },
    })
}

/// `None` in place of the error that the table does not exist.
pub(super) fn if_table_exists<T>(
    result: Result<T, DatabaseError>,
) -> Result<Option<T>, DatabaseError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error::number(&error) == Some(error::NO_SUCH_TABLE) => Ok(None),
        Err(error) => Err(error),
    }
}

/// An error when the tables are of a format that this build does not know.
pub(super) fn check_format(format: i64) -> Result<(), DatabaseError> {
    if format <= i64::from(TABLES_FORMAT) {
        return Ok(());
    }
    Err(DatabaseError::newer_format(format))
}

fn history_row(found: &Row) -> Result<HistoryRow, DatabaseError> {
    Ok(HistoryRow {
        version: Version::from_stored(row::text(found, 0)),
        description: row::text(found, 1),
        script: row::text(found, 2),
        kind: known(
            Kind::parse(&row::text(found, 3)),
            "forerun_history.kind",
            found,
            3,
        )?,
        phase: known(
            Phase::parse(&row::text(found, 4)),
            "forerun_history.phase",
            found,
            4,
        )?,
        origin: known(
            Origin::parse(&row::text(found, 5)),
            "forerun_history.origin",
            found,
            5,
        )?,
        checksums: Checksums {
            normalized: row::text(found, 6),
            raw: row::text(found, 7),
            sql: row::text(found, 8),
        },
        statements: row::number(found, 9)?,
        started_at: row::text(found, 10),
        finished_at: row::text(found, 11),
        duration_ms: row::number(found, 12)?,
        run_id: row::text(found, 13),
        release: row::optional_text(found, 14),
        applied_by: row::text(found, 15),
        tool_version: row::text(found, 16),
        unused_since: row::optional_text(found, 17),
        deployment: row::optional_number(found, 18)?,
    })
}

fn journal_row(found: &Row) -> Result<JournalRow, DatabaseError> {
    let in_doubt = row::optional_number(found, 5)?.map(|statement| {
        Ok::<_, DatabaseError>(InDoubt {
            statement,
            fingerprint: row::text(found, 6),
            answer: row::optional_number(found, 7)?.map(|answer| answer != 0),
        })
    });
    Ok(JournalRow {
        version: Version::from_stored(row::text(found, 0)),
        script: row::text(found, 1),
        direction: known(
            Direction::parse(&row::text(found, 2)),
            "forerun_journal.direction",
            found,
            2,
        )?,
        statements_done: row::number(found, 3)?,
        prefix_checksum: row::text(found, 4),
        in_doubt: in_doubt.transpose()?,
        started_at: row::text(found, 8),
        run_id: row::text(found, 9),
    })
}

fn audit_row(found: &Row) -> Result<AuditRow, DatabaseError> {
    let detail = row::text(found, 8);
    Ok(AuditRow {
        id: row::number(found, 0)?,
        at: row::text(found, 1),
        run_id: row::text(found, 2),
        event: row::text(found, 3),
        version: row::optional_text(found, 4).map(Version::from_stored),
        statement: row::optional_number(found, 5)?,
        attempt: row::optional_number(found, 6)?,
        message: row::text(found, 7),
        // What is not JSON was not written by us; it is shown as it is.
        detail: serde_json::from_str(&detail).unwrap_or(serde_json::Value::String(detail)),
        actor: row::text(found, 9),
        host: row::text(found, 10),
        release: row::optional_text(found, 11),
        tool_version: row::text(found, 12),
    })
}

/// A word that must be one of a few.
pub(super) fn known<T>(
    parsed: Option<T>,
    column: &str,
    found: &Row,
    index: usize,
) -> Result<T, DatabaseError> {
    parsed.ok_or_else(|| {
        DatabaseError::new(
            ErrorKind::Unexpected,
            format!(
                "`{}` in {column} is not known to this version of forerun",
                row::text(found, index)
            ),
        )
    })
}

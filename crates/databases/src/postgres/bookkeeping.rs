//! The bookkeeping tables: reading them, and writing them while the lease is ours.
//!
//! Every name is schema-qualified, every statement is one simple query. Writes are fenced: the same statement locks
//! the lease row with our token against a takeover, and writes only when it finds it.

use forerun_migrations::database::{DatabaseError, Fenced, Identity, Lease};
use forerun_migrations::history::{
    AppliedVersion, AuditEntry, AuditRow, Checksums, Direction, HistoryRow, InDoubt, JournalRow,
    Kind, Origin, Phase, TABLES_FORMAT, VERSION_CHARACTERS, Version,
};
use tokio_postgres::SimpleQueryRow;

use super::link::Link;
use super::literal::{self, limited, number, optional, text};
use super::row::Row;
use super::session::{Pooling, PostgresSession};
use super::statements::RESET_SESSION;

/// Fills the schema into the text of one of the `.sql` files.
pub(super) fn qualified(sql: &str, schema: &str) -> String {
    sql.replace("{schema}", &literal::identifier(schema))
}

pub(super) async fn applied(
    link: &Link,
    schema: &str,
) -> Result<Option<Vec<AppliedVersion>>, DatabaseError> {
    let Some(rows) = read(link, &qualified(include_str!("sql/applied.sql"), schema)).await? else {
        return Ok(None);
    };
    let applied = rows.iter().map(Row).map(|row| {
        Ok(AppliedVersion {
            version: Version::from_stored(row.string(0)?),
            script: row.string(1)?,
            origin: row.word(2, Origin::parse)?,
            checksums: checksums(row, 3)?,
        })
    });
    applied.collect::<Result<_, _>>().map(Some)
}

pub(super) async fn history(link: &Link, schema: &str) -> Result<Vec<HistoryRow>, DatabaseError> {
    let sql = qualified(include_str!("sql/history.sql"), schema);
    let asked = read(link, &sql.replace("{ledger}", "unused_since, deployment")).await;
    let rows = match asked {
        // Of format 1, which the next run upgrades.
        Err(error) if is_undefined_column(&error) => {
            read(link, &sql.replace("{ledger}", "NULL, NULL")).await
        }
        rows => rows,
    };
    let rows = rows?.unwrap_or_default();
    let history = rows.iter().map(Row).map(|row| {
        Ok(HistoryRow {
            version: Version::from_stored(row.string(0)?),
            description: row.string(1)?,
            script: row.string(2)?,
            kind: row.word(3, Kind::parse)?,
            phase: row.word(4, Phase::parse)?,
            origin: row.word(5, Origin::parse)?,
            checksums: checksums(row, 6)?,
            statements: row.number(9)?,
            started_at: row.string(10)?,
            finished_at: row.string(11)?,
            duration_ms: row.number(12)?,
            run_id: row.string(13)?,
            release: row.optional(14)?.map(str::to_owned),
            applied_by: row.string(15)?,
            tool_version: row.string(16)?,
            unused_since: row.optional(17)?.map(str::to_owned),
            deployment: row.optional_number(18)?,
        })
    });
    history.collect()
}

pub(super) async fn journal(link: &Link, schema: &str) -> Result<Vec<JournalRow>, DatabaseError> {
    let rows = read(link, &qualified(include_str!("sql/journal.sql"), schema))
        .await?
        .unwrap_or_default();
    let journal = rows.iter().map(Row).map(|row| {
        let in_doubt = match row.optional_number(5)? {
            Some(statement) => Some(InDoubt {
                statement,
                fingerprint: row.optional(6)?.unwrap_or_default().to_owned(),
                answer: row.optional(7)?.map(|answer| answer == "t"),
            }),
            None => None,
        };
        Ok(JournalRow {
            version: Version::from_stored(row.string(0)?),
            script: row.string(1)?,
            direction: row.word(2, Direction::parse)?,
            statements_done: row.number(3)?,
            prefix_checksum: row.string(4)?,
            in_doubt,
            started_at: row.string(8)?,
            run_id: row.string(9)?,
        })
    });
    journal.collect()
}

pub(super) async fn audit_trail(
    link: &Link,
    schema: &str,
    version: Option<&Version>,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let sql = qualified(include_str!("sql/audit.sql"), schema).replace(
        "{version}",
        &format!(
            "{}::text",
            optional(version.map(Version::as_str), VERSION_CHARACTERS)
        ),
    );
    let rows = read(link, &sql).await?.unwrap_or_default();
    let trail = rows.iter().map(Row).map(|row| {
        let detail = row.text(8)?;
        Ok(AuditRow {
            id: row.number(0)?,
            at: row.string(1)?,
            run_id: row.string(2)?,
            event: row.string(3)?,
            version: row.optional(4)?.map(Version::from_stored),
            statement: row.optional_number(5)?,
            attempt: row.optional_number(6)?,
            message: row.string(7)?,
            detail: serde_json::from_str(detail).unwrap_or_else(|_| detail.into()),
            actor: row.string(9)?,
            host: row.string(10)?,
            release: row.optional(11)?.map(str::to_owned),
            tool_version: row.string(12)?,
        })
    });
    trail.collect()
}

pub(super) async fn was_ever_complete(link: &Link, schema: &str) -> Result<bool, DatabaseError> {
    let sql = qualified(include_str!("sql/was_ever_complete.sql"), schema);
    let rows = read(link, &sql).await?.unwrap_or_default();
    let answer = rows.first().map(|row| Row(row).text(0)).transpose()?;
    Ok(answer == Some("t"))
}

/// One statement that appends all entries.
pub(super) fn audit_sql(
    schema: &str,
    identity: &Identity,
    entries: &[AuditEntry],
    times: Times,
) -> String {
    let measured = match times {
        Times::Given => String::new(),
        Times::OfTransaction { .. } => {
            format!(" || jsonb_build_object('duration_ms', {SERVER_DURATION})")
        }
    };
    let mut sql = qualified(
        "INSERT INTO {schema}.forerun_audit (run_id, event, version, statement, attempt, message, detail, actor, host, \
         app_release, tool_version) VALUES ",
        schema,
    );
    let who = format!(
        "{}, {}, {}, {}",
        limited(&identity.actor, 255),
        limited(&identity.host, 255),
        optional(identity.release.as_deref(), 255),
        limited(&identity.tool_version, 64)
    );
    let run_id = limited(&identity.run_id, 64);
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            sql.push_str(", ");
        }
        sql.push_str(&format!(
            "({run_id}, {}, {}, {}, {}, {}, {}{measured}, {who})",
            limited(entry.event, 64),
            optional(
                entry.version.as_ref().map(Version::as_str),
                VERSION_CHARACTERS
            ),
            number(entry.statement),
            number(entry.attempt),
            text(&entry.message),
            literal::json(&entry.detail),
        ));
    }
    sql
}

/// Rows of a bookkeeping table; `None` when it does not exist (undefined_table).
pub(super) async fn read(
    link: &Link,
    sql: &str,
) -> Result<Option<Vec<SimpleQueryRow>>, DatabaseError> {
    match link.rows(sql).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if error.code.as_deref() == Some("42P01") => Ok(None),
        Err(error) => Err(with_privilege_hint(error)),
    }
}

/// The tables are of an older format (undefined_column).
pub(super) fn is_undefined_column(error: &DatabaseError) -> bool {
    error.code.as_deref() == Some("42703")
}

/// Says which tables a missing privilege concerns.
pub(super) fn with_privilege_hint(error: DatabaseError) -> DatabaseError {
    if error.code.as_deref() != Some("42501") {
        return error;
    }
    error.with_hint(
        "forerun keeps its tables (forerun_lock, forerun_history, forerun_audit, forerun_journal, forerun_deployment) in this schema: \
         to read them grant USAGE on the schema and SELECT on the tables, to migrate let the user own them \
         (GRANT CREATE ON SCHEMA …, before the first run)",
    )
}

fn checksums(row: Row<'_>, column: usize) -> Result<Checksums, DatabaseError> {
    Ok(Checksums {
        normalized: row.string(column)?,
        raw: row.string(column + 1)?,
        sql: row.string(column + 2)?,
    })
}

impl PostgresSession {
    pub(super) async fn write_history(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        let schema = self.schema();
        let body = format!(
            "written AS (INSERT INTO {schema}.forerun_history ({HISTORY_COLUMNS}) SELECT {}, {} FROM lease), {}",
            text(row.version.as_str()),
            history_values(row, Times::Given),
            cleared(&schema, &row.version),
        );
        self.write_fenced(lease, &body).await
    }

    pub(super) async fn delete_history(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        let schema = self.schema();
        let body = format!(
            "removed AS (DELETE FROM {schema}.forerun_history WHERE version = {} AND EXISTS (SELECT FROM lease)), {}",
            text(version.as_str()),
            cleared(&schema, version),
        );
        self.write_fenced(lease, &body).await
    }

    pub(super) async fn update_checksums(
        &mut self,
        lease: &Lease,
        row: &HistoryRow,
    ) -> Result<Fenced, DatabaseError> {
        let schema = self.schema();
        let body = format!(
            "changed AS (UPDATE {schema}.forerun_history SET checksum = {}, checksum_raw = {}, checksum_sql = {} \
             WHERE version = {} AND EXISTS (SELECT FROM lease))",
            text(&row.checksums.normalized),
            text(&row.checksums.raw),
            text(&row.checksums.sql),
            text(row.version.as_str()),
        );
        self.write_fenced(lease, &body).await
    }

    pub(super) async fn upsert_journal(
        &mut self,
        lease: &Lease,
        row: &JournalRow,
    ) -> Result<Fenced, DatabaseError> {
        let schema = self.schema();
        let in_doubt = row.in_doubt.as_ref();
        let answer = match in_doubt.and_then(|doubt| doubt.answer) {
            Some(true) => "true",
            Some(false) => "false",
            None => "NULL",
        };
        let body = format!(
            "written AS (INSERT INTO {schema}.forerun_journal (version, script, direction, statements_done, \
             prefix_checksum, in_doubt_statement, in_doubt_fingerprint, in_doubt_answer, started_at, run_id, updated_at) \
             SELECT {}, {}, {}, {}, {}, {}::bigint, {}, {answer}::boolean, {}::timestamptz, {}, clock_timestamp() \
             FROM lease \
             ON CONFLICT (version) DO UPDATE SET script = excluded.script, direction = excluded.direction, \
             statements_done = excluded.statements_done, prefix_checksum = excluded.prefix_checksum, \
             in_doubt_statement = excluded.in_doubt_statement, in_doubt_fingerprint = excluded.in_doubt_fingerprint, \
             in_doubt_answer = excluded.in_doubt_answer, started_at = excluded.started_at, run_id = excluded.run_id, \
             updated_at = excluded.updated_at)",
            text(row.version.as_str()),
            limited(&row.script, 1000),
            text(row.direction.as_str()),
            row.statements_done,
            text(&row.prefix_checksum),
            number(in_doubt.map(|doubt| doubt.statement)),
            optional(in_doubt.map(|doubt| doubt.fingerprint.as_str()), 255),
            text(&row.started_at),
            limited(&row.run_id, 64),
        );
        self.write_fenced(lease, &body).await
    }

    pub(super) async fn delete_journal(
        &mut self,
        lease: &Lease,
        version: &Version,
    ) -> Result<Fenced, DatabaseError> {
        self.write_fenced(lease, &cleared(&self.schema(), version))
            .await
    }

    pub(super) async fn append_audit(
        &mut self,
        entries: &[AuditEntry],
    ) -> Result<(), DatabaseError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.catch_up().await?;
        let sql = audit_sql(&self.facts.schema, &self.identity, entries, Times::Given);
        if self.transaction.is_some()
            && (self.own_identity || !self.disturbed)
            && self.pooling == Pooling::Direct
        {
            self.audit_before_commit.push_str(&sql);
            self.audit_before_commit.push_str("; ");
            return Ok(());
        }
        if self.transaction.is_some() {
            return self.write(&sql).await.map(|_| ());
        }
        // Not worth a wait for the disk: what it is about is durable already, or has not happened.
        let sql = format!("SET LOCAL synchronous_commit = off; {sql}");
        self.write(&sql).await.map(|_| ())
    }

    /// Quoted name of the schema of the tables.
    pub(super) fn schema(&self) -> String {
        literal::identifier(&self.facts.schema)
    }

    /// Runs `body` (common table expressions that use `lease`) while the lease is locked and ours.
    pub(super) async fn write_fenced(
        &mut self,
        lease: &Lease,
        body: &str,
    ) -> Result<Fenced, DatabaseError> {
        self.catch_up().await?;
        let same_transaction = match &self.transaction {
            Some(id) => format!("txid_current() = {id}"),
            None => "true".to_owned(),
        };
        let sql = format!(
            "WITH lease AS (SELECT 1 FROM {}.forerun_lock WHERE name = 'runner' AND token = {} \
             AND {same_transaction} FOR SHARE), {body} SELECT (SELECT count(*) FROM lease), {same_transaction}",
            self.schema(),
            lease.token
        );
        let rows = self.write(&sql).await?;
        let row = Row::only(&rows)?;
        Ok(if !row.flag(1)? {
            Fenced::TransactionEnded
        } else if row.number(0)? == 1 {
            Fenced::Written
        } else {
            Fenced::LeaseLost
        })
    }

    /// Writes as the user who owns the tables, whatever role the script left. The script may go on afterwards, hence
    /// `SET LOCAL`: it holds for the transaction, or without one for the message.
    ///
    /// Behind a pooler the server session is somebody else's after the transaction, so there the script's changes to
    /// it are undone for good.
    pub(super) async fn write(&mut self, sql: &str) -> Result<Vec<SimpleQueryRow>, DatabaseError> {
        self.catch_up().await?;
        if self.transaction.is_none() {
            let sql = format!("{OWN_USER}; {sql}");
            return self.link.rows(&sql).await.map_err(with_privilege_hint);
        }
        let mut sql = sql.to_owned();
        if self.pooling != Pooling::Direct {
            sql.push_str("; ");
            sql.push_str(RESET_SESSION);
        }
        if self.own_identity || (!self.disturbed && self.pooling == Pooling::Direct) {
            return self.link.rows(&sql).await.map_err(with_privilege_hint);
        }
        // Both are sent at once, but apart: the client encoding that the first one sets applies from the next
        // message on. `RESET ALL` would pass over a name that is at its default locally, hence the difference.
        let identity = match self.pooling {
            Pooling::Direct => OWN_IDENTITY,
            Pooling::Suspected | Pooling::Shared => RESET_IDENTITY,
        };
        let (identity, rows) = tokio::join!(self.link.batch(identity), self.link.rows(&sql));
        self.own_identity = identity.is_ok();
        identity.and(rows).map_err(with_privilege_hint)
    }
}

/// The user that the connection started with.
const OWN_USER: &str = "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE TO DEFAULT";
/// The user, the search path and the encoding that it started with, until the end of the transaction.
pub(super) const OWN_IDENTITY: &str = "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE TO DEFAULT; \
     SET LOCAL search_path TO DEFAULT; SET LOCAL client_encoding TO DEFAULT";
/// The same for good.
const RESET_IDENTITY: &str =
    "RESET SESSION AUTHORIZATION; RESET ROLE; RESET search_path; RESET client_encoding";

/// Milliseconds since the open transaction began.
const SERVER_DURATION: &str = "(extract(epoch FROM clock_timestamp() - now()) * 1000)::bigint";

/// Who knows when a migration began and ended.
#[derive(Clone, Copy)]
pub(super) enum Times {
    /// The row says it.
    Given,
    /// The server: as long as the open transaction lasts. Our clock is ahead of its by so many microseconds; the history
    /// is in our time.
    OfTransaction {
        /// Microseconds, negative when it is behind.
        ahead: i64,
    },
}

/// Columns of the history, the version first.
pub(super) const HISTORY_COLUMNS: &str = "version, description, script, kind, phase, origin, checksum, checksum_raw, \
     checksum_sql, statements, started_at, finished_at, duration_ms, run_id, app_release, applied_by, tool_version, \
     unused_since, deployment";

/// Their values without the version.
pub(super) fn history_values(row: &HistoryRow, times: Times) -> String {
    let [started, finished, duration] = match times {
        Times::Given => [
            format!("{}::timestamptz", text(&row.started_at)),
            format!("{}::timestamptz", text(&row.finished_at)),
            row.duration_ms.to_string(),
        ],
        Times::OfTransaction { ahead } => [
            format!("now() + interval '{ahead} microseconds'"),
            format!("clock_timestamp() + interval '{ahead} microseconds'"),
            SERVER_DURATION.to_owned(),
        ],
    };
    [
        limited(&row.description, 1000),
        limited(&row.script, 1000),
        text(row.kind.as_str()),
        text(row.phase.as_str()),
        text(row.origin.as_str()),
        text(&row.checksums.normalized),
        text(&row.checksums.raw),
        text(&row.checksums.sql),
        row.statements.to_string(),
        started,
        finished,
        duration,
        limited(&row.run_id, 64),
        optional(row.release.as_deref(), 255),
        limited(&row.applied_by, 512),
        limited(&row.tool_version, 64),
        optional(row.unused_since.as_deref(), 255),
        number(row.deployment),
    ]
    .join(", ")
}

/// Removes the journal of a version that is done. `schema` is quoted.
fn cleared(schema: &str, version: &Version) -> String {
    format!(
        "cleared AS (DELETE FROM {schema}.forerun_journal WHERE version = {} AND EXISTS (SELECT FROM lease))",
        text(version.as_str())
    )
}

/// An error when the tables are of a newer forerun.
pub(super) async fn check_format(link: &Link, schema: &str) -> Result<(), DatabaseError> {
    let sql = "SELECT format FROM {schema}.forerun_lock WHERE name = 'runner'";
    let rows = read(link, &qualified(sql, schema))
        .await?
        .unwrap_or_default();
    match rows.first().map(|row| Row(row).number(0)).transpose()? {
        Some(format) if format > i64::from(TABLES_FORMAT) => {
            Err(DatabaseError::newer_format(format))
        }
        _ => Ok(()),
    }
}

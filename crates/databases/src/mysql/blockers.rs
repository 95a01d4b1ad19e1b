//! Who holds the lock that a session waits for.
//!
//! Row locks are told by both products. Metadata locks (what DDL waits for) are told by MySQL 8, and by
//! MariaDB with `performance_schema` on or the plugin `metadata_lock_info` installed; a plain MariaDB does
//! not tell, so the oldest open transactions are named as likely. All of it needs the PROCESS privilege;
//! without it nobody is named.

use forerun_migrations::database::{Blocker, DatabaseError, ErrorKind};
use mysql_async::Row;

use super::connect::Facts;
use super::connection::Connection;
use super::literal::fill;
use super::row;

const METADATA: &str = include_str!("sql/metadata_lock_blockers.sql");
const METADATA_MARIADB: &str = include_str!("sql/metadata_lock_blockers_mariadb.sql");
const ROWS: &str = include_str!("sql/row_lock_blockers.sql");
const ROWS_MARIADB: &str = include_str!("sql/row_lock_blockers_mariadb.sql");
const OPEN_TRANSACTIONS: &str = include_str!("sql/open_transactions.sql");

/// Sessions that the session `id` waits for; the surest source that answers counts.
pub(super) async fn of(
    connection: &mut Connection,
    facts: &Facts,
    id: u64,
) -> Result<Vec<Blocker>, DatabaseError> {
    let state = connection
        .first(&format!(
            "SELECT COALESCE(state, '') FROM information_schema.processlist WHERE id = {id}"
        ))
        .await?
        .map(|found| row::text(&found, 0))
        .unwrap_or_default();
    // "Waiting for table metadata lock", "Waiting for global read lock", "Waiting for backup lock".
    let waits_for_metadata = state.starts_with("Waiting for") && state.ends_with("lock");
    let mut sources = Vec::new();
    if waits_for_metadata {
        if facts.performance_schema {
            sources.push(METADATA);
        }
        if facts.mariadb {
            sources.push(METADATA_MARIADB);
        }
        sources.push(OPEN_TRANSACTIONS);
    } else if facts.mariadb {
        sources.push(ROWS_MARIADB);
    } else {
        sources.push(ROWS);
    }
    for source in sources {
        let blockers = match connection
            .rows(&fill(source, &[("id", id.to_string())]))
            .await
        {
            Ok(rows) => rows.iter().map(blocker).collect::<Result<Vec<_>, _>>()?,
            // The table does not exist here, or the privilege is missing: the next source may do.
            Err(error) if error.kind == ErrorKind::Statement => continue,
            Err(error) => return Err(error),
        };
        if !blockers.is_empty() {
            return Ok(blockers);
        }
    }
    Ok(Vec::new())
}

fn blocker(found: &Row) -> Result<Blocker, DatabaseError> {
    Ok(Blocker {
        backend: row::text(found, 0),
        user: row::text(found, 1),
        application: row::text(found, 2),
        client: row::text(found, 3),
        state: row::text(found, 4),
        transaction_seconds: row::optional_number(found, 5)?,
        query: row::text(found, 6),
    })
}

//! Session settings: time limits, what a script changed, and a neutral ground for reading definitions.

use std::collections::BTreeMap;
use std::time::Duration;

use forerun_migrations::database::{DatabaseError, ErrorKind, Timeouts};

use super::connect::Facts;
use super::connection::Connection;
use super::{literal, row};

/// Settings that scripts change and that would change what the next script means. Those that a server does
/// not have are skipped. The limits that we set ourselves are not among them, see [`own_limits`]. (Manual:
/// "Server System Variables", scope Session.)
const RESTORED: &[&str] = &[
    "alter_algorithm",
    "auto_increment_increment",
    "auto_increment_offset",
    "autocommit",
    "binlog_format",
    "check_constraint_checks",
    "completion_type",
    "cte_max_recursion_depth",
    "default_storage_engine",
    "default_table_encryption",
    "default_week_format",
    "div_precision_increment",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "group_concat_max_len",
    "innodb_snapshot_isolation",
    "innodb_strict_mode",
    "lc_time_names",
    "low_priority_updates",
    "max_error_count",
    "max_heap_table_size",
    "max_join_size",
    "max_recursive_iterations",
    "max_sp_recursion_depth",
    "net_read_timeout",
    "net_write_timeout",
    "old_alter_table",
    "optimizer_switch",
    "sql_auto_is_null",
    "sql_big_selects",
    "sql_generate_invisible_primary_key",
    "sql_log_bin",
    "sql_mode",
    "sql_notes",
    "sql_quote_show_create",
    "sql_require_primary_key",
    "sql_safe_updates",
    "sql_select_limit",
    "sql_warnings",
    "system_versioning_alter_history",
    "time_zone",
    "tmp_table_size",
    "transaction_isolation",
    "transaction_read_only",
    "tx_isolation",
    "tx_read_only",
    "unique_checks",
    "wait_timeout",
];

/// No limit, as near as the server has it: a year, the largest value of `lock_wait_timeout`.
const NO_LOCK_LIMIT_SECONDS: u64 = 31_536_000;

/// What a session was like before a script changed it.
#[derive(Debug, Clone)]
pub(super) struct InitialState {
    variables: BTreeMap<String, String>,
    role: Option<String>,
    database: String,
    /// Puts the limits back.
    limits: String,
}

impl InitialState {
    /// Reads it.
    pub(super) async fn read(
        connection: &mut Connection,
        facts: &Facts,
    ) -> Result<Self, DatabaseError> {
        let known = variables(connection, RESTORED).await?;
        let now = Now::read(connection, known.into_keys().collect()).await?;
        Ok(Self {
            variables: now.variables,
            role: now.role,
            database: facts.database.clone(),
            limits: own_limits(facts),
        })
    }

    /// Brings the session back to it. No transaction may be open.
    ///
    /// User variables, prepared statements and temporary tables stay: the server has no list of them that
    /// every version shows, and `COM_RESET_CONNECTION`, which would drop them, releases `GET_LOCK` too.
    pub(super) async fn restore(&self, connection: &mut Connection) -> Result<(), DatabaseError> {
        connection.execute("UNLOCK TABLES").await?;
        connection.execute("SET NAMES utf8mb4").await?;
        let now = Now::read(connection, self.variables.keys().cloned().collect()).await?;
        let mut changes = vec![self.limits.clone()];
        if now.clock_is_fixed {
            changes.push("timestamp = DEFAULT".to_owned());
        }
        // Only what was changed: setting a value can need a privilege, which the script then had.
        for (name, value) in &self.variables {
            if now.variables.get(name) != Some(value) {
                changes.push(format!("{name} = {}", setting(value)));
            }
        }
        connection
            .execute(&format!("SET SESSION {}", changes.join(", ")))
            .await?;
        if now.role != self.role {
            let role = self.role.as_deref().unwrap_or("NONE");
            connection.execute(&format!("SET ROLE {role}")).await?;
        }
        connection
            .execute(&format!("USE {}", literal::identifier(&self.database)))
            .await
    }
}

/// What a session is like at the moment; one round trip.
struct Now {
    variables: BTreeMap<String, String>,
    role: Option<String>,
    /// A script has stopped the clock of the session (`SET timestamp = …`), which `SYSDATE` ignores.
    clock_is_fixed: bool,
}

impl Now {
    /// Reads the variables `names`, which the server must know.
    async fn read(connection: &mut Connection, names: Vec<String>) -> Result<Self, DatabaseError> {
        // Without `SESSION.`, which is refused for what is global in this version.
        let columns: Vec<String> = names.iter().map(|name| format!(", @@{name}")).collect();
        let found = connection
            .first(&format!(
                "SELECT CURRENT_ROLE(), ABS(UNIX_TIMESTAMP(SYSDATE()) - @@SESSION.timestamp){}",
                columns.concat()
            ))
            .await?
            .ok_or_else(|| {
                DatabaseError::new(ErrorKind::Unexpected, "the server told no settings")
            })?;
        // MariaDB has a bare name, MySQL a quoted list, or NONE.
        let role = row::optional_text(&found, 0)
            .filter(|role| role != "NONE")
            .map(|role| {
                if role.starts_with('`') {
                    role
                } else {
                    literal::identifier(&role)
                }
            });
        Ok(Self {
            role,
            clock_is_fixed: row::number(&found, 1)? > 1,
            variables: (2..)
                .zip(names)
                .filter_map(|(index, name)| Some((name, row::optional_text(&found, index)?)))
                .collect(),
        })
    }
}

/// Settings for [`NeutralGround`], as MariaDB takes them for a single statement (`SET STATEMENT … FOR`).
pub(super) const NEUTRAL: &str = "sql_mode = '', sql_quote_show_create = 1, time_zone = '+00:00'";

/// Settings under which definitions are read, so that the same object always reads the same.
#[derive(Debug)]
pub(super) struct NeutralGround {
    before: BTreeMap<String, String>,
}

impl NeutralGround {
    const SETTINGS: &[&str] = &["sql_mode", "sql_quote_show_create", "time_zone"];

    /// Enters it.
    pub(super) async fn enter(connection: &mut Connection) -> Result<Self, DatabaseError> {
        let before = variables(connection, Self::SETTINGS).await?;
        connection
            .execute(&format!("SET SESSION {NEUTRAL}"))
            .await?;
        Ok(Self { before })
    }

    /// Leaves it: the script's own settings hold again.
    pub(super) async fn leave(self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let settings: Vec<String> = self
            .before
            .iter()
            .map(|(name, value)| format!("{name} = {}", setting(value)))
            .collect();
        connection
            .execute(&format!("SET SESSION {}", settings.join(", ")))
            .await
    }
}

/// The assignments that put back the limits a session began with.
pub(super) fn own_limits(facts: &Facts) -> String {
    let limits = &facts.limits;
    let statement = match &limits.statement {
        Some(limit) => format!("max_statement_time = {}", setting(limit)),
        None => "max_execution_time = DEFAULT".to_owned(),
    };
    format!(
        "lock_wait_timeout = {}, innodb_lock_wait_timeout = {}, {statement}",
        setting(&limits.lock),
        setting(&limits.row_lock)
    )
}

/// The statement that sets the limits of what follows. The server counts lock waits in whole seconds, so
/// they are rounded up. MySQL limits only `SELECT`; the session keeps the time of the others itself.
pub(super) fn set_timeouts(timeouts: Timeouts, mariadb: bool) -> String {
    let lock = timeouts.lock.map_or(NO_LOCK_LIMIT_SECONDS, |limit| {
        whole_seconds(limit).min(NO_LOCK_LIMIT_SECONDS)
    });
    let statement = match (timeouts.statement, mariadb) {
        (None, true) => "max_statement_time = 0".to_owned(),
        (None, false) => "max_execution_time = 0".to_owned(),
        (Some(limit), true) => format!(
            "max_statement_time = {:.6}",
            limit.as_secs_f64().clamp(0.000_001, 31_536_000.0)
        ),
        (Some(limit), false) => {
            format!(
                "max_execution_time = {}",
                limit.as_millis().clamp(1, u128::from(u32::MAX))
            )
        }
    };
    format!(
        "SET SESSION lock_wait_timeout = {lock}, innodb_lock_wait_timeout = {lock}, {statement}"
    )
}

fn whole_seconds(limit: Duration) -> u64 {
    (limit.as_secs() + u64::from(limit.subsec_nanos() > 0)).max(1)
}

async fn variables(
    connection: &mut Connection,
    names: &[&str],
) -> Result<BTreeMap<String, String>, DatabaseError> {
    let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let rows = connection
        .rows(&format!(
            "SHOW SESSION VARIABLES WHERE Variable_name IN ({})",
            list.join(", ")
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|found| (row::text(found, 0), row::text(found, 1)))
        .collect())
}

/// A value in a `SET`: numbers must be written as numbers.
fn setting(value: &str) -> String {
    let numeric = value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && value.parse::<f64>().is_ok();
    if numeric {
        value.to_owned()
    } else {
        literal::text(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_limits_are_rounded_up_to_seconds() {
        let timeouts = Timeouts {
            lock: Some(Duration::from_millis(1200)),
            statement: Some(Duration::from_millis(1500)),
        };
        assert_eq!(
            set_timeouts(timeouts, true),
            "SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 2, max_statement_time = 1.500000"
        );
        assert_eq!(
            set_timeouts(timeouts, false),
            "SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 2, max_execution_time = 1500"
        );
        assert_eq!(whole_seconds(Duration::ZERO), 1);
    }

    #[test]
    fn no_limit_is_a_year() {
        assert_eq!(
            set_timeouts(Timeouts::default(), true),
            "SET SESSION lock_wait_timeout = 31536000, innodb_lock_wait_timeout = 31536000, max_statement_time = 0"
        );
    }

    #[test]
    fn numbers_are_set_as_numbers() {
        assert_eq!(setting("50"), "50");
        assert_eq!(setting("0.000000"), "0.000000");
        assert_eq!(setting("SYSTEM"), literal::text("SYSTEM"));
        assert_eq!(setting(""), literal::text(""));
    }
}

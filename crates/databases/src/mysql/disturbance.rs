//! What a statement of a script may do to its session, told by its text.
//!
//! It decides what is saved before the statement and put back afterwards; a statement that is not known counts as
//! one that may do anything. Not told is what stored functions and triggers set behind plain statements.

use forerun_sql::{Classification, Dialect, LockClass, ObjectKind, TransactionUse, classify};

/// What a statement may do to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disturbance {
    /// It may change settings, the current database, the role, locks or the transaction.
    pub(super) session: bool,
    /// It may end the open transaction, or the savepoints in it.
    pub(super) transaction: bool,
    /// It may change `LAST_INSERT_ID()`.
    pub(super) last_id: bool,
}

impl Disturbance {
    /// Of this statement.
    pub(super) fn of(sql: &str) -> Self {
        let statement = classify(Dialect::Mysql, sql);
        let hidden = sql.contains("/*!") || sql.contains("/*M!");
        if hidden {
            return Self::anything();
        }
        let verb = statement.verb.as_str();
        match (statement.lock, statement.transaction) {
            // It may ask what the statement before it has done (`ROW_COUNT()`): nothing may come between.
            _ if gives_values_only(&statement, sql) => Self {
                session: false,
                transaction: false,
                last_id: true,
            },
            (LockClass::Dml | LockClass::Query, TransactionUse::Inside) => Self {
                session: false,
                transaction: false,
                // A query changes it only with `LAST_INSERT_ID(value)`.
                last_id: statement.lock == LockClass::Dml
                    || sql.to_ascii_uppercase().contains("LAST_INSERT_ID"),
            },
            (
                LockClass::BlockingDdl | LockClass::OnlineBuild,
                TransactionUse::Inside | TransactionUse::Outside,
            ) => Self {
                // Without its database a session has none.
                session: verb == "LOCK TABLES"
                    || (verb.starts_with("DROP")
                        && statement
                            .objects
                            .iter()
                            .any(|object| object.kind == ObjectKind::Database)),
                transaction: true,
                last_id: false,
            },
            (_, TransactionUse::Savepoint) => Self {
                session: false,
                transaction: true,
                last_id: false,
            },
            _ => Self::anything(),
        }
    }

    fn anything() -> Self {
        Self {
            session: true,
            transaction: true,
            last_id: true,
        }
    }
}

/// `SET @name = …` with one assignment, and `GET DIAGNOSTICS`.
fn gives_values_only(statement: &Classification, sql: &str) -> bool {
    match statement.verb.as_str() {
        "GET" => statement.lock == LockClass::Other,
        "SET" => {
            let target = sql.trim_start().get(3..).unwrap_or_default().trim_start();
            statement.lock == LockClass::Other
                && statement.transaction == TransactionUse::Inside
                && target.starts_with('@')
                && !target.starts_with("@@")
                && !target.contains(',')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_the_session_is_recognised() {
        for sql in [
            "SET sql_mode = ''",
            "SET @a = 1, sql_mode = ''",
            "SET @@sql_mode = ''",
            "SET NAMES latin1",
            "USE other",
            "CALL p()",
            "EXECUTE s",
            "PREPARE s FROM 'SET sql_mode = 1'",
            "LOCK TABLES t WRITE",
            "UNLOCK TABLES",
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "XA START 'a'",
            "BEGIN NOT ATOMIC SET sql_mode = ''; END",
            "IF 1 THEN SET sql_mode = ''; END IF",
            "/*!40101 SET NAMES utf8 */",
            "/*M!100100 SET sql_mode = '' */",
            "CREATE TABLE t (a INT) /*!50100 ENGINE=InnoDB */",
            "DROP DATABASE shop",
            "DO GET_LOCK('a', 1)",
            "DROP USER a",
            "FLUSH TABLES WITH READ LOCK",
            "whatever comes next",
        ] {
            let disturbance = Disturbance::of(sql);
            assert!(disturbance.session, "{sql}: {disturbance:?}");
            assert!(disturbance.transaction, "{sql}: {disturbance:?}");
        }
    }

    #[test]
    fn plain_statements_leave_the_session_alone() {
        for (sql, ends_transaction) in [
            ("CREATE TABLE t (a INT)", true),
            ("ALTER TABLE t ADD COLUMN b INT", true),
            ("DROP TABLE t", true),
            ("TRUNCATE t", true),
            ("CREATE PROCEDURE p() SET sql_mode = ''", true),
            ("OPTIMIZE TABLE t", true),
            ("SAVEPOINT a", true),
            ("INSERT INTO t VALUES (NOW())", false),
            ("WITH a AS (SELECT 1) SELECT * FROM a", false),
            ("UPDATE t SET a = 1", false),
            ("SELECT 1", false),
            ("SET @a = ROW_COUNT()", false),
        ] {
            let disturbance = Disturbance::of(sql);
            assert!(!disturbance.session, "{sql}: {disturbance:?}");
            assert_eq!(disturbance.transaction, ends_transaction, "{sql}");
        }
    }
}

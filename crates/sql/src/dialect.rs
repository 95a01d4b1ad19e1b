//! The three families of SQL that a script can be written in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose lexical rules a script follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// PostgreSQL 12 and later, with `standard_conforming_strings` on (the default).
    Postgres,
    /// MySQL 8 and MariaDB 10.5 and later, without `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`.
    Mysql,
    /// SQLite 3.
    Sqlite,
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL/MariaDB",
            Self::Sqlite => "SQLite",
        })
    }
}

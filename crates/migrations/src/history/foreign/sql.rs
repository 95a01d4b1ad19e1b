//! Pieces of SQL that differ between the databases. Column names are the peers' own and need no quotes.

use forerun_sql::Dialect;

use super::PeerLock;

/// A name in quotes.
pub(super) fn identifier(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A text.
pub(super) fn literal(dialect: Dialect, text: &str) -> String {
    let text = text.replace('\'', "''");
    match dialect {
        Dialect::Mysql => format!("'{}'", text.replace('\\', "\\\\")),
        Dialect::Postgres | Dialect::Sqlite => format!("'{text}'"),
    }
}

/// A time column as RFC 3339 in UTC. One without a time zone is taken to be in that of the server.
pub(super) fn moment(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Postgres => format!(
            "to_char({column}::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        ),
        Dialect::Mysql => format!(
            "DATE_FORMAT(CONVERT_TZ({column}, @@session.time_zone, '+00:00'), '%Y-%m-%dT%H:%i:%s.%fZ')"
        ),
        // Some libraries store milliseconds since 1970.
        Dialect::Sqlite => format!(
            "CASE typeof({column}) WHEN 'integer' \
             THEN strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000.0, 'unixepoch') \
             ELSE strftime('%Y-%m-%dT%H:%M:%fZ', {column}) END"
        ),
    }
}

/// A truth column that MySQL may hold as a bit.
pub(super) fn truth(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("{column} + 0"),
        Dialect::Postgres | Dialect::Sqlite => column.to_owned(),
    }
}

/// Bytes as lower-case hex.
pub(super) fn hex(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Postgres => format!("encode({column}, 'hex')"),
        Dialect::Mysql | Dialect::Sqlite => format!("lower(hex({column}))"),
    }
}

/// An advisory lock of PostgreSQL. The one that ends with the transaction excludes those of sessions as well, and
/// nothing is left of it behind a pooler.
pub(super) fn advisory_lock(id: i64) -> PeerLock {
    PeerLock {
        tries: vec![format!("SELECT pg_try_advisory_xact_lock({id})")],
        releases: Vec::new(),
        holder: Some(format!(
            "SELECT 'session ' || a.pid, a.usename, a.application_name, host(a.client_addr) \
             FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
             AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
             AND (l.classid::bigint << 32) | l.objid::bigint = {id}"
        )),
    }
}

/// A named lock of MySQL.
pub(super) fn named_lock(name: &str) -> PeerLock {
    let name = literal(Dialect::Mysql, name);
    PeerLock {
        tries: vec![format!("SELECT GET_LOCK({name}, 0)")],
        releases: vec![format!("SELECT RELEASE_LOCK({name})")],
        holder: Some(format!(
            "SELECT CONCAT('connection ', IS_USED_LOCK({name}))"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_names_and_texts_are_doubled() {
        assert_eq!(identifier(Dialect::Postgres, "a\"b"), "\"a\"\"b\"");
        assert_eq!(identifier(Dialect::Mysql, "a`b"), "`a``b`");
        assert_eq!(literal(Dialect::Sqlite, "it's"), "'it''s'");
        assert_eq!(literal(Dialect::Mysql, "a\\'"), "'a\\\\'''");
    }
}

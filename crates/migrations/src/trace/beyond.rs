//! Statements that reach beyond their database: users, settings of the server, other databases. On a scratch database
//! they would change what the target shares with it, or leave something behind, so a trace does not run them.

use forerun_sql::operation::{OperationKind, Operations};
use forerun_sql::{Dialect, ObjectName, classify};

/// Why a statement is not run in a trace; `None` when it may be. `own` is the scratch database. `target` is the database
/// of the target where both are on one server.
pub(super) fn why_not(
    dialect: Dialect,
    text: &str,
    operations: &Operations,
    own: &str,
    target: Option<&str>,
) -> Option<&'static str> {
    const SERVER: &str = "it changes the server and not the database";
    const OTHER: &str = "it is about another database";
    let words: Vec<String> = text
        .split(|letter: char| !(letter.is_alphanumeric() || "_@.".contains(letter)))
        .filter(|word| !word.is_empty())
        .take(5)
        .map(str::to_ascii_uppercase)
        .collect();
    let mut words = words.iter().map(String::as_str);
    let verb = words.next().unwrap_or_default();
    let mut object = words.next().unwrap_or_default();
    let mut rest: Vec<&str> = words.collect();
    if (object, rest.first()) == ("OR", Some(&"REPLACE")) && rest.len() > 1 {
        object = rest[1];
        rest.drain(..2);
    }
    let defines = matches!(verb, "CREATE" | "ALTER" | "DROP" | "RENAME");
    let beyond = match dialect {
        Dialect::Postgres => match (verb, object) {
            (_, "USER") if defines => rest.first() != Some(&"MAPPING"),
            (_, "ROLE" | "GROUP" | "DATABASE" | "TABLESPACE" | "SYSTEM") => defines,
            ("COMMENT", "ON") => {
                matches!(rest.first(), Some(&("DATABASE" | "ROLE" | "TABLESPACE")))
            }
            ("REASSIGN", _) => true,
            _ => false,
        },
        Dialect::Mysql => match (verb, object) {
            (
                _,
                "USER" | "ROLE" | "DATABASE" | "SCHEMA" | "SERVER" | "TABLESPACE" | "LOGFILE"
                | "UNDO" | "INSTANCE",
            ) if defines => true,
            (
                "GRANT" | "REVOKE" | "FLUSH" | "RESET" | "PURGE" | "KILL" | "SHUTDOWN" | "INSTALL"
                | "UNINSTALL" | "CHANGE" | "START" | "STOP" | "CLONE",
                _,
            ) => !(verb == "START" && object == "TRANSACTION"),
            ("SET", "GLOBAL" | "PERSIST" | "PERSIST_ONLY" | "PASSWORD") => true,
            ("SET", name) => name.starts_with("@@GLOBAL.") || name.starts_with("@@PERSIST"),
            ("USE", _) => return Some(OTHER),
            _ => false,
        },
        Dialect::Sqlite => match (verb, object) {
            ("ATTACH" | "DETACH", _) => return Some("it is about another file"),
            ("VACUUM", _) => rest.contains(&"INTO") || object == "INTO",
            _ => false,
        },
    };
    if beyond {
        return Some(SERVER);
    }
    if dialect != Dialect::Mysql {
        return None;
    }
    let objects = classify(dialect, text).objects;
    let names = operations
        .list
        .iter()
        .flat_map(|one| named(&one.kind))
        .chain(&objects);
    let mut schemas = names.filter_map(|name| name.schema.as_deref());
    let elsewhere = schemas.any(|schema| !schema.eq_ignore_ascii_case(own));
    let mentioned = target.is_some_and(|target| qualifies(text, target));
    (elsewhere || mentioned).then_some(OTHER)
}

/// What an operation makes, changes or moves.
fn named(kind: &OperationKind) -> Vec<&ObjectName> {
    let moved = match kind {
        OperationKind::Rename { object, to, .. } => vec![object, to],
        OperationKind::Create { object, .. } | OperationKind::Drop { object, .. } => vec![object],
        _ => Vec::new(),
    };
    kind.table().into_iter().chain(moved).collect()
}

/// Whether `name` stands before a point somewhere in the text, also in a string that becomes a statement.
fn qualifies(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    text.match_indices(&name).any(|(start, found)| {
        let before = text.get(..start).unwrap_or_default().chars().next_back();
        let inside = before.is_some_and(|letter| letter.is_alphanumeric() || "_$".contains(letter));
        let after = text.get(start + found.len()..).unwrap_or_default();
        !inside && after.trim_start_matches('`').trim_start().starts_with('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use forerun_sql::operation::operations;

    fn kept(dialect: Dialect, text: &str) -> bool {
        let parsed = operations(dialect, text);
        why_not(dialect, text, &parsed, "scratch", Some("shop")).is_none()
    }

    #[test]
    fn what_belongs_to_the_server_is_not_run() {
        for text in [
            "CREATE ROLE app",
            "ALTER USER app SET search_path = a",
            "alter system set work_mem = 1",
            "DROP DATABASE shop",
            "COMMENT ON DATABASE shop IS 'x'",
        ] {
            assert!(!kept(Dialect::Postgres, text), "{text}");
        }
        for text in [
            "CREATE USER a@localhost",
            "CREATE OR REPLACE ROLE a",
            "GRANT SELECT ON shop.* TO a",
            "SET GLOBAL max_connections = 5",
            "SET @@global.max_connections = 5",
            "USE shop",
            "ALTER DATABASE CHARACTER SET utf8mb4",
        ] {
            assert!(!kept(Dialect::Mysql, text), "{text}");
        }
        assert!(!kept(Dialect::Sqlite, "ATTACH 'other.db' AS other"));
        assert!(!kept(Dialect::Sqlite, "VACUUM INTO 'copy.db'"));
    }

    #[test]
    fn what_belongs_to_another_database_is_not_run() {
        for text in [
            "INSERT INTO shop.orders VALUES (1)",
            "ALTER TABLE other.orders ADD COLUMN a int",
            "RENAME TABLE orders TO other.orders",
            "ALTER TABLE orders RENAME TO other.orders",
            "CREATE VIEW other.v AS SELECT 1",
            "CREATE PROCEDURE other.p() SELECT 1",
            "DROP PROCEDURE other.p",
            "CREATE TRIGGER other.t BEFORE INSERT ON other.orders FOR EACH ROW SET NEW.a = 1",
            "UPDATE a JOIN `shop`.orders o ON o.id = a.id SET a.x = 1",
        ] {
            assert!(!kept(Dialect::Mysql, text), "{text}");
        }
    }

    #[test]
    fn everything_else_is_run() {
        for text in [
            "CREATE TABLE users (id int)",
            "CREATE USER MAPPING FOR a SERVER s",
            "GRANT SELECT ON orders TO app",
            "ALTER TABLE public.orders ADD COLUMN database text",
            "SET LOCAL lock_timeout = '1s'",
        ] {
            assert!(kept(Dialect::Postgres, text), "{text}");
        }
        for text in [
            "ALTER TABLE workshop.orders ADD COLUMN a int"
                .replace("workshop", "scratch")
                .as_str(),
            "START TRANSACTION",
            "SET foreign_key_checks = 0",
            "UPDATE orders SET workshop.a = 1",
            "CREATE TRIGGER user BEFORE INSERT ON orders FOR EACH ROW SET NEW.a = 1",
        ] {
            assert!(kept(Dialect::Mysql, text), "{text}");
        }
        assert!(kept(Dialect::Sqlite, "VACUUM"));
    }
}

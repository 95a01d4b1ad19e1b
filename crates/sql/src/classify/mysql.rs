//! MySQL and MariaDB: which statements commit implicitly (MySQL manual, "Statements That Cause an
//! Implicit Commit"; MariaDB, "SQL statements That Cause an Implicit Commit"), and which objects
//! their DDL names.

use super::cursor::{Cursor, changes_rows, common};
use super::{Classification, LockClass, ObjectKind, ObjectName, TransactionUse};

pub(super) fn classify(cursor: &mut Cursor<'_>) -> Classification {
    let word = cursor.word().to_owned();
    let mut ahead = cursor.clone();
    ahead.advance();
    match word.as_str() {
        // MariaDB: a block, while BEGIN alone begins a transaction.
        "BEGIN" if ahead.is("NOT") => committing("BEGIN NOT ATOMIC", LockClass::Other),
        "END" => other(word),
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "MERGE" => changes_rows(cursor),
        "LOAD" => match ahead.word() {
            "INDEX" => committing("LOAD INDEX", LockClass::Other),
            _ => Classification::new("LOAD DATA", TransactionUse::Inside, LockClass::Dml),
        },
        "START" => match ahead.word() {
            "TRANSACTION" => Classification::new(
                "START TRANSACTION",
                TransactionUse::Begin,
                LockClass::Other,
            ),
            _ => committing(word, LockClass::Other),
        },
        "SET" => set(cursor),
        "CREATE" => create(cursor),
        "ALTER" => alter(cursor),
        "DROP" => drop(cursor),
        "RENAME" => rename(cursor),
        "TRUNCATE" => {
            cursor.advance();
            cursor.take("TABLE");
            ddl("TRUNCATE").with_objects(cursor.name(ObjectKind::Table))
        }
        "OPTIMIZE" | "REPAIR" | "ANALYZE" | "CHECK" => maintain(cursor, &word),
        "LOCK" => {
            cursor.advance();
            cursor.take_any(&["TABLE", "TABLES"]);
            ddl("LOCK TABLES").with_objects(cursor.name(ObjectKind::Table))
        }
        // Procedures and prepared statements may hold anything.
        "CALL" | "EXECUTE"
        // Compound statements of MariaDB outside of stored programs, likewise.
        | "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR"
        | "GRANT" | "REVOKE" | "FLUSH" | "RESET" | "CACHE" | "UNLOCK" | "INSTALL" | "UNINSTALL"
        | "STOP" | "CHANGE" | "XA" | "BACKUP" | "SHUTDOWN" | "CLONE" | "IMPORT" => {
            committing(word, LockClass::Other)
        }
        _ => common(cursor).unwrap_or_else(|| other(word)),
    }
}

fn set(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    // MariaDB: SET STATEMENT variable = value FOR statement.
    if cursor.take("STATEMENT") && cursor.find(&["FOR"]) {
        cursor.advance();
        return classify(cursor);
    }
    if cursor.is("PASSWORD") || cursor.take_all(&["DEFAULT", "ROLE"]) {
        return committing("SET", LockClass::Other);
    }
    if cursor.find(&["AUTOCOMMIT"]) {
        return committing("SET", LockClass::Other);
    }
    other("SET")
}

fn create(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let temporary = skip_modifiers(cursor);
    let (kind, noun) = object_kind(cursor);
    cursor.take_if_exists();
    let mut found = ddl(format!("CREATE {noun}"));
    found.objects.extend(cursor.name(kind));
    match kind {
        ObjectKind::Table if temporary => found.transaction = TransactionUse::Inside,
        ObjectKind::Index | ObjectKind::Trigger => found.objects.extend(target_table(cursor)),
        ObjectKind::Other if is_account(&noun) => found.lock = LockClass::Other,
        _ => {}
    }
    found
}

fn alter(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    skip_modifiers(cursor);
    let (kind, noun) = object_kind(cursor);
    cursor.take_if_exists();
    let mut found = ddl(format!("ALTER {noun}"));
    let unnamed = kind == ObjectKind::Database
        && matches!(
            cursor.word(),
            "CHARACTER" | "CHARSET" | "COLLATE" | "COMMENT" | "DEFAULT" | "ENCRYPTION" | "READ"
        );
    if !unnamed {
        found.objects.extend(cursor.name(kind));
    }
    match kind {
        ObjectKind::Table => loop {
            if cursor.take("RENAME") {
                if !matches!(cursor.word(), "COLUMN" | "INDEX" | "KEY") {
                    cursor.take_any(&["TO", "AS"]);
                    found.objects.extend(cursor.name(kind));
                }
            } else if cursor.take_all(&["EXCHANGE", "PARTITION"])
                && cursor.find(&["WITH"])
                && cursor.take_all(&["WITH", "TABLE"])
            {
                found.objects.extend(cursor.name(kind));
            }
            if !cursor.next_item() {
                break;
            }
        },
        ObjectKind::Event if renames(cursor) => found.objects.extend(cursor.name(kind)),
        ObjectKind::Other if is_account(&noun) => found.lock = LockClass::Other,
        _ => {}
    }
    found
}

/// Moves over `RENAME TO` in the head of `ALTER EVENT`.
fn renames(cursor: &mut Cursor<'_>) -> bool {
    cursor.find(&["RENAME", "DO"]) && cursor.take_all(&["RENAME", "TO"])
}

fn drop(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    if cursor.is("PREPARE") {
        return other("DROP PREPARE");
    }
    let temporary = skip_modifiers(cursor);
    let (kind, noun) = object_kind(cursor);
    cursor.take_if_exists();
    let mut found = ddl(format!("DROP {noun}"));
    match kind {
        ObjectKind::Index => {
            found.objects.extend(cursor.name(kind));
            found.objects.extend(target_table(cursor));
        }
        ObjectKind::Other if is_account(&noun) => found.lock = LockClass::Other,
        _ => found.objects = cursor.names(kind),
    }
    if temporary {
        found.transaction = TransactionUse::Inside;
    }
    found
}

fn rename(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    if !cursor.take_any(&["TABLE", "TABLES"]) {
        return committing("RENAME USER", LockClass::Other);
    }
    let mut found = ddl("RENAME TABLE");
    loop {
        cursor.take_if_exists();
        found.objects.extend(cursor.name(ObjectKind::Table));
        if !cursor.find(&["TO"]) {
            return found;
        }
        cursor.advance();
        found.objects.extend(cursor.name(ObjectKind::Table));
        if !cursor.take_symbol(",") {
            return found;
        }
    }
}

/// `OPTIMIZE | REPAIR | ANALYZE | CHECK [NO_WRITE_TO_BINLOG | LOCAL] TABLE t, …`
fn maintain(cursor: &mut Cursor<'_>, verb: &str) -> Classification {
    cursor.advance();
    cursor.take_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if !cursor.take_any(&["TABLE", "TABLES", "VIEW"]) {
        // MariaDB: ANALYZE SELECT … runs the query.
        return match cursor.word() {
            "INSERT" | "UPDATE" | "DELETE" | "REPLACE" => {
                Classification::new(verb, TransactionUse::Inside, LockClass::Dml)
            }
            _ => Classification::new(verb, TransactionUse::Inside, LockClass::Query),
        };
    }
    let lock = match verb {
        "ANALYZE" | "CHECK" => LockClass::OnlineBuild,
        _ => LockClass::BlockingDdl,
    };
    committing(format!("{verb} TABLE"), lock).with_objects(cursor.names(ObjectKind::Table))
}

/// Moves over what stands before the kind of object, and says whether it is temporary.
fn skip_modifiers(cursor: &mut Cursor<'_>) -> bool {
    let mut temporary = false;
    loop {
        match cursor.word() {
            "TEMPORARY" => {
                temporary = true;
                cursor.advance();
            }
            "OR" | "REPLACE" | "ONLINE" | "OFFLINE" | "IGNORE" | "UNIQUE" | "FULLTEXT"
            | "SPATIAL" | "VECTOR" | "AGGREGATE" | "UNDO" => cursor.advance(),
            "SQL" => {
                cursor.take_all(&["SQL", "SECURITY"]);
                cursor.advance();
            }
            "ALGORITHM" => {
                cursor.advance();
                cursor.take_symbol("=");
                cursor.advance();
            }
            "DEFINER" => {
                cursor.advance();
                cursor.take_symbol("=");
                cursor.advance();
                cursor.skip_parentheses();
                if cursor.take_symbol("@") {
                    cursor.advance();
                }
            }
            _ => return temporary,
        }
    }
}

fn object_kind(cursor: &mut Cursor<'_>) -> (ObjectKind, String) {
    let noun = cursor.word().to_owned();
    cursor.advance();
    let kind = match noun.as_str() {
        "TABLE" | "TABLES" => ObjectKind::Table,
        "VIEW" => ObjectKind::View,
        "INDEX" => ObjectKind::Index,
        "SEQUENCE" => ObjectKind::Sequence,
        "TRIGGER" => ObjectKind::Trigger,
        "PROCEDURE" => ObjectKind::Procedure,
        "FUNCTION" => ObjectKind::Function,
        "EVENT" => ObjectKind::Event,
        "DATABASE" | "SCHEMA" => ObjectKind::Database,
        "PACKAGE" => {
            if cursor.take("BODY") {
                return (ObjectKind::Package, "PACKAGE BODY".to_owned());
            }
            ObjectKind::Package
        }
        _ => ObjectKind::Other,
    };
    let noun = match noun.as_str() {
        "TABLES" => "TABLE".to_owned(),
        _ => noun,
    };
    (kind, noun)
}

fn is_account(noun: &str) -> bool {
    matches!(noun, "USER" | "ROLE")
}

/// The table after the next `ON`.
fn target_table(cursor: &mut Cursor<'_>) -> Option<ObjectName> {
    if !cursor.find(&["ON"]) {
        return None;
    }
    cursor.advance();
    cursor.name(ObjectKind::Table)
}

fn ddl(verb: impl Into<String>) -> Classification {
    committing(verb, LockClass::BlockingDdl)
}

fn committing(verb: impl Into<String>, lock: LockClass) -> Classification {
    Classification::new(verb, TransactionUse::Outside, lock)
}

fn other(verb: impl Into<String>) -> Classification {
    Classification::new(verb, TransactionUse::Inside, LockClass::Other)
}

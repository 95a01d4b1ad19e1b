//! SQLite: all DDL is transactional; what is not is `VACUUM`, attaching databases, and pragmas
//! that are refused or ignored inside a transaction (<https://sqlite.org/pragma.html>).

use super::cursor::{Cursor, changes_rows, common};
use super::{Classification, LockClass, ObjectKind, TransactionUse};

pub(super) fn classify(cursor: &mut Cursor<'_>) -> Classification {
    let word = cursor.word().to_owned();
    match word.as_str() {
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" => changes_rows(cursor),
        "CREATE" | "DROP" | "ALTER" => ddl(cursor, &word),
        "VACUUM" => blocking("VACUUM").outside(),
        "ATTACH" | "DETACH" => Classification::new(word, TransactionUse::Outside, LockClass::Other),
        "REINDEX" => blocking("REINDEX"),
        "ANALYZE" => Classification::new("ANALYZE", TransactionUse::Inside, LockClass::OnlineBuild),
        "PRAGMA" => pragma(cursor),
        _ => common(cursor)
            .unwrap_or_else(|| Classification::new(word, TransactionUse::Inside, LockClass::Other)),
    }
}

fn ddl(cursor: &mut Cursor<'_>, verb: &str) -> Classification {
    cursor.advance();
    cursor.take_any(&["TEMP", "TEMPORARY", "UNIQUE"]);
    let mut noun = cursor.word().to_owned();
    cursor.advance();
    let kind = match noun.as_str() {
        "TABLE" => ObjectKind::Table,
        "VIEW" => ObjectKind::View,
        "INDEX" => ObjectKind::Index,
        "TRIGGER" => ObjectKind::Trigger,
        "VIRTUAL" if cursor.take("TABLE") => {
            "VIRTUAL TABLE".clone_into(&mut noun);
            ObjectKind::Table
        }
        _ => ObjectKind::Other,
    };
    cursor.take_if_exists();
    let mut found = blocking(format!("{verb} {noun}")).with_objects(cursor.name(kind));
    match (verb, kind) {
        ("ALTER", _) if cursor.take_all(&["RENAME", "TO"]) => {
            found.objects.extend(cursor.name(kind));
        }
        ("CREATE", ObjectKind::Index | ObjectKind::Trigger) if cursor.find(&["ON"]) => {
            cursor.advance();
            found.objects.extend(cursor.name(ObjectKind::Table));
        }
        _ => {}
    }
    found
}

fn pragma(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let name = cursor.name(ObjectKind::Other);
    let name = name.map(|name| name.name.to_ascii_lowercase());
    let sets = cursor.is_symbol("=") || cursor.is_symbol("(");
    let lock = if sets {
        LockClass::Other
    } else {
        LockClass::Query
    };
    let outside = match name.as_deref().unwrap_or_default() {
        "wal_checkpoint" => true,
        "foreign_keys"
        | "journal_mode"
        | "synchronous"
        | "temp_store"
        | "temp_store_directory"
        | "auto_vacuum"
        | "page_size"
        | "encoding"
        | "locking_mode" => sets,
        _ => false,
    };
    let found = Classification::new("PRAGMA", TransactionUse::Inside, lock);
    if outside { found.outside() } else { found }
}

fn blocking(verb: impl Into<String>) -> Classification {
    Classification::new(verb, TransactionUse::Inside, LockClass::BlockingDdl)
}

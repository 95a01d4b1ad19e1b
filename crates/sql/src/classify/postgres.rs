//! PostgreSQL: which statements it refuses in a transaction block ("cannot run inside a
//! transaction block" in the manual's page of each command), and the table locks of the manual's
//! sections "Explicit Locking" and "ALTER TABLE".

use super::cursor::{Cursor, changes_rows, common};
use super::postgres_alter::alter;
use super::{Classification, LockClass, ObjectKind, TransactionUse};

pub(super) const ACCESS_SHARE: &str = "ACCESS SHARE";
const ROW_EXCLUSIVE: &str = "ROW EXCLUSIVE";
pub(super) const SHARE_UPDATE_EXCLUSIVE: &str = "SHARE UPDATE EXCLUSIVE";
const SHARE: &str = "SHARE";
pub(super) const SHARE_ROW_EXCLUSIVE: &str = "SHARE ROW EXCLUSIVE";
const EXCLUSIVE: &str = "EXCLUSIVE";
pub(super) const ACCESS_EXCLUSIVE: &str = "ACCESS EXCLUSIVE";

/// The table locks as `LOCK TABLE` spells them, from the weakest to the strongest.
const TABLE_LOCKS: [&str; 8] = [
    ACCESS_SHARE,
    "ROW SHARE",
    ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    EXCLUSIVE,
    ACCESS_EXCLUSIVE,
];

pub(super) fn classify(cursor: &mut Cursor<'_>) -> Classification {
    let mut ahead = cursor.clone();
    if let Some(found) = common(&mut ahead) {
        return transaction_or_query(cursor, found);
    }
    let word = cursor.word().to_owned();
    match word.as_str() {
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => {
            changes_rows(cursor).with_table_lock(ROW_EXCLUSIVE)
        }
        "COPY" => copy(cursor),
        "START" => {
            Classification::new("START TRANSACTION", TransactionUse::Begin, LockClass::Other)
        }
        "CREATE" => create(cursor),
        "ALTER" => alter(cursor),
        "DROP" => drop(cursor),
        "TRUNCATE" => {
            cursor.advance();
            cursor.take("TABLE");
            blocking("TRUNCATE")
                .with_objects(cursor.names(ObjectKind::Table))
                .with_table_lock(ACCESS_EXCLUSIVE)
        }
        "LOCK" => lock(cursor),
        "REINDEX" => reindex(cursor),
        "VACUUM" => vacuum(cursor),
        "ANALYZE" | "ANALYSE" => {
            cursor.advance();
            cursor.take("VERBOSE");
            cursor.skip_parentheses();
            online("ANALYZE").with_objects(cursor.names(ObjectKind::Table))
        }
        "CLUSTER" | "REPACK" => cluster(cursor, &word),
        "REFRESH" => refresh(cursor),
        "COMMENT" => blocking("COMMENT").with_table_lock(SHARE_UPDATE_EXCLUSIVE),
        "IMPORT" => blocking("IMPORT FOREIGN SCHEMA"),
        "PREPARE" => {
            cursor.advance();
            if cursor.is("TRANSACTION") {
                other("PREPARE TRANSACTION").outside()
            } else {
                other("PREPARE")
            }
        }
        "DISCARD" => {
            cursor.advance();
            if cursor.is("ALL") {
                other("DISCARD ALL").outside()
            } else {
                other("DISCARD")
            }
        }
        _ => other(word),
    }
}

fn transaction_or_query(cursor: &mut Cursor<'_>, mut found: Classification) -> Classification {
    while cursor.take_symbol("(") {}
    cursor.advance();
    if matches!(found.verb.as_str(), "COMMIT" | "ROLLBACK") && cursor.is("PREPARED") {
        return other(format!("{} PREPARED", found.verb)).outside();
    }
    found.table_lock = match found.verb.as_str() {
        "SELECT" | "TABLE" => Some(ACCESS_SHARE),
        _ if found.lock == LockClass::Dml => Some(ROW_EXCLUSIVE),
        _ => None,
    };
    found
}

fn copy(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    cursor.take("BINARY");
    let table = cursor.name(ObjectKind::Table);
    cursor.skip_parentheses();
    if cursor.is("FROM") {
        Classification::new("COPY", TransactionUse::Inside, LockClass::Dml)
            .with_objects(table)
            .with_table_lock(ROW_EXCLUSIVE)
    } else {
        Classification::new("COPY", TransactionUse::Inside, LockClass::Query)
            .with_objects(table)
            .with_table_lock(ACCESS_SHARE)
    }
}

fn create(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let replaces = cursor.take_all(&["OR", "REPLACE"]);
    let unique = cursor.take_any(&[
        "UNIQUE",
        "GLOBAL",
        "LOCAL",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "RECURSIVE",
        "CONSTRAINT",
        "TRUSTED",
        "PROCEDURAL",
        "DEFAULT",
    ]);
    let (kind, noun) = object_kind(cursor);
    let verb = format!("CREATE {noun}");
    match kind {
        ObjectKind::Index => {
            let concurrently = cursor.take("CONCURRENTLY");
            cursor.take_if_exists();
            let index = if cursor.is("ON") {
                None
            } else {
                cursor.name(kind)
            };
            let verb = if unique {
                "CREATE UNIQUE INDEX"
            } else {
                "CREATE INDEX"
            };
            let table = target_table(cursor);
            concurrent_or(concurrently, verb, SHARE)
                .with_objects(index)
                .with_objects(table)
        }
        ObjectKind::Trigger => {
            let trigger = cursor.name(kind);
            blocking(verb)
                .with_objects(trigger)
                .with_objects(target_table(cursor))
                .with_table_lock(SHARE_ROW_EXCLUSIVE)
        }
        ObjectKind::Database => {
            cursor.take_if_exists();
            blocking(verb).with_objects(cursor.name(kind)).outside()
        }
        ObjectKind::Table => {
            cursor.take_if_exists();
            let mut found = blocking(verb).with_objects(cursor.name(kind));
            if cursor.take_all(&["PARTITION", "OF"]) {
                found.objects.extend(cursor.name(kind));
                found.table_lock = Some(ACCESS_EXCLUSIVE);
            } else if mentions(cursor, "REFERENCES") {
                found.table_lock = Some(SHARE_ROW_EXCLUSIVE);
            }
            found
        }
        ObjectKind::View if replaces => blocking(verb)
            .with_objects(cursor.name(kind))
            .with_table_lock(ACCESS_EXCLUSIVE),
        ObjectKind::Other => {
            cursor.take_if_exists();
            let named = cursor.name(kind);
            let mut found = blocking(verb).with_objects(named);
            match noun.as_str() {
                "TABLESPACE" | "SUBSCRIPTION" => found.transaction = TransactionUse::Outside,
                "POLICY" | "RULE" => found.table_lock = Some(ACCESS_EXCLUSIVE),
                "STATISTICS" => found.table_lock = Some(SHARE_UPDATE_EXCLUSIVE),
                "ROLE" | "USER" | "GROUP" => found.lock = LockClass::Other,
                _ => {}
            }
            found
        }
        _ => {
            cursor.take_if_exists();
            blocking(verb).with_objects(cursor.name(kind))
        }
    }
}

fn drop(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let (kind, noun) = object_kind(cursor);
    let concurrently = kind == ObjectKind::Index && cursor.take("CONCURRENTLY");
    cursor.take_if_exists();
    let objects = cursor.names(kind);
    let verb = format!("DROP {noun}");
    let mut found = if kind == ObjectKind::Index {
        concurrent_or(concurrently, &verb, ACCESS_EXCLUSIVE)
    } else {
        blocking(verb)
    };
    found.objects = objects;
    match kind {
        ObjectKind::Table
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            found.table_lock = Some(ACCESS_EXCLUSIVE);
        }
        ObjectKind::Trigger => {
            found.objects.extend(target_table(cursor));
            found.table_lock = Some(ACCESS_EXCLUSIVE);
        }
        ObjectKind::Database => found.transaction = TransactionUse::Outside,
        ObjectKind::Other => match noun.as_str() {
            "TABLESPACE" | "SUBSCRIPTION" => found.transaction = TransactionUse::Outside,
            "POLICY" | "RULE" => found.table_lock = Some(ACCESS_EXCLUSIVE),
            "ROLE" | "USER" | "GROUP" => found.lock = LockClass::Other,
            _ => {}
        },
        _ => {}
    }
    found
}

fn lock(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    cursor.take("TABLE");
    let tables = cursor.names(ObjectKind::Table);
    let mut mode = Vec::new();
    if cursor.take("IN") {
        while !cursor.at_end() && !cursor.is("MODE") {
            mode.push(cursor.word().to_owned());
            cursor.advance();
        }
    }
    let mode = mode.join(" ");
    let lock = TABLE_LOCKS.into_iter().find(|known| *known == mode);
    blocking("LOCK TABLE")
        .with_objects(tables)
        .with_table_lock(lock.unwrap_or(ACCESS_EXCLUSIVE))
}

fn reindex(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let mut concurrently = option(cursor, "CONCURRENTLY");
    let noun = cursor.word().to_owned();
    cursor.advance();
    concurrently |= cursor.take("CONCURRENTLY");
    let kind = match noun.as_str() {
        "INDEX" => ObjectKind::Index,
        "TABLE" => ObjectKind::Table,
        "SCHEMA" => ObjectKind::Schema,
        _ => ObjectKind::Database,
    };
    let object = cursor.name(kind);
    let found = concurrent_or(concurrently, &format!("REINDEX {noun}"), SHARE).with_objects(object);
    if matches!(kind, ObjectKind::Schema | ObjectKind::Database) {
        found.outside()
    } else {
        found
    }
}

fn vacuum(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let mut full = option(cursor, "FULL");
    loop {
        full |= cursor.is("FULL");
        if !cursor.take_any(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
            break;
        }
    }
    let tables = cursor.names(ObjectKind::Table);
    let found = if full {
        blocking("VACUUM FULL").with_table_lock(ACCESS_EXCLUSIVE)
    } else {
        online("VACUUM")
    };
    found.with_objects(tables).outside()
}

/// `CLUSTER`, and `REPACK` which follows it in PostgreSQL 19.
fn cluster(cursor: &mut Cursor<'_>, verb: &str) -> Classification {
    cursor.advance();
    let concurrently = option(cursor, "CONCURRENTLY");
    cursor.take("VERBOSE");
    let mut table = cursor.name(ObjectKind::Table);
    if cursor.take("ON") {
        // The old spelling: CLUSTER index ON table.
        table = cursor.name(ObjectKind::Table);
    }
    let all = table.is_none();
    let found = concurrent_or(concurrently, verb, ACCESS_EXCLUSIVE).with_objects(table);
    if all { found.outside() } else { found }
}

fn refresh(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    cursor.take_all(&["MATERIALIZED", "VIEW"]);
    let concurrently = cursor.take("CONCURRENTLY");
    let view = cursor.name(ObjectKind::MaterializedView);
    blocking("REFRESH MATERIALIZED VIEW")
        .with_objects(view)
        .with_table_lock(if concurrently {
            EXCLUSIVE
        } else {
            ACCESS_EXCLUSIVE
        })
}

/// Moves over `( … )` and says whether it turns an option on.
fn option(cursor: &mut Cursor<'_>, name: &str) -> bool {
    if !cursor.is_symbol("(") {
        return false;
    }
    let mut on = false;
    while !cursor.at_end() && !cursor.take_symbol(")") {
        if cursor.take(name) {
            on = !matches!(cursor.word(), "FALSE" | "OFF");
        } else {
            cursor.advance();
        }
    }
    on
}

/// Moves over the kind of object; none of the names of SQL has more than three words.
pub(super) fn object_kind(cursor: &mut Cursor<'_>) -> (ObjectKind, String) {
    let first = cursor.word().to_owned();
    cursor.advance();
    let kind = match first.as_str() {
        "TABLE" => ObjectKind::Table,
        "VIEW" => ObjectKind::View,
        "INDEX" => ObjectKind::Index,
        "SEQUENCE" => ObjectKind::Sequence,
        "TRIGGER" => ObjectKind::Trigger,
        "PROCEDURE" => ObjectKind::Procedure,
        "FUNCTION" | "AGGREGATE" | "ROUTINE" => ObjectKind::Function,
        "DATABASE" => ObjectKind::Database,
        "SCHEMA" => ObjectKind::Schema,
        "TYPE" => ObjectKind::Type,
        "DOMAIN" => ObjectKind::Domain,
        "MATERIALIZED" if cursor.take("VIEW") => {
            return (ObjectKind::MaterializedView, "MATERIALIZED VIEW".to_owned());
        }
        "FOREIGN" if cursor.take("TABLE") => {
            return (ObjectKind::Table, "FOREIGN TABLE".to_owned());
        }
        _ => ObjectKind::Other,
    };
    let more: &[&str] = match first.as_str() {
        "FOREIGN" => &["DATA", "WRAPPER"],
        "EVENT" => &["TRIGGER"],
        "ACCESS" => &["METHOD"],
        "USER" => &["MAPPING"],
        "OPERATOR" => &["CLASS", "FAMILY"],
        "TEXT" => &[
            "SEARCH",
            "CONFIGURATION",
            "DICTIONARY",
            "PARSER",
            "TEMPLATE",
        ],
        "DEFAULT" => &["PRIVILEGES"],
        "LARGE" => &["OBJECT"],
        _ => &[],
    };
    let mut noun = first;
    for word in more {
        if cursor.take(word) {
            noun.push(' ');
            noun.push_str(word);
        }
    }
    (kind, noun)
}

/// The table after the next `ON`.
pub(super) fn target_table(cursor: &mut Cursor<'_>) -> Option<super::ObjectName> {
    if !cursor.find(&["ON"]) {
        return None;
    }
    cursor.advance();
    cursor.take("ONLY");
    cursor.name(ObjectKind::Table)
}

fn mentions(cursor: &mut Cursor<'_>, word: &str) -> bool {
    while !cursor.at_end() {
        if cursor.is(word) {
            return true;
        }
        cursor.advance();
    }
    false
}

pub(super) fn blocking(verb: impl Into<String>) -> Classification {
    Classification::new(verb, TransactionUse::Inside, LockClass::BlockingDdl)
}

pub(super) fn other(verb: impl Into<String>) -> Classification {
    Classification::new(verb, TransactionUse::Inside, LockClass::Other)
}

fn online(verb: &str) -> Classification {
    Classification::new(verb, TransactionUse::Inside, LockClass::OnlineBuild)
        .with_table_lock(SHARE_UPDATE_EXCLUSIVE)
}

/// The `CONCURRENTLY` form of a command, or the form with the lock given.
fn concurrent_or(concurrently: bool, verb: &str, lock: &'static str) -> Classification {
    if concurrently {
        online(&format!("{verb} CONCURRENTLY")).outside()
    } else {
        blocking(verb).with_table_lock(lock)
    }
}

/// How strong a lock is.
pub(super) fn rank(lock: &str) -> Option<usize> {
    TABLE_LOCKS.iter().position(|known| *known == lock)
}

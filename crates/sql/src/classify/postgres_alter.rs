//! PostgreSQL's `ALTER`: the lock of `ALTER TABLE` is the strongest that one of its actions takes.

use super::cursor::Cursor;
use super::postgres::{
    ACCESS_EXCLUSIVE, ACCESS_SHARE, SHARE_ROW_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, blocking,
    object_kind, other, rank, target_table,
};
use super::{Classification, LockClass, ObjectKind, TransactionUse};

pub(super) fn alter(cursor: &mut Cursor<'_>) -> Classification {
    cursor.advance();
    let (kind, noun) = object_kind(cursor);
    let verb = format!("ALTER {noun}");
    cursor.take_if_exists();
    if kind == ObjectKind::Table {
        return alter_table(cursor, &verb);
    }
    if noun == "SYSTEM" {
        return other(verb).outside();
    }
    let object = cursor.name(kind);
    let mut found = blocking(verb).with_objects(object);
    match kind {
        ObjectKind::Type if cursor.take_all(&["ADD", "VALUE"]) => {
            "ALTER TYPE ADD VALUE".clone_into(&mut found.verb);
            cursor.take_if_exists();
            found.enum_value = cursor.literal();
            found.transaction = TransactionUse::Outside;
        }
        ObjectKind::Database if cursor.take("SET") && cursor.is("TABLESPACE") => {
            found.transaction = TransactionUse::Outside;
        }
        ObjectKind::Index => {
            cursor.take_any(&["SET", "RESET"]);
            let weak = cursor.is_symbol("(") || matches!(cursor.word(), "RENAME" | "ALTER");
            found.table_lock = Some(if weak {
                SHARE_UPDATE_EXCLUSIVE
            } else {
                ACCESS_EXCLUSIVE
            });
        }
        ObjectKind::Sequence => found.table_lock = Some(SHARE_ROW_EXCLUSIVE),
        ObjectKind::View | ObjectKind::MaterializedView => {
            found.table_lock = Some(ACCESS_EXCLUSIVE);
        }
        ObjectKind::Trigger => {
            found.objects.extend(target_table(cursor));
            found.table_lock = Some(ACCESS_EXCLUSIVE);
        }
        ObjectKind::Other => match noun.as_str() {
            "POLICY" | "RULE" => found.table_lock = Some(ACCESS_EXCLUSIVE),
            "ROLE" | "USER" | "GROUP" => found.lock = LockClass::Other,
            "SUBSCRIPTION" => {
                // Those that refresh are refused, and refreshing is the default.
                let refreshes = match cursor.word() {
                    "REFRESH" => true,
                    "SET" | "ADD" | "DROP" => {
                        cursor.advance();
                        cursor.is("PUBLICATION")
                    }
                    _ => false,
                };
                if refreshes {
                    found.transaction = TransactionUse::Outside;
                }
            }
            _ => {}
        },
        _ => {}
    }
    if cursor.take_all(&["RENAME", "TO"]) {
        found.objects.extend(cursor.name(kind));
    }
    found
}

fn alter_table(cursor: &mut Cursor<'_>, verb: &str) -> Classification {
    let mut found = blocking(verb);
    if cursor.take_all(&["ALL", "IN", "TABLESPACE"]) {
        return found.with_table_lock(ACCESS_EXCLUSIVE);
    }
    cursor.take("ONLY");
    found.objects.extend(cursor.name(ObjectKind::Table));
    cursor.take_symbol("*");
    let mut strongest = ACCESS_SHARE;
    let mut online = true;
    loop {
        let (lock, is_online) = table_action(cursor, &mut found);
        online &= is_online;
        if rank(lock) > rank(strongest) {
            strongest = lock;
        }
        if !cursor.next_item() {
            break;
        }
    }
    if online {
        found.lock = LockClass::OnlineBuild;
    }
    found.with_table_lock(strongest)
}

/// One action of `ALTER TABLE`: its lock, and whether it lets others go on while it works.
fn table_action(cursor: &mut Cursor<'_>, found: &mut Classification) -> (&'static str, bool) {
    let word = cursor.word().to_owned();
    cursor.advance();
    match word.as_str() {
        "VALIDATE" => (SHARE_UPDATE_EXCLUSIVE, true),
        "ATTACH" | "DETACH" => {
            cursor.take("PARTITION");
            found.objects.extend(cursor.name(ObjectKind::Table));
            if word == "ATTACH" {
                return (SHARE_UPDATE_EXCLUSIVE, false);
            }
            if cursor.take("CONCURRENTLY") {
                found.transaction = TransactionUse::Outside;
                return (SHARE_UPDATE_EXCLUSIVE, true);
            }
            if cursor.take("FINALIZE") {
                return (SHARE_UPDATE_EXCLUSIVE, false);
            }
            (ACCESS_EXCLUSIVE, false)
        }
        "RENAME" if cursor.take("TO") => {
            found.objects.extend(cursor.name(ObjectKind::Table));
            (ACCESS_EXCLUSIVE, false)
        }
        "CLUSTER" => (SHARE_UPDATE_EXCLUSIVE, false),
        "SET" | "RESET" => {
            let weak = cursor.is_symbol("(") || (cursor.take("WITHOUT") && cursor.is("CLUSTER"));
            (or_access_exclusive(weak, SHARE_UPDATE_EXCLUSIVE), false)
        }
        "ENABLE" | "DISABLE" => {
            cursor.take_any(&["ALWAYS", "REPLICA"]);
            let weak = cursor.is("TRIGGER");
            (or_access_exclusive(weak, SHARE_ROW_EXCLUSIVE), false)
        }
        "ADD" => {
            if cursor.take("CONSTRAINT") {
                cursor.name(ObjectKind::Other);
            }
            let weak = cursor.is("FOREIGN");
            (or_access_exclusive(weak, SHARE_ROW_EXCLUSIVE), false)
        }
        "ALTER" => {
            cursor.take("COLUMN");
            cursor.name(ObjectKind::Other);
            let weak = cursor.take_any(&["SET", "RESET"])
                && (cursor.is("STATISTICS") || cursor.is_symbol("("));
            (or_access_exclusive(weak, SHARE_UPDATE_EXCLUSIVE), false)
        }
        _ => (ACCESS_EXCLUSIVE, false),
    }
}

fn or_access_exclusive(weak: bool, lock: &'static str) -> &'static str {
    if weak { lock } else { ACCESS_EXCLUSIVE }
}

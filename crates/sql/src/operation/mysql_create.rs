//! `CREATE`, `ALTER` and `DROP` of MySQL and MariaDB, but for what `ALTER TABLE` does.

use super::mysql::listed;
use super::mysql_alter::{alter_table, drop_index, take_request, take_wait};
use super::mysql_table::{create_table, index_options, key_parts};
use super::reader::Reader;
use super::{CreateIndex, Operation, OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

/// What stands before the kind of object.
#[derive(Default)]
struct Modifiers {
    or_replace: bool,
    temporary: bool,
    /// `ALTER ONLINE TABLE` (MariaDB).
    online: Option<std::ops::Range<usize>>,
    unique: bool,
    /// `FULLTEXT`, `SPATIAL` or `VECTOR`.
    method: String,
}

fn modifiers(reader: &mut Reader<'_>) -> Modifiers {
    let mut found = Modifiers::default();
    loop {
        let start = reader.start();
        match reader.word().as_str() {
            "OR" if reader.is_at(1, "REPLACE") => {
                reader.advance();
                found.or_replace = true;
            }
            "TEMPORARY" => found.temporary = true,
            "UNIQUE" => found.unique = true,
            "SPATIAL" if reader.is_at(1, "REFERENCE") => return found,
            method @ ("FULLTEXT" | "SPATIAL" | "VECTOR") => {
                found.method = method.to_owned();
            }
            "ONLINE" => {
                reader.advance();
                found.online = Some(reader.span_from(start));
                continue;
            }
            "OFFLINE" | "IGNORE" | "AGGREGATE" | "UNDO" => {}
            "SQL" if reader.is_at(1, "SECURITY") => {
                reader.advance();
                reader.advance();
            }
            "ALGORITHM" => {
                reader.advance();
                reader.take_symbol("=");
            }
            "DEFINER" => {
                reader.advance();
                reader.take_symbol("=");
                account(reader);
                continue;
            }
            _ => return found,
        }
        reader.advance();
    }
}

/// Moves over `'user'@'host'`, `CURRENT_USER()` or a role.
fn account(reader: &mut Reader<'_>) {
    reader.advance();
    if reader.is_symbol("(") {
        reader.skip_parentheses();
    }
    if reader.take_symbol("@") {
        reader.advance();
        while reader.take_symbol(".") || reader.take_symbol("-") {
            reader.advance();
        }
    }
}

/// Moves over the kind of an object.
fn object_kind(reader: &mut Reader<'_>) -> (ObjectKind, String) {
    let noun = reader.word();
    reader.advance();
    let kind = match noun.as_str() {
        "TABLE" | "TABLES" => ObjectKind::Table,
        "VIEW" | "VIEWS" => ObjectKind::View,
        "INDEX" => ObjectKind::Index,
        "SEQUENCE" => ObjectKind::Sequence,
        "TRIGGER" => ObjectKind::Trigger,
        "PROCEDURE" => ObjectKind::Procedure,
        "FUNCTION" => ObjectKind::Function,
        "EVENT" => ObjectKind::Event,
        "DATABASE" | "SCHEMA" => ObjectKind::Database,
        "PACKAGE" => {
            reader.take("BODY");
            ObjectKind::Package
        }
        "LOGFILE" | "RESOURCE" => {
            reader.take("GROUP");
            ObjectKind::Other
        }
        // SPATIAL REFERENCE SYSTEM
        "REFERENCE" => {
            reader.take("SYSTEM");
            ObjectKind::Other
        }
        _ => ObjectKind::Other,
    };
    (kind, noun)
}

fn is_account(noun: &str) -> bool {
    matches!(noun, "USER" | "ROLE")
}

/// Whether something of this kind can be created and dropped.
fn is_object(kind: ObjectKind, noun: &str) -> bool {
    kind != ObjectKind::Other
        || matches!(
            noun,
            "LIBRARY" | "LOGFILE" | "REFERENCE" | "RESOURCE" | "SERVER" | "TABLESPACE"
        )
}

pub(super) fn opaque(reason: impl Into<String>) -> Vec<OperationKind> {
    vec![OperationKind::Opaque {
        reason: reason.into(),
    }]
}

/// At `CREATE`.
pub(super) fn create(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    let modifiers = modifiers(reader);
    let spatial_system = reader.take("SPATIAL");
    let (kind, noun) = object_kind(reader);
    if is_account(&noun) {
        return vec![OperationKind::Privileges { revokes: false }];
    }
    if kind == ObjectKind::Table {
        return create_table(reader, modifiers.or_replace, modifiers.temporary);
    }
    if kind == ObjectKind::Index {
        return create_index(reader, &modifiers, found);
    }
    if !is_object(kind, &noun) && !spatial_system {
        return opaque(format!("CREATE {noun} is not known").replace("  ", " "));
    }
    let if_not_exists = reader.take_if_not_exists();
    let Some(object) = reader.name(kind) else {
        return opaque("it names nothing");
    };
    let mut table = None;
    if kind == ObjectKind::Trigger {
        while !reader.at_end() && !reader.take("ON") {
            reader.advance();
        }
        table = reader.name(ObjectKind::Table);
    }
    vec![OperationKind::Create {
        object,
        or_replace: modifiers.or_replace,
        if_not_exists,
        table,
        labels: None,
    }]
}

/// After `CREATE … INDEX`.
fn create_index(
    reader: &mut Reader<'_>,
    modifiers: &Modifiers,
    found: &mut Operations,
) -> Vec<OperationKind> {
    let mut index = CreateIndex {
        if_not_exists: reader.take_if_not_exists(),
        unique: modifiers.unique,
        method: modifiers.method.clone(),
        ..CreateIndex::default()
    };
    index.name = reader.name(ObjectKind::Index);
    index_options(reader, &mut index);
    if !reader.take("ON") {
        return opaque("the index has no table");
    }
    index.table = reader.name(ObjectKind::Table);
    take_wait(reader);
    index.definition = key_parts(reader, &mut index.columns);
    while !reader.at_end() {
        index_options(reader, &mut index);
        if !take_request(reader, found) {
            reader.advance();
        }
    }
    vec![OperationKind::CreateIndex(Box::new(index))]
}

/// At `ALTER`. The actions of `ALTER TABLE` go to `found` at once.
pub(super) fn alter(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    let modifiers = modifiers(reader);
    let (kind, noun) = object_kind(reader);
    if is_account(&noun) {
        return vec![OperationKind::Privileges { revokes: false }];
    }
    match kind {
        ObjectKind::Table => {
            if let Some(span) = modifiers.online {
                found.lock = Some(("NONE".to_owned(), span));
            }
            alter_table(reader, found);
            match found.list.is_empty() {
                // Without an action it does nothing.
                true => vec![OperationKind::Harmless],
                false => Vec::new(),
            }
        }
        ObjectKind::View | ObjectKind::Event => {
            reader.take_if_exists();
            let Some(object) = reader.name(kind) else {
                return opaque("it names nothing");
            };
            changed_definition(reader, object)
        }
        ObjectKind::Database => {
            let object = match reader.is_any(DATABASE_OPTIONS) {
                // The database of the session.
                true => ObjectName {
                    kind,
                    schema: None,
                    name: String::new(),
                },
                false => match reader.name(kind) {
                    Some(object) => object,
                    None => return opaque("it names nothing"),
                },
            };
            vec![altered(reader, object)]
        }
        _ if is_object(kind, &noun) => {
            let if_exists = reader.take_if_exists();
            match reader.name(kind) {
                Some(object) => {
                    found.if_exists = if_exists.then(|| object.clone());
                    vec![altered(reader, object)]
                }
                None => opaque("it names nothing"),
            }
        }
        _ => opaque(format!("ALTER {noun} is not known")),
    }
}

/// Words that an option of `ALTER DATABASE` begins with, which may come without a name.
const DATABASE_OPTIONS: &[&str] = &[
    "CHARACTER",
    "CHARSET",
    "COLLATE",
    "COMMENT",
    "DEFAULT",
    "ENCRYPTION",
    "READ",
];

fn altered(reader: &mut Reader<'_>, object: ObjectName) -> OperationKind {
    reader.take("DEFAULT");
    let action = reader.words(2);
    OperationKind::AlterOther { object, action }
}

/// `ALTER VIEW` writes a definition anew, and so may `ALTER EVENT`, which can also rename it.
fn changed_definition(reader: &mut Reader<'_>, object: ObjectName) -> Vec<OperationKind> {
    if object.kind == ObjectKind::Event {
        while !reader.at_end() && !reader.is_any(&["DO", "RENAME"]) {
            reader.advance();
        }
        if reader.take_all(&["RENAME", "TO"])
            && let Some(to) = reader.name(object.kind)
        {
            return vec![OperationKind::Rename {
                object,
                to,
                table: None,
                if_exists: false,
            }];
        }
    }
    vec![OperationKind::Create {
        object,
        or_replace: true,
        if_not_exists: false,
        table: None,
        labels: None,
    }]
}

/// At `DROP`.
pub(super) fn drop(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    if reader.is("PREPARE") {
        return vec![OperationKind::Harmless];
    }
    let modifiers = modifiers(reader);
    let spatial_system = reader.take("SPATIAL");
    let (kind, noun) = object_kind(reader);
    if is_account(&noun) {
        return vec![OperationKind::Privileges { revokes: true }];
    }
    if !is_object(kind, &noun) && !spatial_system {
        return opaque(format!("DROP {noun} is not known").replace("  ", " "));
    }
    // It cannot name anything that others see.
    if modifiers.temporary {
        return vec![OperationKind::Harmless];
    }
    let if_exists = reader.take_if_exists();
    if kind == ObjectKind::Index {
        return dropped_index(reader, if_exists, found);
    }
    let mut drops = Vec::new();
    loop {
        let start = reader.start();
        let Some(object) = reader.name(kind) else {
            break;
        };
        drops.push(Operation {
            kind: OperationKind::Drop {
                object,
                // RESTRICT and CASCADE are read and mean nothing.
                cascade: false,
                if_exists,
                table: None,
            },
            span: reader.span_from(start),
        });
        if !reader.take_symbol(",") {
            break;
        }
    }
    listed(found, drops)
}

fn dropped_index(
    reader: &mut Reader<'_>,
    if_exists: bool,
    found: &mut Operations,
) -> Vec<OperationKind> {
    let index = reader.identifier();
    let table = match reader.take("ON") {
        true => reader.name(ObjectKind::Table),
        false => None,
    };
    while !reader.at_end() {
        if !take_request(reader, found) {
            reader.advance();
        }
    }
    match (index, table) {
        (Some(index), Some(table)) => vec![drop_index(table, index, if_exists)],
        _ => opaque("the index has no table"),
    }
}

//! PostgreSQL: `ALTER`.

use super::alter_table::{actions, new_name, other, set_schema};
use super::postgres::opaque;
use super::postgres_object::{Noun, is_of_table, noun, object, table_after_on, unknown_verb};
use super::reader::Reader;
use super::{OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

pub(super) fn alter(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    if reader.take_all(&["DEFAULT", "PRIVILEGES"]) {
        let revokes = reader.find(&["REVOKE"]);
        return found.add(OperationKind::Privileges { revokes }, whole);
    }
    if reader.take("SYSTEM") {
        let system = ObjectName {
            kind: ObjectKind::Other,
            schema: None,
            name: "system".to_owned(),
        };
        return found.add(other(&system, reader.words(1)), whole);
    }
    reader.take("PROCEDURAL");
    let Some(noun) = noun(reader) else {
        let reason = format!("{} is not known", unknown_verb("ALTER", reader));
        return found.add(OperationKind::Opaque { reason }, whole);
    };
    if reader.take_all(&["ALL", "IN", "TABLESPACE"]) {
        return found.add(all_in_tablespace(&noun), whole);
    }
    let if_exists = reader.take_if_exists();
    found.only = reader.take("ONLY");
    let Some(object) = object(reader, &noun) else {
        let reason = format!("what ALTER {} alters was not found", noun.words);
        return found.add(OperationKind::Opaque { reason }, whole);
    };
    reader.take_symbol("*");
    found.if_exists = if_exists.then(|| object.clone());
    let kind = match noun.kind {
        ObjectKind::Table => return actions(reader, &object, found),
        ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence => {
            let first = found.list.len();
            actions(reader, &object, found);
            // These have one action, which is the whole statement.
            if let Some([only]) = found.list.get_mut(first..) {
                only.span = whole;
            }
            return;
        }
        ObjectKind::Type => alter_type(reader, &object),
        ObjectKind::Domain => alter_domain(reader, &object),
        _ => alter_object(reader, &noun, &object),
    };
    found.add(kind, whole);
}

/// `ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b`, and the same for materialized views and indexes.
fn all_in_tablespace(noun: &Noun) -> OperationKind {
    match noun.kind {
        ObjectKind::Index => opaque("which indexes it moves depends on the tablespace"),
        _ => OperationKind::RewriteTable {
            table: None,
            action: "SET TABLESPACE".to_owned(),
        },
    }
}

/// Moves over `RENAME TO`, `SET SCHEMA`, or the first words of anything else.
fn common(reader: &mut Reader<'_>, object: &ObjectName) -> OperationKind {
    let words = reader.words(2);
    let renamed = if reader.take("RENAME") {
        new_name(reader).map(|name| OperationKind::Rename {
            object: object.clone(),
            to: ObjectName {
                name,
                ..object.clone()
            },
            table: None,
            if_exists: false,
        })
    } else if words == "SET SCHEMA" {
        set_schema(reader, object)
    } else {
        None
    };
    renamed.unwrap_or_else(|| other(object, words))
}

fn alter_object(reader: &mut Reader<'_>, noun: &Noun, object: &ObjectName) -> OperationKind {
    let on = match is_of_table(noun) {
        true => table_after_on(reader),
        false => None,
    };
    // The access method of an operator class or family.
    if noun.words.starts_with("OPERATOR ") && reader.take("USING") {
        reader.advance();
    }
    let mut kind = common(reader, object);
    if let OperationKind::Rename { table, .. } = &mut kind {
        *table = on;
    }
    kind
}

fn alter_type(reader: &mut Reader<'_>, object: &ObjectName) -> OperationKind {
    if reader.take_all(&["ADD", "VALUE"]) {
        let if_not_exists = reader.take_if_not_exists();
        if let Some(value) = reader.identifier() {
            return OperationKind::AddEnumValue {
                object: object.clone(),
                value,
                if_not_exists,
            };
        }
        return other(object, "ADD VALUE".to_owned());
    }
    if reader.take_all(&["RENAME", "VALUE"]) {
        if let Some(value) = reader.identifier()
            && let Some(to) = new_name(reader)
        {
            return OperationKind::RenameEnumValue {
                object: object.clone(),
                value,
                to,
            };
        }
        return other(object, "RENAME VALUE".to_owned());
    }
    common(reader, object)
}

fn alter_domain(reader: &mut Reader<'_>, object: &ObjectName) -> OperationKind {
    if !reader.is("ADD") && !reader.take_all(&["SET", "NOT", "NULL"]) {
        return common(reader, object);
    }
    let mut not_valid = false;
    while reader.find(&["NOT"]) {
        reader.advance();
        not_valid |= reader.is("VALID");
    }
    OperationKind::DomainConstraint {
        object: object.clone(),
        not_valid,
    }
}

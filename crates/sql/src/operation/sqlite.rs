//! SQLite: what a statement does (<https://sqlite.org/lang.html>).

use super::alter_table::actions;
use super::index::create_index;
use super::query::{change, query};
use super::reader::Reader;
use super::table_body::table_body;
use super::{CreateTable, OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

/// Pragmas that only tell something, also with an argument.
const QUERIES: [&str; 14] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that do something, and set nothing.
const ACTIONS: [&str; 4] = [
    "incremental_vacuum",
    "optimize",
    "shrink_memory",
    "wal_checkpoint",
];

pub(super) fn operations(reader: &mut Reader<'_>) -> Operations {
    let mut found = Operations::default();
    if !reader.at_end() {
        statement(reader, &mut found);
    }
    found
}

fn statement(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    let word = reader.word();
    let kind = match word.as_str() {
        "SELECT" | "WITH" | "VALUES" => return query(reader, found),
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" => return change(reader, found),
        "ALTER" => return alter(reader, found),
        "CREATE" => create(reader),
        "DROP" => drop(reader),
        "PRAGMA" => pragma(reader),
        "REINDEX" => reindex(reader),
        "VACUUM" => vacuum(reader),
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => {
            OperationKind::TransactionControl
        }
        "EXPLAIN" => OperationKind::Query,
        "ANALYZE" | "ATTACH" | "DETACH" => OperationKind::Harmless,
        "" => opaque("it does not begin with a word of SQL".to_owned()),
        _ => opaque(format!("statements that begin with {word} are not known")),
    };
    found.add(kind, whole);
}

fn opaque(reason: String) -> OperationKind {
    OperationKind::Opaque { reason }
}

fn alter(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    if reader.take("TABLE")
        && let Some(table) = reader.name(ObjectKind::Table)
    {
        return actions(reader, &table, found);
    }
    found.add(
        opaque("the table of the ALTER was not found".to_owned()),
        whole,
    );
}

fn object_kind(reader: &mut Reader<'_>) -> Option<ObjectKind> {
    let kind = match reader.word().as_str() {
        "TABLE" => ObjectKind::Table,
        "VIEW" => ObjectKind::View,
        "INDEX" => ObjectKind::Index,
        "TRIGGER" => ObjectKind::Trigger,
        _ => return None,
    };
    reader.advance();
    Some(kind)
}

fn create(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    let unique = reader.take("UNIQUE");
    let temporary = reader.take_any(&["TEMP", "TEMPORARY"]);
    let is_virtual = reader.take("VIRTUAL");
    let word = reader.word();
    let created = match object_kind(reader) {
        None => return opaque(format!("CREATE {word} is not known")),
        Some(ObjectKind::Table) => create_table(reader, temporary, is_virtual),
        Some(ObjectKind::Index) => create_index(reader, unique),
        Some(kind) => other(reader, kind),
    };
    created.unwrap_or_else(|| opaque(format!("what CREATE {word} creates was not found")))
}

fn create_table(
    reader: &mut Reader<'_>,
    temporary: bool,
    is_virtual: bool,
) -> Option<OperationKind> {
    let mut create = CreateTable {
        if_not_exists: reader.take_if_not_exists(),
        table: Some(reader.name(ObjectKind::Table)?),
        temporary,
        ..CreateTable::default()
    };
    if is_virtual && reader.take("USING") {
        // The columns are up to the module.
        create
            .options
            .push(("VIRTUAL".to_owned(), reader.raw().to_owned()));
        create.incomplete = true;
        return Some(OperationKind::CreateTable(Box::new(create)));
    }
    table_body(reader, &mut create);
    create.incomplete = reader.take("AS");
    loop {
        if reader.take_all(&["WITHOUT", "ROWID"]) {
            create
                .options
                .push(("WITHOUT ROWID".to_owned(), String::new()));
        } else if reader.take("STRICT") {
            create.options.push(("STRICT".to_owned(), String::new()));
        } else if !reader.take_symbol(",") {
            return Some(OperationKind::CreateTable(Box::new(create)));
        }
    }
}

fn other(reader: &mut Reader<'_>, kind: ObjectKind) -> Option<OperationKind> {
    let if_not_exists = reader.take_if_not_exists();
    let object: ObjectName = reader.name(kind)?;
    let table = match kind == ObjectKind::Trigger && reader.find(&["ON"]) {
        true => {
            reader.advance();
            reader.name(ObjectKind::Table)
        }
        false => None,
    };
    Some(OperationKind::Create {
        object,
        or_replace: false,
        if_not_exists,
        table,
        labels: None,
    })
}

fn drop(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    let word = reader.word();
    let Some(kind) = object_kind(reader) else {
        return opaque(format!("DROP {word} is not known"));
    };
    let if_exists = reader.take_if_exists();
    match reader.name(kind) {
        None => opaque(format!("what DROP {word} drops was not found")),
        Some(index) if kind == ObjectKind::Index => OperationKind::DropIndex {
            index,
            table: None,
            concurrently: false,
            if_exists,
        },
        Some(object) => OperationKind::Drop {
            object,
            cascade: false,
            if_exists,
            table: None,
        },
    }
}

/// A pragma without a value only tells what is set.
fn pragma(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    let Some(name) = reader.name(ObjectKind::Other) else {
        return opaque("the name of the PRAGMA was not found".to_owned());
    };
    let name = name.name.to_ascii_lowercase();
    if ACTIONS.contains(&name.as_str()) {
        return OperationKind::Harmless;
    }
    let value = if reader.take_symbol("=") {
        reader.rest().to_owned()
    } else {
        let value = reader.in_parentheses();
        value.map_or_else(String::new, |value| value.text)
    };
    match value.is_empty() || QUERIES.contains(&name.as_str()) {
        true => OperationKind::Query,
        false => OperationKind::Setting { name, value },
    }
}

fn reindex(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    // A collation, a table or an index, or nothing for all of them: SQLite finds out by the name.
    let target = reader.name(ObjectKind::Other).unwrap_or(ObjectName {
        kind: ObjectKind::Database,
        schema: None,
        name: String::new(),
    });
    OperationKind::Reindex {
        target,
        concurrently: false,
    }
}

/// `VACUUM INTO` writes another file.
fn vacuum(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    match reader.find(&["INTO"]) {
        true => OperationKind::Harmless,
        false => OperationKind::RewriteTable {
            table: None,
            action: "VACUUM".to_owned(),
        },
    }
}

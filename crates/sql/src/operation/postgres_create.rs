//! PostgreSQL: `CREATE`.

use super::index::create_index;
use super::postgres::opaque;
use super::postgres_object::{Noun, is_of_table, noun, object, table_after_on, unknown_verb};
use super::reader::Reader;
use super::table_body::table_body;
use super::{CreateTable, OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

pub(super) fn create(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    let or_replace = reader.take_all(&["OR", "REPLACE"]);
    let mut temporary = false;
    let mut unlogged = false;
    let mut unique = false;
    loop {
        match reader.word().as_str() {
            "TEMP" | "TEMPORARY" => temporary = true,
            "UNLOGGED" => unlogged = true,
            "UNIQUE" => unique = true,
            "GLOBAL" | "LOCAL" | "RECURSIVE" | "CONSTRAINT" | "TRUSTED" | "PROCEDURAL"
            | "DEFAULT" => {}
            _ => break,
        }
        reader.advance();
    }
    let is_foreign = reader.is("FOREIGN");
    let Some(noun) = noun(reader) else {
        let reason = format!("{} is not known", unknown_verb("CREATE", reader));
        return found.add(OperationKind::Opaque { reason }, whole);
    };
    let kind = match noun.kind {
        ObjectKind::Table => {
            let mut options = Vec::new();
            for (word, is_there) in [("FOREIGN", is_foreign), ("UNLOGGED", unlogged)] {
                options.extend(is_there.then(|| (word.to_owned(), String::new())));
            }
            create_table(reader, temporary, options)
        }
        ObjectKind::Index => create_index(reader, unique),
        _ => other(reader, &noun, or_replace),
    };
    let Some(kind) = kind else {
        let reason = format!("what CREATE {} creates was not found", noun.words);
        return found.add(OperationKind::Opaque { reason }, whole);
    };
    found.add(kind, whole.clone());
    if noun.kind == ObjectKind::Schema && reader.find(&["CREATE", "GRANT"]) {
        found.add(opaque("CREATE SCHEMA creates other objects with it"), whole);
    }
}

fn create_table(
    reader: &mut Reader<'_>,
    temporary: bool,
    options: Vec<(String, String)>,
) -> Option<OperationKind> {
    let mut create = CreateTable {
        if_not_exists: reader.take_if_not_exists(),
        temporary,
        options,
        ..CreateTable::default()
    };
    create.table = Some(reader.name(ObjectKind::Table)?);
    if reader.take_all(&["PARTITION", "OF"]) {
        create.partition_of = reader.name(ObjectKind::Table);
        create.incomplete = true;
    } else if reader.take("OF") {
        reader.name(ObjectKind::Type);
        create.incomplete = true;
    }
    table_body(reader, &mut create);
    while !reader.at_end() {
        table_option(reader, &mut create);
    }
    Some(OperationKind::CreateTable(Box::new(create)))
}

/// Moves over what may follow the columns; always by a token at least.
fn table_option(reader: &mut Reader<'_>, create: &mut CreateTable) {
    let word = reader.word();
    reader.step();
    match word.as_str() {
        "INHERITS" if reader.take_symbol("(") => {
            loop {
                create.from.extend(reader.name(ObjectKind::Table));
                if !reader.take_symbol(",") {
                    break;
                }
            }
            reader.take_symbol(")");
            create.incomplete = true;
        }
        "PARTITION" if reader.take("BY") => create.partitioned = true,
        "USING" | "TABLESPACE" | "SERVER" => {
            let value = reader.raw().to_owned();
            reader.advance();
            create.options.push((word, value));
        }
        // The query is of no interest; what its columns are, only the server knows.
        "AS" => {
            create.incomplete = true;
            while !reader.at_end() {
                reader.advance();
            }
        }
        _ => {}
    }
}

fn other(reader: &mut Reader<'_>, noun: &Noun, or_replace: bool) -> Option<OperationKind> {
    let if_not_exists = reader.take_if_not_exists();
    if noun.kind == ObjectKind::Schema && reader.take("AUTHORIZATION") {
        // Its name is the role's.
        reader.take("GROUP");
    }
    let name: ObjectName = object(reader, noun)?;
    let table = match noun.words.as_str() {
        "RULE" if reader.find(&["TO"]) => {
            reader.advance();
            reader.name(ObjectKind::Table)
        }
        _ if is_of_table(noun) => table_after_on(reader),
        _ => None,
    };
    let labels = match noun.kind {
        ObjectKind::Type if reader.take_all(&["AS", "ENUM"]) => Some(reader.name_list()),
        _ => None,
    };
    Some(OperationKind::Create {
        object: name,
        or_replace,
        if_not_exists,
        table,
        labels,
    })
}

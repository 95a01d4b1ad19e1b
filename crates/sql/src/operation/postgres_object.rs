//! PostgreSQL: kinds of objects as commands call them, and `DROP`.

use super::postgres::opaque;
use super::reader::Reader;
use super::{OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

/// What commands call objects. Where one name begins another, the longer one comes first.
const NOUNS: [(&[&str], ObjectKind); 43] = [
    (&["TABLE"], ObjectKind::Table),
    (&["FOREIGN", "TABLE"], ObjectKind::Table),
    (&["VIEW"], ObjectKind::View),
    (&["MATERIALIZED", "VIEW"], ObjectKind::MaterializedView),
    (&["INDEX"], ObjectKind::Index),
    (&["SEQUENCE"], ObjectKind::Sequence),
    (&["TRIGGER"], ObjectKind::Trigger),
    (&["PROCEDURE"], ObjectKind::Procedure),
    (&["FUNCTION"], ObjectKind::Function),
    (&["AGGREGATE"], ObjectKind::Function),
    (&["ROUTINE"], ObjectKind::Function),
    (&["DATABASE"], ObjectKind::Database),
    (&["SCHEMA"], ObjectKind::Schema),
    (&["TYPE"], ObjectKind::Type),
    (&["DOMAIN"], ObjectKind::Domain),
    (&["EXTENSION"], ObjectKind::Other),
    (&["POLICY"], ObjectKind::Other),
    (&["RULE"], ObjectKind::Other),
    (&["ROLE"], ObjectKind::Other),
    (&["USER", "MAPPING"], ObjectKind::Other),
    (&["USER"], ObjectKind::Other),
    (&["GROUP"], ObjectKind::Other),
    (&["TABLESPACE"], ObjectKind::Other),
    (&["SERVER"], ObjectKind::Other),
    (&["LANGUAGE"], ObjectKind::Other),
    (&["COLLATION"], ObjectKind::Other),
    (&["CONVERSION"], ObjectKind::Other),
    (&["CAST"], ObjectKind::Other),
    (&["TRANSFORM"], ObjectKind::Other),
    (&["STATISTICS"], ObjectKind::Other),
    (&["PUBLICATION"], ObjectKind::Other),
    (&["SUBSCRIPTION"], ObjectKind::Other),
    (&["OPERATOR", "CLASS"], ObjectKind::Other),
    (&["OPERATOR", "FAMILY"], ObjectKind::Other),
    (&["OPERATOR"], ObjectKind::Other),
    (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::Other),
    (&["EVENT", "TRIGGER"], ObjectKind::Other),
    (&["ACCESS", "METHOD"], ObjectKind::Other),
    (&["TEXT", "SEARCH", "CONFIGURATION"], ObjectKind::Other),
    (&["TEXT", "SEARCH", "DICTIONARY"], ObjectKind::Other),
    (&["TEXT", "SEARCH", "PARSER"], ObjectKind::Other),
    (&["TEXT", "SEARCH", "TEMPLATE"], ObjectKind::Other),
    (&["LARGE", "OBJECT"], ObjectKind::Other),
];

/// A kind of object as a command calls it.
pub(super) struct Noun {
    pub kind: ObjectKind,
    /// In capitals, such as `TEXT SEARCH PARSER`.
    pub words: String,
}

/// Moves over the kind of object; `None` if it is not known.
pub(super) fn noun(reader: &mut Reader<'_>) -> Option<Noun> {
    let (words, kind) = NOUNS.iter().find(|(words, _)| reader.take_all(words))?;
    Some(Noun {
        kind: *kind,
        words: words.join(" "),
    })
}

/// Moves over the name of an object, and the arguments of a function. What has no name that is a word, such as casts
/// and operators, is called after its kind.
pub(super) fn object(reader: &mut Reader<'_>, noun: &Noun) -> Option<ObjectName> {
    if matches!(noun.words.as_str(), "USER MAPPING" | "TRANSFORM") {
        reader.take("FOR");
    }
    let mut name = match noun.words.as_str() {
        // The schema of an operator would be taken for its name.
        "CAST" | "OPERATOR" | "LARGE OBJECT" => None,
        _ => reader.name(noun.kind),
    };
    if name.is_none() && noun.kind == ObjectKind::Other {
        while noun.words != "CAST" && !reader.at_end() && !ends_operator(reader) {
            reader.advance();
        }
        name = Some(ObjectName {
            kind: noun.kind,
            schema: None,
            name: noun.words.to_ascii_lowercase(),
        });
    }
    if reader.is_symbol("(") {
        reader.skip_parentheses();
    }
    name
}

fn ends_operator(reader: &mut Reader<'_>) -> bool {
    reader.is_symbol("(") || reader.is_symbol(",") || reader.is_symbol(")")
}

/// The table after the next `ON`.
pub(super) fn table_after_on(reader: &mut Reader<'_>) -> Option<ObjectName> {
    if !reader.find(&["ON"]) {
        return None;
    }
    reader.advance();
    reader.take("ONLY");
    reader.name(ObjectKind::Table)
}

/// Whether objects of this kind belong to a table, after `ON`.
pub(super) fn is_of_table(noun: &Noun) -> bool {
    noun.kind == ObjectKind::Trigger || matches!(noun.words.as_str(), "POLICY" | "RULE")
}

pub(super) fn drop(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    if reader.take("OWNED") {
        let kind = opaque("which objects DROP OWNED drops depends on who owns them");
        return found.add(kind, whole);
    }
    reader.take_any(&["PROCEDURAL", "TRUSTED"]);
    let Some(noun) = noun(reader) else {
        let reason = format!("{} is not known", unknown_verb("DROP", reader));
        return found.add(OperationKind::Opaque { reason }, whole);
    };
    let concurrently = noun.kind == ObjectKind::Index && reader.take("CONCURRENTLY");
    let if_exists = reader.take_if_exists();
    let first = found.list.len();
    loop {
        let start = reader.start();
        let Some(object) = object(reader, &noun) else {
            break;
        };
        let table = match is_of_table(&noun) {
            true => table_after_on(reader),
            false => None,
        };
        let span = reader.span_from(start);
        let kind = match noun.kind {
            ObjectKind::Index => OperationKind::DropIndex {
                index: object,
                table: None,
                concurrently,
                if_exists,
            },
            _ => OperationKind::Drop {
                object,
                cascade: false,
                if_exists,
                table,
            },
        };
        found.add(kind, span);
        // The access method of an operator class.
        if reader.take("USING") {
            reader.advance();
        }
        if !reader.take_symbol(",") {
            break;
        }
    }
    let cascades = reader.find(&["CASCADE"]);
    for operation in found.list.iter_mut().skip(first) {
        if let OperationKind::Drop { cascade, .. } = &mut operation.kind {
            *cascade = cascades;
        }
    }
    match found.list.get_mut(first..) {
        Some([only]) => only.span = whole,
        Some([]) => {
            let reason = format!("what DROP {} drops was not found", noun.words);
            found.add(OperationKind::Opaque { reason }, whole);
        }
        _ => {}
    }
}

/// A verb with the word after it.
pub(super) fn unknown_verb(verb: &str, reader: &mut Reader<'_>) -> String {
    format!("{verb} {}", reader.words(1)).trim_end().to_owned()
}

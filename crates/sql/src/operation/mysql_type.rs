//! Data types of MySQL and MariaDB.

use super::TypeName;
use super::reader::Reader;
use crate::lexer::TokenKind;

/// Numbers of bits from which `FLOAT(p)` is a `DOUBLE` (manual, "Floating-Point Types").
const DOUBLE_FROM: u64 = 25;

/// Moves over a data type with `UNSIGNED` and `CHARACTER SET`, up to the attributes of the column.
pub(super) fn data_type(reader: &mut Reader<'_>) -> Option<TypeName> {
    let start = reader.start();
    let mut found = base(reader)?;
    if reader.is_symbol("(") {
        found.arguments = arguments(reader);
    }
    if found.name == "float" && found.arguments.len() == 1 {
        if found.number(0) >= Some(DOUBLE_FROM) {
            found.name = "double".to_owned();
        }
        found.arguments.clear();
    }
    loop {
        if reader.take_any(&["UNSIGNED", "ZEROFILL"]) {
            // ZEROFILL makes it UNSIGNED too.
            found.unsigned = true;
        } else if reader.take("ASCII") {
            found.character_set = Some("latin1".to_owned());
        } else if reader.take("UNICODE") {
            found.character_set = Some("ucs2".to_owned());
        } else if reader.take("BYTE") {
            found.name = bytes_instead(&found.name).to_owned();
        } else if take_character_set(reader) {
            match reader.take("BINARY") {
                true => found.name = bytes_instead(&found.name).to_owned(),
                false => found.character_set = reader.identifier(),
            }
        } else if reader.take("BINARY") {
            found.binary = true;
        } else if !reader.take("SIGNED") {
            break;
        }
    }
    found.span = reader.span_from(start);
    Some(found)
}

/// Moves over `CHARACTER SET` in its spellings, with the `=` that options of a table may have.
pub(super) fn take_character_set(reader: &mut Reader<'_>) -> bool {
    let found = reader.take("CHARSET")
        || reader.take_all(&["CHARACTER", "SET"])
        || reader.take_all(&["CHAR", "SET"]);
    if found {
        reader.take_symbol("=");
    }
    found
}

/// The words of a type, under its one name.
fn base(reader: &mut Reader<'_>) -> Option<TypeName> {
    if reader.kind()? != TokenKind::Word {
        return None;
    }
    // MariaDB: a type as another version of the server understands it, `mariadb_schema.date`.
    if reader.is_symbol_at(1, ".") {
        reader.advance();
        reader.advance();
    }
    let written = reader.raw().to_ascii_lowercase();
    let word = reader.word();
    reader.advance();
    let national = matches!(word.as_str(), "NATIONAL" | "NCHAR" | "NVARCHAR");
    let name = match word.as_str() {
        "INTEGER" | "INT4" => "int",
        "INT1" | "BOOL" | "BOOLEAN" => "tinyint",
        "INT2" => "smallint",
        "INT3" | "MIDDLEINT" => "mediumint",
        "INT8" | "SERIAL" => "bigint",
        "DEC" | "NUMERIC" | "FIXED" | "NUMBER" => "decimal",
        "FLOAT4" => "float",
        "FLOAT8" | "REAL" => "double",
        "DOUBLE" => {
            reader.take("PRECISION");
            "double"
        }
        "NATIONAL" | "CHAR" | "CHARACTER" | "NCHAR" => {
            let varies = reader.take_any(&["VARCHAR", "VARCHARACTER"]);
            if word == "NATIONAL" {
                reader.take_any(&["CHAR", "CHARACTER"]);
            }
            match reader.take("VARYING") || varies {
                true => "varchar",
                false => "char",
            }
        }
        "VARCHARACTER" | "NVARCHAR" | "VARCHAR2" => "varchar",
        "LONG" if reader.take("VARBINARY") => "mediumblob",
        "LONG" => {
            if !reader.is_at(1, "SET") {
                reader.take_any(&["VARCHAR", "VARCHARACTER", "CHAR", "CHARACTER", "VARYING"]);
            }
            "mediumtext"
        }
        "CLOB" => "longtext",
        "RAW" => "varbinary",
        "GEOMCOLLECTION" => "geometrycollection",
        _ => &written,
    };
    Some(TypeName {
        name: name.to_owned(),
        arguments: match word.as_str() {
            "BOOL" | "BOOLEAN" => vec!["1".to_owned()],
            _ => Vec::new(),
        },
        unsigned: word == "SERIAL",
        character_set: national.then(|| "utf8mb3".to_owned()),
        ..TypeName::default()
    })
}

/// The type with `CHARACTER SET binary`.
fn bytes_instead(name: &str) -> &str {
    match name {
        "char" => "binary",
        "varchar" => "varbinary",
        "tinytext" => "tinyblob",
        "text" => "blob",
        "mediumtext" => "mediumblob",
        "longtext" => "longblob",
        other => other,
    }
}

/// Moves over `( … )`: numbers as written, labels without quotes.
fn arguments(reader: &mut Reader<'_>) -> Vec<String> {
    let mut arguments = Vec::new();
    reader.take_symbol("(");
    while !reader.at_end() && !reader.is_symbol(")") {
        // A character set before a label: `_latin1'a'`.
        if reader.kind() == Some(TokenKind::Word) && reader.raw().starts_with('_') {
            reader.advance();
        }
        arguments.push(literal(reader.raw()));
        reader.advance();
        reader.skip_item();
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    arguments
}

/// A literal without its quotes and escapes; anything else as it is.
pub(super) fn literal(token: &str) -> String {
    let Some(quote) = token
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'))
    else {
        return token.to_owned();
    };
    let mut text = String::with_capacity(token.len());
    let mut characters = token.chars().skip(1);
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('0') => text.push('\0'),
                Some('b') => text.push('\u{8}'),
                Some('Z') => text.push('\u{1A}'),
                // Kept, for LIKE.
                Some(wildcard @ ('%' | '_')) => text.extend(['\\', wildcard]),
                Some(other) => text.push(other),
                None => {}
            },
            // Doubled, or the end.
            _ if character == quote => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

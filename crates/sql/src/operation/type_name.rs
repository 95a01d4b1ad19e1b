//! Data types.

use std::ops::Range;

use super::reader::Reader;
use crate::lexer::TokenKind;
use crate::{Dialect, ObjectKind};

/// A data type, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeName {
    /// In lower case under one name for all spellings, without schema `pg_catalog`: `integer` for `int`, `int4`;
    /// `varchar` for `character varying`; `timestamptz` for `timestamp with time zone`; `numeric` for `decimal`;
    /// `boolean` for `bool`. MySQL and SQLite have other aliases.
    pub name: String,
    /// What is in parentheses, as written: length, precision and scale, or the labels (unquoted) of an `enum`.
    pub arguments: Vec<String>,
    /// An array of it (PostgreSQL).
    pub array: bool,
    /// `UNSIGNED` (MySQL).
    pub unsigned: bool,
    /// `BINARY`: the collation of its character set that compares bytes (MySQL).
    pub binary: bool,
    /// `CHARACTER SET` (MySQL).
    pub character_set: Option<String>,
    /// Where it is written: bytes of the statement.
    pub span: Range<usize>,
}

impl TypeName {
    /// The number at a place in the parentheses.
    pub fn number(&self, place: usize) -> Option<u64> {
        self.arguments.get(place)?.parse().ok()
    }
}

impl TypeName {
    /// The same type as catalogs spell it: with the length that it has by itself, without the width in which integers are
    /// shown, and text of a length as the type that holds as much, where a character is up to so many bytes.
    #[must_use]
    pub fn spelled_out(&self, dialect: Dialect, width: u64) -> Self {
        let mut plain = self.clone();
        let length = self.number(0);
        let numbers = |numbers: &[&str]| numbers.iter().map(|&text| text.to_owned()).collect();
        let mysql = dialect == Dialect::Mysql;
        match (self.name.as_str(), self.arguments.as_slice()) {
            _ if dialect == Dialect::Sqlite => {}
            ("char" | "bit", []) => plain.arguments = numbers(&["1"]),
            ("binary", []) if mysql => plain.arguments = numbers(&["1"]),
            ("decimal", []) if mysql => plain.arguments = numbers(&["10", "0"]),
            ("decimal" | "numeric", [digits]) => plain.arguments = numbers(&[digits, "0"]),
            // Drivers read this one as a boolean.
            ("tinyint", [shown]) if mysql && shown == "1" => {}
            ("tinyint" | "smallint" | "mediumint" | "int" | "bigint", _) if mysql => {
                plain.arguments.clear();
            }
            ("year", _) if mysql && length == Some(4) => plain.arguments.clear(),
            ("datetime" | "timestamp" | "time", _) if mysql && length == Some(0) => {
                plain.arguments.clear();
            }
            ("text" | "blob", [_]) if mysql => {
                let width = if self.name == "text" { width } else { 1 };
                let size = match length.unwrap_or_default().saturating_mul(width) {
                    0..=0xFF => "tiny",
                    0x100..=0xFFFF => "",
                    0x1_0000..=0xFF_FFFF => "medium",
                    _ => "long",
                };
                plain.name = format!("{size}{}", self.name);
                plain.arguments.clear();
            }
            _ => {}
        }
        plain
    }
}

/// Moves over `( … )` and gives what stands between its commas, as written. Empty when no `(` is here.
pub(super) fn arguments(reader: &mut Reader<'_>) -> Vec<String> {
    let mut arguments = Vec::new();
    if !reader.take_symbol("(") {
        return arguments;
    }
    loop {
        let argument = reader.expression_until(&[]);
        if !argument.text.is_empty() {
            arguments.push(argument.text);
        }
        if !reader.take_symbol(",") {
            break;
        }
    }
    reader.take_symbol(")");
    arguments
}

/// Moves over a type of PostgreSQL (manual, "Data Types" and the appendix "SQL Key Words"). `serial` and its like keep
/// their names.
pub(super) fn postgres_type(reader: &mut Reader<'_>) -> Option<TypeName> {
    let start = reader.start();
    reader.take("SETOF");
    let quoted = reader.kind() == Some(TokenKind::QuotedName);
    let written = reader.name(ObjectKind::Type)?;
    let mut found = TypeName::default();
    match written.schema.as_deref() {
        // The one-byte type of the catalogs, which is not the `char` without quotes.
        None | Some("pg_catalog") if written.name == "char" && quoted => {
            "\"char\"".clone_into(&mut found.name);
        }
        None | Some("pg_catalog") => known_type(reader, &written.name, &mut found),
        Some(schema) => {
            found.name = format!("{schema}.{}", written.name);
            found.arguments = arguments(reader);
        }
    }
    while reader.is_symbol("[") || reader.is("ARRAY") {
        reader.step();
        found.array = true;
    }
    found.span = reader.span_from(start);
    Some(found)
}

/// What follows the first word of a type, and its one name.
fn known_type(reader: &mut Reader<'_>, first: &str, found: &mut TypeName) {
    let mut name = first;
    if name == "national" && reader.is_any(&["CHARACTER", "CHAR"]) {
        reader.advance();
        name = "char";
    }
    let varying = matches!(name, "character" | "char" | "nchar" | "bit") && reader.take("VARYING");
    if name == "double" && reader.take("PRECISION") {
        name = "float8";
    }
    if name == "interval" {
        reader.take_any(&["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO"]);
    }
    found.arguments = arguments(reader);
    let zoned = matches!(name, "timestamp" | "time") && reader.take_all(&["WITH", "TIME", "ZONE"]);
    reader.take_all(&["WITHOUT", "TIME", "ZONE"]);
    name = match name {
        "int" | "int4" => "integer",
        "int2" => "smallint",
        "int8" => "bigint",
        "bool" => "boolean",
        "decimal" | "dec" => "numeric",
        "float4" => "real",
        "float8" => "double precision",
        "float" => {
            let bits = found.number(0).unwrap_or(53);
            found.arguments.clear();
            if bits < 25 {
                "real"
            } else {
                "double precision"
            }
        }
        "character" | "char" | "nchar" if varying => "varchar",
        "character" | "nchar" => "char",
        "bpchar" if !found.arguments.is_empty() => "char",
        "bit" if varying => "varbit",
        "timestamp" if zoned => "timestamptz",
        "time" if zoned => "timetz",
        name => name,
    };
    name.clone_into(&mut found.name);
}

/// Moves over a type of SQLite: any words up to what begins a constraint (<https://sqlite.org/datatype3.html>).
pub(super) fn sqlite_type(reader: &mut Reader<'_>) -> Option<TypeName> {
    let start = reader.start();
    let mut words = Vec::new();
    loop {
        let is_generated = reader.is("GENERATED") && reader.is_at(1, "ALWAYS");
        if is_generated || reader.is_any(&SQLITE_CONSTRAINTS) {
            break;
        }
        let Some(word) = reader.identifier() else {
            break;
        };
        words.push(word.to_ascii_lowercase());
    }
    if words.is_empty() {
        return None;
    }
    Some(TypeName {
        name: words.join(" "),
        arguments: arguments(reader),
        span: reader.span_from(start),
        ..TypeName::default()
    })
}

/// The words that end the type of a column in SQLite.
const SQLITE_CONSTRAINTS: [&str; 10] = [
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "AS",
];

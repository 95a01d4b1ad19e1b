//! `SET` of MySQL and MariaDB.

use super::OperationKind;
use super::reader::Reader;

const SCOPES: &[&str] = &["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"];

/// After `SET`, or with `for_statement` after MariaDB's `SET STATEMENT`, up to its `FOR`.
pub(super) fn settings(reader: &mut Reader<'_>, for_statement: bool) -> Vec<OperationKind> {
    // Passwords and default roles belong to accounts.
    if reader.is("PASSWORD") || reader.take_all(&["DEFAULT", "ROLE"]) {
        return vec![OperationKind::Privileges { revokes: false }];
    }
    let ends: &[&str] = match for_statement {
        true => &["FOR"],
        false => &[],
    };
    let mut settings = Vec::new();
    loop {
        let name = name(reader);
        if !reader.take_symbol("=") && reader.is_symbol(":") && reader.is_symbol_at(1, "=") {
            reader.advance();
            reader.advance();
        }
        let value = reader.expression_until(ends).text;
        settings.push(OperationKind::Setting { name, value });
        if !reader.take_symbol(",") {
            return settings;
        }
    }
}

/// Moves over the name of what is set, without `GLOBAL` or `SESSION`; variables of the user keep their `@`.
fn name(reader: &mut Reader<'_>) -> String {
    let written_scope = reader.is_any(SCOPES) && !reader.is_symbol_at(1, "=");
    if written_scope {
        reader.advance();
    }
    for (words, name) in [
        (&["TRANSACTION"][..], "transaction"),
        (&["NAMES"], "names"),
        (&["CHARACTER", "SET"], "character set"),
        (&["CHARSET"], "character set"),
        (&["ROLE"], "role"),
        (&["RESOURCE", "GROUP"], "resource group"),
    ] {
        let assigned = reader.is_symbol_at(words.len(), "=");
        if !assigned && reader.take_all(words) {
            return name.to_owned();
        }
    }
    let is_variable = reader.take_symbol("@");
    let is_system = is_variable && reader.take_symbol("@");
    if is_system && reader.is_any(SCOPES) && reader.is_symbol_at(1, ".") {
        reader.advance();
        reader.advance();
    }
    let mut name = String::new();
    if is_variable && !is_system {
        name.push('@');
    }
    while let Some(part) = reader.identifier() {
        name.push_str(&part.to_lowercase());
        if !reader.take_symbol(".") {
            break;
        }
        name.push('.');
    }
    name
}

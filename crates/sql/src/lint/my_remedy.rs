//! What the rules for MySQL and MariaDB have in common: how the server would do an operation, what the statement asks of
//! it, and what to write instead.

use std::ops::Range;

use super::remedy::{self, object};
use super::rule::{At, StatementAt};
use super::second_column::SecondColumn;
use crate::effect::mysql::{Way, way};
use crate::operation::{ColumnDefinition, OperationKind, Operations};
use crate::schema::{Schema, Table};
use crate::{Dialect, ObjectName};

const MYSQL: Dialect = Dialect::Mysql;

/// What a statement asks of the server by `ALGORITHM` and `LOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing.
    None,
    /// That it copies the table, or that others wait.
    Blocking,
    /// That it refuses rather than let writers wait.
    Online,
    /// That it refuses rather than copy the table; writers may wait.
    InPlace,
    /// That it copies the table while rows are written, or refuses (MariaDB from 11.2).
    OnlineCopy,
}

pub(super) fn wish(operations: &Operations) -> Wish {
    let word =
        |asked: &Option<(String, Range<usize>)>| asked.as_ref().map(|(word, _)| word.clone());
    let algorithm = word(&operations.algorithm);
    let lock = word(&operations.lock);
    match (algorithm.as_deref(), lock.as_deref()) {
        (Some("COPY"), Some("NONE")) => Wish::OnlineCopy,
        (Some("COPY"), _) | (_, Some("SHARED" | "EXCLUSIVE")) => Wish::Blocking,
        (Some("INSTANT"), _) | (_, Some("NONE")) => Wish::Online,
        (Some("INPLACE" | "NOCOPY"), _) => Wish::InPlace,
        _ => Wish::None,
    }
}

/// How the server does an operation on a table that was there before.
pub(super) fn way_on_old<'a>(at: &At<'a>) -> Option<(&'a ObjectName, Way)> {
    let table = at.operation.kind.table()?;
    let way = way(&at.operation.kind, at.schema())?;
    at.is_old(table).then_some((table, way))
}

/// Whether the statement changes a table by `ALTER TABLE`.
pub(super) fn is_alter_table(at: &StatementAt<'_>) -> bool {
    first_word(at.text).eq_ignore_ascii_case("ALTER")
        && at
            .operations
            .list
            .iter()
            .any(|operation| operation.kind.table().is_some())
}

fn first_word(text: &str) -> &str {
    let tokens = crate::lexer::Tokens::new(MYSQL, text);
    let mut words = tokens.filter(|(kind, _)| !kind.is_trivia());
    words.next().map_or("", |(_, word)| word)
}

/// The table of a statement that should say how it has to be done, and what it should say: where columns come, change or go
/// at once or nearly so, and more than the statement decides that.
pub(super) fn wished<'a>(
    at: &StatementAt<'a>,
) -> Option<((&'a ObjectName, Range<usize>), &'static str)> {
    if !is_alter_table(at) || wish(at.operations) != Wish::None {
        return None;
    }
    let mut schema = at.schema.clone();
    let mut ways = Vec::new();
    let mut first = None;
    let mut sure = true;
    for operation in &at.operations.list {
        let (table, way) = operation.kind.table().zip(way(&operation.kind, &schema))?;
        if !at.is_old(table) {
            return None;
        }
        if depends(&operation.kind) {
            first = first.or(Some((table, operation.span.clone())));
        }
        sure &= way == Way::Instant && is_as_probed(at, &schema, table);
        ways.push(way);
        schema.apply(operation, at.text);
    }
    // Other rules speak of what takes longer.
    let quick = ways
        .iter()
        .all(|way| matches!(way, Way::Instant | Way::InPlace));
    let wish = match ways.contains(&Way::InPlace) {
        true => "ALGORITHM=INPLACE, LOCK=NONE",
        false => "ALGORITHM=INSTANT",
    };
    first.filter(|_| quick && !sure).map(|first| (first, wish))
}

/// Whether it depends on the table how an operation is done.
fn depends(kind: &OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::AddColumn { .. }
            | OperationKind::DropColumn { .. }
            | OperationKind::ModifyColumn { .. }
    )
}

/// Whether nothing is left on which it depends: the server is one that was asked for each way, or newer, and it has said
/// itself what the table is. (What MySQL counts on the way to its 64 changes is nowhere in a definition.)
fn is_as_probed(at: &StatementAt<'_>, schema: &Schema, table: &ObjectName) -> bool {
    let server = at.file.server;
    let probed = server.mariadb == Some(true) && server.version >= Some((10, 11));
    let known = schema.table(table);
    let is_innodb = |table: &Table| {
        let mut options = table.options.iter();
        options.any(|(name, value)| {
            name.eq_ignore_ascii_case("ENGINE") && value.eq_ignore_ascii_case("InnoDB")
        })
    };
    probed && known.is_some_and(|known| !known.incomplete && is_innodb(known))
}

/// `ALTER TABLE` with one action.
pub(super) fn alter(table: &ObjectName, action: &str) -> String {
    format!("ALTER TABLE {} {action};", object(MYSQL, table))
}

/// A statement that asks for more.
pub(super) fn asking(statement: &str, wish: &str) -> String {
    format!("{}, {wish};", statement.trim_end())
}

/// What stands after the name in a column's definition, without these words.
pub(super) fn after_name(
    at: &At<'_>,
    column: &ColumnDefinition,
    words: &[&[&str]],
) -> Option<String> {
    let start = column.data_type.as_ref()?.span.start;
    let text = at.statement.text.get(start..column.span.end)?;
    let text = words.iter().fold(text.to_owned(), |text, words| {
        remedy::without(MYSQL, &text, words)
    });
    Some(text)
}

/// A column beside the one that cannot change: both are kept the same until nobody uses the old one.
pub(super) fn beside(
    at: &At<'_>,
    table: &ObjectName,
    column: &str,
    after: &ColumnDefinition,
) -> Vec<String> {
    let two = SecondColumn::of(at.schema(), table, column, format!("{column}_new"));
    let Some(two) = two.filter(|two| !two.in_primary_key() && !two.old.numbered) else {
        return Vec::new();
    };
    if after.numbered || !after.constraints.is_empty() {
        return Vec::new();
    }
    let Some(definition) = after_name(at, after, &[]) else {
        return Vec::new();
    };
    let (old_name, new_name) = two.names();
    let bare = remedy::without(MYSQL, &definition, &["NOT", "NULL"]);
    let bare = match &after.default {
        // As long as both are there the old one has a default.
        Some(default) => {
            let words = bare.find(default.text.trim()).map_or("", |place| {
                let before = bare.get(..place).unwrap_or_default();
                let start = before.to_ascii_uppercase().rfind("DEFAULT");
                let end = place + default.text.trim().len();
                start
                    .and_then(|start| bare.get(start..end))
                    .unwrap_or_default()
            });
            bare.replacen(words, "", 1).trim().to_owned()
        }
        None => bare,
    };
    let (indexes, mut lost) = two.indexes();
    lost.extend(two.lost());
    let mut files = vec![
        format!(
            "{}\n{}",
            alter(table, &format!("ADD COLUMN {new_name} {bare}")),
            remedy::keep_same(at.schema(), table, column, &two.new)
        ),
        remedy::copied(at.schema(), table, &new_name, &old_name),
    ];
    files.extend(indexes.iter().map(|index| index.create.clone()));
    let definition = (after.not_null || after.default.is_some()).then_some(definition.as_str());
    files.push(two.replaced(definition, &indexes, &lost));
    files
}

/// Whether the foreign keys of this statement are not looked up in the rows: the file has switched that off.
pub(super) fn skips_foreign_keys(at: &StatementAt<'_>) -> bool {
    let before = at.file.operations.get(..at.place).unwrap_or_default();
    let mut checks = true;
    for operation in before.iter().flat_map(|list| &list.list) {
        if let OperationKind::Setting { name, value } = &operation.kind
            && name == "foreign_key_checks"
        {
            checks = !matches!(value.to_ascii_uppercase().as_str(), "0" | "OFF" | "FALSE");
        }
    }
    !checks
}

/// Whether the server is known to be one that can copy a table while rows are written, and the statement is one that can
/// ask for it.
pub(super) fn copies_online(at: &At<'_>) -> bool {
    let server = at.statement.file.server;
    let new = server.version.is_some_and(|version| version >= (11, 2));
    new && server.mariadb == Some(true)
        && is_alter_table(&at.statement)
        && wish(at.statement.operations) == Wish::None
}

/// The table in a message: what waits, and for what.
pub(super) fn copied(table: &ObjectName) -> String {
    format!(
        "writes to `{}` wait while the whole table is copied",
        table.name
    )
}

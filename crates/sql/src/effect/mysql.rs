//! MySQL and MariaDB: how InnoDB changes a table, and who waits meanwhile.
//!
//! Each way was found by asking MariaDB 10.11 for every `ALGORITHM` and `LOCK`, best first; where MySQL 8 has another way
//! (manual, "Online DDL Operations") the pages of the rules say so. The lock is the one under which the work is done:
//! every change of a table also waits, at its beginning and at its end, until no transaction uses the table, and everybody
//! waits behind it as long.

use super::{Blocks, Effect, Work};
use crate::operation::{ConstraintKind, CreateIndex, OperationKind, converted_to};
use crate::schema::{Schema, Table};
use crate::{Dialect, ObjectKind, ObjectName};

mod column;
mod conversion;
#[cfg(test)]
mod tests;
mod type_change;

pub(crate) use type_change::type_of;

/// How the server changes a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `ALGORITHM=INSTANT`: the definition only.
    Instant,
    /// `ALGORITHM=NOCOPY` on MariaDB, `INPLACE` on MySQL, with hardly more to do.
    InPlace,
    /// The same, and an index is built while rows are written.
    Index,
    /// An index is built, and writers wait.
    SharedIndex,
    /// `ALGORITHM=INPLACE`: the table is written anew while rows are written.
    Rebuild,
    /// `ALGORITHM=INPLACE`: the table is written anew, and writers wait.
    SharedRebuild,
    /// `ALGORITHM=COPY`: row by row into another table, and writers wait.
    Copy(Cause),
    /// Done at once, when nobody uses the table.
    Exclusive,
    /// Rows of one partition are looked at while nobody uses the table.
    ExclusiveScan,
    /// Rows are changed.
    Rows,
}

/// Why a table is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Values are stored in another form.
    Type,
    /// What a column was before is not known.
    Unknown,
    /// The labels of an `ENUM` or `SET` are not just more at the end.
    Labels,
    /// More labels than the bytes of each row can tell apart.
    LabelBytes,
    /// The default is another one for each row.
    Default,
    /// A generated column is stored with the rows.
    Stored,
    /// The column begins to number its rows.
    Numbered,
    /// Every row is checked.
    Check,
    /// Every row is looked up in another table.
    ForeignKey,
    /// The rows lose the order in which they are stored.
    PrimaryKey,
    /// Text in another character set.
    CharacterSet,
    /// An engine other than InnoDB knows no other way.
    Engine,
    /// Rows go to other partitions.
    Partitions,
    /// Something else that cannot be done in place.
    Other,
}

/// Options of a table whose change is a copy with other engines than InnoDB.
const COPYING_OPTIONS: &[&str] = &[
    "AUTO_INCREMENT",
    "CHARACTER SET",
    "CHECKSUM",
    "COLLATE",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
];

pub(super) fn effects(operation: &OperationKind, schema: &Schema) -> Vec<Effect> {
    let Some((table, way)) = table_of(operation, schema).zip(way(operation, schema)) else {
        return Vec::new();
    };
    let (lock, blocks, work) = match way {
        Way::Instant | Way::InPlace => ("LOCK=NONE", Blocks::Nobody, Work::Metadata),
        Way::Index => ("LOCK=NONE", Blocks::Nobody, Work::IndexBuild),
        Way::Rebuild => ("LOCK=NONE", Blocks::Nobody, Work::Rewrite),
        Way::SharedIndex => ("LOCK=SHARED", Blocks::Writers, Work::IndexBuild),
        Way::SharedRebuild | Way::Copy(_) => ("LOCK=SHARED", Blocks::Writers, Work::Rewrite),
        Way::Exclusive => ("LOCK=EXCLUSIVE", Blocks::Everybody, Work::Metadata),
        Way::ExclusiveScan => ("LOCK=EXCLUSIVE", Blocks::Everybody, Work::Scan),
        Way::Rows => ("LOCK=NONE", Blocks::Nobody, Work::Rows),
    };
    vec![Effect {
        table,
        lock,
        blocks,
        work,
    }]
}

/// The table that an operation changes; an index may be named without it.
fn table_of(operation: &OperationKind, schema: &Schema) -> Option<ObjectName> {
    match operation {
        OperationKind::DropIndex {
            index, table: None, ..
        } => {
            let (table, _) = schema.index(index)?;
            Some(ObjectName {
                kind: ObjectKind::Table,
                schema: None,
                name: table.name.clone(),
            })
        }
        _ => operation.table().cloned(),
    }
}

/// How the server does an operation by itself; `None` where no table is changed.
pub(crate) fn way(operation: &OperationKind, schema: &Schema) -> Option<Way> {
    let known = operation.table().and_then(|table| schema.table(table));
    let way = match operation {
        OperationKind::CreateIndex(index) => create_index(index, known),
        OperationKind::DropIndex { .. } => Way::InPlace,
        OperationKind::Nothing { table: Some(_), .. }
        | OperationKind::IndexVisibility { .. }
        | OperationKind::RenameColumn { .. }
        | OperationKind::ColumnDefault { .. }
        | OperationKind::ColumnOther { .. } => Way::Instant,
        OperationKind::Rename { object, .. } => match object.kind {
            ObjectKind::Table => Way::Exclusive,
            ObjectKind::Index => Way::Instant,
            _ => return None,
        },
        OperationKind::Drop { object, .. } => match object.kind {
            ObjectKind::Table => Way::Exclusive,
            _ => return None,
        },
        OperationKind::Create { object, .. } if object.kind == ObjectKind::Trigger => {
            Way::Exclusive
        }
        OperationKind::AddColumn { column, .. } => column::added(column, known),
        OperationKind::DropColumn { column, .. } => column::dropped(column, known),
        OperationKind::ModifyColumn {
            column,
            definition,
            placed,
            ..
        } => column::modified(column, definition, *placed, known),
        OperationKind::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::ForeignKey { .. } => Way::Copy(Cause::ForeignKey),
            // MySQL's NOT ENFORCED.
            ConstraintKind::Check { .. } if constraint.not_valid => Way::Instant,
            ConstraintKind::Check { .. } => Way::Copy(Cause::Check),
            ConstraintKind::PrimaryKey { .. } => rebuilt(known),
            ConstraintKind::Unique { .. } => Way::Index,
            _ => Way::Instant,
        },
        OperationKind::DropConstraint { constraint, .. } => match constraint == "PRIMARY" {
            true => Way::Copy(Cause::PrimaryKey),
            false => Way::Instant,
        },
        OperationKind::RenameConstraint { .. } => Way::Instant,
        OperationKind::RewriteTable { action, .. } => rewritten(action, known),
        OperationKind::AttachPartition { .. } => Way::ExclusiveScan,
        OperationKind::DetachPartition { .. }
        | OperationKind::Truncate { .. }
        | OperationKind::LockTable { .. } => Way::Exclusive,
        OperationKind::AlterTableOther { action, .. } => match action.as_str() {
            "EXCHANGE PARTITION" => Way::ExclusiveScan,
            action if action.ends_with("PARTITION") => Way::Exclusive,
            _ => Way::Instant,
        },
        OperationKind::Insert { .. }
        | OperationKind::Update { .. }
        | OperationKind::Delete { .. } => Way::Rows,
        _ => return None,
    };
    Some(match way {
        // Only InnoDB does anything but copy.
        Way::InPlace | Way::Index | Way::SharedIndex | Way::Rebuild | Way::SharedRebuild
            if known.is_some_and(has_other_engine) =>
        {
            Way::Copy(Cause::Engine)
        }
        Way::Instant
            if known.is_some_and(|table| {
                has_other_engine(table) && is_seen_in_rows(operation, table)
            }) =>
        {
            Way::Copy(Cause::Engine)
        }
        way => way,
    })
}

/// Whether something that InnoDB does at once makes other engines copy the table: what stands in their rows, indexes or
/// files. `MyISAM`, `Aria` and `MEMORY` were asked.
fn is_seen_in_rows(operation: &OperationKind, table: &Table) -> bool {
    match operation {
        OperationKind::AddColumn { .. }
        | OperationKind::DropColumn { .. }
        | OperationKind::RewriteTable { .. } => true,
        OperationKind::ModifyColumn {
            column,
            definition,
            placed,
            ..
        } => *placed || column::is_stored_otherwise(column, definition, table),
        OperationKind::DropConstraint { constraint, .. } => {
            let dropped = table.constraint(Dialect::Mysql, constraint);
            dropped.is_some_and(|own| matches!(own.kind, ConstraintKind::Unique { .. }))
                || table.index(Dialect::Mysql, constraint).is_some()
        }
        OperationKind::AlterTableOther { action, .. } => COPYING_OPTIONS.contains(&action.as_str()),
        _ => false,
    }
}

fn create_index(index: &CreateIndex, known: Option<&Table>) -> Way {
    match index.method.as_str() {
        // The first one adds a hidden column to the table.
        "FULLTEXT" if !known.is_some_and(has_full_text) => Way::SharedRebuild,
        "FULLTEXT" | "SPATIAL" | "VECTOR" => Way::SharedIndex,
        _ => Way::Index,
    }
}

fn rewritten(action: &str, known: Option<&Table>) -> Way {
    match action {
        action if let Some((set, collation)) = converted_to(action) => match known {
            Some(table) if !has_text(table) => Way::Instant,
            Some(table) if conversion::keeps_bytes(table, &set, collation.as_deref()) => {
                Way::InPlace
            }
            _ => Way::Copy(Cause::CharacterSet),
        },
        "DROP SYSTEM VERSIONING" => Way::SharedRebuild,
        "ADD SYSTEM VERSIONING" | "ORDER BY" | "REPAIR TABLE" => Way::Copy(Cause::Other),
        action if action.contains("PARTITION") => Way::Copy(Cause::Partitions),
        // ENGINE alone is to InnoDB.
        action if action.starts_with("ENGINE ") => Way::Copy(Cause::Engine),
        _ => rebuilt(known),
    }
}

/// A full-text index is in the way of everybody who writes.
fn rebuilt(known: Option<&Table>) -> Way {
    match known.is_some_and(has_full_text) {
        true => Way::SharedRebuild,
        false => Way::Rebuild,
    }
}

/// What is instant, unless the table is one whose rows cannot say by which definition they were written.
fn instant_for_rows(known: Option<&Table>) -> Way {
    match known {
        Some(table) if has_full_text(table) => Way::SharedRebuild,
        Some(table) if option(table, "ROW_FORMAT").is_some_and(|format| format == "COMPRESSED") => {
            Way::Rebuild
        }
        _ => Way::Instant,
    }
}

fn has_full_text(table: &Table) -> bool {
    table.indexes.iter().any(|index| index.method == "FULLTEXT")
}

fn has_other_engine(table: &Table) -> bool {
    option(table, "ENGINE").is_some_and(|engine| engine != "INNODB")
}

fn has_text(table: &Table) -> bool {
    table.incomplete
        || table.columns.iter().any(|column| {
            let data_type = column.definition.data_type.as_ref();
            data_type.is_none_or(|data_type| type_change::is_text(&data_type.name))
        })
}

/// An option of the table, in capitals.
fn option(table: &Table, name: &str) -> Option<String> {
    let mut options = table.options.iter().rev();
    let (_, value) = options.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(value.to_ascii_uppercase())
}

/// Whether two names are the same to the server.
fn same(left: &str, right: &str) -> bool {
    crate::schema::same(Dialect::Mysql, left, right)
}

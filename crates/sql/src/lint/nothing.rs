//! What the statements of a file find nothing to do: `IF EXISTS` of what is not there, `IF NOT EXISTS` of what is.

use crate::operation::{Operation, OperationKind, Operations};
use crate::schema::Schema;
use crate::{Dialect, ObjectKind, ObjectName, Statement};

/// An operation that finds nothing to do.
struct Idle {
    /// The table that it only looks at, if any.
    table: Option<ObjectName>,
}

/// A file as it is looked at here.
pub(super) struct Script<'a> {
    /// Its statements.
    pub statements: &'a [Statement],
    /// Its number among the files.
    pub number: usize,
    /// So many of its statements have run before.
    pub begun: u64,
    /// A script has said where names without a schema are looked for.
    pub moved: bool,
}

impl Script<'_> {
    /// Puts [`OperationKind::Nothing`] in the place of each operation of which it is known that it finds nothing to do, with
    /// the schema before the file. Returns the numbers of the statements of which the database has said so.
    pub fn resolve(&self, parsed: &mut [Operations], schema: &Schema) -> Vec<usize> {
        let mut told = Vec::new();
        if !parsed.iter().any(is_conditional) {
            return told;
        }
        let mut schema = schema.clone();
        schema.begin_file(self.number);
        for (place, (statement, own)) in self.statements.iter().zip(parsed).enumerate() {
            let has_run = statement.index <= self.begun;
            let absent = own
                .if_exists
                .as_ref()
                .is_some_and(|object| self.lacks(&schema, object));
            let mut before: Option<OperationKind> = None;
            for operation in &mut own.list {
                if has_run {
                    schema.apply(&made(operation), &statement.text);
                    continue;
                }
                let known = match (absent, changed_before(&operation.kind, before.take())) {
                    (true, _) => Some(Idle { table: None }),
                    (false, Some(known)) => known,
                    (false, None) => self.idle(&operation.kind, &schema),
                };
                if known.is_some() && told.last() != Some(&place) {
                    told.push(place);
                }
                let of_dump = self.is_of_dump(&operation.kind, &schema);
                if let Some(Idle { table }) = known.or(of_dump.then_some(Idle { table: None })) {
                    let of = std::mem::replace(&mut operation.kind, OperationKind::Harmless);
                    operation.kind = OperationKind::Nothing {
                        of: Box::new(of),
                        table,
                    };
                }
                schema.apply(operation, &statement.text);
                before = Some(operation.kind.clone());
            }
        }
        told
    }

    /// Whether the first of all migrations drops what none has made: a dump that makes itself room, on a database that has
    /// nothing yet.
    fn is_of_dump(&self, kind: &OperationKind, schema: &Schema) -> bool {
        match kind {
            OperationKind::Drop {
                object,
                if_exists: true,
                ..
            } if self.number == 1 => match object.kind {
                ObjectKind::Table => schema.table(object).is_none(),
                _ => schema.definition(object).is_none(),
            },
            _ => false,
        }
    }

    /// What is known of an operation that does nothing; `None` where it does something, or nobody knows.
    fn idle(&self, kind: &OperationKind, schema: &Schema) -> Option<Idle> {
        let nothing = match kind {
            OperationKind::Drop {
                object,
                table,
                if_exists: true,
                ..
            } => {
                let of_nothing = table
                    .as_ref()
                    .is_some_and(|table| self.lacks(schema, table));
                of_nothing || self.lacks(schema, object)
            }
            OperationKind::DropIndex {
                index,
                table: None,
                if_exists: true,
                ..
            } => self.lacks(schema, index),
            OperationKind::Rename {
                object,
                table: None,
                if_exists: true,
                ..
            } => self.lacks(schema, object),
            OperationKind::CreateTable(create) if create.if_not_exists && !create.temporary => {
                create
                    .table
                    .as_ref()
                    .is_some_and(|table| self.has(schema, table))
            }
            OperationKind::Create {
                object,
                if_not_exists: true,
                ..
            } => self.has(schema, object),
            OperationKind::AddEnumValue {
                object,
                value,
                if_not_exists: true,
            } => schema.has_label(object, value),
            _ => {
                let table = kind.table()?;
                let known = self.is_known(schema, table) && on_table(kind, table, schema);
                // SQLite looks into its schema and at no table.
                let is_locked = schema.dialect() != Dialect::Sqlite;
                return known.then(|| Idle {
                    table: is_locked.then(|| table.clone()),
                });
            }
        };
        nothing.then_some(Idle { table: None })
    }

    /// Whether a name is one of the database that was asked, wherever a script looks for names.
    fn is_known(&self, schema: &Schema, name: &ObjectName) -> bool {
        !self.moved || name.schema.is_some() || schema.dialect() != Dialect::Mysql
    }

    fn lacks(&self, schema: &Schema, name: &ObjectName) -> bool {
        self.is_known(schema, name) && schema.lacks(name)
    }

    /// Where something is made depends on where names are looked for.
    fn has(&self, schema: &Schema, name: &ObjectName) -> bool {
        (!self.moved || name.schema.is_some()) && schema.has(name)
    }
}

/// Whether an operation on a table finds nothing to do there.
fn on_table(kind: &OperationKind, table: &ObjectName, schema: &Schema) -> bool {
    match kind {
        OperationKind::AddColumn {
            column,
            if_not_exists: true,
            ..
        } => schema.has_column(table, &column.name),
        OperationKind::DropColumn {
            column,
            if_exists: true,
            ..
        }
        | OperationKind::RenameColumn {
            column,
            if_exists: true,
            ..
        }
        | OperationKind::ModifyColumn {
            column,
            if_exists: true,
            ..
        }
        | OperationKind::ColumnDefault {
            column,
            if_exists: true,
            ..
        } => schema.lacks_column(table, column),
        OperationKind::AddConstraint {
            constraint,
            if_not_exists: true,
            ..
        } => schema.has_constraint(table, constraint),
        OperationKind::DropConstraint {
            constraint,
            if_exists: true,
            ..
        } => schema.lacks_constraint(table, constraint),
        OperationKind::CreateIndex(index) if index.if_not_exists => {
            let partitioned = schema.table(table).is_some_and(|table| table.partitioned);
            // The server refuses that whether the index is there or not.
            !(index.concurrently && partitioned)
                && index
                    .name
                    .as_ref()
                    .is_some_and(|name| schema.has_index(table, &name.name))
        }
        OperationKind::DropIndex {
            index,
            if_exists: true,
            ..
        }
        | OperationKind::Rename {
            object: index,
            if_exists: true,
            ..
        } => schema.lacks_constraint(table, &index.name),
        OperationKind::IndexVisibility {
            index,
            if_exists: true,
            ..
        } => schema.lacks_constraint(table, index),
        _ => false,
    }
}

/// `CHANGE` is two operations on one column. Where the one before was the first of them: what is known of that.
fn changed_before(kind: &OperationKind, before: Option<OperationKind>) -> Option<Option<Idle>> {
    let before = before?;
    match (kind, before.written()) {
        (
            OperationKind::RenameColumn { column, .. },
            OperationKind::ModifyColumn {
                column: changed, ..
            },
        ) if column == changed => Some(match &before {
            OperationKind::Nothing { table, .. } => Some(Idle {
                table: table.clone(),
            }),
            _ => None,
        }),
        _ => None,
    }
}

/// Whether anything in a statement is said with `IF EXISTS` or `IF NOT EXISTS`.
fn is_conditional(own: &Operations) -> bool {
    own.if_exists.is_some() || own.list.iter().any(|one| says_if(&one.kind))
}

fn says_if(kind: &OperationKind) -> bool {
    match kind {
        OperationKind::CreateTable(create) => create.if_not_exists,
        OperationKind::CreateIndex(index) => index.if_not_exists,
        OperationKind::AddColumn { if_not_exists, .. }
        | OperationKind::AddConstraint { if_not_exists, .. }
        | OperationKind::Create { if_not_exists, .. }
        | OperationKind::AddEnumValue { if_not_exists, .. } => *if_not_exists,
        OperationKind::Drop { if_exists, .. }
        | OperationKind::DropIndex { if_exists, .. }
        | OperationKind::DropColumn { if_exists, .. }
        | OperationKind::DropConstraint { if_exists, .. }
        | OperationKind::Rename { if_exists, .. }
        | OperationKind::RenameColumn { if_exists, .. }
        | OperationKind::ModifyColumn { if_exists, .. }
        | OperationKind::ColumnDefault { if_exists, .. }
        | OperationKind::IndexVisibility { if_exists, .. } => *if_exists,
        _ => false,
    }
}

/// What has run: `IF NOT EXISTS` found nothing then.
pub(super) fn made(operation: &Operation) -> Operation {
    let mut made = operation.clone();
    match &mut made.kind {
        OperationKind::CreateTable(create) => create.if_not_exists = false,
        OperationKind::AddColumn { if_not_exists, .. }
        | OperationKind::Create { if_not_exists, .. } => *if_not_exists = false,
        _ => {}
    }
    made
}

/// Whether a file says where names without a schema are looked for.
pub(super) fn moves(parsed: &[Operations]) -> bool {
    let mut all = parsed.iter().flat_map(|own| &own.list);
    all.any(|one| {
        matches!(&one.kind, OperationKind::Setting { name, .. } if matches!(name.as_str(), "search_path" | "database" | "role" | "session_authorization"))
    })
}

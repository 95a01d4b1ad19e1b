//! The schema as the migrations read so far have made it.
//!
//! Folded from typed operations, one after the other. It knows what the scripts say and nothing else: what a `DO` block
//! did is not in it, and a table that it does not know may exist all the same (a directory can begin in the middle of
//! the life of a database). Rules therefore take an unknown table for one that exists.

use self::layered::Layered;
use crate::operation::{
    ColumnDefinition, Constraint, ConstraintKind, CreateIndex, CreateTable, Operation,
    OperationKind,
};
use crate::{Dialect, ObjectKind, ObjectName};

mod layered;
mod names;
#[cfg(test)]
mod tests;

/// The schema.
#[derive(Clone, Debug)]
pub struct Schema {
    dialect: Dialect,
    /// The number of the file that is being folded in.
    file: usize,
    tables: Layered<Key, Table>,
    enums: Layered<Key, Vec<String>>,
    /// Views, functions, triggers and the rest, with the text that made them.
    others: Layered<(ObjectKind, Key), Definition>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its name, as it was written where it was made.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its constraints, also those written with a column.
    pub constraints: Vec<Constraint>,
    /// Its indexes, without those that belong to constraints.
    pub indexes: Vec<CreateIndex>,
    /// The number of the file that made it.
    pub made_in: usize,
    /// It is partitioned.
    pub partitioned: bool,
    /// It is a partition of this one.
    pub partition_of: Option<ObjectName>,
    /// It may have columns that are not known.
    pub incomplete: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// Options as written when it was made.
    pub options: Vec<(String, String)>,
    /// Indexes that the optimizer may not use (`INVISIBLE` on MySQL, `IGNORED` on MariaDB), each with the number of the file
    /// that said so.
    pub hidden_indexes: Vec<(String, usize)>,
    /// How many statements have added or dropped columns since the table was made or written anew.
    pub column_changes: usize,
    /// The last statement among them.
    last_column_change: String,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// As it was last defined.
    pub definition: ColumnDefinition,
    /// The number of the file that made it.
    pub made_in: usize,
}

/// What is neither a table nor an index nor a type.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its table, for a trigger.
    pub table: Option<ObjectName>,
    /// The statement that made it.
    pub text: String,
    /// The number of the file that made it.
    pub made_in: usize,
}

/// A name in the form in which the server compares it: schema (without the default one) and name.
type Key = (Option<String>, String);

impl Schema {
    /// An empty one.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            file: 0,
            tables: Layered::new(),
            enums: Layered::new(),
            others: Layered::new(),
        }
    }

    /// From here on what is made belongs to the file with this number. Numbers grow.
    pub fn begin_file(&mut self, number: usize) {
        self.file = number;
        self.tables.settle();
        self.enums.settle();
        self.others.settle();
    }

    /// The dialect of the names in it.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A table.
    pub fn table(&self, name: &ObjectName) -> Option<&Table> {
        self.tables.get(&self.key(name))
    }

    /// All tables.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// A column.
    pub fn column(&self, table: &ObjectName, column: &str) -> Option<&Column> {
        self.table(table)?.column(self.dialect, column)
    }

    /// The columns that have a type of this name, with their tables.
    pub fn columns_of_type(&self, name: &str) -> impl Iterator<Item = (ObjectName, &str)> {
        self.tables.iter().flat_map(move |((schema, _), table)| {
            let of_type = table.columns.iter().filter(move |column| {
                let data_type = column.definition.data_type.as_ref();
                data_type.is_some_and(|data_type| data_type.name == name)
            });
            of_type.map(move |column| {
                let table = ObjectName {
                    kind: ObjectKind::Table,
                    schema: schema.clone(),
                    name: table.name.clone(),
                };
                (table, column.definition.name.as_str())
            })
        })
    }

    /// The table of an index, and the index. PostgreSQL and SQLite name an index without its table.
    pub fn index(&self, index: &ObjectName) -> Option<(&Table, &CreateIndex)> {
        let wanted = self.key(index).1;
        let of = |table: &&Table| table.index(self.dialect, &wanted).is_some();
        let table = self.tables.values().find(of)?;
        Some((table, table.index(self.dialect, &wanted)?))
    }

    /// The labels of an enumeration type.
    pub fn enum_labels(&self, name: &ObjectName) -> Option<&[String]> {
        self.enums.get(&self.key(name)).map(Vec::as_slice)
    }

    /// A view, function, trigger or the like.
    pub fn definition(&self, name: &ObjectName) -> Option<&Definition> {
        self.others.get(&(name.kind, self.key(name)))
    }

    /// All of one kind, with their names.
    pub fn definitions(&self, kind: ObjectKind) -> impl Iterator<Item = (&str, &Definition)> {
        let of_kind = self
            .others
            .iter()
            .filter(move |((other, _), _)| *other == kind);
        of_kind.map(|((_, (_, name)), definition)| (name.as_str(), definition))
    }

    /// Whether two names are the same to the server.
    pub fn same_name(&self, left: &ObjectName, right: &ObjectName) -> bool {
        self.key(left) == self.key(right)
    }

    /// Takes in what an operation of the statement `text` does.
    pub fn apply(&mut self, operation: &Operation, text: &str) {
        let dialect = self.dialect;
        let file = self.file;
        match &operation.kind {
            OperationKind::CreateTable(create) => self.create_table(create),
            OperationKind::CreateIndex(index) => {
                if let Some(table) = index.table.as_ref().and_then(|name| self.table_mut(name)) {
                    let known = index
                        .name
                        .as_ref()
                        .is_some_and(|name| table.index(dialect, &name.name).is_some());
                    if !(known && index.if_not_exists) {
                        table.indexes.push((**index).clone());
                    }
                }
            }
            OperationKind::DropIndex { index, .. } => {
                let has = |table: &Table| table.index(dialect, &index.name).is_some();
                self.tables.change(
                    |_, table| has(table),
                    |table| {
                        table.indexes.retain(|other| {
                            let name = other.name.as_ref();
                            name.is_none_or(|name| !same(dialect, &name.name, &index.name))
                        });
                    },
                );
            }
            OperationKind::Drop { object, .. } => self.drop(object),
            OperationKind::Rename { object, to, .. } => self.rename(object, to),
            OperationKind::Create {
                object,
                labels,
                table,
                ..
            } => {
                if let Some(labels) = labels {
                    let key = self.key(object);
                    self.enums.insert(key, labels.clone());
                }
                let definition = Definition {
                    table: table.clone(),
                    text: text.to_owned(),
                    made_in: file,
                };
                let key = (object.kind, self.key(object));
                self.others.insert(key, definition);
            }
            OperationKind::AddEnumValue { object, value } => {
                let key = self.key(object);
                self.enums.get_or_default(key).push(value.clone());
            }
            OperationKind::RenameEnumValue { object, value, to } => {
                let key = self.key(object);
                let labels = self.enums.get_or_default(key).iter_mut();
                labels
                    .filter(|label| *label == value)
                    .for_each(|label| label.clone_from(to));
            }
            OperationKind::AttachPartition { table, partition } => {
                if let Some(part) = self.table_mut(partition) {
                    part.partition_of = Some(table.clone());
                }
            }
            OperationKind::DetachPartition { partition, .. } => {
                if let Some(part) = self.table_mut(partition) {
                    part.partition_of = None;
                }
            }
            kind => {
                if let Some(table) = kind.table().cloned()
                    && let Some(table) = self.table_mut(&table)
                {
                    table.count_column_changes(kind, text);
                    table.apply(dialect, kind, file);
                }
            }
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let Some(name) = &create.table else { return };
        let key = self.key(name);
        if create.if_not_exists && self.tables.contains_key(&key) {
            return;
        }
        let mut table = Table {
            name: name.name.clone(),
            made_in: self.file,
            partitioned: create.partitioned,
            partition_of: create.partition_of.clone(),
            incomplete: create.incomplete
                || !create.from.is_empty()
                || create.partition_of.is_some(),
            temporary: create.temporary,
            options: create.options.clone(),
            constraints: Vec::new(),
            indexes: create.indexes.clone(),
            columns: Vec::new(),
            hidden_indexes: Vec::new(),
            column_changes: 0,
            last_column_change: String::new(),
        };
        for column in &create.columns {
            table.add_column(self.dialect, column, self.file);
        }
        for constraint in &create.constraints {
            table.take_constraint(self.dialect, constraint);
        }
        self.tables.insert(key, table);
    }

    fn drop(&mut self, object: &ObjectName) {
        let key = self.key(object);
        match object.kind {
            ObjectKind::Table => {
                self.tables.remove(&key);
            }
            ObjectKind::Schema | ObjectKind::Database => {
                self.tables
                    .remove_all(|(schema, _), _| schema.as_ref() == Some(&object.name));
            }
            ObjectKind::Type => {
                self.enums.remove(&key);
            }
            _ => {}
        }
        self.others.remove(&(object.kind, key));
    }

    fn rename(&mut self, object: &ObjectName, to: &ObjectName) {
        let (from, mut new) = (self.key(object), self.key(to));
        if to.schema.is_none() {
            new.0.clone_from(&from.0);
        }
        if object.kind == ObjectKind::Table
            && let Some(mut table) = self.tables.remove(&from)
        {
            table.name.clone_from(&to.name);
            self.tables.insert(new, table);
            return;
        }
        if object.kind == ObjectKind::Index {
            let dialect = self.dialect;
            self.tables.change(
                |_, table| table.index(dialect, &object.name).is_some(),
                |table| {
                    let names = table.indexes.iter_mut();
                    for index in names.filter_map(|index| index.name.as_mut()) {
                        if same(dialect, &index.name, &object.name) {
                            index.name.clone_from(&to.name);
                        }
                    }
                },
            );
            return;
        }
        if let Some(labels) = self.enums.remove(&from) {
            self.enums.insert(new.clone(), labels);
        }
        if let Some(definition) = self.others.remove(&(object.kind, from)) {
            self.others.insert((object.kind, new), definition);
        }
    }

    fn table_mut(&mut self, name: &ObjectName) -> Option<&mut Table> {
        let key = self.key(name);
        self.tables.get_mut(&key)
    }

    fn key(&self, name: &ObjectName) -> Key {
        let default = match self.dialect {
            Dialect::Postgres => "public",
            Dialect::Sqlite => "main",
            Dialect::Mysql => "",
        };
        let fold = |name: &String| match self.dialect {
            Dialect::Postgres => name.clone(),
            Dialect::Mysql | Dialect::Sqlite => name.to_lowercase(),
        };
        let schema = name.schema.as_ref().map(fold);
        (schema.filter(|schema| schema != default), fold(&name.name))
    }
}

impl Table {
    /// A column.
    pub fn column(&self, dialect: Dialect, name: &str) -> Option<&Column> {
        let mut columns = self.columns.iter();
        columns.find(|column| same(dialect, &column.definition.name, name))
    }

    /// An index by its name.
    pub fn index(&self, dialect: Dialect, name: &str) -> Option<&CreateIndex> {
        let mut indexes = self.indexes.iter();
        indexes.find(|index| {
            index
                .name
                .as_ref()
                .is_some_and(|own| same(dialect, &own.name, name))
        })
    }

    /// A constraint by its name.
    pub fn constraint(&self, dialect: Dialect, name: &str) -> Option<&Constraint> {
        let mut constraints = self.constraints.iter();
        constraints.find(|constraint| {
            constraint
                .name
                .as_ref()
                .is_some_and(|own| same(dialect, own, name))
        })
    }

    /// The columns of its primary key, as far as is known.
    pub fn primary_key(&self) -> &[String] {
        let mut keys = self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, .. } => Some(columns.as_slice()),
            _ => None,
        });
        keys.next().unwrap_or_default()
    }

    /// Whether a column may hold NULL, as far as is known.
    pub fn is_nullable(&self, dialect: Dialect, column: &str) -> Option<bool> {
        let definition = &self.column(dialect, column)?.definition;
        let in_primary_key = self
            .constraints
            .iter()
            .any(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns, .. } => {
                    columns.iter().any(|name| same(dialect, name, column))
                }
                _ => false,
            });
        Some(!definition.not_null && !in_primary_key)
    }

    /// Whether there is an index, a unique or a primary key that begins with these columns, in any order of them.
    pub fn has_index_on(&self, dialect: Dialect, columns: &[String]) -> bool {
        let begins = |of: &[Option<String>]| {
            let first = of.get(..columns.len()).unwrap_or_default();
            !first.is_empty()
                && first.iter().all(|name| {
                    name.as_ref().is_some_and(|name| {
                        columns.iter().any(|column| same(dialect, column, name))
                    })
                })
        };
        let keys = self
            .constraints
            .iter()
            .any(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns: of, .. }
                | ConstraintKind::Unique { columns: of, .. } => {
                    begins(&of.iter().cloned().map(Some).collect::<Vec<_>>())
                }
                _ => false,
            });
        keys || self
            .indexes
            .iter()
            .any(|index| index.condition.is_none() && begins(&index.columns))
    }

    fn add_column(&mut self, dialect: Dialect, definition: &ColumnDefinition, file: usize) {
        self.columns.push(Column {
            definition: definition.clone(),
            made_in: file,
        });
        for constraint in &definition.constraints {
            self.take_constraint(dialect, constraint);
        }
    }

    fn column_mut(&mut self, dialect: Dialect, name: &str) -> Option<&mut ColumnDefinition> {
        let mut columns = self.columns.iter_mut();
        let column = columns.find(|column| same(dialect, &column.definition.name, name))?;
        Some(&mut column.definition)
    }

    fn apply(&mut self, dialect: Dialect, kind: &OperationKind, file: usize) {
        match kind {
            OperationKind::AddColumn {
                column,
                if_not_exists,
                ..
            } => {
                let is_there = self.column(dialect, &column.name).is_some();
                if *if_not_exists && is_there {
                    return;
                }
                self.add_column(dialect, column, file);
            }
            OperationKind::DropColumn { column, .. } => {
                self.columns
                    .retain(|other| !same(dialect, &other.definition.name, column));
                self.constraints
                    .retain(|constraint| !constraint.is_on(dialect, column));
                self.indexes.retain(|index| {
                    let mut columns = index.columns.iter().flatten();
                    !columns.any(|name| same(dialect, name, column))
                });
            }
            OperationKind::RenameColumn { column, to, .. } => {
                self.rename_column(dialect, column, to);
            }
            OperationKind::ColumnType {
                column,
                to,
                collation,
                ..
            } => {
                if let Some(definition) = self.column_mut(dialect, column) {
                    definition.data_type = Some(to.clone());
                    definition.collation.clone_from(collation);
                }
            }
            OperationKind::ModifyColumn {
                column, definition, ..
            } => {
                let constraints = definition.constraints.iter().cloned();
                self.constraints.extend(constraints);
                if let Some(known) = self.column_mut(dialect, column) {
                    *known = (**definition).clone();
                }
            }
            OperationKind::ColumnNullable {
                column, nullable, ..
            } => {
                if let Some(definition) = self.column_mut(dialect, column) {
                    definition.not_null = !nullable;
                }
            }
            OperationKind::ColumnDefault {
                column, default, ..
            } => {
                if let Some(definition) = self.column_mut(dialect, column) {
                    definition.default.clone_from(default);
                }
            }
            OperationKind::AddConstraint { constraint, .. } => {
                if let ConstraintKind::NotNull { column } = &constraint.kind
                    && let Some(definition) = self.column_mut(dialect, column)
                {
                    definition.not_null = true;
                }
                self.take_constraint(dialect, constraint);
            }
            OperationKind::ValidateConstraint { constraint, .. } => {
                for known in &mut self.constraints {
                    if known
                        .name
                        .as_ref()
                        .is_some_and(|name| same(dialect, name, constraint))
                    {
                        known.not_valid = false;
                    }
                }
            }
            OperationKind::DropConstraint { constraint, .. } => {
                let primary = constraint == "PRIMARY" && dialect == Dialect::Mysql;
                self.constraints.retain(|known| match &known.kind {
                    ConstraintKind::PrimaryKey { .. } if primary => false,
                    _ => known
                        .name
                        .as_ref()
                        .is_none_or(|name| !same(dialect, name, constraint)),
                });
            }
            OperationKind::IndexVisibility { index, visible, .. } => {
                self.hidden_indexes.retain(|(name, _)| !same(dialect, name, index));
                if !visible {
                    self.hidden_indexes.push((index.clone(), file));
                }
            }
            OperationKind::RenameConstraint { constraint, to, .. } => {
                for name in self
                    .constraints
                    .iter_mut()
                    .filter_map(|known| known.name.as_mut())
                {
                    if same(dialect, name, constraint) {
                        name.clone_from(to);
                    }
                }
            }
            _ => {}
        }
    }

    fn count_column_changes(&mut self, kind: &OperationKind, text: &str) {
        match kind {
            OperationKind::AddColumn { .. } | OperationKind::DropColumn { .. }
                if self.last_column_change != text =>
            {
                self.column_changes += 1;
                text.clone_into(&mut self.last_column_change);
            }
            OperationKind::RewriteTable { .. } => self.column_changes = 0,
            _ => {}
        }
    }

    fn rename_column(&mut self, dialect: Dialect, column: &str, to: &str) {
        if let Some(definition) = self.column_mut(dialect, column) {
            to.clone_into(&mut definition.name);
        }
        let in_constraints = self
            .constraints
            .iter_mut()
            .flat_map(Constraint::columns_mut);
        let in_indexes = self
            .indexes
            .iter_mut()
            .flat_map(|index| index.columns.iter_mut().flatten());
        for name in in_constraints.chain(in_indexes) {
            if same(dialect, name, column) {
                to.clone_into(name);
            }
        }
    }
}

impl Constraint {
    /// The columns that it names, as far as it lists them: a check does not.
    pub fn columns(&self) -> &[String] {
        match &self.kind {
            ConstraintKind::Unique { columns, .. }
            | ConstraintKind::PrimaryKey { columns, .. }
            | ConstraintKind::ForeignKey { columns, .. } => columns,
            ConstraintKind::NotNull { column } => std::slice::from_ref(column),
            ConstraintKind::Check { .. } | ConstraintKind::Exclude => &[],
        }
    }

    fn columns_mut(&mut self) -> &mut [String] {
        match &mut self.kind {
            ConstraintKind::Unique { columns, .. }
            | ConstraintKind::PrimaryKey { columns, .. }
            | ConstraintKind::ForeignKey { columns, .. } => columns,
            ConstraintKind::NotNull { column } => std::slice::from_mut(column),
            ConstraintKind::Check { .. } | ConstraintKind::Exclude => &mut [],
        }
    }

    fn is_on(&self, dialect: Dialect, column: &str) -> bool {
        match &self.kind {
            ConstraintKind::Check { condition } => condition.names(dialect, column),
            _ => self
                .columns()
                .iter()
                .any(|name| same(dialect, name, column)),
        }
    }
}

/// Whether two names of columns, indexes or constraints are the same to the server.
pub fn same(dialect: Dialect, left: &str, right: &str) -> bool {
    match dialect {
        Dialect::Postgres => left == right,
        Dialect::Mysql | Dialect::Sqlite => left.eq_ignore_ascii_case(right),
    }
}

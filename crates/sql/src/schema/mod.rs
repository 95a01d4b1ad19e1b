//! The schema as the migrations read so far have made it.
//!
//! Folded from typed operations, one after the other. It knows what the scripts say: what a `DO` block did is not in it,
//! and a table that it does not know may exist all the same (a directory can begin in the middle of the life of a
//! database). Rules therefore take an unknown table for one that exists. Where a database can be asked, what its catalog
//! says takes the place of what was folded ([`Schema::replace`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use self::layered::Layered;
use crate::operation::{CreateIndex, CreateTable, Operation, OperationKind};
use crate::{Dialect, ObjectKind, ObjectName};

mod catalog;
#[cfg(test)]
mod catalog_tests;
mod layered;
mod names;
mod table;
#[cfg(test)]
mod tests;

pub use catalog::{Catalog, CatalogObject};
pub use table::{Column, Table, same};

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
    /// The schema in which a name without one is made.
    default_schema: String,
    /// Where else a table is found that is named without a schema; `None` when in more than one.
    elsewhere: Arc<BTreeMap<String, Option<String>>>,
    /// A database has said what is in it, and left nothing out.
    complete: bool,
}

/// What is neither a table nor an index nor a type.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its table, for a trigger.
    pub table: Option<ObjectName>,
    /// The statement that made it.
    pub text: String,
    /// The text only names what it uses: how it was made is not known.
    pub sketch: bool,
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
            default_schema: match dialect {
                Dialect::Postgres => "public",
                Dialect::Sqlite => "main",
                Dialect::Mysql => "",
            }
            .to_owned(),
            elsewhere: Arc::default(),
            complete: false,
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
                    sketch: false,
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
        let key = self.written_key(name);
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
            rows: None,
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
        let (from, mut new) = (self.key(object), self.written_key(to));
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

    /// The key of what a name stands for.
    fn key(&self, name: &ObjectName) -> Key {
        let key = self.written_key(name);
        if name.schema.is_none()
            && let Some(Some(schema)) = self.elsewhere.get(&key.1)
            && !self.tables.contains_key(&key)
        {
            return (Some(schema.clone()), key.1);
        }
        key
    }

    /// The key of what is made under a name.
    fn written_key(&self, name: &ObjectName) -> Key {
        let schema = name.schema.as_ref().map(|schema| self.fold(schema));
        (
            schema.filter(|schema| *schema != self.default_schema),
            self.fold(&name.name),
        )
    }

    fn fold(&self, name: &str) -> String {
        match self.dialect {
            Dialect::Postgres => name.to_owned(),
            Dialect::Mysql | Dialect::Sqlite => name.to_lowercase(),
        }
    }
}

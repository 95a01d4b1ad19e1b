//! The schema as the migrations read so far have made it.
//!
//! Folded from typed operations, one after the other. It knows what the scripts say: what a `DO` block did is not in it,
//! and a table that it does not know may exist all the same (a directory can begin in the middle of the life of a
//! database). Rules therefore take an unknown table for one that exists. Where a database can be asked, what its catalog
//! says takes the place of what was folded ([`Schema::replace`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use self::layered::Layered;
use crate::operation::{CreateIndex, CreateTable, Operation, OperationKind, TypeName};
use crate::{Dialect, ObjectKind, ObjectName};

mod catalog;
#[cfg(test)]
mod catalog_tests;
mod layered;
mod names;
mod presence;
mod table;
#[cfg(test)]
mod tests;
mod views;

use catalog::named;
pub use catalog::{Catalog, CatalogObject};
pub use table::{Column, Table, same};
pub use views::ViewUse;

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
    /// The schemas in which a name without one is looked for, as far as a database has said.
    search_path: Arc<Vec<String>>,
    /// Where else a table is found that is named without a schema; `None` when in more than one.
    elsewhere: Arc<BTreeMap<String, Option<String>>>,
    /// A database has said what is in it, and left nothing out.
    complete: bool,
    /// The number of the last file before a database said what is in it; `None` when none has, or it is no longer sure.
    told_before: Option<usize>,
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
    /// What a view uses, as the database says: a query of columns that are each written with their table. `None` where
    /// only the text is known.
    pub uses: Option<String>,
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
            search_path: Arc::default(),
            elsewhere: Arc::default(),
            complete: false,
            told_before: None,
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

    /// The columns that have this type, with their tables.
    pub fn columns_of_type<'a>(
        &'a self,
        name: &'a ObjectName,
    ) -> impl Iterator<Item = (ObjectName, &'a str)> {
        self.tables.iter().flat_map(move |(key, table)| {
            let of_type = table.columns.iter().filter(move |column| {
                let data_type = column.definition.data_type.as_ref();
                data_type.is_some_and(|data_type| self.is_type(data_type, name))
            });
            of_type.map(move |column| (table_name(key, table), column.definition.name.as_str()))
        })
    }

    /// Whether a type is called so. Without a schema it is one of the search path.
    fn is_type(&self, data_type: &TypeName, name: &ObjectName) -> bool {
        let (own, plain) = match data_type.name.split_once('.') {
            Some((schema, plain)) => (Some(schema), plain),
            None => (None, data_type.name.as_str()),
        };
        let other = name.schema.as_deref();
        let on_path = |schema: Option<&str>| {
            let path = &self.search_path;
            schema.is_none_or(|schema| {
                schema == self.default_schema || path.iter().any(|other| other == schema)
            })
        };
        let is_found = own.xor(other).is_some() && on_path(own) && on_path(other);
        plain == name.name && (own == other || is_found)
    }

    /// The table of an index, and the index. PostgreSQL and SQLite name an index without its table.
    pub fn index(&self, index: &ObjectName) -> Option<(&Table, &CreateIndex)> {
        let table = self.tables.get(&self.key_of_index(index)?)?;
        Some((table, table.index(self.dialect, &index.name)?))
    }

    /// The name of the table of an index, without the default schema.
    pub fn table_of_index(&self, index: &ObjectName) -> Option<ObjectName> {
        let key = self.key_of_index(index)?;
        let table = self.tables.get(&key)?;
        Some(table_name(&key, table))
    }

    /// Where the table of an index is: an index is in the schema of its table. Without a schema it is the one that comes
    /// first in the search path, else the only one.
    fn key_of_index(&self, index: &ObjectName) -> Option<Key> {
        let (schema, _) = self.written_key(index);
        let rank = |key: &Key| match &key.0 {
            None => 0,
            Some(own) => {
                let mut path = self.search_path.iter().skip(1);
                path.position(|other| other == own)
                    .map_or(usize::MAX, |place| place + 1)
            }
        };
        let tables = self.tables.iter();
        let having = tables.filter(|(_, table)| table.index(self.dialect, &index.name).is_some());
        let there = having.filter(|(key, _)| index.schema.is_none() || key.0 == schema);
        let mut ranked: Vec<(usize, &Key)> = there.map(|(key, _)| (rank(key), key)).collect();
        ranked.sort_unstable();
        match ranked.as_slice() {
            [(usize::MAX, _), _, ..] => None,
            [(_, first), ..] => Some((*first).clone()),
            [] => None,
        }
    }

    /// The labels of an enumeration type.
    pub fn enum_labels(&self, name: &ObjectName) -> Option<&[String]> {
        self.enums.get(&self.key(name)).map(Vec::as_slice)
    }

    /// A view, function, trigger or the like.
    pub fn definition(&self, name: &ObjectName) -> Option<&Definition> {
        self.others.get(&(name.kind, self.key(name)))
    }

    /// All of one kind, with their names, without the default schema.
    pub fn definitions(&self, kind: ObjectKind) -> impl Iterator<Item = (ObjectName, &Definition)> {
        let of_kind = self
            .others
            .iter()
            .filter(move |((other, _), _)| *other == kind);
        of_kind.map(|((kind, key), definition)| (named(*kind, key), definition))
    }

    /// Whether two names are the same to the server.
    pub fn same_name(&self, left: &ObjectName, right: &ObjectName) -> bool {
        self.key(left) == self.key(right)
    }

    /// Takes in what an operation of the statement `text` does.
    pub fn apply(&mut self, operation: &Operation, text: &str) {
        let dialect = self.dialect;
        let file = self.file;
        self.forget_what_was_told(&operation.kind);
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
                } else {
                    self.note_index(operation, false, text);
                }
            }
            OperationKind::DropIndex { index, table, .. } => {
                let key = match table {
                    Some(table) => Some(self.key(table)),
                    None => self.key_of_index(index),
                };
                let noted = (ObjectKind::Index, self.written_key(index));
                self.others.remove(&noted);
                if let Some(table) = key.and_then(|key| self.tables.get_mut(&key)) {
                    table.indexes.retain(|other| {
                        let name = other.name.as_ref();
                        name.is_none_or(|name| !same(dialect, &name.name, &index.name))
                    });
                }
            }
            OperationKind::Drop {
                object, cascade, ..
            } => {
                if *cascade && dialect == Dialect::Postgres {
                    self.drop_views(object, None);
                }
                self.drop(object);
            }
            OperationKind::Rename {
                object, to, table, ..
            } if object.kind == ObjectKind::Index => {
                self.rename_index(object, to, table.as_ref());
            }
            OperationKind::Rename { object, to, .. } => self.rename(object, to),
            OperationKind::Create {
                object,
                labels,
                table,
                if_not_exists,
                ..
            } => {
                let key = (object.kind, self.key(object));
                if *if_not_exists && self.others.contains_key(&key) {
                    return;
                }
                if let Some(labels) = labels {
                    let key = self.key(object);
                    self.enums.insert(key, labels.clone());
                }
                let definition = Definition {
                    table: table.clone(),
                    text: text.to_owned(),
                    sketch: false,
                    uses: None,
                    made_in: file,
                };
                self.others.insert(key, definition);
            }
            OperationKind::AddEnumValue { object, value, .. } => {
                let key = self.key(object);
                let labels = self.enums.get_or_default(key);
                if !labels.contains(value) {
                    labels.push(value.clone());
                }
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
                if let OperationKind::DropColumn {
                    table,
                    column,
                    cascade: true,
                    ..
                } = kind
                    && dialect == Dialect::Postgres
                {
                    self.drop_views(table, Some(column));
                }
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
            sketch: false,
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
                self.others
                    .remove_all(|(_, (schema, _)), _| schema.as_ref() == Some(&object.name));
            }
            ObjectKind::Type => {
                self.enums.remove(&key);
            }
            ObjectKind::MaterializedView => {
                let own = self.key(object);
                let of_view = |known: &Definition| {
                    let table = known.table.as_ref();
                    table.is_some_and(|table| self.written_key(table) == own)
                };
                let indexes: Vec<_> = self
                    .others
                    .iter()
                    .filter(|((kind, _), known)| *kind == ObjectKind::Index && of_view(known))
                    .map(|(key, _)| key.clone())
                    .collect();
                for index in indexes {
                    self.others.remove(&index);
                }
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
        if let Some(labels) = self.enums.remove(&from) {
            self.enums.insert(new.clone(), labels);
        }
        if let Some(definition) = self.others.remove(&(object.kind, from)) {
            self.others.insert((object.kind, new), definition);
        }
    }

    fn rename_index(&mut self, index: &ObjectName, to: &ObjectName, table: Option<&ObjectName>) {
        let dialect = self.dialect;
        let key = match table {
            Some(table) => Some(self.key(table)),
            None => self.key_of_index(index),
        };
        let noted = self.written_key(index);
        if let Some(definition) = self.others.remove(&(ObjectKind::Index, noted.clone())) {
            let new = (ObjectKind::Index, (noted.0, self.fold(&to.name)));
            self.others.insert(new, definition);
        }
        let table = key.and_then(|key| self.tables.get_mut(&key));
        let names = table.into_iter().flat_map(|table| &mut table.indexes);
        for own in names.filter_map(|own| own.name.as_mut()) {
            if same(dialect, &own.name, &index.name) {
                own.name.clone_from(&to.name);
            }
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

fn table_name(key: &Key, table: &Table) -> ObjectName {
    ObjectName {
        kind: ObjectKind::Table,
        schema: key.0.clone(),
        name: table.name.clone(),
    }
}

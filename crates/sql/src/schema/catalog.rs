//! What a database says of itself, and how it takes the place of what was folded from files.
//!
//! A catalog comes as the statements that would make what is there, read by the same parser as the files: so a type, a
//! key or a check is spelled alike wherever it comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Definition, Key, Schema};
use crate::operation::{OperationKind, operations};
use crate::{Dialect, ObjectKind, ObjectName};

/// How deep partitions of partitions are looked at: scripts could make a table one of itself.
const DEEPEST: usize = 8;

/// What a database says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The schemas in which a name without one is looked for, in order; it is made in the first. Empty where the dialect
    /// has one only.
    pub search_path: Vec<String>,
    /// What is there: tables before their indexes and partitions.
    pub objects: Vec<CatalogObject>,
    /// What is not in it does not exist. Otherwise it may be that the user must not see it.
    pub complete: bool,
}

/// One statement of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogObject {
    /// What would make it, without terminator.
    pub definition: String,
    /// How many rows the server thinks that the table has; `None` where it does not know, or thinks of none.
    pub rows: Option<u64>,
    /// The definition is not all of it: that of a view names what is used, a table may have more constraints, an index is of
    /// no use.
    pub sketch: bool,
}

impl CatalogObject {
    /// A statement.
    pub fn new(definition: impl Into<String>) -> Self {
        Self {
            definition: definition.into(),
            ..Self::default()
        }
    }

    /// The same with what the server thinks of its rows.
    #[must_use]
    pub fn with_rows(mut self, rows: Option<u64>) -> Self {
        self.rows = rows.filter(|rows| *rows > 0);
        self
    }
}

impl Schema {
    /// Whether the database has said what is in it, and left nothing out.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// How many rows the server thinks that a table has, with those of its partitions and of theirs.
    pub fn estimated_rows(&self, table: &ObjectName) -> Option<u64> {
        self.rows_within(table, DEEPEST)
    }

    fn rows_within(&self, table: &ObjectName, depth: usize) -> Option<u64> {
        let known = self.table(table)?;
        let parts = || {
            let depth = depth.checked_sub(1)?;
            let of_parts = self.partitions(table);
            of_parts
                .filter_map(|(part, _)| self.rows_within(&part, depth))
                .reduce(u64::saturating_add)
        };
        match known.partitioned {
            true => parts().or(known.rows),
            false => known.rows,
        }
    }

    /// Puts what a database says in the place of the tables, views and enumerations that were folded so far: they are
    /// older than every file. What a catalog does not tell stays as it was: functions, and how often columns of a table
    /// were added or dropped. `seen` is told each operation with the schema before it.
    pub fn replace(&mut self, catalog: &Catalog, mut seen: impl FnMut(&OperationKind, &Self)) {
        let mut live = Self::new(self.dialect);
        if let Some(first) = catalog.search_path.first() {
            live.default_schema = live.fold(first);
        }
        let mut complete = catalog.complete;
        for object in &catalog.objects {
            for operation in &operations(self.dialect, &object.definition).list {
                if object.sketch && matches!(operation.kind, OperationKind::CreateIndex(_)) {
                    live.note_index(operation, true, &object.definition);
                    continue;
                }
                seen(&operation.kind, &live);
                live.apply(operation, &object.definition);
                live.note(&operation.kind, object);
                // Something is there that is not understood.
                complete &= !matches!(operation.kind, OperationKind::Opaque { .. });
            }
        }
        live.search_path = Arc::new(catalog.search_path.clone());
        live.elsewhere = Arc::new(live.elsewhere(&catalog.search_path));
        live.complete = complete;
        live.told_before = Some(self.file);
        live.keep_tables(self, catalog.complete);
        live.keep_others(self, catalog.complete);
        live.file = self.file;
        *self = live;
    }

    /// What a statement does not say of what it makes.
    fn note(&mut self, kind: &OperationKind, object: &CatalogObject) {
        // SQLite keeps the statements themselves.
        let of_server = self.dialect != Dialect::Sqlite;
        match kind {
            OperationKind::CreateTable(create) => {
                let table = create.table.as_ref().and_then(|name| self.table_mut(name));
                if let Some(table) = table {
                    table.rows = object.rows;
                    let columns = table.columns.iter_mut();
                    columns.for_each(|column| column.default_of_server = of_server);
                    table.sketch = object.sketch;
                }
            }
            // PostgreSQL is asked for the columns of an expression only.
            OperationKind::CreateIndex(index)
                if self.dialect == Dialect::Postgres && !index.expressions.is_empty() =>
            {
                let table = index.table.as_ref().and_then(|name| self.table_mut(name));
                let made = table.and_then(|table| table.indexes.last_mut());
                if let Some(made) = made {
                    made.definition.clear();
                }
            }
            OperationKind::Create { object: made, .. } => {
                let key = (made.kind, self.key(made));
                if let Some(definition) = self.others.get_mut(&key) {
                    definition.sketch = object.sketch;
                    definition.uses = object.sketch.then(|| object.definition.clone());
                }
            }
            _ => {}
        }
    }

    /// Where tables are found that are in another schema than the default one: in that of the search path which comes
    /// first, else in the only one that has such a table, since a script may set the path itself.
    fn elsewhere(&self, search_path: &[String]) -> BTreeMap<String, Option<String>> {
        let rank = |schema: &String| search_path.iter().position(|other| other == schema);
        let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
        for ((schema, name), _) in self.tables.iter() {
            let Some(schema) = schema else { continue };
            let before = found.get(name).cloned();
            let best = match before {
                None => Some(schema.clone()),
                Some(other) => {
                    let own = rank(schema).map(|own| (own, schema.clone()));
                    let other = other.and_then(|other| Some((rank(&other)?, other)));
                    let first = own.into_iter().chain(other).min();
                    first.map(|(_, schema)| schema)
                }
            };
            found.insert(name.clone(), best);
        }
        found
    }

    fn keep_tables(&mut self, folded: &Self, complete: bool) {
        for (key, old) in folded.tables.iter() {
            if old.temporary {
                continue;
            }
            let name = named(ObjectKind::Table, key);
            let own = self.key(&name);
            let ambiguous = key.0.is_none() && self.elsewhere.get(&key.1) == Some(&None);
            match self.tables.get_mut(&own) {
                Some(table) => {
                    table.column_changes = old.column_changes;
                    table.last_column_change.clone_from(&old.last_column_change);
                }
                None if !complete || ambiguous => self.tables.insert(own, old.clone()),
                None => {}
            }
        }
    }

    fn keep_others(&mut self, folded: &Self, complete: bool) {
        for ((kind, key), old) in folded.others.iter() {
            let own = (*kind, self.written_key(&named(*kind, key)));
            let told = match kind {
                ObjectKind::View | ObjectKind::MaterializedView => true,
                ObjectKind::Type
                | ObjectKind::Domain
                | ObjectKind::Sequence
                | ObjectKind::Index => self.dialect == Dialect::Postgres,
                ObjectKind::Trigger => self.dialect == Dialect::Sqlite,
                _ => false,
            };
            match self.others.get_mut(&own) {
                Some(known) if known.sketch => {
                    *known = Definition {
                        uses: known.uses.take(),
                        ..old.clone()
                    };
                }
                Some(_) => {}
                None if told && complete => {}
                None => self.others.insert(own, old.clone()),
            }
        }
        for (key, labels) in folded.enums.iter() {
            let own = self.written_key(&named(ObjectKind::Type, key));
            if !complete && !self.enums.contains_key(&own) {
                self.enums.insert(own, labels.clone());
            }
        }
    }
}

pub(super) fn named(kind: ObjectKind, key: &Key) -> ObjectName {
    ObjectName {
        kind,
        schema: key.0.clone(),
        name: key.1.clone(),
    }
}

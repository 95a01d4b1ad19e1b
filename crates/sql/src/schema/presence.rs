//! What is known to be there, and what is known not to be: for `IF EXISTS` and `IF NOT EXISTS`.
//!
//! Only what a database has said counts, with what scripts have done since. A name without a schema may mean any of those
//! that have it, since a script can set the search path itself: something is known where it is so for all of them. What a
//! script does that nobody can judge ends all knowledge.

use super::{Definition, Key, Schema, Table, same};
use crate::operation::{Constraint, ConstraintKind, Operation, OperationKind};
use crate::{Dialect, ObjectKind, ObjectName};

/// What PostgreSQL keeps in one room with tables: a name stands for one of them.
const RELATIONS: &[ObjectKind] = &[
    ObjectKind::Table,
    ObjectKind::View,
    ObjectKind::MaterializedView,
    ObjectKind::Sequence,
    ObjectKind::Index,
];

impl Schema {
    /// Whether the database has said that there is nothing of this name. Of kinds that a catalog does not list that is not
    /// known, and MySQL and SQLite are asked for one database only.
    pub fn lacks(&self, name: &ObjectName) -> bool {
        let kinds = match (self.dialect, name.kind) {
            (Dialect::Postgres, kind) if RELATIONS.contains(&kind) => RELATIONS,
            (Dialect::Postgres, ObjectKind::Type | ObjectKind::Domain) => {
                &[ObjectKind::Type, ObjectKind::Domain]
            }
            (Dialect::Mysql, ObjectKind::Table | ObjectKind::View | ObjectKind::Sequence) => {
                &[ObjectKind::Table, ObjectKind::View, ObjectKind::Sequence]
            }
            (Dialect::Sqlite, ObjectKind::Table | ObjectKind::View | ObjectKind::Index) => {
                &[ObjectKind::Table, ObjectKind::View, ObjectKind::Index]
            }
            (Dialect::Sqlite, ObjectKind::Trigger) => &[ObjectKind::Trigger],
            _ => return false,
        };
        let is_of_database =
            self.dialect == Dialect::Postgres || self.written_key(name).0.is_none();
        let mut others = self.others.iter();
        self.complete
            && is_of_database
            && !others.any(|((kind, key), known)| {
                kinds.contains(kind) && self.may_mean(name, key, known.made_in)
            })
            && !(kinds.contains(&ObjectKind::Table) && self.may_be_of_table(name))
    }

    /// Whether a name may stand for a table, or for an index or a key of one.
    fn may_be_of_table(&self, name: &ObjectName) -> bool {
        self.tables.iter().any(|(key, table)| {
            let is = |name: &ObjectName, own: &str| {
                let own = (key.0.clone(), self.fold(own));
                self.may_mean(name, &own, table.made_in)
            };
            let is_index = || {
                let mut indexes = table.indexes.iter();
                // What name the server gives to one without a name is not known.
                indexes.any(|index| match &index.name {
                    Some(own) => is(name, &own.name),
                    None => name.kind == ObjectKind::Index,
                })
            };
            let is_key = || {
                let mut names = table.constraints.iter().filter_map(|own| own.name.as_ref());
                names.any(|own| is(name, own))
            };
            let has_names_of_its_own = self.dialect != Dialect::Mysql;
            self.may_mean(name, key, table.made_in)
                || has_names_of_its_own && (is_index() || is_key())
        })
    }

    /// Whether a name may stand for what is known under this key.
    fn may_mean(&self, name: &ObjectName, key: &Key, made_in: usize) -> bool {
        let own = self.written_key(name);
        match (self.dialect, &name.schema) {
            (Dialect::Postgres, None) => key.1 == own.1,
            // A script may have set the search path before it made something without a schema.
            (Dialect::Postgres, Some(_)) => {
                *key == own || (key.0.is_none() && key.1 == own.1 && made_in > 0)
            }
            _ => *key == own,
        }
    }

    /// The tables that a name may stand for.
    fn meant(&self, name: &ObjectName) -> Vec<(&Key, &Table)> {
        let tables = self.tables.iter();
        tables
            .filter(|(key, table)| self.may_mean(name, key, table.made_in))
            .collect()
    }

    /// Whether something is so for all tables that a name may stand for, which the database or a later script has shown.
    fn is_told(&self, name: &ObjectName, is_so: impl Fn(&Table) -> bool) -> bool {
        let meant = self.meant(name);
        let told = |table: &Table| self.is_since(table.made_in) && is_so(table);
        !meant.is_empty() && meant.iter().all(|(_, table)| told(table))
    }

    /// Whether what was made so was shown by the database, or made after that.
    fn is_since(&self, made_in: usize) -> bool {
        self.told_before
            .is_some_and(|before| made_in == 0 || made_in > before)
    }

    /// Whether something with this name is there that a script would make.
    pub fn has(&self, name: &ObjectName) -> bool {
        let key = self.written_key(name);
        match name.kind {
            ObjectKind::Table => self
                .tables
                .get(&key)
                .is_some_and(|table| self.is_since(table.made_in) && !table.temporary),
            kind => self
                .others
                .get(&(kind, key))
                .is_some_and(|known| self.is_since(known.made_in)),
        }
    }

    /// Whether a table is known to have a column.
    pub fn has_column(&self, table: &ObjectName, column: &str) -> bool {
        self.is_told(table, |table| table.column(self.dialect, column).is_some())
    }

    /// Whether a table is known not to have a column.
    pub fn lacks_column(&self, table: &ObjectName, column: &str) -> bool {
        self.complete
            && self.is_told(table, |table| {
                !table.incomplete && table.column(self.dialect, column).is_none()
            })
    }

    /// Whether a table is known to have a constraint of this name and kind.
    pub fn has_constraint(&self, table: &ObjectName, constraint: &Constraint) -> bool {
        let kind = std::mem::discriminant(&constraint.kind);
        constraint.name.as_ref().is_some_and(|name| {
            self.is_told(table, |table| {
                let known = table.constraint(self.dialect, name);
                known.is_some_and(|known| std::mem::discriminant(&known.kind) == kind)
            })
        })
    }

    /// Whether a table is known to have neither a constraint nor an index of this name. `PRIMARY` is MySQL's primary key.
    pub fn lacks_constraint(&self, table: &ObjectName, name: &str) -> bool {
        let mysql = self.dialect == Dialect::Mysql;
        let is_primary = |own: &Constraint| matches!(own.kind, ConstraintKind::PrimaryKey { .. });
        let may_be = |own: &Constraint| match &own.name {
            _ if mysql && is_primary(own) => name.eq_ignore_ascii_case("PRIMARY"),
            Some(own) => same(self.dialect, own, name),
            None => true,
        };
        self.complete
            && self.is_told(table, |table| {
                let mut indexes = table.indexes.iter().map(|index| index.name.as_ref());
                !table.sketch
                    && !table.incomplete
                    && !table.constraints.iter().any(may_be)
                    && !indexes.any(|own| own.is_none_or(|own| same(self.dialect, &own.name, name)))
            })
    }

    /// Whether an index of this name is known to be where one of this table would be made.
    pub fn has_index(&self, table: &ObjectName, index: &str) -> bool {
        if self.dialect == Dialect::Mysql {
            return self.is_told(table, |table| is_index_of(self.dialect, table, index));
        }
        let views = self.others.iter().filter(|((kind, key), view)| {
            *kind == ObjectKind::MaterializedView && self.may_mean(table, key, view.made_in)
        });
        let views = views.map(|((_, key), view)| (&key.0, view.made_in, None));
        let tables = self.meant(table).into_iter();
        let tables = tables.map(|(key, table)| (&key.0, table.made_in, Some(table)));
        let mut places = tables.chain(views).peekable();
        places.peek().is_some()
            && places.all(|(schema, made_in, table)| {
                let is_its_own = table.is_some_and(|own| is_index_of(self.dialect, own, index));
                self.is_since(made_in) && (is_its_own || self.has_index_in(schema, index))
            })
    }

    fn has_index_in(&self, schema: &Option<String>, index: &str) -> bool {
        let key = (ObjectKind::Index, (schema.clone(), self.fold(index)));
        let of_view = self.others.get(&key);
        let mut tables = self.tables.iter().filter(|((own, _), _)| own == schema);
        of_view.is_some_and(|known| !known.sketch)
            || tables.any(|(_, table)| is_index_of(self.dialect, table, index))
    }

    /// Whether an enumeration is known to have a label.
    pub fn has_label(&self, name: &ObjectName, label: &str) -> bool {
        let mut types = self.others.iter().filter(|((kind, key), known)| {
            *kind == ObjectKind::Type && self.may_mean(name, key, known.made_in)
        });
        let only = types.next().filter(|_| types.next().is_none());
        only.is_some_and(|((_, key), known)| {
            let labels = self.enums.get(key);
            let has = labels.is_some_and(|labels| labels.iter().any(|own| own == label));
            has && self.is_since(known.made_in)
        })
    }

    /// An index that is of no table known here, or that is there and of no use: its name is taken all the same.
    pub(super) fn note_index(&mut self, operation: &Operation, sketch: bool, text: &str) {
        let OperationKind::CreateIndex(index) = &operation.kind else {
            return;
        };
        if let (Some(name), Some(table)) = (&index.name, &index.table)
            && self.dialect != Dialect::Mysql
        {
            let schema = self.key(table).0;
            let definition = Definition {
                table: Some(table.clone()),
                text: text.to_owned(),
                sketch,
                uses: None,
                made_in: self.file,
            };
            let key = (ObjectKind::Index, (schema, self.fold(&name.name)));
            self.others.insert(key, definition);
        }
    }

    /// After what a script does that nobody can judge, or that takes along what depends on something.
    pub(super) fn forget_what_was_told(&mut self, operation: &OperationKind) {
        match operation {
            OperationKind::Opaque { .. } => {
                self.told_before = None;
                self.complete = false;
            }
            OperationKind::Drop {
                object,
                cascade: true,
                ..
            } if object.kind != ObjectKind::Table => self.told_before = None,
            _ => {}
        }
    }
}

/// Whether a table has an index of this name, by itself or of a key.
fn is_index_of(dialect: Dialect, table: &Table, name: &str) -> bool {
    let of_key = table.constraint(dialect, name);
    let of_key = of_key.is_some_and(|own| {
        matches!(
            own.kind,
            ConstraintKind::Unique { .. }
                | ConstraintKind::PrimaryKey { .. }
                | ConstraintKind::Exclude
        )
    });
    of_key || table.index(dialect, name).is_some()
}

//! One table: its columns, constraints and indexes.

use crate::operation::{
    ColumnDefinition, Constraint, ConstraintKind, CreateIndex, Expression, OperationKind,
    converted_to,
};
use crate::{Dialect, ObjectName};

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
    pub(super) last_column_change: String,
    /// How many rows the server thinks that it has; `None` where it does not know, or thinks of none: that is no proof.
    pub rows: Option<u64>,
    /// It may have constraints that are not known.
    pub sketch: bool,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// As it was last defined.
    pub definition: ColumnDefinition,
    /// The number of the file that made it.
    pub made_in: usize,
    /// Its default is in the words of the server, which are other ones than those that were written.
    pub default_of_server: bool,
}

impl Column {
    /// Whether this default is another one than the column has, as far as that can be told.
    pub fn gets_other_default(&self, dialect: Dialect, new: &Expression) -> bool {
        let data_type = self.definition.data_type.as_ref();
        let old = self.definition.default.as_ref();
        old.is_some_and(|old| match old.is_same_default(new, data_type, dialect) {
            Some(same) => !same,
            // Who writes a file writes the same value in the same way.
            None => !self.default_of_server,
        })
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
        let mut keys = self
            .constraints
            .iter()
            .filter_map(|constraint| match &constraint.kind {
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

    pub(super) fn add_column(
        &mut self,
        dialect: Dialect,
        definition: &ColumnDefinition,
        file: usize,
    ) {
        // One that is there already was made by an earlier attempt.
        self.columns
            .retain(|known| !same(dialect, &known.definition.name, &definition.name));
        self.columns.push(Column {
            definition: definition.clone(),
            made_in: file,
            default_of_server: false,
        });
        for constraint in &definition.constraints {
            self.take_constraint(dialect, constraint);
        }
    }

    fn known_mut(&mut self, dialect: Dialect, name: &str) -> Option<&mut Column> {
        let mut columns = self.columns.iter_mut();
        columns.find(|column| same(dialect, &column.definition.name, name))
    }

    fn column_mut(&mut self, dialect: Dialect, name: &str) -> Option<&mut ColumnDefinition> {
        let column = self.known_mut(dialect, name)?;
        Some(&mut column.definition)
    }

    pub(super) fn apply(&mut self, dialect: Dialect, kind: &OperationKind, file: usize) {
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
                column,
                definition,
                if_exists,
                ..
            } => {
                if *if_exists && !self.incomplete && self.column(dialect, column).is_none() {
                    return;
                }
                let constraints = definition.constraints.iter().cloned();
                self.constraints.extend(constraints);
                if let Some(known) = self.known_mut(dialect, column) {
                    known.definition = (**definition).clone();
                    known.default_of_server = false;
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
                if let Some(known) = self.known_mut(dialect, column) {
                    known.definition.default.clone_from(default);
                    known.default_of_server = false;
                }
            }
            OperationKind::AddConstraint {
                constraint,
                if_not_exists,
                ..
            } => {
                let name = constraint.name.as_ref();
                if *if_not_exists
                    && name.is_some_and(|name| self.constraint(dialect, name).is_some())
                {
                    return;
                }
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
                self.hidden_indexes
                    .retain(|(name, _)| !same(dialect, name, index));
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
            OperationKind::RewriteTable { action, .. } => {
                if let Some((set, collation)) = converted_to(action) {
                    self.convert(set, collation);
                }
                let engine = match action.as_str() {
                    "ENGINE" | "TYPE" => Some("InnoDB"),
                    action => action.strip_prefix("ENGINE "),
                };
                let engine = engine.filter(|_| dialect == Dialect::Mysql);
                let option = engine.map(|engine| ("ENGINE".to_owned(), engine.to_owned()));
                self.options.extend(option);
            }
            // The default for columns to come; which one the old columns were made with is no longer written anywhere.
            OperationKind::AlterTableOther { action, .. }
                if matches!(action.as_str(), "CHARACTER SET" | "COLLATE") =>
            {
                self.forget_character_set();
            }
            _ => {}
        }
    }

    /// All text is in this character set from now on. `DEFAULT` is that of the database, which nobody knows here.
    fn convert(&mut self, set: String, collation: Option<String>) {
        self.forget_character_set();
        for column in &mut self.columns {
            column.definition.collation = None;
            if let Some(data_type) = &mut column.definition.data_type {
                data_type.character_set = None;
                data_type.binary = false;
            }
        }
        if set != "default" {
            self.options.push(("CHARSET".to_owned(), set));
        }
        let collation = collation.map(|collation| ("COLLATE".to_owned(), collation));
        self.options.extend(collation);
    }

    fn forget_character_set(&mut self) {
        let is_set = |name: &str| {
            ["CHARSET", "COLLATE"]
                .iter()
                .any(|word| name.eq_ignore_ascii_case(word))
        };
        self.options.retain(|(name, _)| !is_set(name));
    }

    pub(super) fn count_column_changes(&mut self, kind: &OperationKind, text: &str) {
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
        for index in &mut self.indexes {
            let written = Expression {
                text: std::mem::take(&mut index.definition),
                span: 0..0,
            };
            // One with the old name is no longer what makes it.
            if !written.names(dialect, column) {
                index.definition = written.text;
            }
        }
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

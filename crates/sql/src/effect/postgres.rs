//! PostgreSQL: the locks of the manual's section "Explicit Locking" and of the page of each command, and what is done
//! under them. All of it was looked at on PostgreSQL 15: `pg_locks`, `pg_class.relfilenode` and the scans of a table.

use super::{Blocks, Effect, Work};
use crate::operation::{Constraint, ConstraintKind, CreateIndex, CreateTable, OperationKind};
use crate::schema::Schema;
use crate::{Dialect, ObjectKind, ObjectName};

mod column;
mod default;
mod partition;
#[cfg(test)]
mod tests;
mod type_change;

pub(crate) use default::volatile_function;

const ROW_SHARE: &str = "ROW SHARE";
const ROW_EXCLUSIVE: &str = "ROW EXCLUSIVE";
const SHARE_UPDATE_EXCLUSIVE: &str = "SHARE UPDATE EXCLUSIVE";
const SHARE: &str = "SHARE";
const SHARE_ROW_EXCLUSIVE: &str = "SHARE ROW EXCLUSIVE";
const EXCLUSIVE: &str = "EXCLUSIVE";
const ACCESS_EXCLUSIVE: &str = "ACCESS EXCLUSIVE";

pub(super) fn effects(operation: &OperationKind, schema: &Schema) -> Vec<Effect> {
    let mut list = List {
        schema,
        effects: Vec::new(),
    };
    list.operation(operation);
    if partition::is_inherited(operation) {
        list.with_partitions();
    }
    list.effects
}

/// Who waits for a lock: those whose own lock conflicts with it (manual, "Conflicting Lock Modes"; reading takes `ACCESS
/// SHARE`, writing `ROW EXCLUSIVE`).
fn blocks(lock: &str) -> Blocks {
    match lock {
        ACCESS_EXCLUSIVE => Blocks::Everybody,
        SHARE | SHARE_ROW_EXCLUSIVE | EXCLUSIVE => Blocks::Writers,
        _ => Blocks::Nobody,
    }
}

/// Collects the effects of one operation.
struct List<'a> {
    schema: &'a Schema,
    effects: Vec<Effect>,
}

impl List<'_> {
    fn add(&mut self, table: &ObjectName, lock: &'static str, work: Work) {
        self.effects.push(Effect {
            table: table.clone(),
            lock,
            blocks: blocks(lock),
            work,
        });
    }

    /// Most of `ALTER TABLE`: everybody waits, though not for long.
    fn briefly(&mut self, table: &ObjectName) {
        self.add(table, ACCESS_EXCLUSIVE, Work::Metadata);
    }

    fn operation(&mut self, operation: &OperationKind) {
        match operation {
            OperationKind::CreateTable(create) => self.create_table(create),
            OperationKind::CreateIndex(index) => self.create_index(index),
            OperationKind::DropIndex {
                index,
                concurrently,
                ..
            } => {
                let table = self.schema.table_of_index(index);
                if let Some(table) = table {
                    let lock = or_access_exclusive(*concurrently, SHARE_UPDATE_EXCLUSIVE);
                    self.add(&table, lock, Work::Metadata);
                }
            }
            OperationKind::Reindex {
                target,
                concurrently,
            } => self.reindex(target, *concurrently),
            OperationKind::Drop { object, table, .. } => self.drop(object, table.as_ref()),
            OperationKind::Rename { object, table, .. } => match object.kind {
                ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
                    self.briefly(object);
                }
                // The index alone is locked, with SHARE UPDATE EXCLUSIVE (since version 12).
                ObjectKind::Index => {}
                _ => table.iter().for_each(|table| self.briefly(table)),
            },
            OperationKind::AddColumn {
                table,
                column,
                if_not_exists,
                ..
            } => self.add_column(table, column, *if_not_exists),
            OperationKind::DropColumn { table, column, .. } => {
                self.briefly(table);
                self.references(table, |constraint| {
                    constraint.columns().iter().any(|name| name == column)
                });
            }
            OperationKind::RenameColumn { table, .. }
            | OperationKind::RenameConstraint { table, .. }
            | OperationKind::ColumnDefault { table, .. } => self.briefly(table),
            OperationKind::ColumnType {
                table,
                column,
                to,
                using,
                collation,
            } => self.column_type(table, column, to, using.as_ref(), collation.as_deref()),
            OperationKind::ColumnNullable {
                table,
                column,
                nullable,
            } => {
                let scans = !nullable && self.may_hold_null(table, column);
                self.add(table, ACCESS_EXCLUSIVE, scan_if(scans));
            }
            OperationKind::ColumnOther { table, action, .. } => self.column_other(table, action),
            OperationKind::AddConstraint {
                table, constraint, ..
            } => {
                self.add_constraint(table, constraint);
            }
            OperationKind::ValidateConstraint { table, constraint } => {
                self.add(table, SHARE_UPDATE_EXCLUSIVE, Work::Scan);
                for other in self.referenced(table, |known| named(known, constraint)) {
                    self.add(&other, ROW_SHARE, Work::Scan);
                }
            }
            OperationKind::DropConstraint {
                table, constraint, ..
            } => {
                self.briefly(table);
                self.references(table, |known| named(known, constraint));
            }
            OperationKind::AttachPartition { table, partition } => {
                self.attach_partition(table, partition);
            }
            OperationKind::DetachPartition {
                table,
                partition,
                concurrently,
            } => {
                let lock = or_access_exclusive(*concurrently, SHARE_UPDATE_EXCLUSIVE);
                self.add(table, lock, Work::Metadata);
                self.briefly(partition);
            }
            OperationKind::RewriteTable { table, .. } => match table {
                Some(table) => self.add(table, ACCESS_EXCLUSIVE, Work::Rewrite),
                None => self.all(None, ACCESS_EXCLUSIVE, Work::Rewrite),
            },
            OperationKind::AlterTableOther { table, action } => {
                let lock = match action.as_str() {
                    // Parameters of storage and statistics.
                    "SET" | "RESET" | "CLUSTER ON" | "SET WITHOUT CLUSTER" => {
                        SHARE_UPDATE_EXCLUSIVE
                    }
                    action if action.ends_with("TRIGGER") => SHARE_ROW_EXCLUSIVE,
                    _ => ACCESS_EXCLUSIVE,
                };
                self.add(table, lock, Work::Metadata);
            }
            OperationKind::AlterOther { object, action } => match object.kind {
                ObjectKind::View | ObjectKind::MaterializedView => self.briefly(object),
                ObjectKind::Domain if action == "VALIDATE CONSTRAINT" => self.domain_scan(object),
                _ => {}
            },
            OperationKind::Create {
                object,
                or_replace,
                table,
                ..
            } => self.create(object, *or_replace, table.as_ref()),
            OperationKind::RefreshMaterializedView { view, concurrently } => match concurrently {
                true => self.add(view, EXCLUSIVE, Work::Rows),
                false => self.add(view, ACCESS_EXCLUSIVE, Work::Rewrite),
            },
            OperationKind::DomainConstraint { object, not_valid } => {
                if !not_valid {
                    self.domain_scan(object);
                }
            }
            OperationKind::Truncate { table, cascade } => {
                self.briefly(table);
                if *cascade {
                    self.referencing(table);
                }
            }
            OperationKind::Insert { table, .. }
            | OperationKind::Update { table, .. }
            | OperationKind::Delete { table, .. } => self.add(table, ROW_EXCLUSIVE, Work::Rows),
            // Any mode can be written; this is the one without.
            OperationKind::LockTable { table } => self.briefly(table),
            // The table is locked before the server looks.
            OperationKind::Nothing { of, table } => {
                let lock = match of.written() {
                    OperationKind::CreateIndex(index) if index.concurrently => {
                        SHARE_UPDATE_EXCLUSIVE
                    }
                    OperationKind::CreateIndex(_) => SHARE,
                    _ => ACCESS_EXCLUSIVE,
                };
                if let Some(table) = table {
                    self.add(table, lock, Work::Metadata);
                }
            }
            OperationKind::IndexVisibility { .. }
            | OperationKind::ModifyColumn { .. }
            | OperationKind::AddEnumValue { .. }
            | OperationKind::RenameEnumValue { .. }
            | OperationKind::Setting { .. }
            | OperationKind::Privileges { .. }
            | OperationKind::TransactionControl
            | OperationKind::Query
            | OperationKind::Harmless
            | OperationKind::Opaque { .. } => {}
        }
    }

    /// The new table itself is nobody's yet.
    fn create_table(&mut self, create: &CreateTable) {
        if let Some(parent) = &create.partition_of {
            self.briefly(parent);
        }
        for parent in &create.from {
            self.add(parent, SHARE_UPDATE_EXCLUSIVE, Work::Metadata);
        }
        let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in of_columns.chain(&create.constraints) {
            if let ConstraintKind::ForeignKey { reference, .. } = &constraint.kind
                && create.table.as_ref() != Some(&reference.table)
            {
                self.add(&reference.table, SHARE_ROW_EXCLUSIVE, Work::Metadata);
            }
        }
    }

    fn create_index(&mut self, index: &CreateIndex) {
        let Some(table) = &index.table else { return };
        let lock = match index.concurrently {
            true => SHARE_UPDATE_EXCLUSIVE,
            false => SHARE,
        };
        let partitioned = self
            .schema
            .table(table)
            .is_some_and(|known| known.partitioned);
        let work = match index.only && partitioned {
            true => Work::Metadata,
            false => Work::IndexBuild,
        };
        self.add(table, lock, work);
    }

    /// The index itself is locked against everybody, and the planner looks at all indexes of a table: only statements
    /// with a plan made before go on.
    fn reindex(&mut self, target: &ObjectName, concurrently: bool) {
        let lock = match concurrently {
            true => SHARE_UPDATE_EXCLUSIVE,
            false => SHARE,
        };
        match target.kind {
            ObjectKind::Table => {
                self.add(target, lock, Work::IndexBuild);
                let known = self.schema.table(target);
                let indexes = known.iter().flat_map(|table| &table.indexes);
                for index in indexes.filter_map(|index| index.name.as_ref()) {
                    if !concurrently {
                        self.add(index, ACCESS_EXCLUSIVE, Work::IndexBuild);
                    }
                }
            }
            ObjectKind::Index => {
                if let Some(table) = self.schema.table_of_index(target) {
                    self.add(&table, lock, Work::IndexBuild);
                }
                if !concurrently {
                    self.add(target, ACCESS_EXCLUSIVE, Work::IndexBuild);
                }
            }
            ObjectKind::Schema => self.all(Some(&target.name), lock, Work::IndexBuild),
            _ => self.all(None, lock, Work::IndexBuild),
        }
    }

    fn create(&mut self, object: &ObjectName, or_replace: bool, table: Option<&ObjectName>) {
        match (object.kind, table) {
            (ObjectKind::Trigger, Some(table)) => {
                self.add(table, SHARE_ROW_EXCLUSIVE, Work::Metadata);
            }
            // A policy or a rule.
            (ObjectKind::Other, Some(table)) => self.briefly(table),
            (ObjectKind::View, _) if or_replace && self.schema.definition(object).is_some() => {
                self.briefly(object);
            }
            _ => {}
        }
    }

    fn drop(&mut self, object: &ObjectName, table: Option<&ObjectName>) {
        match object.kind {
            ObjectKind::Table => {
                self.briefly(object);
                self.references(object, |_| true);
                self.referencing(object);
                let parent = self.schema.table(object);
                if let Some(parent) = parent.and_then(|table| table.partition_of.clone()) {
                    self.briefly(&parent);
                }
            }
            ObjectKind::View | ObjectKind::MaterializedView => self.briefly(object),
            ObjectKind::Schema => self.all(Some(&object.name), ACCESS_EXCLUSIVE, Work::Metadata),
            _ => table.into_iter().for_each(|table| self.briefly(table)),
        }
    }

    fn add_constraint(&mut self, table: &ObjectName, constraint: &Constraint) {
        match &constraint.kind {
            ConstraintKind::Check { .. } => {
                self.add(table, ACCESS_EXCLUSIVE, scan_if(!constraint.not_valid));
            }
            ConstraintKind::NotNull { column } => {
                let scans = !constraint.not_valid && self.may_hold_null(table, column);
                self.add(table, ACCESS_EXCLUSIVE, scan_if(scans));
            }
            ConstraintKind::Unique { using_index, .. } => {
                let work = match using_index {
                    Some(_) => Work::Metadata,
                    None => Work::IndexBuild,
                };
                self.add(table, ACCESS_EXCLUSIVE, work);
            }
            ConstraintKind::PrimaryKey { using_index, .. } => {
                let work = match using_index {
                    Some(index) => scan_if(self.has_nullable_column(table, index)),
                    None => Work::IndexBuild,
                };
                self.add(table, ACCESS_EXCLUSIVE, work);
            }
            ConstraintKind::ForeignKey { reference, .. } => {
                let work = scan_if(!constraint.not_valid);
                self.add(table, SHARE_ROW_EXCLUSIVE, work);
                if !self.schema.same_name(table, &reference.table) {
                    self.add(&reference.table, SHARE_ROW_EXCLUSIVE, work);
                }
            }
            ConstraintKind::Exclude => self.add(table, ACCESS_EXCLUSIVE, Work::IndexBuild),
        }
    }

    /// The rows of the partition are read unless a check shows that they belong there. Which one would, the bounds say,
    /// which are not looked at: any check that is valid counts.
    fn attach_partition(&mut self, table: &ObjectName, partition: &ObjectName) {
        self.add(table, SHARE_UPDATE_EXCLUSIVE, Work::Metadata);
        let checked = self.schema.table(partition).is_some_and(|known| {
            known.constraints.iter().any(|constraint| {
                matches!(constraint.kind, ConstraintKind::Check { .. }) && !constraint.not_valid
            })
        });
        let work = match self.lacks_index(table, partition) {
            true => Work::IndexBuild,
            false => scan_if(!checked),
        };
        self.add(partition, ACCESS_EXCLUSIVE, work);
    }

    /// Whether the partitioned table has an index that the partition has not: it is built while attaching.
    fn lacks_index(&self, table: &ObjectName, partition: &ObjectName) -> bool {
        let (Some(table), Some(partition)) =
            (self.schema.table(table), self.schema.table(partition))
        else {
            return false;
        };
        let of_indexes = table.indexes.iter().map(|index| {
            let columns: Vec<String> = index.columns.iter().flatten().cloned().collect();
            columns
        });
        let of_keys = table
            .constraints
            .iter()
            .filter_map(|constraint| match constraint.kind {
                ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } => {
                    Some(constraint.columns().to_vec())
                }
                _ => None,
            });
        of_indexes
            .chain(of_keys)
            .any(|columns| !partition.has_index_on(Dialect::Postgres, &columns))
    }

    /// Triggers on the tables that foreign keys of this table refer to are dropped with them.
    fn references(&mut self, table: &ObjectName, which: impl Fn(&Constraint) -> bool) {
        for other in self.referenced(table, which) {
            self.briefly(&other);
        }
    }

    fn referenced(
        &self,
        table: &ObjectName,
        which: impl Fn(&Constraint) -> bool,
    ) -> Vec<ObjectName> {
        let known = self.schema.table(table);
        let constraints = known.iter().flat_map(|table| &table.constraints);
        let others = constraints.filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { reference, .. } if which(constraint) => {
                Some(reference.table.clone())
            }
            _ => None,
        });
        others
            .filter(|other| !self.schema.same_name(other, table))
            .collect()
    }

    /// Tables whose foreign keys refer to this one.
    fn referencing(&mut self, table: &ObjectName) {
        let others = self.schema.referring(table);
        for other in others {
            self.briefly(&other);
        }
    }

    /// All known tables, or those of one schema.
    fn all(&mut self, schema: Option<&String>, lock: &'static str, work: Work) {
        let names: Vec<ObjectName> = self.schema.named_tables().map(|(name, _)| name).collect();
        for name in names {
            let own = name.schema.as_deref().unwrap_or("public");
            if schema.is_none_or(|schema| schema == own) {
                self.add(&name, lock, work);
            }
        }
    }

    /// All rows of all tables that use a domain are read. (Since version 17 validating blocks nobody.)
    fn domain_scan(&mut self, domain: &ObjectName) {
        let users: Vec<ObjectName> = self
            .schema
            .named_tables()
            .filter(|(_, table)| {
                let types = table
                    .columns
                    .iter()
                    .filter_map(|column| column.definition.data_type.as_ref());
                types
                    .into_iter()
                    .any(|data_type| type_change::is_domain(data_type, domain))
            })
            .map(|(name, _)| name)
            .collect();
        for table in users {
            self.add(&table, SHARE, Work::Scan);
        }
    }
}

fn or_access_exclusive(weak: bool, lock: &'static str) -> &'static str {
    if weak { lock } else { ACCESS_EXCLUSIVE }
}

fn scan_if(scans: bool) -> Work {
    if scans { Work::Scan } else { Work::Metadata }
}

fn named(constraint: &Constraint, name: &str) -> bool {
    constraint.name.as_deref() == Some(name)
}

//! What a statement does, in typed operations.
//!
//! `classify` tells how to run a statement from its first words; this looks closer, so that rules can judge it: which
//! column of which table, with which type and default. One statement can be several operations (`ALTER TABLE` with
//! several actions). What is not understood is [`OperationKind::Opaque`]: it runs all the same, and a rule says that
//! nobody has judged it. Nothing here refuses a statement, and nothing here knows a schema.

use std::ops::Range;

use crate::{Dialect, ObjectKind, ObjectName};

mod alter_table;
mod column;
mod constraint;
mod create;
mod default_value;
mod expression;
mod index;
mod mysql;
mod mysql_alter;
#[cfg(test)]
mod mysql_alter_tests;
mod mysql_column;
mod mysql_create;
mod mysql_partition;
mod mysql_rows;
mod mysql_set;
mod mysql_table;
#[cfg(test)]
mod mysql_tests;
mod mysql_type;
mod postgres;
mod postgres_alter;
mod postgres_create;
mod postgres_object;
#[cfg(test)]
mod postgres_tables_tests;
#[cfg(test)]
mod postgres_tests;
mod query;
mod reader;
mod sqlite;
#[cfg(test)]
mod sqlite_tests;
mod table_body;
#[cfg(test)]
mod test_lines;
mod type_name;

pub use column::{ColumnDefinition, Generated};
pub use constraint::{Constraint, ConstraintKind, Reference};
pub use create::{CreateIndex, CreateTable};
pub use expression::Expression;
pub(crate) use mysql_partition::converted_to;
pub use type_name::TypeName;

/// What one statement does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    /// In the order written.
    pub list: Vec<Operation>,
    /// What an `ALTER … IF EXISTS` alters: where that is not there the statement does nothing.
    pub if_exists: Option<ObjectName>,
    /// `ALTER … ONLY`: neither the partitions nor what inherits from it (PostgreSQL).
    pub only: bool,
    /// The algorithm that the statement asks for (`ALGORITHM = INSTANT`, MySQL and MariaDB), in capitals, and where.
    pub algorithm: Option<(String, Range<usize>)>,
    /// The lock that the statement asks for (`LOCK = NONE`, MySQL and MariaDB), in capitals, and where.
    pub lock: Option<(String, Range<usize>)>,
}

/// One thing that a statement does.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// Where it is written: bytes of the statement.
    pub span: Range<usize>,
}

/// What is done.
///
/// `table` is always the table that is changed. Names are unquoted, as in [`ObjectName`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OperationKind {
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `CREATE [UNIQUE] INDEX`, and `ADD INDEX` or `ADD KEY` of MySQL.
    CreateIndex(Box<CreateIndex>),
    /// `DROP INDEX`.
    DropIndex {
        /// Which.
        index: ObjectName,
        /// Its table, where the statement names it (MySQL).
        table: Option<ObjectName>,
        /// PostgreSQL's `CONCURRENTLY`.
        concurrently: bool,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER INDEX … INVISIBLE`, `VISIBLE` (MySQL), `IGNORED`, `NOT IGNORED` (MariaDB).
    IndexVisibility {
        /// Its table.
        table: ObjectName,
        /// Which.
        index: String,
        /// Whether the optimizer may use it afterwards.
        visible: bool,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `REINDEX`.
    Reindex {
        /// What: an index, a table, a schema or a database.
        target: ObjectName,
        /// `CONCURRENTLY`.
        concurrently: bool,
    },
    /// `DROP` of anything but an index, a column or a constraint; one operation for each name.
    Drop {
        /// What.
        object: ObjectName,
        /// `CASCADE`.
        cascade: bool,
        /// `IF EXISTS`.
        if_exists: bool,
        /// The table of a trigger or policy (PostgreSQL).
        table: Option<ObjectName>,
    },
    /// `RENAME` of anything but a column or a constraint, with its new name; `SET SCHEMA` gives a new schema.
    Rename {
        /// What.
        object: ObjectName,
        /// What it is called afterwards; with `SET SCHEMA` the same name with the new schema.
        to: ObjectName,
        /// Its table, for an index (MySQL) or a trigger.
        table: Option<ObjectName>,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `ADD COLUMN`.
    AddColumn {
        /// To which table.
        table: ObjectName,
        /// What.
        column: Box<ColumnDefinition>,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// Not at the end: `FIRST` or `AFTER` (MySQL).
        placed: bool,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// Of which table.
        table: ObjectName,
        /// Which.
        column: String,
        /// `CASCADE`.
        cascade: bool,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `RENAME COLUMN`, also the new name in MySQL's `CHANGE`.
    RenameColumn {
        /// Of which table.
        table: ObjectName,
        /// Which.
        column: String,
        /// Its new name.
        to: String,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER COLUMN … TYPE` (PostgreSQL).
    ColumnType {
        /// Of which table.
        table: ObjectName,
        /// Which.
        column: String,
        /// Its new type.
        to: TypeName,
        /// The `USING` expression.
        using: Option<Expression>,
        /// The `COLLATE` clause.
        collation: Option<String>,
    },
    /// `MODIFY COLUMN` and `CHANGE COLUMN` (MySQL): the whole definition anew.
    ModifyColumn {
        /// Of which table.
        table: ObjectName,
        /// Which, by its name before.
        column: String,
        /// All of it.
        definition: Box<ColumnDefinition>,
        /// `FIRST` or `AFTER`.
        placed: bool,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `SET NOT NULL` and `DROP NOT NULL`.
    ColumnNullable {
        /// Of which table.
        table: ObjectName,
        /// Which.
        column: String,
        /// Whether it may hold NULL afterwards.
        nullable: bool,
    },
    /// `SET DEFAULT` and, without one, `DROP DEFAULT`.
    ColumnDefault {
        /// Of which table.
        table: ObjectName,
        /// Which.
        column: String,
        /// The new one.
        default: Option<Expression>,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ADD GENERATED … AS IDENTITY`, `DROP IDENTITY`, `DROP EXPRESSION`, statistics, storage and visibility of a
    /// column.
    ColumnOther {
        /// Of which table.
        table: ObjectName,
        /// Which.
        column: String,
        /// The words of it in capitals, such as `SET STATISTICS`, `INVISIBLE`.
        action: String,
    },
    /// `ADD CONSTRAINT`, and constraints without a name.
    AddConstraint {
        /// To which table.
        table: ObjectName,
        /// What.
        constraint: Constraint,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint {
        /// Of which table.
        table: ObjectName,
        /// Which.
        constraint: String,
    },
    /// `DROP CONSTRAINT`, `DROP PRIMARY KEY`, `DROP FOREIGN KEY`, `DROP CHECK`.
    DropConstraint {
        /// Of which table.
        table: ObjectName,
        /// Which; `PRIMARY` where it has no name (MySQL).
        constraint: String,
        /// `CASCADE`.
        cascade: bool,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// Of which table.
        table: ObjectName,
        /// Which.
        constraint: String,
        /// Its new name.
        to: String,
    },
    /// `ATTACH PARTITION`.
    AttachPartition {
        /// The partitioned table.
        table: ObjectName,
        /// What becomes a part of it.
        partition: ObjectName,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        /// The partitioned table.
        table: ObjectName,
        /// What leaves it.
        partition: ObjectName,
        /// `CONCURRENTLY`.
        concurrently: bool,
    },
    /// What writes the whole table anew by its nature: `VACUUM FULL`, `CLUSTER`, `SET LOGGED`, `SET TABLESPACE`, `SET
    /// ACCESS METHOD` (PostgreSQL), `ENGINE =`, `FORCE`, `ROW_FORMAT =`, `CONVERT TO CHARACTER SET`, `OPTIMIZE TABLE`,
    /// partitioning (MySQL).
    RewriteTable {
        /// Which; `None` for all of the database.
        table: Option<ObjectName>,
        /// The words of it in capitals.
        action: String,
    },
    /// Any other action of `ALTER TABLE`: owner, row security, storage parameters, triggers on and off.
    AlterTableOther {
        /// Which.
        table: ObjectName,
        /// The words of it in capitals, such as `OWNER TO`, `ENABLE ROW LEVEL SECURITY`, `DISABLE TRIGGER`.
        action: String,
    },
    /// Any other action of the `ALTER` of what is no table: owner, parameters of a sequence, attributes of a type.
    AlterOther {
        /// What.
        object: ObjectName,
        /// The words of it in capitals, such as `OWNER TO`, `RESTART`, `DROP ATTRIBUTE`.
        action: String,
    },
    /// `CREATE [OR REPLACE] [MATERIALIZED] VIEW`, functions, procedures, triggers, sequences, types, domains, schemas,
    /// extensions, policies: what is neither a table nor an index.
    Create {
        /// What.
        object: ObjectName,
        /// `OR REPLACE`.
        or_replace: bool,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// The table of a trigger or policy.
        table: Option<ObjectName>,
        /// The labels of an enumeration type, in order.
        labels: Option<Vec<String>>,
    },
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshMaterializedView {
        /// Which.
        view: ObjectName,
        /// `CONCURRENTLY`.
        concurrently: bool,
    },
    /// `ALTER TYPE … ADD VALUE`.
    AddEnumValue {
        /// Which type.
        object: ObjectName,
        /// The new label.
        value: String,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `ALTER TYPE … RENAME VALUE`.
    RenameEnumValue {
        /// Which type.
        object: ObjectName,
        /// The label.
        value: String,
        /// What it is called afterwards.
        to: String,
    },
    /// `ALTER DOMAIN … ADD CONSTRAINT`, `SET NOT NULL`.
    DomainConstraint {
        /// Which domain.
        object: ObjectName,
        /// `NOT VALID` is written.
        not_valid: bool,
    },
    /// `TRUNCATE`; one operation for each table.
    Truncate {
        /// Which.
        table: ObjectName,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `INSERT`, `REPLACE`, `COPY … FROM`, `LOAD DATA`.
    Insert {
        /// Into which table.
        table: ObjectName,
        /// The columns that it names; empty when it names none.
        columns: Vec<String>,
    },
    /// `UPDATE`.
    Update {
        /// Which table.
        table: ObjectName,
        /// The `WHERE` condition.
        condition: Option<Expression>,
    },
    /// `DELETE`.
    Delete {
        /// From which table.
        table: ObjectName,
        /// The `WHERE` condition.
        condition: Option<Expression>,
    },
    /// `LOCK TABLE`, `LOCK TABLES`; one operation for each table.
    LockTable {
        /// Which.
        table: ObjectName,
    },
    /// `SET`, `SET LOCAL`, `set_config`, `PRAGMA`.
    Setting {
        /// What is set, in lower case, such as `lock_timeout`.
        name: String,
        /// To what, as written.
        value: String,
    },
    /// `GRANT`, `REVOKE`, `ALTER DEFAULT PRIVILEGES`, `REASSIGN OWNED`.
    Privileges {
        /// Takes something away.
        revokes: bool,
    },
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, savepoints.
    TransactionControl,
    /// `SELECT`, `SHOW`, `EXPLAIN` and others that only read.
    Query,
    /// `IF EXISTS` of what is not there, or `IF NOT EXISTS` of what is: only who knows a schema says so.
    Nothing {
        /// What it would do.
        of: Box<OperationKind>,
        /// The table that it looks at, which is there.
        table: Option<ObjectName>,
    },
    /// Known, and of no interest: `COMMENT`, `ANALYZE`, `NOTIFY` and the like.
    Harmless,
    /// Nobody can tell what it does: `DO`, `CALL`, `EXECUTE`, and statements that are not understood.
    Opaque {
        /// Why, as the end of the sentence "cannot be judged: …".
        reason: String,
    },
}

/// What a statement (without its terminator) does. Never fails.
pub fn operations(dialect: Dialect, text: &str) -> Operations {
    let mut reader = reader::Reader::new(dialect, text);
    match dialect {
        Dialect::Postgres => postgres::operations(&mut reader),
        Dialect::Mysql => mysql::operations(&mut reader),
        Dialect::Sqlite => sqlite::operations(&mut reader),
    }
}

impl OperationKind {
    /// The columns that it defines, in a new table, as a new column or anew.
    pub fn columns(&self) -> Vec<&ColumnDefinition> {
        match self {
            Self::CreateTable(create) => create.columns.iter().collect(),
            Self::AddColumn { column, .. } => vec![column],
            Self::ModifyColumn { definition, .. } => vec![definition],
            _ => Vec::new(),
        }
    }

    /// The constraints that it adds, by themselves or with a column.
    pub fn added_constraints(&self) -> &[Constraint] {
        match self {
            Self::AddConstraint { constraint, .. } => std::slice::from_ref(constraint),
            Self::AddColumn { column, .. } => &column.constraints,
            _ => &[],
        }
    }

    /// The column that it adds.
    pub fn added_column(&self) -> Option<&ColumnDefinition> {
        match self {
            Self::AddColumn { column, .. } => Some(column),
            _ => None,
        }
    }

    /// What is written, whether it does anything or not.
    pub fn written(&self) -> &Self {
        match self {
            Self::Nothing { of, .. } => of.written(),
            kind => kind,
        }
    }

    /// The table that it changes; `None` when it is about something else.
    pub fn table(&self) -> Option<&ObjectName> {
        match self {
            Self::CreateTable(create) => create.table.as_ref(),
            Self::CreateIndex(index) => index.table.as_ref(),
            Self::DropIndex { table, .. } => table.as_ref(),
            Self::Drop { object, table, .. } | Self::Rename { object, table, .. } => {
                match object.kind {
                    ObjectKind::Table => Some(object),
                    _ => table.as_ref(),
                }
            }
            Self::Create { table, .. }
            | Self::RewriteTable { table, .. }
            | Self::Nothing { table, .. } => table.as_ref(),
            Self::IndexVisibility { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::ColumnType { table, .. }
            | Self::ModifyColumn { table, .. }
            | Self::ColumnNullable { table, .. }
            | Self::ColumnDefault { table, .. }
            | Self::ColumnOther { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::ValidateConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::RenameConstraint { table, .. }
            | Self::AttachPartition { table, .. }
            | Self::DetachPartition { table, .. }
            | Self::AlterTableOther { table, .. }
            | Self::Truncate { table, .. }
            | Self::Insert { table, .. }
            | Self::Update { table, .. }
            | Self::Delete { table, .. }
            | Self::LockTable { table } => Some(table),
            Self::Reindex { target, .. } if target.kind == ObjectKind::Table => Some(target),
            _ => None,
        }
    }
}

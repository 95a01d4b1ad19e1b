//! Operations as one line each, so that tests can be tables.

use super::{
    ColumnDefinition, Constraint, ConstraintKind, CreateIndex, CreateTable, Expression,
    OperationKind, TypeName, operations,
};
use crate::{Dialect, ObjectName};

/// What a statement does, a line for each operation.
pub(super) fn lines(dialect: Dialect, text: &str) -> Vec<String> {
    let found = operations(dialect, text);
    let guard = found.if_exists.iter();
    let guard = guard.map(|object| format!("if {} exists", name(object)));
    let list = found.list.iter().map(|one| line(&one.kind));
    guard.chain(list).collect()
}

/// The words that each operation spans.
pub(super) fn spans(dialect: Dialect, text: &str) -> Vec<String> {
    let found = operations(dialect, text);
    found
        .list
        .into_iter()
        .map(|one| text[one.span].to_owned())
        .collect()
}

/// Asserts that each statement does what stands beside it; `;` between operations.
#[track_caller]
pub(super) fn check(dialect: Dialect, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(lines(dialect, text).join("; "), *expected, "{text}");
    }
}

fn line(kind: &OperationKind) -> String {
    use OperationKind as Kind;
    match kind {
        Kind::CreateTable(create) => create_table(create),
        Kind::CreateIndex(index) => create_index(index),
        Kind::DropIndex {
            index,
            table,
            concurrently,
            if_exists,
        } => format!(
            "drop index {}{}{}{}",
            name(index),
            on(table.as_ref()),
            flag(*concurrently, "concurrently"),
            flag(*if_exists, "if-exists")
        ),
        Kind::IndexVisibility {
            table,
            index,
            visible,
            if_exists,
        } => format!(
            "{} index {index} visible {visible}{}",
            name(table),
            flag(*if_exists, "if-exists")
        ),
        Kind::Reindex {
            target,
            concurrently,
        } => format!(
            "reindex {:?} {}{}",
            target.kind,
            name(target),
            flag(*concurrently, "concurrently")
        ),
        Kind::Drop {
            object,
            cascade,
            if_exists,
            table,
        } => format!(
            "drop {:?} {}{}{}{}",
            object.kind,
            name(object),
            on(table.as_ref()),
            flag(*if_exists, "if-exists"),
            flag(*cascade, "cascade")
        ),
        Kind::Rename {
            object,
            to,
            table,
            if_exists,
        } => format!(
            "rename {:?} {}{} to {}{}",
            object.kind,
            name(object),
            on(table.as_ref()),
            name(to),
            flag(*if_exists, "if-exists")
        ),
        Kind::AddColumn {
            table,
            column: definition,
            if_not_exists,
            placed,
        } => format!(
            "{} add {}{}{}",
            name(table),
            column(definition),
            flag(*if_not_exists, "if-not-exists"),
            flag(*placed, "placed")
        ),
        Kind::ModifyColumn {
            table,
            column: before,
            definition,
            placed,
            if_exists,
        } => format!(
            "{} modify {before}: {}{}{}",
            name(table),
            column(definition),
            flag(*placed, "placed"),
            flag(*if_exists, "if-exists")
        ),
        Kind::DropColumn {
            table,
            column,
            cascade,
            if_exists,
        } => format!(
            "{} drop {column}{}{}",
            name(table),
            flag(*if_exists, "if-exists"),
            flag(*cascade, "cascade")
        ),
        Kind::RenameColumn {
            table,
            column,
            to,
            if_exists,
        } => format!(
            "{} rename {column} to {to}{}",
            name(table),
            flag(*if_exists, "if-exists")
        ),
        Kind::ColumnType {
            table,
            column,
            to,
            using,
            collation,
        } => format!(
            "{} {column} type {}{}{}",
            name(table),
            data_type(to),
            text("using", using.as_ref()),
            word("collate", collation.as_ref())
        ),
        Kind::ColumnNullable {
            table,
            column,
            nullable,
        } => format!("{} {column} nullable {nullable}", name(table)),
        Kind::ColumnDefault {
            table,
            column,
            default,
            if_exists,
        } => format!(
            "{} {column}{}{}",
            name(table),
            text("default", default.as_ref()),
            flag(*if_exists, "if-exists")
        ),
        Kind::ColumnOther {
            table,
            column,
            action,
        } => format!("{} {column} {action}", name(table)),
        Kind::AddConstraint {
            table,
            constraint: added,
            if_not_exists,
        } => format!(
            "{} add {}{}",
            name(table),
            constraint(added),
            flag(*if_not_exists, "if-not-exists")
        ),
        Kind::ValidateConstraint { table, constraint } => {
            format!("{} validate {constraint}", name(table))
        }
        Kind::DropConstraint {
            table,
            constraint,
            cascade,
            if_exists,
        } => format!(
            "{} drop constraint {constraint}{}{}",
            name(table),
            flag(*if_exists, "if-exists"),
            flag(*cascade, "cascade")
        ),
        Kind::RenameConstraint {
            table,
            constraint,
            to,
        } => format!("{} rename constraint {constraint} to {to}", name(table)),
        Kind::AttachPartition { table, partition } => {
            format!("{} attach {}", name(table), name(partition))
        }
        Kind::DetachPartition {
            table,
            partition,
            concurrently,
        } => format!(
            "{} detach {}{}",
            name(table),
            name(partition),
            flag(*concurrently, "concurrently")
        ),
        Kind::RewriteTable { table, action } => {
            format!(
                "rewrite {}{action}",
                table
                    .as_ref()
                    .map_or_else(String::new, |table| name(table) + " ")
            )
        }
        Kind::AlterTableOther { table, action } => format!("{} other {action}", name(table)),
        Kind::AlterOther { object, action } => {
            format!("{:?} {} other {action}", object.kind, name(object))
        }
        Kind::Create {
            object,
            or_replace,
            if_not_exists,
            table,
            labels,
        } => format!(
            "create {:?} {}{}{}{}{}",
            object.kind,
            name(object),
            on(table.as_ref()),
            flag(*or_replace, "or-replace"),
            flag(*if_not_exists, "if-not-exists"),
            labels
                .as_ref()
                .map_or_else(String::new, |labels| format!(" {labels:?}"))
        ),
        Kind::RefreshMaterializedView { view, concurrently } => {
            format!(
                "refresh {}{}",
                name(view),
                flag(*concurrently, "concurrently")
            )
        }
        Kind::AddEnumValue {
            object,
            value,
            if_not_exists,
        } => format!(
            "{} add value {value}{}",
            name(object),
            flag(*if_not_exists, "if-not-exists")
        ),
        Kind::RenameEnumValue { object, value, to } => {
            format!("{} rename value {value} to {to}", name(object))
        }
        Kind::DomainConstraint { object, not_valid } => {
            format!(
                "{} domain constraint{}",
                name(object),
                flag(*not_valid, "not-valid")
            )
        }
        Kind::Truncate { table, cascade } => {
            format!("truncate {}{}", name(table), flag(*cascade, "cascade"))
        }
        Kind::Insert { table, columns } => format!("insert {} {columns:?}", name(table)),
        Kind::Update { table, condition } => {
            format!(
                "update {}{}",
                name(table),
                text("where", condition.as_ref())
            )
        }
        Kind::Delete { table, condition } => {
            format!(
                "delete {}{}",
                name(table),
                text("where", condition.as_ref())
            )
        }
        Kind::LockTable { table } => format!("lock {}", name(table)),
        Kind::Setting { name, value } => format!("set {name} = {value}"),
        Kind::Privileges { revokes } => format!("privileges{}", flag(*revokes, "revokes")),
        Kind::Opaque { reason } => format!("opaque: {reason}"),
        other => format!("{other:?}"),
    }
}

fn create_table(create: &CreateTable) -> String {
    let mut body: Vec<String> = create.columns.iter().map(column).collect();
    body.extend(create.constraints.iter().map(constraint));
    body.extend(create.indexes.iter().map(create_index));
    let mut line = format!(
        "table {} ({})",
        create.table.as_ref().map_or_else(String::new, name),
        body.join(", ")
    );
    for (is_so, word) in [
        (create.temporary, "temporary"),
        (create.if_not_exists, "if-not-exists"),
        (create.partitioned, "partitioned"),
        (create.incomplete, "incomplete"),
    ] {
        line += &flag(is_so, word);
    }
    if let Some(parent) = &create.partition_of {
        line += &format!(" of {}", name(parent));
    }
    for from in &create.from {
        line += &format!(" from {}", name(from));
    }
    for (option, value) in &create.options {
        line += &format!(" {option}={value}");
    }
    line
}

fn create_index(index: &CreateIndex) -> String {
    let columns: Vec<&str> = index
        .columns
        .iter()
        .map(|column| column.as_deref().unwrap_or("()"))
        .collect();
    let mut line = format!(
        "index {} on {} ({})",
        index.name.as_ref().map_or_else(String::new, name),
        index.table.as_ref().map_or_else(String::new, name),
        columns.join(" ")
    );
    for (is_so, word) in [
        (index.unique, "unique"),
        (index.concurrently, "concurrently"),
        (index.if_not_exists, "if-not-exists"),
        (index.only, "only"),
        (!index.method.is_empty(), &index.method),
    ] {
        line += &flag(is_so, word);
    }
    line + &text("where", index.condition.as_ref())
}

fn column(column: &ColumnDefinition) -> String {
    let mut line = column.name.clone();
    if let Some(written) = &column.data_type {
        line += &format!(" {}", data_type(written));
    }
    for (is_so, word) in [
        (column.not_null, "not-null"),
        (column.null, "null"),
        (column.numbered, "numbered"),
        (column.comment, "comment"),
        (column.on_update, "on-update"),
        (column.invisible, "invisible"),
    ] {
        line += &flag(is_so, word);
    }
    line += &text("default", column.default.as_ref());
    line += &word("collate", column.collation.as_ref());
    if let Some(generated) = &column.generated {
        line += &text("as", Some(&generated.expression));
        line += &flag(generated.stored, "stored");
    }
    for one in &column.constraints {
        line += &format!(" {}", constraint(one));
    }
    line
}

fn constraint(constraint: &Constraint) -> String {
    let by_index = |index: &Option<String>| word("using", index.as_ref());
    let demand = match &constraint.kind {
        ConstraintKind::Check { condition } => format!("check({})", condition.text),
        ConstraintKind::Unique {
            columns,
            using_index,
        } => format!("unique{columns:?}{}", by_index(using_index)),
        ConstraintKind::PrimaryKey {
            columns,
            using_index,
        } => format!("key{columns:?}{}", by_index(using_index)),
        ConstraintKind::ForeignKey { columns, reference } => format!(
            "foreign{columns:?}->{}{:?}",
            name(&reference.table),
            reference.columns
        ),
        ConstraintKind::Exclude => "exclude".to_owned(),
        ConstraintKind::NotNull { column } => format!("not-null({column})"),
    };
    let named = constraint.name.as_ref();
    format!(
        "{}{demand}{}",
        named.map_or_else(String::new, |name| format!("{name}:")),
        flag(constraint.not_valid, "not-valid")
    )
}

fn data_type(written: &TypeName) -> String {
    let arguments = match written.arguments.is_empty() {
        true => String::new(),
        false => format!("({})", written.arguments.join(",")),
    };
    let array = if written.array { "[]" } else { "" };
    format!(
        "{}{arguments}{array}{}{}",
        written.name,
        flag(written.unsigned, "unsigned"),
        word("charset", written.character_set.as_ref())
    )
}

fn name(object: &ObjectName) -> String {
    match &object.schema {
        Some(schema) => format!("{schema}.{}", object.name),
        None => object.name.clone(),
    }
}

fn on(table: Option<&ObjectName>) -> String {
    table.map_or_else(String::new, |table| format!(" on {}", name(table)))
}

fn flag(is_so: bool, word: &str) -> String {
    match is_so {
        true => format!(" {word}"),
        false => String::new(),
    }
}

fn word(before: &str, word: Option<&String>) -> String {
    word.map_or_else(String::new, |word| format!(" {before} {word}"))
}

fn text(before: &str, expression: Option<&Expression>) -> String {
    word(before, expression.map(|expression| &expression.text))
}

//! What the rules have in common that ask whether the release that still runs goes on to work.

use super::remedy;
use super::rule::{At, Report};
use crate::effect;
use crate::operation::{ColumnDefinition, ConstraintKind, OperationKind, TypeName};
use crate::{Dialect, ObjectKind, ObjectName};

/// Reports the drop of an object of one of these kinds, unless the same name comes back in the transaction.
pub(super) fn dropped(at: &At<'_>, report: &mut Report<'_>, kinds: &[ObjectKind], noun: &str) {
    let OperationKind::Drop { object, .. } = &at.operation.kind else {
        return;
    };
    if !kinds.contains(&object.kind)
        || !at.is_old_object(object)
        || at.comes_back(object)
        || got_its_name_here(at, object)
    {
        return;
    }
    let message = format!(
        "the release that still runs may use the {noun} `{}`; what it does with it fails from here on",
        object.name
    );
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}

/// Whether an object is called so only since an earlier statement of the transaction renamed it: what the release that
/// still runs misses, it misses since then.
fn got_its_name_here(at: &At<'_>, object: &ObjectName) -> bool {
    at.earlier().any(|earlier| match &earlier.kind {
        OperationKind::Rename { to, .. } => {
            to.kind == object.kind && at.schema().same_name(to, object)
        }
        _ => false,
    })
}

/// The object that is renamed and its new name, when it is of one of these kinds, was there before, keeps its schema, and
/// no view keeps its old name alive.
pub(super) fn renamed<'a>(
    at: &At<'a>,
    kinds: &[ObjectKind],
) -> Option<(&'a ObjectName, &'a ObjectName)> {
    let OperationKind::Rename { object, to, .. } = &at.operation.kind else {
        return None;
    };
    let moves = to.name == object.name;
    let gone = kinds.contains(&object.kind)
        && at.is_old_object(object)
        && !moves
        && !at.has_view_later(object);
    gone.then_some((object, to))
}

/// Reports a renamed object.
pub(super) fn renamed_report(
    at: &At<'_>,
    report: &mut Report<'_>,
    kinds: &[ObjectKind],
    noun: &str,
    instead: fn(&At<'_>, &ObjectName, &ObjectName) -> Vec<String>,
) {
    if let Some((object, to)) = renamed(at, kinds) {
        let message = format!(
            "the release that still runs knows the {noun} as `{}`, and does not find it as `{}`",
            object.name, to.name
        );
        report.add(at.operation.span.clone(), message, instead(at, object, to));
    }
}

/// The labels of an enumeration of PostgreSQL before and after, when the operation takes its name away and another
/// enumeration gets it in the same transaction: how one does what `ALTER TYPE` cannot.
pub(super) fn replacing_labels(
    at: &At<'_>,
    object: &ObjectName,
) -> Option<(Vec<String>, Vec<String>)> {
    let schema = at.schema();
    let before = schema.enum_labels(object)?.to_vec();
    let made = |wanted: &ObjectName| {
        at.later().find_map(|later| match &later.kind {
            OperationKind::Create {
                object: made,
                labels: Some(labels),
                ..
            } => schema.same_name(made, wanted).then(|| labels.clone()),
            _ => None,
        })
    };
    let after = made(object).or_else(|| {
        at.later().find_map(|later| match &later.kind {
            OperationKind::Rename {
                object: from, to, ..
            } if schema.same_name(to, object) => schema
                .enum_labels(from)
                .map(<[String]>::to_vec)
                .or_else(|| made(from)),
            _ => None,
        })
    })?;
    Some((before, after))
}

/// Reports an object that gets another definition while the release that runs uses the one it has.
pub(super) fn replaced(at: &At<'_>, report: &mut Report<'_>, kinds: &[ObjectKind], noun: &str) {
    let (object, anew) = match &at.operation.kind {
        OperationKind::Create {
            object,
            or_replace: true,
            ..
        } => (object, true),
        OperationKind::Drop { object, .. } => (object, false),
        _ => return,
    };
    let Some(known) = at.schema().definition(object) else {
        return;
    };
    let same = anew && words(&known.text) == words(at.statement.text);
    let comes_back = || anew || at.comes_back(object);
    if !kinds.contains(&object.kind) || !at.is_old_object(object) || same || !comes_back() {
        return;
    }
    let message = format!(
        "the release that still runs uses the {noun} `{}` as it was, and gets the new one at once",
        object.name
    );
    report.add(at.operation.span.clone(), message, Vec::new());
}

fn words(text: &str) -> Vec<String> {
    let words =
        text.split(|character: char| character.is_whitespace() || ";()".contains(character));
    let words = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase);
    words
        .filter(|word| !matches!(word.as_str(), "or" | "replace"))
        .collect()
}

/// An old column with its definition before and after, where the operation gives it another one. A change of the type
/// alone gives the rest as it was.
pub(super) fn redefined(at: &At<'_>) -> Option<Redefined> {
    let (table, column) = match &at.operation.kind {
        OperationKind::ColumnType { table, column, .. }
        | OperationKind::ModifyColumn { table, column, .. } => (table, column),
        _ => return None,
    };
    let mut before = at.old_column(table, column)?.definition.clone();
    let mut after = match &at.operation.kind {
        OperationKind::ColumnType { to, .. } => ColumnDefinition {
            data_type: Some(to.clone()),
            ..before.clone()
        },
        OperationKind::ModifyColumn { definition, .. } => (**definition).clone(),
        _ => return None,
    };
    for definition in [&mut before, &mut after] {
        definition.data_type = match (at.dialect(), at.schema().table(table)) {
            (Dialect::Mysql, Some(table)) => effect::mysql::type_of(definition, table),
            (dialect, _) => definition
                .data_type
                .as_ref()
                .map(|own| own.spelled_out(dialect, 1)),
        };
    }
    Some(Redefined {
        table: table.clone(),
        column: column.clone(),
        before,
        after,
    })
}

/// A column before and after.
pub(super) struct Redefined {
    pub table: ObjectName,
    pub column: String,
    pub before: ColumnDefinition,
    pub after: ColumnDefinition,
}

impl Redefined {
    /// Both types, when both are known and differ.
    pub fn types(&self) -> Option<(&TypeName, &TypeName)> {
        let (before, after) = (
            self.before.data_type.as_ref()?,
            self.after.data_type.as_ref()?,
        );
        let same = before.name == after.name
            && before.arguments == after.arguments
            && before.array == after.array
            && before.unsigned == after.unsigned;
        (!same).then_some((before, after))
    }

    /// Both lists of labels, when it was and stays an `ENUM` or a `SET` of MySQL.
    pub fn labels(&self) -> Option<(&[String], &[String])> {
        let (before, after) = (
            self.before.data_type.as_ref()?,
            self.after.data_type.as_ref()?,
        );
        let listed = matches!(before.name.as_str(), "enum" | "set") && before.name == after.name;
        listed.then_some((&before.arguments, &after.arguments))
    }
}

/// The column of an operation that makes it refuse NULL from now on, when it was there and took NULL before.
pub(super) fn refuses_null<'a>(at: &At<'a>) -> Option<(&'a ObjectName, &'a str)> {
    let dialect = at.dialect();
    let (table, column) = match &at.operation.kind {
        OperationKind::ColumnNullable {
            table,
            column,
            nullable: false,
        } => (table, column.as_str()),
        OperationKind::ModifyColumn {
            table,
            column,
            definition,
            ..
        } if definition.not_null => (table, column.as_str()),
        OperationKind::AddConstraint {
            table, constraint, ..
        } => match &constraint.kind {
            ConstraintKind::NotNull { column } => (table, column.as_str()),
            ConstraintKind::Check { condition } => {
                let column = condition.not_null_column(dialect)?;
                let known = at.schema().column(table, &column)?;
                (table, known.definition.name.as_str())
            }
            _ => return None,
        },
        _ => return None,
    };
    if !at.is_old_column(table, column) {
        return None;
    }
    let known = at.schema().table(table);
    let nullable = known.and_then(|known| known.is_nullable(dialect, column));
    // What a check already refuses is nothing new.
    let checked = known.is_some_and(|known| {
        known
            .constraints
            .iter()
            .any(|constraint| match &constraint.kind {
                ConstraintKind::Check { condition } => {
                    condition.not_null_column(dialect).as_deref() == Some(column)
                }
                _ => false,
            })
    });
    (nullable != Some(false) && !checked).then_some((table, column))
}

/// Why values of the type before may not fit the type after, as the end of a sentence; `None` where they do, or nobody
/// can tell.
pub(super) fn narrower(dialect: Dialect, before: &TypeName, after: &TypeName) -> Option<String> {
    if before.array != after.array {
        return None;
    }
    if let (Some(old), Some(new)) = (integer(before), integer(after)) {
        return (new.0 > old.0 || new.1 < old.1)
            .then(|| format!("`{}` does not hold every `{}`", after.name, before.name));
    }
    if let (Some(old), Some(new)) = (length(dialect, before), length(dialect, after)) {
        return (new < old).then(|| match old {
            u64::MAX => format!("values longer than {new} characters do not fit"),
            _ => format!("values of {} to {old} characters do not fit", new + 1),
        });
    }
    if before.name == "numeric" && after.name == "numeric"
        || before.name == "decimal" && after.name == "decimal"
    {
        let digits = |of: &TypeName| {
            let precision = of.number(0)?;
            Some(precision.saturating_sub(of.number(1).unwrap_or(0)))
        };
        return match (digits(before), digits(after)) {
            (None, Some(new)) => Some(format!(
                "numbers of more than {new} digits before the point do not fit"
            )),
            (Some(old), Some(new)) if new < old => Some(format!(
                "numbers of more than {new} digits before the point do not fit"
            )),
            _ => None,
        };
    }
    let wide = matches!(
        before.name.as_str(),
        "double precision" | "double" | "numeric" | "decimal"
    );
    (wide && (integer(after).is_some() || matches!(after.name.as_str(), "real" | "float")))
        .then(|| format!("`{}` does not hold every `{}`", after.name, before.name))
}

/// The least and the greatest number of an integer type.
fn integer(of: &TypeName) -> Option<(i128, i128)> {
    let bits = match of.name.as_str() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "integer" | "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    Some(match of.unsigned {
        true => (0, (1 << bits) - 1),
        false => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
    })
}

/// How many characters a type holds at most.
fn length(dialect: Dialect, of: &TypeName) -> Option<u64> {
    match (of.name.as_str(), dialect) {
        ("char", _) => Some(of.number(0).unwrap_or(1)),
        ("varchar", Dialect::Postgres) => Some(of.number(0).unwrap_or(u64::MAX)),
        ("varchar", _) => of.number(0),
        ("text", Dialect::Postgres) | ("longtext", Dialect::Mysql) => Some(u64::MAX),
        ("tinytext", Dialect::Mysql) => Some(255),
        ("text", Dialect::Mysql) => Some(65_535),
        ("mediumtext", Dialect::Mysql) => Some(16_777_215),
        _ => None,
    }
}

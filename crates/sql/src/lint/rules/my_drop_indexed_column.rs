use super::super::my_remedy::alter;
use super::prelude::*;
use crate::ObjectName;
use crate::operation::ConstraintKind;
use crate::schema::{Table, same};

pub(super) static RULE: Rule = Rule {
    id: "my-drop-indexed-column",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "DROP COLUMN of a column that is indexed",
    why: "A column goes at once (MariaDB from 10.4, MySQL from 8.0.29), but not while an index has it. On MariaDB it then \
          takes `ALGORITHM=NOCOPY`, which is still quick; MySQL writes the whole table anew, and MariaDB does too when \
          the index has other columns besides. A column of a unique or primary key with other columns MariaDB refuses to \
          drop (`Key column 'email' doesn't exist in table`). Drop the index first, in a statement of its own: then each of \
          the two is quick on both.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), INDEX users_email (email));",
            found: "-- forerun:contract unused-since=2.5.0\n\
                ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP INDEX users_email;\n\
                    ALTER TABLE users DROP COLUMN email, ALGORITHM=INSTANT;"],
            claims: &[Claim {
                table: "users",
                lock: "LOCK=NONE",
                blocks: Blocks::Nobody,
                work: Work::Metadata,
            }],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(100), email varchar(200), UNIQUE KEY users_name (name, email));",
            found: "-- forerun:contract unused-since=2.5.0\n\
                ALTER TABLE users DROP COLUMN email;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                    ALTER TABLE users DROP INDEX users_name;\n\
                    ALTER TABLE users DROP COLUMN email, ALGORITHM=INSTANT;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DropColumn { table, column, .. } = &at.operation.kind else {
        return;
    };
    let Some(known) = at.old_table(table) else {
        return;
    };
    let keys = keys_with(at, known, column);
    let shares_it = keys.iter().any(|key| key.shared);
    let refused = keys.iter().any(Key::is_kept_whole);
    let mariadb = at.statement.file.server.mariadb;
    // MariaDB takes an index of this column alone along, and that is quick. A primary key is for others to speak of.
    let indexed = keys.iter().any(|key| key.kind != KeyKind::Primary);
    if !refused && (!indexed || (mariadb == Some(true) && !shares_it)) {
        return;
    }
    let shown: Vec<String> = keys.iter().map(Key::words).collect();
    let what = format!("`{}.{column}` is in {}", table.name, shown.join(", "));
    let (severity, message) = match (mariadb, refused) {
        (Some(true), true) => (
            Severity::Error,
            format!("MariaDB refuses this: {what}, with a column that stays"),
        ),
        (None, true) => (
            RULE.severity,
            format!(
                "{what}, so it does not go at once: MySQL writes the whole table anew, and MariaDB refuses it"
            ),
        ),
        (server, _) => {
            let server = match (server, shares_it) {
                (None, true) => "MySQL and MariaDB write",
                (Some(true), _) => "MariaDB writes",
                _ => "MySQL writes",
            };
            (
                RULE.severity,
                format!("{what}, so it does not go at once: {server} the whole table anew"),
            )
        }
    };
    let instead = dropped_after(table, column, &keys).unwrap_or_default();
    report.add_as(severity, at.operation.span.clone(), message, instead);
}

/// An index or key that a column is in and that stays.
struct Key {
    kind: KeyKind,
    name: Option<String>,
    /// Another column of it stays.
    shared: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Index,
    Unique,
    Primary,
}

impl Key {
    /// MariaDB shortens an index, but no key: what was unique with the column need not be without it.
    fn is_kept_whole(&self) -> bool {
        self.shared && self.kind != KeyKind::Index
    }

    fn words(&self) -> String {
        match (self.kind, &self.name) {
            (KeyKind::Primary, _) => "the primary key".to_owned(),
            (KeyKind::Unique, Some(name)) => format!("the unique key `{name}`"),
            (KeyKind::Unique, None) => "a unique key".to_owned(),
            (KeyKind::Index, Some(name)) => format!("`{name}`"),
            (KeyKind::Index, None) => "an index".to_owned(),
        }
    }
}

fn keys_with(at: &At<'_>, known: &Table, column: &str) -> Vec<Key> {
    let is = |left: &str, right: &str| same(Dialect::Mysql, left, right);
    let own = &at.statement.operations.list;
    let goes = |other: &str| {
        own.iter().any(|operation| {
            matches!(&operation.kind, OperationKind::DropColumn { column, .. } if is(column, other))
        })
    };
    let is_dropped = |name: &str| {
        own.iter().any(|operation| match &operation.kind {
            OperationKind::DropIndex { index, .. } => is(&index.name, name),
            OperationKind::DropConstraint { constraint, .. } => is(constraint, name),
            _ => false,
        })
    };
    let key = |kind, name: Option<String>, columns: Vec<Option<&str>>| {
        let has_it = columns.iter().flatten().any(|name| is(name, column));
        let stays = |other: &Option<&str>| other.is_none_or(|other| !goes(other));
        let gone = name.as_deref().is_some_and(is_dropped);
        (has_it && !gone).then(|| Key {
            kind,
            name,
            shared: columns.iter().any(stays),
        })
    };
    let of_indexes = known.indexes.iter().filter_map(|index| {
        let kind = match index.unique {
            true => KeyKind::Unique,
            false => KeyKind::Index,
        };
        let name = index.name.as_ref().map(|name| name.name.clone());
        key(
            kind,
            name,
            index.columns.iter().map(Option::as_deref).collect(),
        )
    });
    let of_constraints = known.constraints.iter().filter_map(|constraint| {
        let columns = constraint.columns();
        let (kind, name) = match constraint.kind {
            ConstraintKind::PrimaryKey { .. } => (KeyKind::Primary, Some("PRIMARY".to_owned())),
            // Named after its first column, when nobody has named it.
            ConstraintKind::Unique { .. } => {
                let name = constraint.name.clone();
                (KeyKind::Unique, name.or_else(|| columns.first().cloned()))
            }
            _ => return None,
        };
        key(
            kind,
            name,
            columns.iter().map(|name| Some(name.as_str())).collect(),
        )
    });
    of_indexes.chain(of_constraints).collect()
}

/// The column dropped after the indexes and keys that it is in; `None` where it is in none, nothing where there is no such
/// way.
pub(super) fn without_keys(at: &At<'_>, table: &ObjectName, column: &str) -> Option<Vec<String>> {
    let keys = keys_with(at, at.schema().table(table)?, column);
    let refused = keys.iter().any(Key::is_kept_whole);
    refused.then(|| dropped_after(table, column, &keys).unwrap_or_default())
}

fn dropped_after(table: &ObjectName, column: &str, keys: &[Key]) -> Option<Vec<String>> {
    let drop = |key: &Key| {
        let name = key.name.as_ref().filter(|_| key.kind != KeyKind::Primary)?;
        let name = remedy::name(Dialect::Mysql, name);
        Some(alter(table, &format!("DROP INDEX {name}")))
    };
    let drops: Option<Vec<String>> = keys.iter().map(drop).collect();
    let column = remedy::name(Dialect::Mysql, column);
    let last = alter(table, &format!("DROP COLUMN {column}"));
    Some(vec![remedy::contract(&format!(
        "{}\n{last}",
        drops?.join("\n")
    ))])
}

/// Whether the server is known to refuse the operation: it takes a column from a key that keeps others.
pub(super) fn is_refused(at: &At<'_>) -> bool {
    let OperationKind::DropColumn { table, column, .. } = &at.operation.kind else {
        return false;
    };
    let known = at.schema().table(table);
    let keys = known.map(|known| keys_with(at, known, column));
    at.statement.file.server.mariadb == Some(true)
        && keys.is_some_and(|keys| keys.iter().any(Key::is_kept_whole))
}

use super::super::my_remedy::{self, Wish, alter, copied, way_on_old, wish};
use super::prelude::*;
use crate::ObjectName;
use crate::effect::mysql::{Cause, Way};
use crate::operation::{ColumnDefinition, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    id: "my-copy",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a change for which the whole table is copied",
    why: "With `ALGORITHM=COPY` the server reads the table row by row into a new one. Rows can be read meanwhile, and no \
          row can be written (`LOCK=SHARED` is the least), for as long as the table is large; every replica repeats it \
          afterwards. MariaDB 10.11 copies for: another type, fewer characters, a `VARCHAR` that grows from up to 255 \
          bytes to more (bytes, not characters: 64 characters of `utf8mb4`), another character set, a stored generated \
          column, a new `CHECK` over old rows, `AUTO_INCREMENT` on a column that was there, a default like `uuid()` that \
          is another one for each row, `DROP PRIMARY KEY` alone, `PARTITION BY`, `ADD SYSTEM VERSIONING`. MySQL 8 copies \
          for most of the same (it has no `SYSTEM VERSIONING`). \
          Another character set is no copy where the bytes of every row stay what they are: the same set with another \
          collation (but for `ENUM`, `SET` and what a generated column stores), or `utf8mb3` to `utf8mb4`, of `CHAR` and `VARCHAR` columns that no index is over and whose length in \
          bytes stays below 256 or above 255. MariaDB from 11.2 lets \
          writes go on while it copies, in most cases: with `ALGORITHM=COPY, LOCK=NONE` in the statement it does that or \
          refuses, and nothing is found here.\n\n\
          What helps: a second column that triggers keep the same as the old one, filled range by range, with indexes \
          like those of the old one, and the old one goes when no running release uses it. For what cannot be done by columns (keys that number themselves, \
          partitions, character sets) there are gh-ost, pt-online-schema-change and spirit, which copy the table \
          while it is used.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders MODIFY amount bigint;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN amount_new bigint, ALGORITHM=INSTANT;\n\
                 CREATE TRIGGER orders_amount_new_same_insert BEFORE INSERT ON orders FOR EACH ROW\n  \
                 SET NEW.amount_new = COALESCE(NEW.amount_new, NEW.amount), NEW.amount = NEW.amount_new;\n\
                 CREATE TRIGGER orders_amount_new_same_update BEFORE UPDATE ON orders FOR EACH ROW\n  \
                 SET NEW.amount_new = IF(NEW.amount_new <=> OLD.amount_new, NEW.amount, NEW.amount_new), NEW.amount = NEW.amount_new;",
                "-- forerun:data\n\
                 UPDATE orders SET amount_new = amount WHERE id BETWEEN 1 AND 10000 AND amount_new IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                 -- forerun:assert \"every row has its value in amount_new\"\n\
                 SELECT 1 FROM orders WHERE amount_new IS NULL AND amount IS NOT NULL LIMIT 1;\n\
                 DROP TRIGGER orders_amount_new_same_insert;\n\
                 DROP TRIGGER orders_amount_new_same_update;\n\
                 ALTER TABLE orders DROP COLUMN amount, ALGORITHM=INSTANT;",
            ],
            claims: COPIED,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders ADD COLUMN token char(36) DEFAULT (uuid());",
            instead: &[
                "ALTER TABLE orders ADD COLUMN token char(36), ALGORITHM=INSTANT;\n\
                 ALTER TABLE orders ALTER COLUMN token SET DEFAULT (uuid());",
                "-- forerun:data\n\
                 UPDATE orders SET token = uuid() WHERE id BETWEEN 1 AND 10000 AND token IS NULL;",
            ],
            claims: COPIED,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders ADD COLUMN double_amount int AS (amount * 2) STORED;",
            instead: &[
                "ALTER TABLE orders ADD COLUMN double_amount int AS (amount * 2) VIRTUAL, ALGORITHM=INSTANT;",
            ],
            claims: COPIED,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(200)) CHARACTER SET latin1;",
            found: "ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4;",
            instead: &[],
            claims: COPIED,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
            found: "ALTER TABLE orders ADD CONSTRAINT amount_is_positive CHECK (amount > 0);",
            instead: &[],
            claims: COPIED,
        },
    ],
    peers: Peers {
        strong_migrations: "change_column",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

const COPIED: &[Claim] = &[Claim {
    table: "orders",
    lock: "LOCK=SHARED",
    blocks: Blocks::Writers,
    work: Work::Rewrite,
}];

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, Way::Copy(cause))) = way_on_old(at) else {
        return;
    };
    let asked = wish(at.statement.operations);
    let refuses = matches!(asked, Wish::Online | Wish::InPlace);
    let Some(reason) = reason(at, cause) else {
        return;
    };
    // Other rules speak of what is asked for, and what the server refuses harms nobody who waits.
    if matches!(asked, Wish::Blocking | Wish::OnlineCopy)
        || (refuses && cause == Cause::Unknown)
        || has_new_key(at, cause)
    {
        return;
    }
    let message = match refuses {
        true => format!(
            "the server refuses this: it can change `{}` only by copying it, since {reason}",
            table.name
        ),
        false => format!("{}: {reason}", copied(table)),
    };
    report.add(
        at.operation.span.clone(),
        message,
        instead(at, table, cause),
    );
}

/// Why, as a part of a sentence; `None` where a rule of its own says it.
fn reason(at: &At<'_>, cause: Cause) -> Option<&'static str> {
    let changes = matches!(at.operation.kind, OperationKind::ModifyColumn { .. });
    Some(match cause {
        Cause::Type => "the rows hold values of the other type",
        Cause::Unknown => {
            "what the column was before is not known here, and most changes of a type need that"
        }
        Cause::Default => "the default is another one for each row that is there",
        Cause::Stored if changes => "the column begins or ceases to be stored as it is computed",
        Cause::Stored => "the column is computed and stored for each row that is there",
        Cause::Numbered => "the column begins to number its rows",
        Cause::Check => "each row that is there is checked",
        Cause::PrimaryKey => "rows are stored in the order of the primary key",
        Cause::CharacterSet => "the rows hold text in the other character set or collation",
        Cause::Engine => "only InnoDB does it in another way",
        Cause::Partitions => "rows go to other partitions",
        Cause::Other => "the server has no other way",
        Cause::Labels | Cause::LabelBytes | Cause::ForeignKey => return None,
    })
}

/// A primary key that gives way to another one in the same statement: the table is written anew in place.
fn has_new_key(at: &At<'_>, cause: Cause) -> bool {
    cause == Cause::PrimaryKey
        && at
            .statement
            .operations
            .list
            .iter()
            .any(|operation| match &operation.kind {
                OperationKind::AddConstraint { constraint, .. } => {
                    matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
                }
                _ => false,
            })
}

fn instead(at: &At<'_>, table: &ObjectName, cause: Cause) -> Vec<String> {
    match (&at.operation.kind, cause) {
        _ if my_remedy::copies_online(at) => {
            vec![my_remedy::asking(
                at.statement.text,
                "ALGORITHM=COPY, LOCK=NONE",
            )]
        }
        (
            OperationKind::ModifyColumn {
                column, definition, ..
            },
            Cause::Type | Cause::CharacterSet,
        ) => my_remedy::beside(at, table, column, definition),
        (OperationKind::AddColumn { column, .. }, Cause::Default) => {
            filled_later(at, table, column)
        }
        (OperationKind::AddColumn { column, .. }, Cause::Stored) => {
            let text = at.definition_text(column);
            let text = ["STORED", "PERSISTENT"]
                .iter()
                .fold(text.to_owned(), |text, word| {
                    remedy::without(Dialect::Mysql, &text, &[word])
                });
            vec![alter(table, &format!("ADD COLUMN {text} VIRTUAL"))]
        }
        _ => Vec::new(),
    }
}

/// The default for new rows only; the old ones get theirs range by range.
fn filled_later(at: &At<'_>, table: &ObjectName, column: &ColumnDefinition) -> Vec<String> {
    let (Some(default), Some(data_type)) = (&column.default, &column.data_type) else {
        return Vec::new();
    };
    let named = remedy::name(Dialect::Mysql, &column.name);
    let written = at
        .statement
        .text
        .get(data_type.span.clone())
        .unwrap_or_default();
    let value = default.text.trim();
    let inner = value
        .strip_prefix('(')
        .and_then(|value| value.strip_suffix(')'))
        .unwrap_or(value);
    vec![
        format!(
            "{}\n{}",
            alter(table, &format!("ADD COLUMN {named} {written}")),
            alter(
                table,
                &format!("ALTER COLUMN {named} SET DEFAULT ({inner})")
            )
        ),
        remedy::backfill(
            at.schema(),
            table,
            &format!("{named} = {inner}"),
            &format!("{named} IS NULL"),
        ),
    ]
}

use super::super::compatibility::redefined;
use super::prelude::*;
use crate::operation::ColumnDefinition;

pub(super) static RULE: Rule = Rule {
    id: "my-modify-loses-attributes",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "MODIFY or CHANGE that does not repeat what the column has",
    why: "`MODIFY` and `CHANGE` define the column anew, from nothing: what is not written is gone, without a warning. \
          `NOT NULL` that is not repeated lets `NULL` in; a `DEFAULT` that is not repeated is missed by the inserts that \
          rely on it; without its character set a column gets that of the table, and text that does not fit is lost or \
          the table is copied; `AUTO_INCREMENT`, `ON UPDATE`, `COMMENT` and `INVISIBLE` go the same way. Repeat all of \
          it, or write what you want instead (`NULL`, `DEFAULT NULL`). To change the default alone there is `ALTER COLUMN \
          … SET DEFAULT`, to change the name alone `RENAME COLUMN`.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, plan varchar(20) NOT NULL DEFAULT 'free');",
            found: "ALTER TABLE users MODIFY plan varchar(30);",
            instead: &[
                "ALTER TABLE users MODIFY plan varchar(30) NOT NULL DEFAULT 'free', ALGORITHM=INSTANT;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) CHARACTER SET utf8mb4) CHARACTER SET latin1;",
            found: "ALTER TABLE users MODIFY name varchar(60);",
            instead: &[
                "ALTER TABLE users MODIFY name varchar(60) CHARACTER SET utf8mb4, ALGORITHM=INSTANT;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some(column) = redefined(at) else {
        return;
    };
    let in_key = at.schema().table(&column.table).is_some_and(|table| {
        table
            .primary_key()
            .iter()
            .any(|key| key.eq_ignore_ascii_case(&column.column))
    });
    let (lost, repeated) = lost(&column.before, &column.after, in_key);
    if lost.is_empty() {
        return;
    }
    let message = format!(
        "`{}.{}` loses {}, which the new definition does not repeat",
        column.table.name,
        column.column,
        lost.join(", ")
    );
    let instead = match (&at.operation.kind, repeated) {
        (OperationKind::ModifyColumn { definition, .. }, Some(repeated)) => {
            let text = at.statement.text;
            let place = definition
                .data_type
                .as_ref()
                .map_or(definition.span.end, |own| own.span.end);
            let (head, tail) = text.split_at(text.floor_char_boundary(place));
            // The character set belongs to the type; the rest may follow in any order.
            vec![format!(
                "{} {repeated}{};",
                head.trim_end(),
                tail.trim_end()
            )]
        }
        _ => Vec::new(),
    };
    report.add(at.operation.span.clone(), message, instead);
}

/// What is lost, in words, and as it has to be written; `None` for the second where its text is not known.
fn lost(
    before: &ColumnDefinition,
    after: &ColumnDefinition,
    in_key: bool,
) -> (Vec<&'static str>, Option<String>) {
    let mut words = Vec::new();
    let mut parts = Vec::new();
    let mut known = true;
    let set_of = |column: &ColumnDefinition| {
        column
            .data_type
            .as_ref()
            .and_then(|own| own.character_set.clone())
    };
    let text_stays = after.data_type.as_ref().is_some_and(|own| {
        matches!(
            own.name.as_str(),
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
        )
    });
    let compares_bytes = after.data_type.as_ref().is_some_and(|own| own.binary);
    let says_how = after.collation.is_some() || compares_bytes || set_of(after).is_some();
    if text_stays && !says_how {
        if let Some(set) = set_of(before) {
            words.push("its character set");
            parts.push(format!("CHARACTER SET {set}"));
        }
        if let Some(collation) = &before.collation {
            words.push("its collation");
            parts.push(format!("COLLATE {collation}"));
        }
    }
    if before.not_null && !after.not_null && !after.null && !in_key && after.generated.is_none() {
        words.push("`NOT NULL`");
        parts.push("NOT NULL".to_owned());
    }
    if let Some(default) = &before.default
        && after.default.is_none()
        && after.generated.is_none()
        && !default.text.eq_ignore_ascii_case("NULL")
    {
        words.push("its default");
        parts.push(format!("DEFAULT {}", default.text));
    }
    if before.numbered && !after.numbered {
        words.push("`AUTO_INCREMENT`");
        parts.push("AUTO_INCREMENT".to_owned());
    }
    if before.invisible && !after.invisible {
        words.push("`INVISIBLE`");
        parts.push("INVISIBLE".to_owned());
    }
    if before.on_update && !after.on_update {
        words.push("`ON UPDATE`");
        known = false;
    }
    if before.comment && !after.comment {
        words.push("its comment");
        known = false;
    }
    (words, known.then(|| parts.join(" ")))
}

use super::super::my_remedy::{Wish, way_on_old, wish};
use super::prelude::*;
use crate::ObjectName;
use crate::effect::mysql::Way;

pub(super) static RULE: Rule = Rule {
    id: "my-lock-shared-inplace",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "work in place for which writes wait",
    why: "Not all that is done in place (`ALGORITHM=INPLACE`) lets rows be written meanwhile. A `FULLTEXT` or `SPATIAL` \
          index is built, and a column with `AUTO_INCREMENT` added, under `LOCK=SHARED`: every write waits until the end. \
          The first `FULLTEXT` index of a table also writes the table anew, for the hidden column that it needs. And \
          while a table has a `FULLTEXT` index, other changes that are instant elsewhere, such as a new column, write it \
          anew under that lock as well. MySQL 8 and MariaDB are the same in this.\n\n\
          There is no statement that does it online. While the table is small, or nobody writes to it, allow it with a \
          reason; otherwise gh-ost, pt-online-schema-change and spirit copy the table while it is used. Beside \
          `AUTO_INCREMENT` a plain column helps that the release fills.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, body text, place point NOT NULL);",
            found: "CREATE FULLTEXT INDEX notes_body ON notes (body);",
            instead: &[],
            claims: &[Claim {
                table: "notes",
                lock: "LOCK=SHARED",
                blocks: Blocks::Writers,
                work: Work::Rewrite,
            }],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, body text, place point NOT NULL);",
            found: "ALTER TABLE notes ADD SPATIAL INDEX notes_place (place);",
            instead: &[],
            claims: &[Claim {
                table: "notes",
                lock: "LOCK=SHARED",
                blocks: Blocks::Writers,
                work: Work::IndexBuild,
            }],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, body text, place point NOT NULL);",
            found: "ALTER TABLE notes ADD COLUMN number int AUTO_INCREMENT UNIQUE;",
            instead: &[],
            claims: &[Claim {
                table: "notes",
                lock: "LOCK=SHARED",
                blocks: Blocks::Writers,
                work: Work::Rewrite,
            }],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, body text, FULLTEXT (body));",
            found: "ALTER TABLE notes ADD COLUMN author varchar(100);",
            instead: &[],
            claims: &[Claim {
                table: "notes",
                lock: "LOCK=SHARED",
                blocks: Blocks::Writers,
                work: Work::Rewrite,
            }],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, way)) = way_on_old(at) else {
        return;
    };
    let asked = wish(at.statement.operations);
    if !matches!(way, Way::SharedIndex | Way::SharedRebuild)
        || matches!(asked, Wish::Blocking | Wish::OnlineCopy)
    {
        return;
    }
    let work = match way {
        Way::SharedIndex => "the index is built",
        _ => "the whole table is written anew",
    };
    let message = match asked {
        Wish::Online => format!(
            "the server refuses this: it cannot do it while `{}` is written to",
            table.name
        ),
        _ => format!("writes to `{}` wait while {work}", table.name),
    };
    let message = match reason(at, table) {
        Some(reason) => format!("{message}: {reason}"),
        None => message,
    };
    report.add(at.operation.span.clone(), message, Vec::new());
}

/// What is in the way of those who write.
fn reason(at: &At<'_>, table: &ObjectName) -> Option<String> {
    let known = at.schema().table(table);
    let full_text =
        known.is_some_and(|known| known.indexes.iter().any(|index| index.method == "FULLTEXT"));
    match &at.operation.kind {
        OperationKind::CreateIndex(index) if index.method == "FULLTEXT" && !full_text => Some(
            "it is the first `FULLTEXT` index, which needs a hidden column in every row".to_owned(),
        ),
        OperationKind::CreateIndex(index) if !index.method.is_empty() => {
            Some(format!("it is a `{}` index", index.method))
        }
        OperationKind::AddColumn { column, .. } if column.numbered => Some(format!(
            "`{}` is `AUTO_INCREMENT`, and every row gets its number",
            column.name
        )),
        _ if full_text => Some("the table has a `FULLTEXT` index".to_owned()),
        _ => None,
    }
}

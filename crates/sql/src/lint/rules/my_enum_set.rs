use super::super::my_remedy::{Wish, asking, beside, copies_online, way_on_old, wish};
use super::prelude::*;
use crate::effect::mysql::{Cause, Way};

pub(super) static RULE: Rule = Rule {
    id: "my-enum-set",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "labels of an ENUM or SET changed other than by more at the end",
    why: "A row holds the number of its label, not the label. Labels that are added at the end leave all numbers as they \
          are, and the change is instant. With a label in between, in another order, under another name or gone, the \
          numbers of the rows change: the whole table is copied, and writes wait (`ALGORITHM=COPY, LOCK=SHARED`). The \
          same happens when the labels no longer fit into the bytes of a row: the 256th of an `ENUM`; the 9th, 17th, 25th \
          and 33rd of a `SET`. MySQL and MariaDB are the same in this.\n\n\
          Add new labels at the end. Where a label must go, stop using it; that costs nothing. Where it must be right, \
          put a column beside it, or a table of labels with a foreign key.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, mood enum('good', 'bad'));",
            found: "ALTER TABLE notes MODIFY mood enum('good', 'fair', 'bad');",
            instead: &[
                "ALTER TABLE notes MODIFY mood enum('good', 'bad', 'fair'), ALGORITHM=INSTANT;",
            ],
            claims: COPIED,
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY, days set('mo', 'tu', 'we', 'th', 'fr', 'sa', 'su', 'holiday'));",
            found: "ALTER TABLE notes MODIFY days set('mo', 'tu', 'we', 'th', 'fr', 'sa', 'su', 'holiday', 'eve');",
            instead: &[
                "ALTER TABLE notes ADD COLUMN days_new set('mo', 'tu', 'we', 'th', 'fr', 'sa', 'su', 'holiday', 'eve'), ALGORITHM=INSTANT;\n\
                 CREATE TRIGGER notes_days_new_same_insert BEFORE INSERT ON notes FOR EACH ROW\n  \
                 SET NEW.days_new = COALESCE(NEW.days_new, NEW.days), NEW.days = NEW.days_new;\n\
                 CREATE TRIGGER notes_days_new_same_update BEFORE UPDATE ON notes FOR EACH ROW\n  \
                 SET NEW.days_new = IF(NEW.days_new <=> OLD.days_new, NEW.days, NEW.days_new), NEW.days = NEW.days_new;",
                "-- forerun:data\n\
                 UPDATE notes SET days_new = days WHERE id BETWEEN 1 AND 10000 AND days_new IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                 DROP TRIGGER notes_days_new_same_insert;\n\
                 DROP TRIGGER notes_days_new_same_update;\n\
                 ALTER TABLE notes DROP COLUMN days, ALGORITHM=INSTANT;",
            ],
            claims: COPIED,
        },
    ],
    peers: Peers {
        atlas: "MY110",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

const COPIED: &[Claim] = &[Claim {
    table: "notes",
    lock: "LOCK=SHARED",
    blocks: Blocks::Writers,
    work: Work::Rewrite,
}];

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, Way::Copy(cause))) = way_on_old(at) else {
        return;
    };
    let OperationKind::ModifyColumn {
        column, definition, ..
    } = &at.operation.kind
    else {
        return;
    };
    if !matches!(cause, Cause::Labels | Cause::LabelBytes)
        || matches!(
            wish(at.statement.operations),
            Wish::Blocking | Wish::OnlineCopy
        )
    {
        return;
    }
    let reason = match cause {
        Cause::LabelBytes => "there are more labels than the bytes of a row can tell apart",
        _ => "the rows hold the numbers of labels, which change",
    };
    let message = format!(
        "writes to `{}` wait while the whole table is copied: {reason}",
        table.name
    );
    let instead = match appended(at) {
        Some(instead) if cause == Cause::Labels => vec![instead],
        _ if copies_online(at) => vec![asking(at.statement.text, "ALGORITHM=COPY, LOCK=NONE")],
        _ => beside(at, table, column, definition),
    };
    report.add(at.operation.span.clone(), message, instead);
}

/// The statement with the new labels after the old ones, when none is taken away.
fn appended(at: &At<'_>) -> Option<String> {
    let OperationKind::ModifyColumn {
        table,
        column,
        definition,
        ..
    } = &at.operation.kind
    else {
        return None;
    };
    let before = at
        .schema()
        .column(table, column)?
        .definition
        .data_type
        .as_ref()?;
    let after = definition.data_type.as_ref()?;
    if !before
        .arguments
        .iter()
        .all(|label| after.arguments.contains(label))
    {
        return None;
    }
    let mut labels = before.arguments.clone();
    labels.extend(
        after
            .arguments
            .iter()
            .filter(|label| !before.arguments.contains(label))
            .cloned(),
    );
    let literals: Vec<String> = labels.iter().map(|label| remedy::literal(label)).collect();
    let written = at.statement.text.get(after.span.clone())?;
    let (open, close) = (written.find('(')?, written.rfind(')')?);
    let new_type = format!(
        "{}({}{}",
        written.get(..open)?,
        literals.join(", "),
        written.get(close..)?
    );
    let head = at.statement.text.get(..after.span.start)?;
    let tail = at.statement.text.get(after.span.end..)?;
    Some(format!("{head}{new_type}{};", tail.trim_end()))
}

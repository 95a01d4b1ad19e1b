use super::super::locks::has_company;
use super::super::pg_remedy::cut;
use super::prelude::*;
use crate::ObjectKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-trigger-lock",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "a trigger comes or goes in company",
    why: "`CREATE TRIGGER` locks its table with `SHARE ROW EXCLUSIVE`, so writers wait; `DROP TRIGGER` with `ACCESS \
          EXCLUSIVE`, so all do. Alone in its transaction that is a matter of a moment. Together with work on rows, or \
          with locks on other tables, it is kept until those are done.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\nCREATE FUNCTION orders_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;",
        found: "CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_touch();\nUPDATE orders SET note = '' WHERE id BETWEEN 1 AND 10000 AND note IS NULL;",
        instead: &[
            "CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_touch();",
            "UPDATE orders SET note = '' WHERE id BETWEEN 1 AND 10000 AND note IS NULL;",
        ],
        claims: &[Claim {
            table: "orders",
            lock: "SHARE ROW EXCLUSIVE",
            blocks: Blocks::Writers,
            work: Work::Metadata,
        }],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let (object, table) = match &at.operation.kind {
        OperationKind::Create {
            object,
            table: Some(table),
            ..
        }
        | OperationKind::Drop {
            object,
            table: Some(table),
            ..
        } => (object, table),
        _ => return,
    };
    if object.kind != ObjectKind::Trigger || !at.is_old(table) || !has_company(at) {
        return;
    }
    let who = match at.operation.kind {
        OperationKind::Create { .. } => "writers",
        _ => "readers and writers",
    };
    let (instead, say) = cut(at.statement.file, at.statement.place, true);
    report.add(
        at.operation.span.clone(),
        format!(
            "{who} of `{}` wait until all of this file is done{say}",
            table.name
        ),
        instead,
    );
}

use super::super::locks::steps;
use super::super::pg_remedy::cut;
use super::super::proposal::Proposal;
use super::super::rule::{FileAt, Found};
use super::prelude::*;
use crate::schema::Schema;
use crate::{ObjectKind, ObjectName};

pub(super) static RULE: Rule = Rule {
    id: "pg-multi-table-lock",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "several tables locked in one transaction",
    why: "While the transaction waits for the lock on the second table it keeps the one on the first, whose users wait \
          as long. And an application that uses the two in the other order makes a deadlock of it. One file for each \
          table: forerun tries each again by itself until it has its lock.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY);\nCREATE TABLE shops (id bigint PRIMARY KEY);",
        found: "ALTER TABLE orders ADD COLUMN note text;\nALTER TABLE shops ADD COLUMN note text;",
        instead: &[
            "ALTER TABLE orders ADD COLUMN note text;",
            "ALTER TABLE shops ADD COLUMN note text;",
        ],
        claims: &[
            Claim {
                table: "orders",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Metadata,
            },
            Claim {
                table: "shops",
                lock: "ACCESS EXCLUSIVE",
                blocks: Blocks::Everybody,
                work: Work::Metadata,
            },
        ],
    }],
    peers: Peers::NONE,
    check: Check::File(check),
};

fn check(file: &FileAt<'_>, schema: &Schema, report: &mut Report<'_>) {
    let mut held: Vec<ObjectName> = Vec::new();
    let mut locked_by = 0;
    for step in steps(file, schema) {
        let is_held = |table: &ObjectName| held.iter().any(|held| schema.same_name(held, table));
        let own: Vec<ObjectName> = step
            .effects
            .iter()
            .filter(|effect| {
                effect.blocks > Blocks::Nobody && effect.table.kind == ObjectKind::Table
            })
            .map(|effect| effect.table.clone())
            .filter(|table| !is_held(table))
            .collect();
        let Some(new) = own.first() else { continue };
        if let Some(first) = held.first()
            && step.statement > locked_by
        {
            let (instead, say) = cut(file, step.statement, false);
            report.in_statement(step.statement).add(
                step.span.clone(),
                format!(
                    "`{}` stays locked while this waits for the lock on `{}`{say}",
                    first.name, new.name
                ),
                instead,
            );
            return;
        }
        locked_by = step.statement;
        held.extend(own);
    }
}

/// Where another rule proposes to cut the file at the same statement, that is enough.
pub(in super::super) fn propose_once(found: &mut [Found]) {
    let others = found
        .iter()
        .filter(|other| other.rule.id == super::pg_hold_access_exclusive::RULE.id);
    let cut: Vec<usize> = others.map(|other| other.statement).collect();
    for own in found.iter_mut() {
        if own.rule.id == RULE.id && cut.contains(&own.statement) {
            own.instead = Proposal::default();
        }
    }
}

use super::super::apart::other_actions;
use super::super::pg_remedy::{alter, cut};
use super::super::proposal::Proposal;
use super::super::remedy::name;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-validate-same-tx",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "NOT VALID and VALIDATE in one transaction",
    why: "Adding the constraint takes a lock that others wait for, and a transaction keeps its locks to the end. \
          Validating it in the same transaction therefore reads the whole table under that lock, as if `NOT VALID` had \
          not been written. Each belongs into a migration of its own.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);",
        found: "ALTER TABLE users ADD CONSTRAINT users_age CHECK (age >= 0) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT users_age;",
        instead: &[
            "ALTER TABLE users ADD CONSTRAINT users_age CHECK (age >= 0) NOT VALID;",
            "ALTER TABLE users VALIDATE CONSTRAINT users_age;",
        ],
        claims: &[],
    }],
    peers: Peers {
        squawk: "constraint-missing-not-valid",
        strong_migrations: "validate_check_constraint",
        eugene: "E4",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::ValidateConstraint { table, constraint } = &at.operation.kind else {
        return;
    };
    if !at.is_old(table) {
        return;
    }
    let known = at.schema().table(table);
    let known = known.and_then(|known| known.constraint(Dialect::Postgres, constraint));
    let added = at.earlier().any(|earlier| match &earlier.kind {
        OperationKind::AddConstraint {
            table: of,
            constraint: added,
            ..
        } => {
            let same = match &added.name {
                Some(name) => name == constraint,
                None => known.is_some_and(|known| known.kind == added.kind),
            };
            same && at.schema().same_name(of, table)
        }
        _ => false,
    });
    if !added {
        return;
    }
    let named = name(Dialect::Postgres, constraint);
    let (instead, say) = match other_actions(at, |_| true) {
        None => cut(at.statement.file, at.statement.place, false),
        Some(others) => {
            let validate = alter(table, &format!("VALIDATE CONSTRAINT {named}"));
            (Proposal::from(vec![others, validate]), "")
        }
    };
    report.add(
        at.operation.span.clone(),
        format!(
            "`{}` is read under the lock that adding `{constraint}` took in this transaction{say}",
            table.name
        ),
        instead,
    );
}

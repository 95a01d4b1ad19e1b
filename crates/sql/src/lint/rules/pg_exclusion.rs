use super::prelude::*;
use crate::operation::ConstraintKind;

pub(super) static RULE: Rule = Rule {
    id: "pg-exclusion",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::File,
    summary: "an exclusion constraint on a table that is there",
    why: "Its index is built under an `ACCESS EXCLUSIVE` lock: nobody reads or writes the table until it is finished, \
          and there is no way to build it beside them. What helps: a new table that has the constraint from the \
          beginning, written to as well until it has all rows, or an hour without users and a `forerun:allow` that \
          says so.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE bookings (id bigint PRIMARY KEY, room int);",
        found: "ALTER TABLE bookings ADD CONSTRAINT one_per_room EXCLUDE USING btree (room WITH =);",
        instead: &[
            "CREATE TABLE room_bookings (id bigint PRIMARY KEY, room int, CONSTRAINT one_per_room EXCLUDE USING btree (room WITH =));",
        ],
        claims: &[Claim {
            table: "bookings",
            lock: "ACCESS EXCLUSIVE",
            blocks: Blocks::Everybody,
            work: Work::IndexBuild,
        }],
    }],
    peers: Peers {
        strong_migrations: "add_exclusion_constraint",
        eugene: "E8",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::AddConstraint {
        table, constraint, ..
    } = &at.operation.kind
    else {
        return;
    };
    if constraint.kind != ConstraintKind::Exclude || !at.is_old(table) {
        return;
    }
    report.add(
        at.operation.span.clone(),
        format!(
            "nobody can read or write `{}` until the index of the constraint is built",
            table.name
        ),
        Vec::new(),
    );
}

use super::super::compatibility::dropped;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-sequence",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "DROP SEQUENCE",
    why: "The release that still runs may draw its numbers from the sequence, by name or through a default: its \
          inserts fail from the moment the sequence is gone. Drop it in a contract file.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE SEQUENCE invoice_numbers;",
            found: "DROP SEQUENCE invoice_numbers;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP SEQUENCE invoice_numbers;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE SEQUENCE invoice_numbers;",
            found: "DROP SEQUENCE invoice_numbers;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP SEQUENCE invoice_numbers;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| dropped(at, report, &[ObjectKind::Sequence], "sequence")),
};

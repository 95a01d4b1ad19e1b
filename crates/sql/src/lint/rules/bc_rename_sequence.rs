use super::super::compatibility::renamed_report;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-sequence",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "ALTER SEQUENCE … RENAME TO",
    why: "Nothing stands for a sequence under its old name: `nextval('…')` in the release that still runs fails from \
          the moment of the rename. (Defaults and identity columns follow it by themselves.) Leave the name as it \
          is, or draw the numbers through a default only and rename it in a contract file, when no release names it.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE SEQUENCE invoice_numbers;",
        found: "ALTER SEQUENCE invoice_numbers RENAME TO invoices_seq;",
        instead: &[],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(|at, report| {
        renamed_report(
            at,
            report,
            &[ObjectKind::Sequence],
            "sequence",
            |_, _, _| Vec::new(),
        );
    }),
};

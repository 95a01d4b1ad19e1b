use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-style-identity",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "serial",
    why: "Only when it is enabled. `serial` is a column, a sequence and a default that are only loosely tied \
          together: rights on the sequence are granted apart, and anybody can write a number of their own that \
          collides later. `GENERATED ALWAYS AS IDENTITY` is the standard for the same and has neither problem.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "CREATE TABLE plans (id bigserial PRIMARY KEY);",
        instead: &["CREATE TABLE plans (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"],
        claims: &[],
    }],
    peers: Peers {
        squawk: "prefer-identity",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    for column in at.operation.kind.columns() {
        let Some(data_type) = &column.data_type else {
            continue;
        };
        let written = at
            .statement
            .text
            .get(data_type.span.clone())
            .unwrap_or_default();
        if written.to_ascii_lowercase().contains("serial") {
            let message = format!("`{}` is a `{written}`: use an identity column", column.name);
            report.add(data_type.span.clone(), message, Vec::new());
        }
    }
}

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-style-text",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "varchar(n) and char(n)",
    why: "Only when it is enabled. The length is part of the type: to change it later takes a lock that nobody \
          passes, and makes prepared statements fail; `char(n)` also pads with spaces. `text` with a check says the \
          same, and the check can be added and changed while everybody works.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "CREATE TABLE plans (id bigint PRIMARY KEY, name varchar(20));",
        instead: &[
            "CREATE TABLE plans (id bigint PRIMARY KEY, name text CHECK (char_length(name) <= 20));",
        ],
        claims: &[],
    }],
    peers: Peers {
        squawk: "prefer-text-field",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    for column in at.operation.kind.columns() {
        let Some(data_type) = &column.data_type else {
            continue;
        };
        if matches!(data_type.name.as_str(), "varchar" | "char") && !data_type.arguments.is_empty()
        {
            let message = format!(
                "the length of `{}` is part of its type: use `text` with a check",
                column.name
            );
            report.add(data_type.span.clone(), message, Vec::new());
        }
    }
}

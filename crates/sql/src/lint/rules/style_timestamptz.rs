use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "x-style-timestamptz",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "timestamp without time zone",
    why: "Only when it is enabled. `timestamp` keeps what a clock on some wall showed, without saying where: two \
          clients with different time zones store and read different moments. `timestamptz` keeps the moment itself, \
          in the same eight bytes.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "CREATE TABLE visits (id bigint PRIMARY KEY, at timestamp);",
        instead: &["CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz);"],
        claims: &[],
    }],
    peers: Peers {
        squawk: "prefer-timestamp-tz",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    for column in at.operation.kind.columns() {
        let Some(data_type) = &column.data_type else {
            continue;
        };
        if data_type.name == "timestamp" {
            let message = format!(
                "`{}` does not say which moment it is: use `timestamptz`",
                column.name
            );
            report.add(data_type.span.clone(), message, Vec::new());
        }
    }
}

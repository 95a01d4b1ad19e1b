use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "my-float",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "FLOAT or DOUBLE, which hold no exact amounts",
    why: "Only when it is enabled. A `FLOAT` keeps about seven digits and a `DOUBLE` fifteen, as binary fractions: `0.1` is \
          none of them. Sums of money drift, and `= 0.1` finds nothing. `DECIMAL` is exact. For measurements they are \
          right.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "",
        found: "CREATE TABLE orders (id bigint PRIMARY KEY, amount float);",
        instead: &["CREATE TABLE orders (id bigint PRIMARY KEY, amount decimal(12, 2));"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    for column in at.operation.kind.columns() {
        let data_type = column.data_type.as_ref();
        if let Some(data_type) =
            data_type.filter(|own| matches!(own.name.as_str(), "float" | "double"))
        {
            let message = format!(
                "`{}` is a {}, which holds no exact amounts",
                column.name, data_type.name
            );
            report.add(data_type.span.clone(), message, Vec::new());
        }
    }
}

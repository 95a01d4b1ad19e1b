use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "my-zero-date",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "a default date of zeros",
    why: "Only when it is enabled. `0000-00-00` is no date: strict servers refuse it (`NO_ZERO_DATE`, on by default on \
          MySQL), so the table cannot be made there, copied or restored, and drivers turn it into `NULL`, an error or the \
          year -1. Let the column take `NULL` where there is no date.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "",
        found: "CREATE TABLE notes (id bigint PRIMARY KEY, seen datetime NOT NULL DEFAULT '0000-00-00 00:00:00');",
        instead: &["CREATE TABLE notes (id bigint PRIMARY KEY, seen datetime);"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let is_zero = |text: &str| {
        text.trim_matches(['\'', '"', '(', ')', ' '])
            .starts_with("0000-00-00")
    };
    for column in at.operation.kind.columns() {
        if column
            .default
            .as_ref()
            .is_some_and(|default| is_zero(&default.text))
        {
            let message = format!(
                "the default of `{}` is no date, and strict servers refuse it",
                column.name
            );
            report.add(column.span.clone(), message, Vec::new());
        }
    }
    if let OperationKind::ColumnDefault {
        column,
        default: Some(default),
        ..
    } = &at.operation.kind
        && is_zero(&default.text)
    {
        let message = format!("the default of `{column}` is no date, and strict servers refuse it");
        report.add(default.span.clone(), message, Vec::new());
    }
}

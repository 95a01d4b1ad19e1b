use super::super::pg_remedy::MOST_SHOWN;
use super::super::remedy::ended;
use super::prelude::*;
use crate::parse_duration;

pub(super) static RULE: Rule = Rule {
    id: "pg-timeout-override",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "a file that sets its own timeouts",
    why: "forerun sets `lock_timeout` and `statement_timeout` itself, short enough that nobody waits long behind a \
          migration, and tries again. A file that sets them undoes that. What one migration needs is said with \
          `forerun:timeout`, where it is seen and recorded.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);",
        found: "SET lock_timeout = '60s';\nALTER TABLE orders ADD COLUMN a int;",
        instead: &["-- forerun:timeout lock=10s\nALTER TABLE orders ADD COLUMN a int;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Setting { name, value } = &at.operation.kind else {
        return;
    };
    let directive = match name.as_str() {
        "lock_timeout" => "lock",
        "statement_timeout" => "statement",
        _ => return,
    };
    let time = directive_time(value);
    let file = at.statement.file;
    let all = &file.file.script.statements;
    let others = all.iter().enumerate();
    let others =
        others.filter(|(place, _)| *place != at.statement.place && all.len() <= MOST_SHOWN);
    let others: Vec<String> = others.map(|(_, other)| ended(&other.text)).collect();
    report.add(
        at.operation.span.clone(),
        format!("`{name}` is set to {value} here, and what forerun sets no longer holds"),
        vec![format!(
            "-- forerun:timeout {directive}={time}\n{}",
            others.join("\n")
        )],
    );
}

/// A time of PostgreSQL (a number without a unit counts milliseconds) as the directive takes it.
fn directive_time(value: &str) -> String {
    let text = value
        .trim_matches('\'')
        .trim()
        .replace("min", "m")
        .replace(' ', "");
    let text = match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{text}ms"),
        false => text,
    };
    match parse_duration(&text) {
        Ok(_) => text,
        Err(_) => "10s".to_owned(),
    }
}

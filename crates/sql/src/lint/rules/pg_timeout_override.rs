use super::super::apart::together;
use super::super::pg_remedy::MOST_SHOWN;
use super::super::proposal::Proposal;
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
    let directive = format!("-- forerun:timeout {directive}={time}");
    let (instead, say) = match file.file.script.statements.len() > MOST_SHOWN {
        true => {
            let say = format!("; write `{directive}` at the top of the file instead");
            (Proposal::default(), say)
        }
        false => {
            let others = together(file, |number| number != at.statement.place);
            let whole = format!("{directive}\n{}", others.unwrap_or_default());
            (Proposal::of_file(vec![whole]), String::new())
        }
    };
    report.add(
        at.operation.span.clone(),
        format!("`{name}` is set to {value} here, and what forerun sets no longer holds{say}"),
        instead,
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

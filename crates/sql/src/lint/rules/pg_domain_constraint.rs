use super::super::locks::effects_on_old;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "pg-domain-constraint",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres],
    needs: Needs::Schema,
    summary: "a domain gets a constraint that all its columns are checked for",
    why: "Every table with a column of the domain is read under a `SHARE` lock, one after the other, and their writers \
          wait until the last is done. `NOT VALID` checks only what is written from now on. Validating it later reads \
          the tables too; up to version 16 under the same lock.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "CREATE DOMAIN email AS text;\nCREATE TABLE users (id bigint PRIMARY KEY, mail email);",
        found: "ALTER DOMAIN email ADD CONSTRAINT email_given CHECK (value <> '');",
        instead: &["ALTER DOMAIN email ADD CONSTRAINT email_given CHECK (value <> '') NOT VALID;"],
        claims: &[Claim {
            table: "users",
            lock: "SHARE",
            blocks: Blocks::Writers,
            work: Work::Scan,
        }],
    }],
    peers: Peers {
        squawk: "ban-alter-domain-with-add-constraint",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::DomainConstraint {
        object,
        not_valid: false,
    } = &at.operation.kind
    else {
        return;
    };
    let known = at.schema().definition(object);
    if known.is_some_and(|known| known.made_in >= at.statement.file.together_since) {
        return;
    }
    let tables: Vec<String> = effects_on_old(at)
        .iter()
        .map(|effect| format!("`{}`", effect.table.name))
        .collect();
    let whose = match (known, tables.is_empty()) {
        (Some(_), true) => return,
        (None, true) => "every table that uses it".to_owned(),
        (_, false) => tables.join(", "),
    };
    let text = at.statement.text.trim_end();
    let instead = match text.to_ascii_uppercase().contains("CHECK") {
        true => vec![format!("{text} NOT VALID;")],
        false => Vec::new(),
    };
    report.add(
        at.operation.span.clone(),
        format!("writers of {whose} wait while all rows are checked"),
        instead,
    );
}

use super::super::my_remedy::{Wish, wish};
use super::super::rule::StatementAt;
use super::prelude::*;
use crate::effect::mysql::{Way, way};
use crate::operation::Operation;

pub(super) static RULE: Rule = Rule {
    id: "my-explicit-lock",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "ALGORITHM=COPY, LOCK=SHARED or LOCK=EXCLUSIVE",
    why: "The statement asks for what is to be avoided: with `ALGORITHM=COPY` and with `LOCK=SHARED` every write to the \
          table waits until the statement ends, with `LOCK=EXCLUSIVE` every read as well, even where the server could do \
          without. Leave the clause out, or ask for `LOCK=NONE`: then the server refuses what it cannot do that way. \
          (`ALGORITHM=COPY, LOCK=NONE` is fine, and exists on MariaDB from 11.2.)",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
        found: "ALTER TABLE orders ADD INDEX orders_amount (amount), ALGORITHM=COPY, LOCK=SHARED;",
        instead: &[
            "ALTER TABLE orders ADD INDEX orders_amount (amount), ALGORITHM=INPLACE, LOCK=NONE;",
        ],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Statement(check),
};

fn check(at: &StatementAt<'_>, report: &mut Report<'_>) {
    let mut tables = at
        .operations
        .list
        .iter()
        .filter(|operation| !matches!(operation.kind, OperationKind::Nothing { .. }))
        .filter_map(|operation| operation.kind.table());
    let Some(table) = tables.next().filter(|table| at.is_old(table)) else {
        return;
    };
    if wish(at.operations) != Wish::Blocking {
        return;
    }
    let asked = |clause: &Option<(String, std::ops::Range<usize>)>, words: &[&str]| {
        let clause = clause.as_ref()?;
        words.contains(&clause.0.as_str()).then(|| clause.1.clone())
    };
    let lock = asked(&at.operations.lock, &["SHARED", "EXCLUSIVE"]);
    let algorithm = asked(&at.operations.algorithm, &["COPY"]);
    let exclusive = asked(&at.operations.lock, &["EXCLUSIVE"]).is_some();
    let Some(span) = lock.or(algorithm) else {
        return;
    };
    let who = match exclusive {
        true => "reads and writes of",
        false => "writes to",
    };
    let message = format!(
        "{who} `{}` wait until the statement ends, because it asks for that",
        table.name
    );
    // Where the server has no other way it would refuse the statement without these clauses.
    let needs_it = |operation: &Operation| {
        let way = way(&operation.kind, at.schema);
        matches!(
            way,
            Some(Way::Copy(_) | Way::SharedRebuild | Way::SharedIndex)
        )
    };
    let instead = match at.operations.list.iter().any(needs_it) {
        true => Vec::new(),
        false => vec![asking_less(at)],
    };
    report.add(span, message, instead);
}

/// The statement with the clauses for which nobody waits.
fn asking_less(at: &StatementAt<'_>) -> String {
    let mut text = at.text.to_owned();
    let clauses = [&at.operations.algorithm, &at.operations.lock];
    let mut spans: Vec<_> = clauses
        .into_iter()
        .flatten()
        .map(|(_, span)| span.clone())
        .collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    for span in spans {
        let before = text.get(..span.start).unwrap_or_default().trim_end();
        let after = text.get(span.end..).unwrap_or_default();
        text = format!("{}{after}", before.strip_suffix(',').unwrap_or(before));
    }
    let alters = at
        .text
        .trim_start()
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case("ALTER"));
    match alters {
        true => format!("{}, ALGORITHM=INPLACE, LOCK=NONE;", text.trim_end()),
        false => format!("{} ALGORITHM=INPLACE LOCK=NONE;", text.trim_end()),
    }
}

use super::super::rule::Found;
use super::prelude::*;

pub(in super::super) static RULE: Rule = Rule {
    id: "x-observed-lock",
    severity: Severity::Error,
    kind: Kind::Lock,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Server,
    summary: "A statement that made others wait on a scratch database, and that no other rule knows",
    why: "The statement was run on the database of `--dev-url`, and its server was seen reading or writing a whole table \
          under a lock that others wait for. On a table with many rows they wait for long. It may be hidden from the \
          other rules: in a function, a `DO` block or an `EXECUTE`; or it depends on the server's version or settings. \
          `forerun migrate plan --trace` shows what the server did for every statement. Found with `--dev-url`.",
    examples: &[],
    peers: Peers::NONE,
    check: Check::Built,
};

/// Where another rule about locks speaks of the same statement, it has better words.
pub(in super::super) fn leave_to_others(found: &mut Vec<Found>) {
    let is_own = |found: &Found| found.rule.id == RULE.id;
    let others = found.iter().filter(|other| !is_own(other));
    let others = others.filter(|other| other.rule.kind == Kind::Lock);
    let statements: Vec<usize> = others.map(|other| other.statement).collect();
    found.retain(|one| !is_own(one) || !statements.contains(&one.statement));
}

use super::prelude::*;

pub(in super::super) static RULE: Rule = Rule {
    id: "x-unused-allow",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite],
    needs: Needs::File,
    summary: "forerun:allow that nothing needs",
    why: "What it was for is gone, or was never found. Left in place it would silence the next finding of that rule, which \
          nobody has thought about.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "-- forerun:allow pg-index-concurrently \"small table\"\nCREATE TABLE t (id bigint PRIMARY KEY);",
        instead: &["CREATE TABLE t (id bigint PRIMARY KEY);"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Built,
};

use super::prelude::*;

pub(in super::super) static RULE: Rule = Rule {
    id: "x-unknown-rule",
    severity: Severity::Error,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite],
    needs: Needs::File,
    summary: "forerun:allow names a rule that does not exist",
    why: "An exception with a typing mistake would allow nothing, and nobody would notice.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "-- forerun:allow drop-colunm \"not used since 2.5.0\"\nCREATE TABLE t (id bigint PRIMARY KEY);",
        instead: &["CREATE TABLE t (id bigint PRIMARY KEY);"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Built,
};

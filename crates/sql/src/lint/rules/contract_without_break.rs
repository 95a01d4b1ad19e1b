use super::prelude::*;

pub(in super::super) static RULE: Rule = Rule {
    id: "x-contract-without-break",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: EVERY,
    needs: Needs::File,
    summary: "a contract migration in which nothing breaks",
    why: "A contract migration waits until the release before has been deployed completely, and everything after it \
          waits as well. One that takes nothing away and breaks nothing waits for no reason. Leave \
          `forerun:contract` out, or split the file: what is only added goes first, into a file of its own.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "-- forerun:contract unused-since=2.5.0\n\
                     CREATE TABLE plans (id bigint PRIMARY KEY);",
        instead: &["CREATE TABLE plans (id bigint PRIMARY KEY);"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Built,
};

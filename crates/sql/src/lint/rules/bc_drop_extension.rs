use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-extension",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres],
    needs: Needs::Statement,
    summary: "DROP EXTENSION",
    why: "The functions, types and operators of the extension go with it: queries of the release that still runs \
          that use one of them fail. Drop it in a contract file. Extensions that only serve whoever looks at the \
          server (`pg_stat_statements`) can be allowed.",
    examples: &[Example {
        dialect: Dialect::Postgres,
        before: "",
        found: "DROP EXTENSION IF EXISTS pg_trgm;",
        instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP EXTENSION IF EXISTS pg_trgm;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::Drop { object, .. } = &at.operation.kind else {
        return;
    };
    let mut words = at.statement.text.split_whitespace();
    let is_extension = words
        .nth(1)
        .is_some_and(|word| word.eq_ignore_ascii_case("EXTENSION"));
    if object.kind == ObjectKind::Other && is_extension && !at.comes_back(object) {
        let message = format!(
            "what the release that still runs uses of the extension `{}` fails from here on",
            object.name
        );
        let later = remedy::contract(&remedy::ended(at.statement.text));
        report.add(at.operation.span.clone(), message, vec![later]);
    }
}

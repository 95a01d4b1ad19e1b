use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "my-engine",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "an engine other than InnoDB",
    why: "Only when it is enabled. MyISAM and Aria have no transactions and no foreign keys, a write locks the whole table, \
          MyISAM loses rows in a crash, and every change of the table copies it. A migration that fails half way through \
          the rows of such a table has no way back.",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "",
        found: "CREATE TABLE notes (id bigint PRIMARY KEY, body text) ENGINE=MyISAM;",
        instead: &["CREATE TABLE notes (id bigint PRIMARY KEY, body text) ENGINE=InnoDB;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let engine = match &at.operation.kind {
        OperationKind::CreateTable(create) => {
            let mut options = create.options.iter();
            let option = options
                .find(|(name, _)| matches!(name.to_ascii_uppercase().as_str(), "ENGINE" | "TYPE"));
            option.map(|(_, engine)| engine.as_str())
        }
        OperationKind::RewriteTable { action, .. } => action.strip_prefix("ENGINE "),
        _ => None,
    };
    if let Some(engine) = engine.filter(|engine| !engine.eq_ignore_ascii_case("innodb")) {
        let message = format!(
            "a table of the engine {engine} has no transactions, and every change copies it"
        );
        report.add(at.operation.span.clone(), message, Vec::new());
    }
}

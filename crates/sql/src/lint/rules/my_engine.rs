use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "my-engine",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "an engine other than InnoDB",
    why: "MyISAM, Aria, MEMORY, CSV and ARCHIVE have no transactions and no foreign keys, a write locks the whole table, \
          MyISAM loses rows in a crash, and every change of the table copies it. A migration that fails half way through \
          the rows of such a table has no way back. Other engines (RocksDB, Spider, ColumnStore) have transactions, but change \
          their tables in ways of their own, of which the rules here know nothing: that is a note, for those who enable the rule by its name.",
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
        OperationKind::CreateTable(create) if !create.temporary => {
            let mut options = create.options.iter();
            let option = options
                .find(|(name, _)| matches!(name.to_ascii_uppercase().as_str(), "ENGINE" | "TYPE"));
            option.map(|(_, engine)| engine.as_str())
        }
        OperationKind::RewriteTable { action, .. } => action.strip_prefix("ENGINE "),
        _ => None,
    };
    let engine = engine.map(|engine| engine.trim_matches(['\'', '"', '`']));
    let Some(engine) = engine.filter(|engine| !engine.eq_ignore_ascii_case("innodb")) else {
        return;
    };
    let (severity, message) = match WITHOUT_TRANSACTIONS
        .contains(&engine.to_ascii_lowercase().as_str())
    {
        true => (
            Severity::Warning,
            format!(
                "a table of the engine {engine} has no transactions, and every change copies it"
            ),
        ),
        false => (
            Severity::Info,
            format!(
                "what a change of a table of the engine {engine} locks or copies is not known here"
            ),
        ),
    };
    report.add_as(severity, at.operation.span.clone(), message, Vec::new());
}

/// In lower case; `heap` is another name of `memory`.
const WITHOUT_TRANSACTIONS: &[&str] = &["myisam", "aria", "memory", "heap", "csv", "archive"];

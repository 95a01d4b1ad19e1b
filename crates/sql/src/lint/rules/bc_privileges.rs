use super::prelude::*;
use crate::ObjectName;
use crate::lexer::Tokens;

pub(super) static RULE: Rule = Rule {
    id: "bc-privileges",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Statement,
    summary: "REVOKE, another owner, row level security, a policy",
    why: "The role of the release that still runs may lose what it needs: a revoked right and another owner make its \
          statements fail, row level security and a changed policy make rows invisible to it without an error. Do it \
          in a contract file, when the release that needed the right is gone.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');\n\
                     GRANT SELECT ON orders TO PUBLIC;",
            found: "REVOKE SELECT ON orders FROM PUBLIC;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     REVOKE SELECT ON orders FROM PUBLIC;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), note text, state varchar(20) NOT NULL DEFAULT 'new');",
            found: "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     ALTER TABLE orders ENABLE ROW LEVEL SECURITY;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "",
            found: "REVOKE SELECT ON orders FROM reader;",
            instead: &[],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let message = match &at.operation.kind {
        OperationKind::Privileges { revokes: true } if !is_of_something_new(at) => {
            "the role of the release that still runs may lose a right that it needs".to_owned()
        }
        OperationKind::AlterTableOther { table, action } if at.is_old(table) => {
            match action.as_str() {
                // ALTER TABLE takes sequences and views too.
                "OWNER TO" if !is_made_here(at, table, NO_TABLES) => format!(
                    "the role of the release that still runs may have owned `{}`",
                    table.name
                ),
                "ENABLE ROW LEVEL SECURITY" | "FORCE ROW LEVEL SECURITY" => format!(
                    "rows of `{}` that no policy shows are gone for the release that still runs, without an error",
                    table.name
                ),
                _ => return,
            }
        }
        OperationKind::AlterOther { object, action }
            if action == "OWNER TO" && at.is_old_object(object) =>
        {
            format!(
                "the role of the release that still runs may have owned `{}`",
                object.name
            )
        }
        OperationKind::Create {
            object,
            table: Some(table),
            ..
        } if object.kind == ObjectKind::Other && at.is_old(table) && is_policy(at) => {
            format!(
                "which rows of `{}` the release that still runs sees and writes may change",
                table.name
            )
        }
        OperationKind::Drop { object, .. }
            if object.kind == ObjectKind::Other && takes_rights(at) =>
        {
            format!(
                "the release that still runs may need what `{}` gave it",
                object.name
            )
        }
        _ => return,
    };
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}

/// What else than a table `ALTER TABLE` and `REVOKE … ON` take without saying so.
const NO_TABLES: &[ObjectKind] = &[
    ObjectKind::Sequence,
    ObjectKind::View,
    ObjectKind::MaterializedView,
];

/// Whether something of this name is as new as the file.
fn is_made_here(at: &At<'_>, name: &ObjectName, kinds: &[ObjectKind]) -> bool {
    let named = |kind: &ObjectKind| ObjectName {
        kind: *kind,
        ..name.clone()
    };
    let mut known = kinds
        .iter()
        .filter_map(|kind| at.schema().definition(&named(kind)));
    known.any(|known| known.made_in >= at.statement.file.together_since)
}

/// Whether a `REVOKE` is about one thing that the file itself makes, as dumps have it.
fn is_of_something_new(at: &At<'_>) -> bool {
    let tokens = Tokens::new(at.dialect(), at.statement.text).filter(|(kind, _)| !kind.is_trivia());
    let mut words = tokens.map(|(_, text)| text);
    if !words.any(|word| word.eq_ignore_ascii_case("on")) {
        return false;
    }
    let mut words = words.peekable();
    let noun = words
        .peek()
        .map(|word| word.to_ascii_uppercase())
        .unwrap_or_default();
    let kinds: &[ObjectKind] = match noun.as_str() {
        "SCHEMA" => &[ObjectKind::Schema],
        "SEQUENCE" => &[ObjectKind::Sequence],
        "FUNCTION" | "PROCEDURE" | "ROUTINE" => &[ObjectKind::Function, ObjectKind::Procedure],
        "TYPE" | "DOMAIN" => &[ObjectKind::Type, ObjectKind::Domain],
        _ => NO_TABLES,
    };
    if kinds.len() < NO_TABLES.len() || noun == "TABLE" {
        words.next();
    }
    let plain = |word: &str| match word.strip_prefix(['"', '`']) {
        Some(quoted) => quoted.trim_end_matches(['"', '`']).to_owned(),
        None => word.to_ascii_lowercase(),
    };
    let mut name = ObjectName {
        kind: ObjectKind::Table,
        schema: None,
        name: words.next().map(plain).unwrap_or_default(),
    };
    if words.peek() == Some(&".") {
        words.next();
        let within = std::mem::take(&mut name.name);
        name.schema = Some(within);
        name.name = words.next().map(plain).unwrap_or_default();
    }
    let others = words.peek() == Some(&",");
    let new_table = kinds == NO_TABLES && !at.is_old(&name);
    !others && (new_table || is_made_here(at, &name, kinds))
}

/// `CREATE POLICY`, `DROP POLICY`.
fn is_policy(at: &At<'_>) -> bool {
    second_word(at) == "POLICY"
}

/// `DROP` of what stands for rights.
fn takes_rights(at: &At<'_>) -> bool {
    matches!(
        second_word(at).as_str(),
        "POLICY" | "ROLE" | "USER" | "GROUP"
    )
}

fn second_word(at: &At<'_>) -> String {
    let word = at.statement.text.split_whitespace().nth(1);
    word.unwrap_or_default().to_ascii_uppercase()
}

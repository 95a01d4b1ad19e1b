use super::super::compatibility::dropped;
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-function",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: &[Dialect::Postgres, Dialect::Mysql],
    needs: Needs::Schema,
    summary: "DROP FUNCTION, DROP PROCEDURE",
    why: "The release that still runs calls it by its name: the calls fail from the moment it is gone. Drop it in a \
          contract file. A function that only triggers call (`RETURNS trigger`) is not meant, and one that is made \
          anew in the same transaction is the matter of `bc-replace-function`.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE FUNCTION full_price(price numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT price * 1.19 $$;",
            found: "DROP FUNCTION full_price(numeric);",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP FUNCTION full_price(numeric);"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE FUNCTION full_price(price decimal(10, 2)) RETURNS decimal(10, 2) DETERMINISTIC RETURN price * 1.19;",
            found: "DROP FUNCTION full_price;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP FUNCTION full_price;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    if let OperationKind::Drop { object, .. } = &at.operation.kind {
        let known = at.schema().definition(object);
        let for_triggers = known.is_some_and(|known| {
            let words: Vec<&str> = known.text.split_whitespace().collect();
            words.windows(2).any(|pair| match pair {
                [first, second] => {
                    first.eq_ignore_ascii_case("returns") && second.eq_ignore_ascii_case("trigger")
                }
                _ => false,
            })
        });
        if !for_triggers {
            let kinds = [
                ObjectKind::Function,
                ObjectKind::Procedure,
                ObjectKind::Package,
            ];
            dropped(at, report, &kinds, "function");
        }
    }
}

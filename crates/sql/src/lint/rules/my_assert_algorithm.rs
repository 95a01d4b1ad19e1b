use super::super::my_remedy::{asking, wished};
use super::super::rule::StatementAt;
use super::prelude::*;

pub(in super::super) static RULE: Rule = Rule {
    id: "my-assert-algorithm",
    severity: Severity::Warning,
    kind: Kind::Lock,
    dialects: &[Dialect::Mysql],
    needs: Needs::Schema,
    summary: "a column changed without ALGORITHM, on which the time depends",
    why: "Whether a column comes, changes or goes at once depends on more than the statement: on the version of the server \
          (`DROP COLUMN` and a place other than the last are instant on MySQL from 8.0.29, renaming from 8.0.28), the row \
          format, full-text indexes, and how often it was done before. What the server cannot do at once it does in \
          another way without a word: it writes the table anew, or copies it while all writes wait. With \
          `ALGORITHM=INSTANT` it refuses instead, before it has changed anything, and nobody waits. Where more than the \
          definition has to be changed, `ALGORITHM=INPLACE, LOCK=NONE` says as much. \
          (Nothing is found where nothing is left open: with a database that is MariaDB 10.11 or newer and has the table \
          in InnoDB.)",
    examples: &[Example {
        dialect: Dialect::Mysql,
        before: "CREATE TABLE orders (id bigint PRIMARY KEY, amount int);",
        found: "ALTER TABLE orders ADD COLUMN note varchar(200);",
        instead: &["ALTER TABLE orders ADD COLUMN note varchar(200), ALGORITHM=INSTANT;"],
        claims: &[],
    }],
    peers: Peers::NONE,
    check: Check::Statement(check),
};

fn check(at: &StatementAt<'_>, report: &mut Report<'_>) {
    let Some(((table, span), wish)) = wished(at) else {
        return;
    };
    let message = format!(
        "where the server cannot do this at once it writes all of `{}` anew without a word; `{wish}` lets it refuse",
        table.name
    );
    report.add(span, message, vec![asking(at.text, wish)]);
}

use super::super::rule::StatementAt;
use super::prelude::*;
use crate::operation::Operations;
use crate::{TransactionUse, classify};

pub(super) static RULE: Rule = Rule {
    id: "x-tx-control",
    severity: Severity::Warning,
    kind: Kind::Hygiene,
    dialects: EVERY,
    needs: Needs::Statement,
    summary: "BEGIN and COMMIT in a migration",
    why: "forerun puts a transaction around the migration by itself and writes its record in it, so that both are \
          there or neither is. A `BEGIN` and `COMMIT` around the whole file mean the same and are left out; any \
          other place of theirs splits the file into parts of which one can be there without the others. Leave them \
          out; where a part must stand by itself, make it a migration of its own.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "BEGIN;\n\
                     ALTER TABLE users ADD COLUMN name text;\n\
                     COMMIT;",
            instead: &["ALTER TABLE users ADD COLUMN name text;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "START TRANSACTION;\n\
                     UPDATE users SET email = 'a' WHERE id = 1;\n\
                     COMMIT;",
            instead: &["-- forerun:data\n\
                     UPDATE users SET email = 'a' WHERE id = 1;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
            found: "BEGIN;\n\
                     ALTER TABLE users ADD COLUMN name text;\n\
                     COMMIT;",
            instead: &["ALTER TABLE users ADD COLUMN name text;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Statement(check),
};

fn check(at: &StatementAt<'_>, report: &mut Report<'_>) {
    let Some(operation) = at.operations.list.first() else {
        return;
    };
    let ends = match classify(at.schema.dialect(), at.text).transaction {
        TransactionUse::Begin => false,
        TransactionUse::Commit | TransactionUse::Rollback => true,
        TransactionUse::Inside | TransactionUse::Outside | TransactionUse::Savepoint => return,
    };
    if in_own_transaction(at) {
        return;
    }
    let all = at.file.operations;
    let controls = |list: &Operations| {
        let mut operations = list.list.iter();
        operations.any(|one| matches!(one.kind, OperationKind::TransactionControl))
    };
    // Around the whole file: said where it begins.
    if ends && at.place + 1 == all.len() && all.first().is_some_and(controls) && at.place > 0 {
        let between = all.get(1..at.place).unwrap_or_default();
        if !between.iter().any(controls) {
            return;
        }
    }
    let message = match ends {
        true => {
            "what stands before this is permanent without a record of the migration, unless the file ends here"
        }
        false => "forerun begins the transaction of a migration by itself",
    };
    report.add(operation.span.clone(), message, Vec::new());
}

/// Whether this begins or ends a transaction that a file brings which does not run in one of ours: such a one commits
/// together with the record of how far the file is. MySQL ends it at the first statement that commits by itself.
fn in_own_transaction(at: &StatementAt<'_>) -> bool {
    let dialect = at.schema.dialect();
    if at.file.file.transaction || dialect == Dialect::Mysql {
        return false;
    }
    let statements = &at.file.file.script.statements;
    let mut begun = None;
    for (place, statement) in statements.iter().enumerate() {
        match classify(dialect, &statement.text).transaction {
            TransactionUse::Begin => begun = Some(place),
            TransactionUse::Commit | TransactionUse::Rollback => {
                if let Some(begin) = begun.take()
                    && (begin == at.place || place == at.place)
                {
                    return true;
                }
            }
            TransactionUse::Inside | TransactionUse::Outside | TransactionUse::Savepoint => {}
        }
    }
    false
}

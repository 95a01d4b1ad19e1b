use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "bc-drop-trigger",
    severity: Severity::Warning,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "DROP TRIGGER, DISABLE TRIGGER",
    why: "What the trigger did for the release that still runs, nobody does any more: a column that was kept in step \
          with another one falls behind, and the next release reads old values. Nothing fails, so nobody notices. \
          Drop a trigger in a contract file, when no release needs it. A trigger that is made anew in the same \
          transaction is not meant.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name varchar(100) NOT NULL DEFAULT '');\n\
                     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := trim(NEW.name); RETURN NEW; END $$;\n\
                     CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
            found: "DROP TRIGGER users_touch ON users;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TRIGGER users_touch ON users;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text, name varchar(100) NOT NULL DEFAULT '');\n\
                     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := trim(NEW.name); RETURN NEW; END $$;\n\
                     CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
            found: "ALTER TABLE users DISABLE TRIGGER users_touch;",
            instead: &[],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200), name varchar(100) NOT NULL DEFAULT '');\n\
                     CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW SET NEW.name = TRIM(NEW.name);",
            found: "DROP TRIGGER users_touch;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TRIGGER users_touch;"],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text, name text NOT NULL DEFAULT '');\n\
                     CREATE TRIGGER users_touch AFTER UPDATE OF name ON users BEGIN UPDATE users SET name = trim(NEW.name) WHERE id = NEW.id; END;",
            found: "DROP TRIGGER users_touch;",
            instead: &["-- forerun:contract unused-since=2.5.0\n\
                     DROP TRIGGER users_touch;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let what = match &at.operation.kind {
        OperationKind::Drop { object, .. }
            if object.kind == ObjectKind::Trigger
                && at.is_old_object(object)
                && !at.comes_back(object) =>
        {
            format!("the trigger `{}`", object.name)
        }
        OperationKind::AlterTableOther { table, action }
            if action == "DISABLE TRIGGER" && at.is_old(table) =>
        {
            format!("this trigger of `{}`", table.name)
        }
        _ => return,
    };
    let message =
        format!("what {what} did for the release that still runs, nobody does from here on");
    let later = remedy::contract(&remedy::ended(at.statement.text));
    report.add(at.operation.span.clone(), message, vec![later]);
}

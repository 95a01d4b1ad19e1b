use super::prelude::*;
use crate::ObjectName;

pub(super) static RULE: Rule = Rule {
    id: "bc-rename-column",
    severity: Severity::Error,
    kind: Kind::Breaks,
    dialects: EVERY,
    needs: Needs::Schema,
    summary: "RENAME COLUMN",
    why: "The release that still runs knows the old name only, the new release the new name only: whichever way \
          round the rename happens, one of them fails until the rollout is over, and a rollback fails too. Have both \
          columns for a while instead: add the new one, let triggers keep the two the same whichever of them is \
          written, copy the rows that are there in ranges of the key, and drop the old column in a contract file \
          when no release uses it any more. On SQLite, whose triggers run after the row is written, an old column \
          that is NOT NULL without a default must be written by the new release as well.",
    examples: &[
        Example {
            dialect: Dialect::Postgres,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email text);",
            found: "ALTER TABLE users RENAME COLUMN email TO address;",
            instead: &[
                "ALTER TABLE users ADD COLUMN address text;\n\
                     CREATE FUNCTION users_address_same() RETURNS trigger LANGUAGE plpgsql AS $$\n\
                     BEGIN\n\
                     IF TG_OP = 'INSERT' AND NEW.address IS NULL OR TG_OP = 'UPDATE' AND NEW.address IS NOT DISTINCT FROM OLD.address THEN\n\
                     NEW.address := NEW.email;\n\
                     ELSE\n\
                     NEW.email := NEW.address;\n\
                     END IF;\n\
                     RETURN NEW;\n\
                     END $$;\n\
                     CREATE TRIGGER users_address_same BEFORE INSERT OR UPDATE ON users\n\
                     FOR EACH ROW EXECUTE FUNCTION users_address_same();",
                "-- forerun:data\n\
                     -- one such statement for each range of keys\n\
                     UPDATE users SET address = email WHERE id BETWEEN 1 AND 10000 AND address IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP TRIGGER users_address_same ON users;\n\
                     DROP FUNCTION users_address_same();\n\
                     ALTER TABLE users DROP COLUMN email;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(200));",
            found: "ALTER TABLE users RENAME COLUMN email TO address;",
            instead: &[
                "ALTER TABLE users ADD COLUMN address varchar(200);\n\
                     CREATE TRIGGER users_address_same_insert BEFORE INSERT ON users FOR EACH ROW\n\
                     SET NEW.address = COALESCE(NEW.address, NEW.email), NEW.email = NEW.address;\n\
                     CREATE TRIGGER users_address_same_update BEFORE UPDATE ON users FOR EACH ROW\n\
                     SET NEW.address = IF(NEW.address <=> OLD.address, NEW.email, NEW.address), NEW.email = NEW.address;",
                "-- forerun:data\n\
                     -- one such statement for each range of keys\n\
                     UPDATE users SET address = email WHERE id BETWEEN 1 AND 10000 AND address IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP TRIGGER users_address_same_insert;\n\
                     DROP TRIGGER users_address_same_update;\n\
                     ALTER TABLE users DROP COLUMN email;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);",
            found: "ALTER TABLE users RENAME COLUMN email TO address;",
            instead: &[
                "ALTER TABLE users ADD COLUMN address text;\n\
                     CREATE TRIGGER users_address_same_insert AFTER INSERT ON users WHEN NEW.email IS NOT NEW.address BEGIN\n\
                     UPDATE users SET address = coalesce(NEW.address, NEW.email), email = coalesce(NEW.address, NEW.email) WHERE rowid = NEW.rowid;\n\
                     END;\n\
                     CREATE TRIGGER users_address_same_old AFTER UPDATE OF email ON users WHEN NEW.email IS NOT NEW.address BEGIN\n\
                     UPDATE users SET address = NEW.email WHERE rowid = NEW.rowid;\n\
                     END;\n\
                     CREATE TRIGGER users_address_same_new AFTER UPDATE OF address ON users WHEN NEW.email IS NOT NEW.address BEGIN\n\
                     UPDATE users SET email = NEW.address WHERE rowid = NEW.rowid;\n\
                     END;",
                "-- forerun:data\n\
                     -- one such statement for each range of keys\n\
                     UPDATE users SET address = email WHERE id BETWEEN 1 AND 10000 AND address IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     DROP TRIGGER users_address_same_insert;\n\
                     DROP TRIGGER users_address_same_old;\n\
                     DROP TRIGGER users_address_same_new;\n\
                     ALTER TABLE users DROP COLUMN email;",
            ],
            claims: &[],
        },
    ],
    peers: Peers {
        squawk: "renaming-column",
        strong_migrations: "rename_column",
        atlas: "BC102",
        ..Peers::NONE
    },
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let OperationKind::RenameColumn {
        table, column, to, ..
    } = &at.operation.kind
    else {
        return;
    };
    if !at.is_old_column(table, column) {
        return;
    }
    let message = format!(
        "the release that still runs knows `{}.{column}` and fails without it; the next one fails until it is `{to}`",
        table.name
    );
    report.add(
        at.operation.span.clone(),
        message,
        instead(at, table, column, to),
    );
}

fn instead(at: &At<'_>, table: &ObjectName, column: &str, to: &str) -> Vec<String> {
    let dialect = at.dialect();
    let known = at.schema().column(table, column);
    let Some(data_type) = known.and_then(|known| known.definition.data_type.as_ref()) else {
        return Vec::new();
    };
    let on = remedy::object(dialect, table);
    let (old, new) = (remedy::name(dialect, column), remedy::name(dialect, to));
    vec![
        format!(
            "ALTER TABLE {on} ADD COLUMN {new} {};\n{}",
            remedy::type_name(data_type),
            remedy::keep_same(dialect, table, column, to)
        ),
        remedy::backfill(
            at.schema(),
            table,
            &format!("{new} = {old}"),
            &format!("{new} IS NULL"),
        ),
        remedy::contract(&format!(
            "{}\nALTER TABLE {on} DROP COLUMN {old};",
            remedy::no_longer_same(dialect, table, to)
        )),
    ]
}

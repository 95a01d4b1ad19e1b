use super::super::second_column::SecondColumn;
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
          written, copy the rows that are there a part at a time, and let one of them go in a contract file when no \
          release uses the old name any more.\n\n\
          On PostgreSQL and SQLite, where a migration is one transaction, that contract file drops the copy and renames \
          the old column after all: so `NOT NULL`, the default, keys, checks and indexes stay what they were. The new \
          column has indexes like those of the old one for as long as both are there. On MySQL and MariaDB the old \
          column goes, and the new one gets what it had; what it cannot get without a decision of yours (foreign keys, \
          checks) is a comment in the proposal. A column that numbers itself (`AUTO_INCREMENT`) has no proposal there: \
          triggers run before a row has its number. On SQLite, whose triggers run after the row is written, an old \
          column that is NOT NULL without a default must be written by the new release as well.",
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
                     -- forerun:no-transaction\n\
                     -- one such statement for each range of keys\n\
                     UPDATE users SET address = email WHERE id BETWEEN 1 AND 10000 AND address IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     -- forerun:assert \"every row has its value in address\"\n\
                     SELECT 1 FROM users WHERE address IS NULL AND email IS NOT NULL LIMIT 1;\n\
                     DROP TRIGGER users_address_same ON users;\n\
                     DROP FUNCTION users_address_same();\n\
                     ALTER TABLE users DROP COLUMN address;\n\
                     ALTER TABLE users RENAME COLUMN email TO address;",
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
                     -- forerun:no-transaction\n\
                     -- one such statement for each range of keys\n\
                     UPDATE users SET address = email WHERE id BETWEEN 1 AND 10000 AND address IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     -- forerun:assert \"every row has its value in address\"\n\
                     SELECT 1 FROM users WHERE address IS NULL AND email IS NOT NULL LIMIT 1;\n\
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
                     -- forerun:no-transaction\n\
                     -- one such statement for each range of keys\n\
                     UPDATE users SET address = email WHERE id BETWEEN 1 AND 10000 AND address IS NULL;",
                "-- forerun:contract unused-since=2.5.0\n\
                     -- forerun:assert \"every row has its value in address\"\n\
                     SELECT 1 FROM users WHERE address IS NULL AND email IS NOT NULL LIMIT 1;\n\
                     DROP TRIGGER users_address_same_insert;\n\
                     DROP TRIGGER users_address_same_old;\n\
                     DROP TRIGGER users_address_same_new;\n\
                     ALTER TABLE users DROP COLUMN address;\n\
                     ALTER TABLE users RENAME COLUMN email TO address;",
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
    let schema = at.schema();
    let dialect = at.dialect();
    let Some(two) = SecondColumn::of(schema, table, column, to) else {
        return Vec::new();
    };
    let Some(data_type) = two.data_type() else {
        return Vec::new();
    };
    // Triggers of MySQL run before a row has its number.
    if dialect == Dialect::Mysql && two.old.numbered {
        return Vec::new();
    }
    let (old, new) = two.names();
    let add = two.alter(format!("ADD COLUMN {new} {data_type}").trim_end());
    let mut files = vec![
        format!("{add}\n{}", remedy::keep_same(schema, table, column, to)),
        remedy::copied(schema, table, &new, &old),
    ];
    let (indexes, mut lost) = two.indexes();
    files.extend(indexes.iter().map(|index| index.create.clone()));
    files.push(match dialect {
        Dialect::Mysql => {
            lost.extend(two.lost());
            let default = two.default().map(|default| format!(" DEFAULT {default}"));
            let refuses = two.old.not_null.then_some(" NOT NULL");
            let more = format!(
                "{}{}",
                refuses.unwrap_or_default(),
                default.unwrap_or_default()
            );
            let definition = (!more.is_empty()).then(|| format!("{data_type}{more}"));
            two.replaced(definition.as_deref(), &indexes, &lost)
        }
        _ => two.swapped(&indexes),
    });
    files
}

//! Statements of MySQL and MariaDB.
//!
//! Both servers' syntax is read, whichever server it is for: the manuals' pages of each statement, MySQL 8.0 to 9 and
//! MariaDB 10.5 to 11. `RESTRICT` and `CASCADE` do nothing in either and are not reported.

use super::mysql_alter::take_wait;
use super::mysql_create::{alter, create, drop, opaque};
use super::mysql_rows::{delete, insert, load, update};
use super::mysql_set::settings;
use super::reader::Reader;
use super::{Operation, OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

pub(super) fn operations(reader: &mut Reader<'_>) -> Operations {
    let mut found = Operations::default();
    if reader.at_end() {
        return found;
    }
    let whole = reader.whole();
    for kind in before_statement(reader) {
        found.add(kind, whole.clone());
    }
    for kind in statement(reader, &mut found) {
        found.add(kind, whole.clone());
    }
    found
}

/// What a statement does with each thing in its list. Where there are several, each one has its own span.
pub(super) fn listed(found: &mut Operations, mut list: Vec<Operation>) -> Vec<OperationKind> {
    if list.len() > 1 {
        found.list.append(&mut list);
        return Vec::new();
    }
    match list.pop() {
        Some(only) => vec![only.kind],
        None => opaque("it names nothing"),
    }
}

/// Moves over what may stand before a statement: `SET STATEMENT … FOR`, `ANALYZE FORMAT = JSON` (MariaDB, which runs
/// the statement), `WITH`.
fn before_statement(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    let mut kinds = Vec::new();
    loop {
        if !reader.is_symbol_at(2, "=") && reader.take_all(&["SET", "STATEMENT"]) {
            kinds.extend(settings(reader, true));
            if !reader.take("FOR") {
                return kinds;
            }
        } else if reader.is("ANALYZE") && !maintains(reader) {
            reader.advance();
            if reader.take("FORMAT") {
                reader.take_symbol("=");
                reader.advance();
            }
        } else if reader.take("WITH") {
            common_tables(reader);
        } else {
            return kinds;
        }
    }
}

/// Whether this is `OPTIMIZE`, `REPAIR`, `ANALYZE` or `CHECK` of tables.
fn maintains(reader: &mut Reader<'_>) -> bool {
    let ahead = match reader.is_at(1, "LOCAL") || reader.is_at(1, "NO_WRITE_TO_BINLOG") {
        true => 2,
        false => 1,
    };
    ["TABLE", "TABLES", "VIEW"]
        .iter()
        .any(|noun| reader.is_at(ahead, noun))
}

/// After `WITH`: `[RECURSIVE] name [(columns)] AS (query), …`
fn common_tables(reader: &mut Reader<'_>) {
    reader.take("RECURSIVE");
    loop {
        reader.identifier();
        if reader.is_symbol("(") {
            reader.skip_parentheses();
        }
        reader.take("AS");
        reader.skip_parentheses();
        // MariaDB: CYCLE columns RESTRICT.
        if reader.take("CYCLE") {
            while !reader.at_end() && !reader.take("RESTRICT") {
                reader.advance();
            }
        }
        if !reader.take_symbol(",") {
            return;
        }
    }
}

/// What the statement that begins here does as a whole. What has a span of its own goes to `found`.
fn statement(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    use OperationKind::{Harmless, Privileges, Query, TransactionControl};
    if reader.is_symbol("(") {
        return vec![Query];
    }
    if reader.is_symbol_at(1, ":") {
        return opaque(BLOCK);
    }
    let word = reader.word();
    match word.as_str() {
        "CREATE" => create(reader, found),
        "ALTER" => alter(reader, found),
        "DROP" => drop(reader, found),
        "RENAME" => rename(reader, found),
        "TRUNCATE" => truncate(reader),
        "INSERT" | "REPLACE" => insert(reader),
        "UPDATE" => update(reader),
        "DELETE" => delete(reader),
        "LOAD" if reader.is_at(1, "INDEX") => vec![Harmless],
        "LOAD" => load(reader),
        "LOCK" if reader.is_at(1, "INSTANCE") => vec![Harmless],
        "LOCK" => lock_tables(reader, found),
        "FLUSH" => flush(reader, found),
        "OPTIMIZE" | "REPAIR" | "ANALYZE" | "CHECK" if maintains(reader) => {
            maintain(reader, &word, found)
        }
        "SET" => {
            reader.advance();
            settings(reader, false)
        }
        "USE" => {
            reader.advance();
            vec![OperationKind::Setting {
                name: "database".to_owned(),
                value: reader.identifier().unwrap_or_default(),
            }]
        }
        "RESET" if reader.is_at(1, "PERSIST") => vec![Harmless],
        "GRANT" => vec![Privileges { revokes: false }],
        "REVOKE" => vec![Privileges { revokes: true }],
        "BEGIN" if reader.is_at(1, "NOT") => opaque(BLOCK),
        "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR" | "DECLARE" => opaque(BLOCK),
        "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => {
            vec![TransactionControl]
        }
        "START" if reader.is_at(1, "TRANSACTION") => vec![TransactionControl],
        "SELECT" | "VALUES" | "TABLE" | "SHOW" | "EXPLAIN" | "DESCRIBE" | "DESC" | "HELP"
        | "HANDLER" | "DO" | "CHECKSUM" => vec![Query],
        "UNLOCK" | "DEALLOCATE" | "CACHE" | "SIGNAL" | "RESIGNAL" | "GET" => vec![Harmless],
        "INSTALL" | "UNINSTALL" => plugin(reader, word == "INSTALL"),
        "CALL" => opaque("CALL runs a procedure"),
        "PREPARE" | "EXECUTE" => opaque(format!(
            "the statement of {word} is put together only when it runs"
        )),
        "" => opaque("it does not begin with a word of SQL"),
        _ => opaque(format!("statements that begin with {word} are not known")),
    }
}

const BLOCK: &str = "it is a block of statements that decides for itself what it does";

/// At `RENAME`.
fn rename(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    if reader.is("USER") {
        // Whoever uses the old name cannot log in.
        return vec![OperationKind::Privileges { revokes: true }];
    }
    if !reader.take("TABLE") && !reader.take("TABLES") {
        return opaque(format!("RENAME {} is not known", reader.word()));
    }
    let if_exists = reader.take_if_exists();
    let mut renames = Vec::new();
    loop {
        let start = reader.start();
        let Some(object) = reader.name(ObjectKind::Table) else {
            break;
        };
        take_wait(reader);
        reader.take("TO");
        let Some(to) = reader.name(ObjectKind::Table) else {
            break;
        };
        renames.push(Operation {
            kind: OperationKind::Rename {
                object,
                to,
                table: None,
                if_exists,
            },
            span: reader.span_from(start),
        });
        if !reader.take_symbol(",") {
            break;
        }
    }
    listed(found, renames)
}

/// At `TRUNCATE`.
fn truncate(reader: &mut Reader<'_>) -> Vec<OperationKind> {
    reader.advance();
    reader.take("TABLE");
    let table = reader.name(ObjectKind::Table);
    let truncated = table.map(|table| OperationKind::Truncate {
        table,
        cascade: false,
    });
    truncated.map_or_else(|| opaque("it names nothing"), |kind| vec![kind])
}

/// At `LOCK TABLES`.
fn lock_tables(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    reader.take_any(&["TABLE", "TABLES"]);
    let locks = tables(reader, |table| OperationKind::LockTable { table });
    listed(found, locks)
}

/// What is done with each of `t [AS alias] [READ], …`
fn tables(reader: &mut Reader<'_>, done: impl Fn(ObjectName) -> OperationKind) -> Vec<Operation> {
    let mut list = Vec::new();
    loop {
        let start = reader.start();
        let Some(table) = reader.name(ObjectKind::Table) else {
            return list;
        };
        reader.skip_until(&[]);
        list.push(Operation {
            kind: done(table),
            span: reader.span_from(start),
        });
        if !reader.take_symbol(",") {
            return list;
        }
    }
}

/// At `FLUSH`; `FLUSH TABLES … WITH READ LOCK` and `FOR EXPORT` lock.
fn flush(reader: &mut Reader<'_>, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    reader.take_any(&["LOCAL", "NO_WRITE_TO_BINLOG"]);
    if !reader.take("TABLE") && !reader.take("TABLES") {
        return vec![OperationKind::Harmless];
    }
    if reader.take_all(&["WITH", "READ", "LOCK"]) {
        return opaque("it locks all tables of the server");
    }
    let place = reader.place();
    reader.skip_until(&["WITH", "FOR"]);
    while reader.take_symbol(",") {
        reader.skip_until(&["WITH", "FOR"]);
    }
    if !reader.is("WITH") && !reader.is("FOR") {
        return vec![OperationKind::Harmless];
    }
    reader.go_back(place);
    let locks = tables(reader, |table| OperationKind::LockTable { table });
    listed(found, locks)
}

/// At `OPTIMIZE | REPAIR | ANALYZE | CHECK [NO_WRITE_TO_BINLOG | LOCAL] TABLE t, …`
fn maintain(reader: &mut Reader<'_>, verb: &str, found: &mut Operations) -> Vec<OperationKind> {
    reader.advance();
    reader.take_any(&["LOCAL", "NO_WRITE_TO_BINLOG"]);
    let is_view = reader.is("VIEW");
    reader.advance();
    if is_view || matches!(verb, "ANALYZE" | "CHECK") {
        return vec![OperationKind::Harmless];
    }
    let rewrites = tables(reader, |table| OperationKind::RewriteTable {
        table: Some(table),
        action: format!("{verb} TABLE"),
    });
    listed(found, rewrites)
}

/// At `INSTALL` or `UNINSTALL`: plugins, components, libraries.
fn plugin(reader: &mut Reader<'_>, installs: bool) -> Vec<OperationKind> {
    reader.advance();
    reader.advance();
    let if_not_exists = reader.take_if_not_exists();
    let if_exists = reader.take_if_exists();
    let object = reader.name(ObjectKind::Other);
    let kind = object.map(|object| match installs {
        true => OperationKind::Create {
            object,
            or_replace: false,
            if_not_exists,
            table: None,
            labels: None,
        },
        false => OperationKind::Drop {
            object,
            cascade: false,
            if_exists: if_exists && !if_not_exists,
            table: None,
        },
    });
    kind.map_or_else(|| opaque("it names nothing"), |kind| vec![kind])
}

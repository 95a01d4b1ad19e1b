//! PostgreSQL: which command a statement is, and the commands that are neither `CREATE`, `ALTER` nor `DROP` (manual, "SQL
//! Commands", versions 12 to 18).

use super::postgres_alter::alter;
use super::postgres_create::create;
use super::postgres_object::drop;
use super::query::{change, query};
use super::reader::Reader;
use super::{OperationKind, Operations};
use crate::ObjectKind;

pub(super) fn operations(reader: &mut Reader<'_>) -> Operations {
    let mut found = Operations::default();
    if !reader.at_end() {
        statement(reader, &mut found);
    }
    found
}

fn statement(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    let word = reader.word();
    let kind = match word.as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => return query(reader, found),
        "" if reader.is_symbol("(") => return query(reader, found),
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => return change(reader, found),
        "CREATE" => return create(reader, found),
        "ALTER" => return alter(reader, found),
        "DROP" => return drop(reader, found),
        "COPY" => return copy(reader, found),
        "EXPLAIN" => return explain(reader, found),
        "TRUNCATE" => return truncate(reader, found),
        "LOCK" => return lock(reader, found),
        "VACUUM" => return vacuum(reader, found),
        "CLUSTER" | "REPACK" => cluster(reader, word),
        "REINDEX" => reindex(reader),
        "REFRESH" => refresh(reader),
        "SET" => set(reader),
        "RESET" => reset(reader),
        "GRANT" => OperationKind::Privileges { revokes: false },
        "REVOKE" | "REASSIGN" => OperationKind::Privileges { revokes: true },
        "PREPARE" if !reader.is_at(1, "TRANSACTION") => OperationKind::Harmless,
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE"
        | "PREPARE" => OperationKind::TransactionControl,
        "SHOW" | "DECLARE" | "FETCH" | "MOVE" | "CLOSE" => OperationKind::Query,
        "COMMENT" | "SECURITY" | "ANALYZE" | "ANALYSE" | "LISTEN" | "UNLISTEN" | "NOTIFY"
        | "CHECKPOINT" | "DISCARD" | "DEALLOCATE" | "LOAD" | "WAIT" => OperationKind::Harmless,
        "DO" => opaque("DO runs code of its own"),
        "CALL" => opaque("CALL runs a procedure"),
        "EXECUTE" => opaque("EXECUTE runs a statement that was prepared elsewhere"),
        "IMPORT" => opaque("IMPORT FOREIGN SCHEMA creates the tables that the other server has"),
        "" => opaque("it does not begin with a word of SQL"),
        _ => OperationKind::Opaque {
            reason: format!("statements that begin with {word} are not known"),
        },
    };
    found.add(kind, whole);
}

pub(super) fn opaque(reason: &str) -> OperationKind {
    OperationKind::Opaque {
        reason: reason.to_owned(),
    }
}

fn copy(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    if reader.is_symbol("(") {
        return query(reader, found);
    }
    reader.take("BINARY");
    let table = reader.name(ObjectKind::Table);
    let columns = reader.name_list();
    let kind = match (reader.is("FROM"), table) {
        (true, Some(table)) => OperationKind::Insert { table, columns },
        (true, None) => opaque("the table of the COPY was not found"),
        (false, _) => OperationKind::Query,
    };
    found.add(kind, whole);
}

/// `EXPLAIN ANALYZE` runs what it explains.
fn explain(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    let mut runs = option(reader, "ANALYZE");
    while reader.is_any(&["ANALYZE", "ANALYSE", "VERBOSE"]) {
        runs |= !reader.is("VERBOSE");
        reader.advance();
    }
    if runs {
        query(reader, found);
    } else {
        found.add(OperationKind::Query, whole);
    }
}

/// Moves over `( … )` and says whether it turns an option on.
fn option(reader: &mut Reader<'_>, name: &str) -> bool {
    let mut on = false;
    if !reader.is_symbol("(") {
        return on;
    }
    while !reader.at_end() && !reader.take_symbol(")") {
        let is_it = reader.is(name);
        reader.advance();
        if is_it {
            on = !reader.is_any(&["FALSE", "OFF"]) && reader.raw() != "0";
        }
    }
    on
}

fn truncate(reader: &mut Reader<'_>, found: &mut Operations) {
    reader.advance();
    reader.take("TABLE");
    let first = found.list.len();
    tables(reader, found, |table| OperationKind::Truncate {
        table,
        cascade: false,
    });
    let cascades = reader.find(&["CASCADE"]);
    for operation in found.list.iter_mut().skip(first) {
        if let OperationKind::Truncate { cascade, .. } = &mut operation.kind {
            *cascade = cascades;
        }
    }
}

fn lock(reader: &mut Reader<'_>, found: &mut Operations) {
    reader.advance();
    reader.take("TABLE");
    tables(reader, found, |table| OperationKind::LockTable { table });
}

/// Moves over `[ONLY] name [*], …`: one operation for each name. One alone is the whole statement, of several each
/// spans its name.
fn tables(
    reader: &mut Reader<'_>,
    found: &mut Operations,
    make: impl Fn(crate::ObjectName) -> OperationKind,
) {
    let whole = 0..reader.text().trim_end().len();
    let first = found.list.len();
    loop {
        let start = reader.start();
        reader.take("ONLY");
        let Some(table) = reader.name(ObjectKind::Table) else {
            break;
        };
        reader.take_symbol("*");
        let span = reader.span_from(start);
        // A column list, which VACUUM may have.
        if reader.is_symbol("(") {
            reader.skip_parentheses();
        }
        found.add(make(table), span);
        if !reader.take_symbol(",") {
            break;
        }
    }
    match found.list.get_mut(first..) {
        Some([only]) => only.span = whole,
        Some([]) => found.add(opaque("the table was not found"), whole),
        _ => {}
    }
}

fn vacuum(reader: &mut Reader<'_>, found: &mut Operations) {
    let whole = reader.whole();
    reader.advance();
    let mut full = option(reader, "FULL");
    while reader.is_any(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
        full |= reader.is("FULL");
        reader.advance();
    }
    let rewrites = |table| OperationKind::RewriteTable {
        table,
        action: "VACUUM FULL".to_owned(),
    };
    if !full {
        found.add(OperationKind::Harmless, whole);
    } else if reader.at_end() {
        found.add(rewrites(None), whole);
    } else {
        tables(reader, found, |table| rewrites(Some(table)));
    }
}

/// `CLUSTER`, and `REPACK` which follows it in PostgreSQL 19.
fn cluster(reader: &mut Reader<'_>, action: String) -> OperationKind {
    reader.advance();
    if option(reader, "CONCURRENTLY") {
        return OperationKind::Harmless;
    }
    reader.take("VERBOSE");
    let mut table = reader.name(ObjectKind::Table);
    if reader.take("ON") {
        // The old spelling: CLUSTER index ON table.
        table = reader.name(ObjectKind::Table);
    }
    OperationKind::RewriteTable { table, action }
}

fn reindex(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    let with_option = option(reader, "CONCURRENTLY");
    let kind = match reader.word().as_str() {
        "INDEX" => ObjectKind::Index,
        "TABLE" => ObjectKind::Table,
        "SCHEMA" => ObjectKind::Schema,
        _ => ObjectKind::Database,
    };
    reader.advance();
    let concurrently = with_option || reader.take("CONCURRENTLY");
    // The name of the database may be left out.
    let target = reader.name(kind).unwrap_or(crate::ObjectName {
        kind,
        schema: None,
        name: String::new(),
    });
    OperationKind::Reindex {
        target,
        concurrently,
    }
}

fn refresh(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    reader.take_all(&["MATERIALIZED", "VIEW"]);
    let concurrently = reader.take("CONCURRENTLY");
    match reader.name(ObjectKind::MaterializedView) {
        Some(view) => OperationKind::RefreshMaterializedView { view, concurrently },
        None => opaque("the view of the REFRESH was not found"),
    }
}

fn set(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    if reader.take("CONSTRAINTS") {
        return OperationKind::Harmless;
    }
    if reader.is("TRANSACTION") || reader.is_at(1, "CHARACTERISTICS") {
        return OperationKind::TransactionControl;
    }
    if !reader.is_at(1, "AUTHORIZATION") {
        reader.take_any(&["SESSION", "LOCAL"]);
    }
    let known = [
        (&["TIME", "ZONE"][..], "timezone"),
        (&["SESSION", "AUTHORIZATION"], "session_authorization"),
        (&["ROLE"], "role"),
        (&["NAMES"], "client_encoding"),
        (&["SCHEMA"], "search_path"),
        (&["XML", "OPTION"], "xmloption"),
    ];
    let named = known.iter().find(|(words, _)| {
        let place = reader.place();
        // `SET role = x` and the like are settings as all others.
        let found = reader.take_all(words) && !reader.is("TO") && !reader.is_symbol("=");
        if !found {
            reader.go_back(place);
        }
        found
    });
    let name = match named {
        Some((_, name)) => (*name).to_owned(),
        None => setting_name(reader),
    };
    if name.is_empty() {
        return opaque("what is SET was not found");
    }
    if !reader.take_symbol("=") {
        reader.take("TO");
    }
    let value = reader.rest().to_owned();
    OperationKind::Setting { name, value }
}

fn reset(reader: &mut Reader<'_>) -> OperationKind {
    reader.advance();
    let name = if reader.take_all(&["TIME", "ZONE"]) {
        "timezone".to_owned()
    } else if reader.take_all(&["SESSION", "AUTHORIZATION"]) {
        "session_authorization".to_owned()
    } else {
        setting_name(reader)
    };
    OperationKind::Setting {
        name,
        value: "DEFAULT".to_owned(),
    }
}

/// Moves over the name of a setting, such as `lock_timeout` or `app.user`; empty if there is none.
fn setting_name(reader: &mut Reader<'_>) -> String {
    let Some(name) = reader.name(ObjectKind::Other) else {
        return String::new();
    };
    let name = match name.schema {
        Some(schema) => format!("{schema}.{}", name.name),
        None => name.name,
    };
    name.to_ascii_lowercase()
}

//! What the catalog says about the objects of a statement that runs outside transactions.
//!
//! Taken before the statement and again after a crash: a different state proves that it took effect.

use forerun_migrations::database::{DatabaseError, Fingerprint};
use forerun_sql::{Classification, ObjectKind, ObjectName};

use super::indexes;
use super::link::Link;
use super::literal::{self, text};
use super::row::Row;

/// Statements that may simply run again.
const REPEATABLE: [&str; 7] = [
    "VACUUM",
    "ANALYZE",
    "REINDEX",
    "CLUSTER",
    "REFRESH",
    "CHECKPOINT",
    "ALTER SYSTEM",
];

pub(super) async fn fingerprint(
    link: &Link,
    statement: &Classification,
) -> Result<Fingerprint, DatabaseError> {
    let verb = statement.verb.to_ascii_uppercase();
    if REPEATABLE.iter().any(|word| verb.starts_with(word)) {
        return Ok(Fingerprint::Repeatable);
    }
    let Some(query) = state_query(&verb, statement) else {
        return Ok(Fingerprint::Unknown);
    };
    let rows = link
        .rows(&format!("SELECT md5(coalesce(({query}), 'absent'))"))
        .await?;
    Row::only(&rows)?.string(0).map(Fingerprint::Definition)
}

/// A query for one text that changes when the statement takes effect.
fn state_query(verb: &str, statement: &Classification) -> Option<String> {
    let of_kind = |kind| {
        statement
            .objects
            .iter()
            .filter(move |object| object.kind == kind)
    };
    if verb.contains("INDEX") {
        let named = indexes::named(statement);
        if named.is_empty() {
            let table = of_kind(ObjectKind::Table).next()?;
            return Some(format!(
                "SELECT string_agg(pg_get_indexdef(indexrelid) || indisvalid, ';' ORDER BY indexrelid) \
                 FROM pg_index WHERE indrelid = {}",
                regclass(table)
            ));
        }
        return Some(format!(
            "SELECT string_agg(pg_get_indexdef(indexrelid) || indisvalid || indisready, ';' ORDER BY indexrelid) \
             FROM pg_index WHERE indexrelid IN ({})",
            named.join(", ")
        ));
    }
    if verb.starts_with("ALTER TYPE") {
        let name = of_kind(ObjectKind::Type).next()?;
        return Some(format!(
            "SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder) FROM pg_enum \
             WHERE enumtypid = to_regtype({})",
            text(&qualified(name))
        ));
    }
    if verb.starts_with("ALTER TABLE") {
        // DETACH PARTITION CONCURRENTLY; a column of PostgreSQL 14 says that a detach has begun, hence the whole row.
        let table = of_kind(ObjectKind::Table).next()?;
        return Some(format!(
            "SELECT string_agg(i::text, ';' ORDER BY inhrelid) FROM pg_inherits AS i WHERE inhparent = {}",
            regclass(table)
        ));
    }
    let name = text(&statement.objects.first()?.name);
    let row_of = |catalog: &str, column: &str| {
        Some(format!(
            "SELECT x::text FROM {catalog} AS x WHERE {column} = {name}"
        ))
    };
    if verb.ends_with("DATABASE") {
        return Some(format!(
            "SELECT concat_ws(',', oid, datname, datdba, datistemplate, datallowconn, datconnlimit, dattablespace) \
             FROM pg_database WHERE datname = {name}"
        ));
    }
    if verb.ends_with("TABLESPACE") {
        return row_of("pg_tablespace", "spcname");
    }
    if verb.ends_with("SUBSCRIPTION") {
        // The connection string is hidden from ordinary users.
        return Some(format!(
            "SELECT concat_ws(',', oid, subname, subowner, subenabled, subpublications) FROM pg_subscription \
             WHERE subname = {name}"
        ));
    }
    None
}

/// Object id of a relation by name, as an expression; NULL when there is none.
pub(super) fn regclass(name: &ObjectName) -> String {
    format!("to_regclass({})", text(&qualified(name)))
}

fn qualified(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!(
            "{}.{}",
            literal::identifier(schema),
            literal::identifier(&name.name)
        ),
        None => literal::identifier(&name.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forerun_sql::{LockClass, TransactionUse};

    fn statement(verb: &str, objects: &[(ObjectKind, &str)]) -> Classification {
        Classification {
            verb: verb.to_owned(),
            transaction: TransactionUse::Outside,
            lock: LockClass::Other,
            objects: objects
                .iter()
                .map(|(kind, name)| ObjectName {
                    kind: *kind,
                    schema: None,
                    name: (*name).to_owned(),
                })
                .collect(),
            table_lock: None,
            enum_value: None,
        }
    }

    #[test]
    fn what_the_catalog_cannot_tell_has_no_query() {
        assert_eq!(
            state_query("CALL", &statement("CALL", &[(ObjectKind::Procedure, "p")])),
            None
        );
    }

    #[test]
    fn names_are_quoted_twice() {
        let query = state_query(
            "ALTER TYPE",
            &statement("ALTER TYPE", &[(ObjectKind::Type, "it's \"x\"")]),
        )
        .unwrap();
        assert!(query.contains(r#"to_regtype(E'"it''s ""x"""')"#), "{query}");
    }
}

//! Invalid indexes that `CREATE INDEX CONCURRENTLY` and `REINDEX … CONCURRENTLY` leave behind when they fail.
//!
//! Only such an index is ever dropped: invalid, on the table of the statement, with the name or the definition that
//! the statement gives, and not being built by anybody right now.

use std::time::Duration;

use forerun_migrations::database::{DatabaseError, ErrorKind, Timeouts};
use forerun_sql::{Classification, LockClass, ObjectKind};

use super::catalog::regclass;
use super::link::Link;
use super::literal::{self, text};
use super::row::Row;
use super::session::{Pooling, PostgresSession};
use super::statements::settings;

/// How long to wait for somebody else's build of the same index, and how often to look.
const BUILD_WAIT: Duration = Duration::from_secs(600);
const BUILD_POLL: Duration = Duration::from_millis(500);

/// An index that is not valid.
struct Invalid {
    schema: String,
    name: String,
    definition: String,
    /// Process that builds it now.
    builder: Option<i64>,
}

/// Object ids of the indexes that the statement names, as expressions. A new index is in the schema of its table.
pub(super) fn named(statement: &Classification) -> Vec<String> {
    let table = statement
        .objects
        .iter()
        .find(|object| object.kind == ObjectKind::Table);
    statement
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Index)
        .map(|index| match table {
            Some(table) => format!(
                "(SELECT c.oid FROM pg_class c JOIN pg_class t ON t.relnamespace = c.relnamespace \
                 WHERE t.oid = {} AND c.relname = {})",
                regclass(table),
                text(&index.name)
            ),
            None => regclass(index),
        })
        .collect()
}

/// Name of an index of the statement that is not valid, once nobody builds it any more.
pub(super) async fn left_invalid(
    link: &Link,
    statement: &Classification,
    sql: &str,
) -> Result<Option<String>, DatabaseError> {
    let found = leftovers_at_rest(link, statement, sql).await?;
    Ok(found.first().map(Invalid::full_name))
}

impl PostgresSession {
    /// See [`forerun_migrations::database::Session::drop_invalid_indexes`].
    pub(super) async fn repair_indexes(
        &mut self,
        statement: &Classification,
        sql: &str,
        limits: Option<Timeouts>,
    ) -> Result<Vec<String>, DatabaseError> {
        let direct = self.pooling == Pooling::Direct;
        let found = match limits {
            None => leftovers_at_rest(&self.link, statement, sql).await?,
            Some(_) if direct => {
                let mut found = leftovers(&self.link, statement, sql).await?;
                found.retain(|index| index.builder.is_none());
                found
            }
            // Behind a pooler nothing could keep it from waiting for an old transaction.
            Some(_) => Vec::new(),
        };
        if found.is_empty() {
            return Ok(Vec::new());
        }
        // It waits for old transactions, as the build itself does.
        if direct {
            self.link
                .batch(&settings("SET", limits.unwrap_or_default()))
                .await?;
        }
        let mut dropped = Vec::new();
        let mut ended = Ok(());
        for index in found {
            let drop = format!(
                "DROP INDEX CONCURRENTLY IF EXISTS {}.{}",
                literal::identifier(&index.schema),
                literal::identifier(&index.name)
            );
            ended = self.link.batch(&drop).await;
            if ended.is_err() {
                break;
            }
            dropped.push(index.full_name());
        }
        if direct {
            self.link
                .batch(&settings("SET", self.session_timeouts))
                .await?;
        }
        ended.map(|()| dropped)
    }
}

/// The leftovers, after waiting for a build of the same index by another session (one whose client is gone goes on).
async fn leftovers_at_rest(
    link: &Link,
    statement: &Classification,
    sql: &str,
) -> Result<Vec<Invalid>, DatabaseError> {
    let deadline = tokio::time::Instant::now() + BUILD_WAIT;
    loop {
        let found = leftovers(link, statement, sql).await?;
        let Some((index, builder)) = found.iter().find_map(|index| Some((index, index.builder?)))
        else {
            return Ok(found);
        };
        if tokio::time::Instant::now() >= deadline {
            return Err(DatabaseError::new(
                ErrorKind::LockTimeout,
                format!(
                    "the index {} is still being built by server process {builder}",
                    index.full_name()
                ),
            )
            .with_hint(format!(
                "wait for it, or end it: SELECT pg_cancel_backend({builder});"
            )));
        }
        tokio::time::sleep(BUILD_POLL).await;
    }
}

impl Invalid {
    fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

async fn leftovers(
    link: &Link,
    statement: &Classification,
    sql: &str,
) -> Result<Vec<Invalid>, DatabaseError> {
    if statement.lock != LockClass::OnlineBuild {
        return Ok(Vec::new());
    }
    let verb = statement.verb.to_ascii_uppercase();
    let table = statement
        .objects
        .iter()
        .find(|object| object.kind == ObjectKind::Table);
    if verb.starts_with("REINDEX") {
        return reindex_leftovers(link, statement).await;
    }
    if !(verb.starts_with("CREATE") && verb.contains("INDEX")) {
        return Ok(Vec::new());
    }
    let names = named(statement);
    // Without a table the name alone decides; with one, an index of another table is a clash of names, not a leftover.
    let on_table = table.map_or("true".to_owned(), |table| {
        format!("i.indrelid = {}", regclass(table))
    });
    if !names.is_empty() {
        return invalid(
            link,
            &format!("i.indexrelid IN ({}) AND {on_table}", names.join(", ")),
        )
        .await;
    }
    if table.is_none() {
        return Ok(Vec::new());
    }
    let wanted = definition_key(sql);
    let mut found = invalid(link, &on_table).await?;
    found.retain(|index| wanted.is_some() && definition_key(&index.definition) == wanted);
    Ok(found)
}

/// `REINDEX CONCURRENTLY` builds under names that end in `_ccnew` and keeps the old one as `_ccold` (manual, REINDEX,
/// "Rebuilding Indexes Concurrently"); also for the TOAST table.
async fn reindex_leftovers(
    link: &Link,
    statement: &Classification,
) -> Result<Vec<Invalid>, DatabaseError> {
    let mut scopes = Vec::new();
    for object in &statement.objects {
        let schema = || text(&object.name);
        match object.kind {
            ObjectKind::Table | ObjectKind::MaterializedView => scopes.push(format!(
                "i.indrelid = {0} OR i.indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = {0})",
                regclass(object)
            )),
            ObjectKind::Index => scopes.push(format!(
                "i.indrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = {}) AND starts_with(c.relname::text, {})",
                regclass(object),
                text(&object.name)
            )),
            ObjectKind::Schema => scopes.push(format!("n.nspname = {}", schema())),
            ObjectKind::Database => scopes.push("true".to_owned()),
            _ => {}
        }
    }
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    invalid(
        link,
        &format!(
            "({}) AND c.relname ~ '_cc(new|old)[0-9]*$'",
            scopes.join(" OR ")
        ),
    )
    .await
}

async fn invalid(link: &Link, condition: &str) -> Result<Vec<Invalid>, DatabaseError> {
    let rows = link
        .rows(&format!(
            "SELECT n.nspname, c.relname, pg_get_indexdef(i.indexrelid), \
             (SELECT p.pid FROM pg_stat_progress_create_index p WHERE p.datname = current_database() \
              AND p.relid = i.indrelid AND (p.index_relid = i.indexrelid OR p.index_relid = 0) LIMIT 1) \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE NOT i.indisvalid AND c.relkind = 'i' AND ({condition}) ORDER BY c.relname"
        ))
        .await?;
    let found = rows.iter().map(Row).map(|row| {
        Ok(Invalid {
            schema: row.string(0)?,
            name: row.string(1)?,
            definition: row.string(2)?,
            builder: row.optional_number(3)?,
        })
    });
    found.collect()
}

/// What makes two `CREATE INDEX` texts the same index: uniqueness, method and everything after the table, without
/// layout. `None` when the text has no column list. Two spellings of one definition may differ here: then an invalid
/// index stays, and nothing else is harmed.
fn definition_key(sql: &str) -> Option<String> {
    let words: Vec<String> = sql
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let unique = words.iter().take(2).any(|word| word == "unique");
    let flat = words.join(" ");
    let (head, tail) = flat.split_once('(')?;
    let method = head
        .split_once(" using ")
        .map_or("btree", |(_, method)| method.trim());
    let tail: String = tail
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '"')
        .collect();
    Some(format!("{unique} {method} ({}", tail.trim_end_matches(';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_and_the_script_spell_an_index_alike() {
        let catalog = "CREATE UNIQUE INDEX orders_a_b_idx ON public.orders USING btree (a, b DESC) WHERE (c > 1)";
        let script =
            "create unique index\n concurrently on \"orders\" (a,  b desc)\nwhere (c > 1);";
        assert_eq!(definition_key(catalog), definition_key(script));
        assert_ne!(
            definition_key(catalog),
            definition_key("create index concurrently on orders (a, b desc)")
        );
        assert_ne!(
            definition_key("CREATE INDEX i ON t USING gin (a)"),
            definition_key("create index concurrently on t (a)")
        );
    }
}

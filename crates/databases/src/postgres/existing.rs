//! What exists in the database, for those who judge scripts before they run.

use forerun_migrations::database::DatabaseError;
use forerun_sql::schema::{Catalog, CatalogObject};

use super::link::Link;
use super::literal;
use super::row::Row;

const EXISTING: &str = include_str!("sql/existing.sql");

/// Limits on a look that nobody should notice: it waits for no lock worth speaking of, and gives up before it is a
/// burden. Compiling the query would take longer than running it.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '30s'; SET LOCAL jit = off";

/// Tables, keys, indexes, views, partitions, types and sequences of all schemas that are not the server's own. One message, in a transaction of its own that only reads; none may be open.
///
/// # Errors
/// When the server refuses it, or takes longer than 30 seconds; the session is as it was.
pub(super) async fn catalog(link: &Link, schema: &str) -> Result<Catalog, DatabaseError> {
    let query = EXISTING.replace("{schema}", &literal::text(schema));
    let rows = match link.rows(&format!("{BEGIN}; {query}; COMMIT")).await {
        Ok(rows) => rows,
        Err(error) => {
            // What a failed COMMIT would do as well.
            let _ = link.batch("ROLLBACK").await;
            return Err(error);
        }
    };
    // What the server keeps of a catalog may be read by everybody.
    let mut catalog = Catalog {
        complete: true,
        ..Catalog::default()
    };
    for row in rows.iter().map(Row) {
        // A table without a name that can be read is one that goes away at this moment.
        let Some(definition) = row.optional(1)? else {
            continue;
        };
        if row.text(0)? == "schema" {
            catalog.search_path.push(definition.to_owned());
            continue;
        }
        let rows = row.optional_number(2)?;
        let object = CatalogObject::new(definition)
            .with_rows(rows.and_then(|rows| u64::try_from(rows).ok()));
        catalog.objects.push(CatalogObject {
            sketch: row.flag(3)?,
            ..object
        });
    }
    Ok(catalog)
}

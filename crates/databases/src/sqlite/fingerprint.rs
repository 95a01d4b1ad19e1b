//! What the catalog says about the objects that a statement names.

use forerun_migrations::database::{DatabaseError, Fingerprint};
use forerun_sql::{Classification, LockClass};
use sha2::{Digest, Sha256};

use super::error;
use super::file::DatabaseFile;

impl DatabaseFile {
    /// Catalog state of what the statement names: the definitions of the objects and of what hangs on them.
    pub fn fingerprint(
        &mut self,
        statement: &Classification,
    ) -> Result<Fingerprint, DatabaseError> {
        if matches!(
            statement.verb.as_str(),
            "VACUUM" | "ANALYZE" | "REINDEX" | "PRAGMA"
        ) {
            return Ok(Fingerprint::Repeatable);
        }
        let changes_catalog = matches!(
            statement.lock,
            LockClass::BlockingDdl | LockClass::OnlineBuild
        );
        if !changes_catalog || statement.objects.is_empty() {
            return Ok(Fingerprint::Unknown);
        }
        let busy_timeout = self.busy_timeout;
        self.signals.set_lock_limit(Some(busy_timeout));
        let Some(connection) = self.reading()? else {
            return Ok(Fingerprint::Unknown);
        };
        let mut digest = Sha256::new();
        for object in &statement.objects {
            let schema = object
                .schema
                .as_deref()
                .unwrap_or("main")
                .replace('"', "\"\"");
            let sql = format!(
                "SELECT type, name, tbl_name, coalesce(sql, '') FROM \"{schema}\".sqlite_schema \
                 WHERE name = ?1 COLLATE NOCASE OR tbl_name = ?1 COLLATE NOCASE ORDER BY type, name"
            );
            let mut query = connection.prepare(&sql).map_err(error::of_bookkeeping)?;
            let mut rows = query.query([&object.name]).map_err(error::of_bookkeeping)?;
            while let Some(row) = rows.next().map_err(error::of_bookkeeping)? {
                for column in 0..4 {
                    let text: String = row.get(column).map_err(error::of_bookkeeping)?;
                    // The length keeps two texts from running into each other.
                    digest.update(text.len().to_le_bytes());
                    digest.update(text.as_bytes());
                }
            }
            digest.update([0xff]);
        }
        Ok(Fingerprint::Definition(
            digest
                .finalize()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        ))
    }
}

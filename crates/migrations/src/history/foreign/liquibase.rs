//! Liquibase: a row for each changeset, known by author, id and file (`StandardChangeLogHistoryService`,
//! `StandardLockService`).

use forerun_sql::Dialect;

use std::collections::HashMap;

use super::{Entry, Files, PeerHistory, PeerLock, Place, Row, State, Table, Verdict, sql};
use crate::directory::{
    DirectoryError, Migration, PeerChangeset, changeset_version, peer_changesets,
};

// Columns of the query.
const ID: usize = 0;
const AUTHOR: usize = 1;
const FILE: usize = 2;
const KIND: usize = 4;

/// Its table of one row that says who works.
const LOCK_TABLE: &str = "databasechangeloglock";

pub(super) struct Liquibase;

impl PeerHistory for Liquibase {
    fn name(&self) -> &'static str {
        "liquibase"
    }

    fn title(&self) -> &'static str {
        "Liquibase"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["databasechangelog"]
    }

    fn companions(&self) -> &'static [&'static str] {
        &[LOCK_TABLE]
    }

    fn recognises(&self, table: &Table) -> bool {
        table.has(&[
            "id",
            "author",
            "filename",
            "dateexecuted",
            "orderexecuted",
            "exectype",
            "md5sum",
        ])
    }

    fn query(&self, place: &Place<'_>) -> String {
        let dialect = place.dialect;
        format!(
            "SELECT id, author, filename, {}, exectype, md5sum, description FROM {} ORDER BY orderexecuted, dateexecuted",
            sql::moment(dialect, "dateexecuted"),
            place.table.qualified(dialect)
        )
    }

    /// The row is locked and not written: whoever wants to take it waits for the end of our transaction, and nothing
    /// stays taken when we are killed.
    fn lock(&self, place: &Place<'_>) -> PeerLock {
        let own = place.others.iter().find(|other| {
            other.schema == place.table.schema
                && other.is_called(&[LOCK_TABLE])
                && other.has(&["id", "locked"])
        });
        let Some(table) = own.map(|table| table.qualified(place.dialect)) else {
            return PeerLock::default();
        };
        let free = match place.dialect {
            Dialect::Postgres => format!("SELECT NOT locked FROM {table} WHERE id = 1 FOR UPDATE"),
            Dialect::Mysql => format!("SELECT locked + 0 = 0 FROM {table} WHERE id = 1 FOR UPDATE"),
            Dialect::Sqlite => format!("SELECT NOT locked FROM {table} WHERE id = 1"),
        };
        let since = sql::moment(place.dialect, "lockgranted");
        PeerLock {
            tries: vec![free],
            releases: Vec::new(),
            holder: Some(format!(
                "SELECT lockedby, {since} FROM {table} WHERE id = 1"
            )),
        }
    }

    fn state(&self, rows: &[Row]) -> State {
        let mut state = State::default();
        for row in rows {
            let (id, author, file) = (row.text(ID), row.text(AUTHOR), row.text(FILE));
            let name = format!("{file}::{id}::{author}");
            let kind = row.text(KIND);
            if !matches!(kind, "EXECUTED" | "RERAN" | "MARK_RAN") {
                state.trouble(
                    format!("{name} is recorded as `{kind}`, which does not say whether it was applied"),
                    "look whether its changes are there, and set EXECTYPE to EXECUTED, or delete the row",
                );
                continue;
            }
            let version = changeset_version(&normalized(file), id, author);
            if let Some(entry) = state.push_version(version, name, row) {
                entry.description = row.text(6).to_owned();
                entry.checksum = row.optional(5).map(str::to_owned);
                entry.facts.at = row.optional(3).map(str::to_owned);
            }
        }
        state
    }

    fn find<'d>(
        &self,
        entries: &[Entry],
        files: Files<'d>,
    ) -> Result<Vec<Option<&'d Migration>>, DirectoryError> {
        let changesets = peer_changesets(&files.directory.path, files.options)?;
        let known = Changesets::new(&changesets);
        let of = |entry: &Entry| files.directory.get(&known.find(&entry.columns)?.version);
        Ok(entries.iter().map(of).collect())
    }

    fn verify(
        &self,
        files: Files<'_>,
        pairs: &[(&Entry, &Migration)],
    ) -> Result<Vec<Verdict>, DirectoryError> {
        let changesets = peer_changesets(&files.directory.path, files.options)?;
        let known = Changesets::new(&changesets);
        let of = |(entry, _): &(&Entry, &Migration)| {
            let changeset = known.find(&entry.columns);
            match (changeset, entry.checksum.as_deref()) {
                (Some(changeset), Some(recorded)) => verdict(changeset, recorded),
                // It forgets them on request (`clear-checksums`), and then takes what it finds.
                _ => Verdict::NotKept,
            }
        };
        Ok(pairs.iter().map(of).collect())
    }
}

/// Changesets by author and id.
struct Changesets<'a>(HashMap<(&'a str, &'a str), Vec<&'a PeerChangeset>>);

impl<'a> Changesets<'a> {
    fn new(all: &'a [PeerChangeset]) -> Self {
        let mut known: HashMap<_, Vec<_>> = HashMap::new();
        for changeset in all {
            let key = (changeset.author.as_str(), changeset.id.as_str());
            known.entry(key).or_default().push(changeset);
        }
        Self(known)
    }

    /// The changeset of a row: by author, id and file. One of the two paths may begin further up than the other, when
    /// the tools were given different directories.
    fn find(&self, row: &Row) -> Option<&'a PeerChangeset> {
        let same = self.0.get(&(row.text(AUTHOR), row.text(ID)))?;
        let recorded = normalized(row.text(FILE));
        let exact = same
            .iter()
            .find(|changeset| normalized(&changeset.file) == recorded);
        if let Some(exact) = exact {
            return Some(exact);
        }
        let ends = |long: &str, short: &str| {
            long.strip_suffix(short)
                .is_some_and(|before| before.ends_with('/'))
        };
        let mut near = same.iter().filter(|changeset| {
            let file = normalized(&changeset.file);
            ends(&recorded, &file) || ends(&file, &recorded)
        });
        near.next().filter(|_| near.next().is_none()).copied()
    }
}

/// A path without what says where it was found.
fn normalized(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("classpath:").unwrap_or(&path);
    let path = match path.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 => rest,
        _ => path,
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    path.trim_start_matches('/').to_owned()
}

fn verdict(changeset: &PeerChangeset, recorded: &str) -> Verdict {
    let any = |valid: &String| {
        let valid = valid.to_ascii_lowercase();
        valid == "any" || valid.ends_with(":any") || valid == recorded
    };
    if changeset.valid_checksums.iter().any(any) {
        return Verdict::Same;
    }
    let found = match recorded.split_once(':') {
        Some(("9", _)) => &changeset.checksum_9,
        Some(("8", _)) => &changeset.checksum_8,
        _ => &None,
    };
    match found {
        Some(found) => super::compared(recorded, found),
        None => Verdict::NotKept,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, table};
    use super::*;

    /// Id, author, file, kind, checksum.
    fn state(some: &[[&str; 5]]) -> State {
        let all: Vec<[&str; 7]> = some
            .iter()
            .map(|[id, author, file, kind, sum]| {
                [
                    *id,
                    *author,
                    *file,
                    "2024-01-01T00:00:00Z",
                    *kind,
                    *sum,
                    "sql",
                ]
            })
            .collect();
        let all: Vec<&[&str]> = all.iter().map(|row| &row[..]).collect();
        Liquibase.state(&rows(&all))
    }

    fn changeset(id: &str, file: &str) -> PeerChangeset {
        PeerChangeset {
            version: changeset_version(file, id, "ann").unwrap(),
            file: file.to_owned(),
            id: id.to_owned(),
            author: "ann".to_owned(),
            checksum_9: Some("9:aa".to_owned()),
            checksum_8: None,
            valid_checksums: Vec::new(),
        }
    }

    #[test]
    fn what_was_executed_or_marked_is_applied() {
        let state = state(&[
            ["1", "ann", "db/1.sql", "EXECUTED", "9:aa"],
            ["2", "ann", "db/1.sql", "RERAN", "9:bb"],
            ["3", "ann", "db/1.sql", "MARK_RAN", ""],
            ["4", "ann", "db/1.sql", "FAILED", ""],
        ]);
        let rows: Vec<&str> = state
            .entries
            .iter()
            .map(|entry| entry.row.as_str())
            .collect();
        assert_eq!(
            rows,
            ["db/1.sql::1::ann", "db/1.sql::2::ann", "db/1.sql::3::ann"]
        );
        assert_eq!(state.entries[2].checksum, None);
        assert!(
            state.problems[0]
                .message
                .contains("db/1.sql::4::ann is recorded as `FAILED`")
        );
    }

    #[test]
    fn a_changeset_is_found_wherever_its_path_begins() {
        let all = [
            changeset("1", "1.sql"),
            changeset("1", "old/1.sql"),
            changeset("2", "db/changelog/2.sql"),
        ];
        let known = Changesets::new(&all);
        let find = |id: &str, file: &str| {
            let rows = rows(&[&[id, "ann", file]]);
            known
                .find(&rows[0])
                .map(|changeset| changeset.file.as_str())
        };
        assert_eq!(find("1", "1.sql"), Some("1.sql"));
        assert_eq!(find("1", "classpath:/old/1.sql"), Some("old/1.sql"));
        assert_eq!(find("2", "2.sql"), Some("db/changelog/2.sql"));
        assert_eq!(
            find("2", "C:\\src\\db\\changelog\\2.sql"),
            Some("db/changelog/2.sql")
        );
        assert_eq!(find("2", "22.sql"), None);
        // Either could be meant.
        assert_eq!(find("1", "x/old/1.sql"), None);
    }

    #[test]
    fn verdicts() {
        let mut own = changeset("1", "1.sql");
        assert_eq!(verdict(&own, "9:aa"), Verdict::Same);
        assert!(matches!(verdict(&own, "9:bb"), Verdict::Differs { .. }));
        // Older ones that forerun does not compute.
        assert_eq!(verdict(&own, "8:bb"), Verdict::NotKept);
        assert_eq!(verdict(&own, "7:bb"), Verdict::NotKept);
        own.valid_checksums = vec!["9:bb".to_owned()];
        assert_eq!(verdict(&own, "9:bb"), Verdict::Same);
        own.valid_checksums = vec!["1:any".to_owned()];
        assert_eq!(verdict(&own, "9:cc"), Verdict::Same);
    }

    #[test]
    fn its_lock_is_looked_at_and_not_written() {
        let own = table("public", "databasechangelog", &[]);
        let locks = table(
            "public",
            "databasechangeloglock",
            &["id", "locked", "lockgranted", "lockedby"],
        );
        let place = |dialect| Place {
            dialect,
            database: "app",
            table: &own,
            others: std::slice::from_ref(&locks),
        };
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            let lock = Liquibase.lock(&place(dialect));
            assert!(lock.tries[0].starts_with("SELECT "), "{lock:?}");
            assert!(lock.releases.is_empty());
        }
        let without = Place {
            others: &[],
            ..place(Dialect::Postgres)
        };
        assert_eq!(Liquibase.lock(&without), PeerLock::default());
    }
}

//! What MySQL and MariaDB do for a statement, found out by asking.
//!
//! `ALTER TABLE` and `CREATE INDEX` take a wish: `ALGORITHM=…, LOCK=…`. What the server cannot do that way it refuses
//! before it does anything, so the statement is sent with the best wish first, and the first that is not refused is what
//! the server does by itself (MySQL manual, "Online DDL Operations"; MariaDB, "InnoDB Online DDL Overview"). Whether it
//! wrote the table anew shows in InnoDB's id of the table, and an index that was built in the ids of its indexes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use forerun_migrations::database::{DatabaseError, ErrorKind, Session};
use forerun_migrations::trace::{Observation, Observer, Place};
use forerun_sql::ObjectName;
use forerun_sql::effect::{Blocks, Effect, Work};
use forerun_sql::operation::{OperationKind, Operations};

use super::error;
use super::session::MysqlSession;

/// `ER_ALTER_OPERATION_NOT_SUPPORTED` and `…_REASON`: not with this algorithm or lock.
const NOT_THIS_WAY: [u16; 2] = [1845, 1846];
/// `ER_WRONG_USAGE`: an algorithm and a lock that never go together.
const WRONG_USAGE: u16 = 1221;
/// `ER_PARSE_ERROR`: the statement takes no wish, at least not at its end.
const SYNTAX: u16 = 1064;

const PLACE: &str = "SELECT CONCAT_WS(' ', @@hostname, @@port, @@datadir), DATABASE()";
const CONTENTS: &str = include_str!("sql/trace_contents.sql");

/// Locks from weak to strong, as Effect names them, and who waits.
const LOCKS: [(&str, &str, Blocks); 3] = [
    ("NONE", "LOCK=NONE", Blocks::Nobody),
    ("SHARED", "LOCK=SHARED", Blocks::Writers),
    ("EXCLUSIVE", "LOCK=EXCLUSIVE", Blocks::Everybody),
];

/// InnoDB's ids of a table (each partition is one) and of its indexes.
#[derive(Default, PartialEq, Eq)]
struct Ids {
    table: BTreeSet<String>,
    indexes: BTreeSet<String>,
}

pub(super) struct MysqlObserver {
    session: MysqlSession,
    mariadb: bool,
    /// The database was seen to be empty.
    empty: bool,
    /// Tables that were made since the observation began, in lower case.
    made: BTreeSet<String>,
}

/// A way to change a table.
struct Way {
    algorithm: String,
    lock: usize,
}

impl MysqlObserver {
    pub(super) fn new(session: MysqlSession, mariadb: bool) -> Self {
        Self {
            session,
            mariadb,
            empty: false,
            made: BTreeSet::new(),
        }
    }

    /// The ids of a table; `None` when this user must not see them.
    async fn ids(&mut self, table: &str) -> Result<Option<Ids>, DatabaseError> {
        let database = self.session.server().database.clone();
        let [tables, indexes] = match self.mariadb {
            true => ["INNODB_SYS_TABLES", "INNODB_SYS_INDEXES"],
            false => ["INNODB_TABLES", "INNODB_INDEXES"],
        };
        let name = format!("{}/{}", file_name(&database), file_name(table));
        let sql = format!(
            "SELECT t.TABLE_ID, i.INDEX_ID FROM information_schema.{tables} t LEFT JOIN information_schema.{indexes} i \
             ON i.TABLE_ID = t.TABLE_ID WHERE LOWER(SUBSTRING_INDEX(t.NAME, '#', 1)) = LOWER({})",
            quoted(&name),
        );
        let rows = match self.session.rows(&sql).await {
            Ok(rows) => rows,
            // The PROCESS privilege is missing.
            Err(error) if error.kind == ErrorKind::Statement => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut ids = Ids::default();
        for row in rows {
            let mut row = row.into_iter();
            ids.table.extend(row.next().flatten());
            ids.indexes.extend(row.next().flatten());
        }
        Ok(Some(ids))
    }

    /// Sends a statement with the best wish that the server does not refuse; `None` when it takes none, and has run
    /// without.
    async fn best(
        &mut self,
        sql: &str,
        operations: &Operations,
    ) -> Result<Option<Way>, DatabaseError> {
        for first in [false, true] {
            for way in self.ways(operations) {
                let Some(wished) = self.wished(sql, operations, &way, first) else {
                    break;
                };
                match self.session.run(&wished).await {
                    Ok(_) => return Ok(Some(way)),
                    Err(error) => match error::number(&error) {
                        Some(number) if NOT_THIS_WAY.contains(&number) => {}
                        Some(WRONG_USAGE) => {}
                        Some(SYNTAX) => break,
                        _ => return Err(error),
                    },
                }
            }
        }
        self.session.run(sql).await?;
        Ok(None)
    }

    /// A statement with its wish at the end, or before the first action of `ALTER TABLE`: nothing may follow `ORDER BY` and
    /// `PARTITION BY`.
    fn wished(&self, sql: &str, operations: &Operations, way: &Way, first: bool) -> Option<String> {
        let mut wishes = Vec::new();
        if operations.algorithm.is_none() {
            wishes.push(format!("ALGORITHM={}", way.algorithm));
        }
        // On MySQL INSTANT takes no lock but the one that is there anyway. MariaDB says yes to it and copies where it can do
        // nothing else, unless writers are to go on.
        let takes_lock = self.mariadb || way.algorithm != "INSTANT";
        if operations.lock.is_none() && takes_lock {
            wishes.push(format!("LOCK={}", LOCKS[way.lock].0));
        }
        let verb = sql.trim_start().get(..5);
        let alters = verb.is_some_and(|verb| verb.eq_ignore_ascii_case("ALTER"));
        if !first {
            let between = if alters { ", " } else { " " };
            let wishes = wishes.iter().map(|wish| format!("{between}{wish}"));
            // On a line of its own: the statement may end in a comment.
            return Some(format!("{sql}\n{}", wishes.collect::<String>()));
        }
        let action = operations.list.first().filter(|_| alters)?;
        let (head, actions) = sql.split_at_checked(action.span.start)?;
        let partitions = ["PARTITION", "REMOVE"].iter().any(|word| {
            let begins = actions.get(..word.len());
            begins.is_some_and(|begins| begins.eq_ignore_ascii_case(word))
        });
        let between = if partitions { " " } else { ", " };
        Some(format!("{head}{}{between}{actions}", wishes.join(", ")))
    }

    /// All ways that the statement leaves open, the best first.
    fn ways(&self, operations: &Operations) -> Vec<Way> {
        let wanted = |wish: &Option<(String, std::ops::Range<usize>)>| {
            let word = wish.as_ref().map(|(word, _)| word.clone());
            word.filter(|word| word != "DEFAULT")
        };
        let algorithms = match wanted(&operations.algorithm) {
            Some(algorithm) => vec![algorithm],
            None if self.mariadb => ["INSTANT", "NOCOPY", "INPLACE", "COPY"]
                .map(str::to_owned)
                .to_vec(),
            None => ["INSTANT", "INPLACE", "COPY"].map(str::to_owned).to_vec(),
        };
        let lock = wanted(&operations.lock);
        let place = |lock: String| LOCKS.iter().position(|(name, _, _)| *name == lock);
        let locks = match lock.and_then(place) {
            Some(lock) => vec![lock],
            None => (0..LOCKS.len()).collect(),
        };
        let mut ways = Vec::new();
        for algorithm in algorithms {
            let instant = algorithm == "INSTANT";
            for lock in &locks {
                ways.push(Way {
                    algorithm: algorithm.clone(),
                    lock: *lock,
                });
                if instant && !self.mariadb {
                    break;
                }
            }
        }
        ways
    }
}

#[async_trait]
impl Observer for MysqlObserver {
    fn session(&mut self) -> &mut dyn Session {
        &mut self.session
    }

    async fn place(&mut self) -> Result<Place, DatabaseError> {
        let rows = self.session.rows(PLACE).await?;
        let mut row = rows.into_iter().next().unwrap_or_default().into_iter();
        Ok(Place {
            server: row.next().flatten().unwrap_or_default(),
            database: row.next().flatten().unwrap_or_default(),
        })
    }

    async fn contents(&mut self) -> Result<Vec<String>, DatabaseError> {
        let found = self.session.rows(CONTENTS).await?;
        let names = found.into_iter().map(|row| {
            let words: Vec<String> = row.into_iter().flatten().collect();
            words.join(" ")
        });
        let names: Vec<String> = names.collect();
        self.empty = names.is_empty();
        Ok(names)
    }

    async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.made.clear();
        Ok(())
    }

    async fn observe(
        &mut self,
        sql: &str,
        operations: &Operations,
        _in_transaction: bool,
    ) -> Result<Observation, DatabaseError> {
        let table = altered(operations).filter(|table| !self.made.contains(&key(table)));
        let Some(table) = table.cloned() else {
            self.session.run(sql).await?;
            for operation in &operations.list {
                match &operation.kind {
                    OperationKind::CreateTable(create) => {
                        self.made.extend(create.table.as_ref().map(key));
                    }
                    OperationKind::Rename { object, to, .. } if self.made.remove(&key(object)) => {
                        self.made.insert(key(to));
                    }
                    _ => {}
                }
            }
            let own = altered(operations).is_some();
            return Ok(Observation {
                // A table that was made before in the same trace.
                effects: own.then(Vec::new),
                ..Observation::default()
            });
        };
        let before = self.ids(&table.name).await?;
        let way = self.best(sql, operations).await?;
        let renamed = operations
            .list
            .iter()
            .find_map(|operation| match &operation.kind {
                OperationKind::Rename { object, to, .. } if key(object) == key(&table) => {
                    Some(to.name.clone())
                }
                _ => None,
            });
        let after = self.ids(renamed.as_deref().unwrap_or(&table.name)).await?;
        let Some(way) = way else {
            return Ok(Observation {
                note: Some(
                    "the statement takes neither ALGORITHM nor LOCK, so the server cannot be asked"
                        .to_owned(),
                ),
                ..Observation::default()
            });
        };
        let (_, lock, blocks) = LOCKS[way.lock];
        let note = format!("ALGORITHM={}, {lock}", way.algorithm);
        // Of other engines InnoDB has no ids.
        let [before, after] = match (before, after) {
            (Some(before), Some(after)) if before.table.is_empty() && after.table.is_empty() => {
                [None, None]
            }
            ids => ids.into(),
        };
        let by_nature = operations
            .list
            .iter()
            .any(|operation| matches!(operation.kind, OperationKind::RewriteTable { .. }));
        let work = match (before, after, way.algorithm.as_str()) {
            (_, _, "COPY") => Work::Rewrite,
            (Some(before), Some(after), _) if before.table != after.table => Work::Rewrite,
            // MariaDB does not refuse every statement that writes the table anew.
            (_, _, "INSTANT") if !(self.mariadb && by_nature) => Work::Metadata,
            (Some(before), Some(after), _) if !after.indexes.is_subset(&before.indexes) => {
                Work::IndexBuild
            }
            (Some(_), Some(_), _) => Work::Metadata,
            _ => {
                return Ok(Observation {
                    note: Some(format!(
                        "{note}; only of InnoDB tables, and only with the PROCESS privilege, can be seen whether they were \
                         written anew"
                    )),
                    ..Observation::default()
                });
            }
        };
        Ok(Observation {
            effects: Some(vec![Effect {
                table,
                lock,
                blocks,
                work,
            }]),
            note: Some(note),
            ..Observation::default()
        })
    }

    async fn clear(mut self: Box<Self>) -> Result<(), DatabaseError> {
        if !self.empty {
            return Ok(());
        }
        self.session.run("SET foreign_key_checks = 0").await?;
        for row in self.session.rows(CONTENTS).await? {
            let mut row = row.into_iter().flatten();
            if let (Some(kind), Some(name)) = (row.next(), row.next()) {
                let drop = format!("DROP {kind} IF EXISTS `{}`", name.replace('`', "``"));
                self.session.run(&drop).await?;
            }
        }
        Ok(())
    }
}

/// The table that a statement changes in a way that the server can be asked about.
fn altered(operations: &Operations) -> Option<&ObjectName> {
    let first = operations.list.first()?;
    let asked = !matches!(
        first.kind,
        OperationKind::CreateTable(_)
            | OperationKind::Drop { .. }
            | OperationKind::Create { .. }
            | OperationKind::Truncate { .. }
            | OperationKind::Insert { .. }
            | OperationKind::Update { .. }
            | OperationKind::Delete { .. }
            | OperationKind::LockTable { .. }
            | OperationKind::Opaque { .. }
    );
    first.kind.table().filter(|_| asked)
}

fn key(table: &ObjectName) -> String {
    table.name.to_lowercase()
}

/// The name of a table as InnoDB keeps it: letters, digits and `_` as they are, what else there is in ASCII by its code.
fn file_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '0'..='9' | 'a'..='z' | 'A'..='Z' | '_' => encoded.push(letter),
            _ => encoded.push_str(&format!("@{:04x}", u32::from(letter))),
        }
    }
    encoded
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', "''"))
}

//! What PostgreSQL does for a statement, seen from its own session in the open transaction.
//!
//! `pg_locks` tells the locks; a new file node tells that a table was written anew or an index built; and the number of
//! sequential scans of this transaction (`pg_stat_get_xact_numscans`) tells that a table was read as a whole: ALTER TABLE
//! counts its verification there, CREATE INDEX its build, and a foreign key the query that checks it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use forerun_migrations::database::{DatabaseError, ErrorKind, Session};
use forerun_migrations::trace::{Observation, Observer, Place};
use forerun_sql::effect::{Blocks, Effect, Work};
use forerun_sql::operation::{OperationKind, Operations};
use forerun_sql::{Dialect, LockClass, ObjectKind, ObjectName, classify};

use super::session::PostgresSession;

const RELATIONS: &str = include_str!("sql/trace_relations.sql");
const LOCKS: &str = include_str!("sql/trace_locks.sql");
const CONTENTS: &str = include_str!("sql/trace_contents.sql");
const PLACE: &str =
    "SELECT pg_postmaster_start_time()::text || ' ' || current_setting('port'), current_database()";

/// Modes of table locks from weak to strong, as `pg_locks` and the manual call them, and who waits.
const MODES: [(&str, &str, Blocks); 8] = [
    ("AccessShareLock", "ACCESS SHARE", Blocks::Nobody),
    ("RowShareLock", "ROW SHARE", Blocks::Nobody),
    ("RowExclusiveLock", "ROW EXCLUSIVE", Blocks::Nobody),
    (
        "ShareUpdateExclusiveLock",
        "SHARE UPDATE EXCLUSIVE",
        Blocks::Nobody,
    ),
    ("ShareLock", "SHARE", Blocks::Writers),
    (
        "ShareRowExclusiveLock",
        "SHARE ROW EXCLUSIVE",
        Blocks::Writers,
    ),
    ("ExclusiveLock", "EXCLUSIVE", Blocks::Writers),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE", Blocks::Everybody),
];

/// Places in [`MODES`].
type Modes = BTreeSet<usize>;

pub(super) struct PostgresObserver {
    session: PostgresSession,
    /// Tables that are there when the observation begins, by object id.
    old: BTreeSet<i64>,
    /// Schemas and extensions that belong to the empty database; `None` before it was seen to be empty.
    kept: Option<BTreeSet<String>>,
}

/// A table, materialized view or index.
struct Relation {
    name: ObjectName,
    file: i64,
    /// The table of an index.
    table: Option<i64>,
    scans: i64,
    /// The table that it is a partition of.
    partition_of: Option<i64>,
}

/// What a transaction sees and holds.
struct State {
    relations: BTreeMap<i64, Relation>,
    locks: BTreeMap<i64, Modes>,
}

impl PostgresObserver {
    pub(super) fn new(session: PostgresSession) -> Self {
        Self {
            session,
            old: BTreeSet::new(),
            kept: None,
        }
    }

    async fn relations(&mut self) -> Result<BTreeMap<i64, Relation>, DatabaseError> {
        let rows = self.session.rows(RELATIONS).await?;
        rows.iter().map(|row| relation(row)).collect()
    }

    async fn state(&mut self) -> Result<State, DatabaseError> {
        let relations = self.relations().await?;
        let mut locks: BTreeMap<i64, Modes> = BTreeMap::new();
        for row in self.session.rows(LOCKS).await? {
            let mode = text(&row, 1)?;
            let place = MODES.iter().position(|(name, _, _)| *name == mode);
            let modes = locks.entry(number(&row, 0)?).or_default();
            modes.extend(place);
        }
        Ok(State { relations, locks })
    }

    /// What is in the database: kind, name, and whether the database itself begins with it.
    async fn objects(&mut self) -> Result<Vec<(String, String)>, DatabaseError> {
        let rows = self.session.rows(CONTENTS).await?;
        let named = rows
            .iter()
            .map(|row| Ok((text(row, 0)?.to_owned(), text(row, 1)?.to_owned())));
        named.collect()
    }

    /// Effects of a statement on tables that were there before.
    fn compare(&self, before: &State, after: &State, own: Own) -> Observation {
        let files: BTreeSet<i64> = before.relations.values().map(|known| known.file).collect();
        let (mut effects, mut held, mut hiding) = (Vec::new(), Vec::new(), Vec::new());
        for (id, table) in &before.relations {
            if table.table.is_some() || !self.old.contains(id) {
                continue;
            }
            let none = Modes::new();
            let had = before.locks.get(id).unwrap_or(&none);
            let has = after.locks.get(id).unwrap_or(&none);
            let work = match after.relations.get(id) {
                // It is gone, or emptied: nothing of it is read.
                None => Work::Metadata,
                Some(_) if own.empties => Work::Metadata,
                Some(now) if now.file != table.file => Work::Rewrite,
                Some(_) if builds_index(after, *id, &files) => Work::IndexBuild,
                // How rows are found depends on how many there are: not the server's answer for the target.
                Some(_) if own.rows => Work::Rows,
                Some(now) if now.scans > table.scans => Work::Scan,
                Some(_) => Work::Metadata,
            };
            let effect = |mode: Option<&usize>| {
                let (_, lock, blocks) = MODES.get(*mode?)?;
                // Nobody writes to a materialized view but its own refresh.
                let view = table.name.kind == ObjectKind::MaterializedView;
                Some(Effect {
                    table: table.name.clone(),
                    lock,
                    blocks: match *blocks {
                        Blocks::Writers if view => Blocks::Nobody,
                        blocks => blocks,
                    },
                    work,
                })
            };
            // ACCESS SHARE, the first mode, is what every reader has.
            let taken = has.difference(had).filter(|mode| **mode > 0).last();
            let kept = had.last().filter(|mode| **mode > 0);
            let hidden = taken < kept;
            let (taken, kept) = (effect(taken), effect(kept));
            let weaker = taken.as_ref().map_or(Blocks::Nobody, |taken| taken.blocks);
            hiding.extend(kept.clone().filter(|_| hidden).map(|kept| (*id, kept)));
            held.extend(kept.filter(|kept| kept.blocks > weaker));
            effects.extend(taken.map(|taken| (*id, taken)));
        }
        with_work_of_partitions(before, &mut effects, &mut hiding);
        let of_tables = |all: Vec<(i64, Effect)>| all.into_iter().map(|(_, effect)| effect);
        let mut effects: Vec<Effect> = of_tables(effects).collect();
        effects.extend(self.built_anew(before, after));
        Observation {
            effects: Some(effects),
            held,
            hiding: of_tables(hiding).collect(),
            note: None,
        }
    }
}

impl PostgresObserver {
    /// Indexes that are built anew while every query on their table waits for them, though the table itself is not locked
    /// that hard: whoever plans a query locks all indexes of the table (manual, page of REINDEX).
    fn built_anew(&self, before: &State, after: &State) -> Vec<Effect> {
        let strongest = MODES.len() - 1;
        let locks = |id: i64| after.locks.get(&id).and_then(|modes| modes.last());
        let built = before.relations.iter().filter(|(id, index)| {
            let now = after.relations.get(id);
            index
                .table
                .is_some_and(|table| locks(table) != Some(&strongest))
                && self.old.contains(id)
                && locks(**id) == Some(&strongest)
                && now.is_some_and(|now| now.file != index.file)
        });
        let effect = |(_, index): (&i64, &Relation)| {
            let (_, lock, blocks) = MODES[strongest];
            Effect {
                table: index.name.clone(),
                lock,
                blocks,
                work: Work::IndexBuild,
            }
        };
        built.map(effect).collect()
    }
}

/// What is known of a statement by its text.
#[derive(Clone, Copy)]
struct Own {
    /// It reads or changes rows.
    rows: bool,
    /// `TRUNCATE`.
    empties: bool,
}

#[async_trait]
impl Observer for PostgresObserver {
    fn session(&mut self) -> &mut dyn Session {
        &mut self.session
    }

    async fn place(&mut self) -> Result<Place, DatabaseError> {
        let rows = self.session.rows(PLACE).await?;
        let row = rows.first().ok_or_else(unreadable)?;
        Ok(Place {
            server: text(row, 0)?.to_owned(),
            database: text(row, 1)?.to_owned(),
        })
    }

    async fn contents(&mut self) -> Result<Vec<String>, DatabaseError> {
        let mut found = Vec::new();
        let mut kept = BTreeSet::new();
        for (kind, name) in self.objects().await? {
            match kind.as_str() {
                // An empty schema and an extension are how a database may begin.
                "schema" | "extension" => {
                    kept.insert(format!("{kind} {name}"));
                }
                _ => found.push(format!("{kind} {name}")),
            }
        }
        self.kept = found.is_empty().then_some(kept);
        Ok(found)
    }

    async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.old = self.relations().await?.into_keys().collect();
        Ok(())
    }

    async fn observe(
        &mut self,
        sql: &str,
        operations: &Operations,
        in_transaction: bool,
    ) -> Result<Observation, DatabaseError> {
        if !in_transaction {
            self.session.run(sql).await?;
            return Ok(Observation {
                note: Some(
                    "it runs outside of a transaction, where its locks cannot be seen".to_owned(),
                ),
                ..Observation::default()
            });
        }
        let before = self.state().await?;
        self.session.run(sql).await?;
        let after = self.state().await?;
        let lock = classify(Dialect::Postgres, sql).lock;
        let truncates = |kind: &OperationKind| matches!(kind, OperationKind::Truncate { .. });
        let own = Own {
            rows: matches!(lock, LockClass::Dml | LockClass::Query),
            empties: operations.list.iter().any(|one| truncates(&one.kind)),
        };
        Ok(self.compare(&before, &after, own))
    }

    async fn clear(mut self: Box<Self>) -> Result<(), DatabaseError> {
        // What depends on another object may have gone with it, so after each the rest is looked at again, and what
        // cannot be dropped by itself goes with something later.
        let mut refused = None;
        let Some(kept) = self.kept.take() else {
            return Ok(());
        };
        loop {
            let objects = self.objects().await?;
            let made = objects
                .into_iter()
                .filter(|(kind, name)| !kept.contains(&format!("{kind} {name}")));
            let made: Vec<(String, String)> = made.collect();
            if made.is_empty() {
                return Ok(());
            }
            let mut dropped = 0;
            for (kind, name) in made {
                let kind = match kind.as_str() {
                    "composite type" => "type",
                    other => other,
                };
                let cascade = if kind == "event trigger" || kind == "publication" {
                    ""
                } else {
                    " CASCADE"
                };
                let drop = format!("DROP {kind} IF EXISTS {name}{cascade}");
                match self.session.run(&drop).await {
                    Ok(_) => dropped += 1,
                    Err(error) if error.kind == ErrorKind::Statement => refused = Some(error),
                    Err(error) => return Err(error),
                }
            }
            if dropped == 0 {
                return Err(refused.unwrap_or_else(unreadable));
            }
        }
    }
}

/// A partitioned table has no file of its own: it is locked for as long as its partitions are worked at.
fn with_work_of_partitions(
    before: &State,
    effects: &mut [(i64, Effect)],
    hiding: &mut [(i64, Effect)],
) {
    let parent = |id: &i64| before.relations.get(id)?.partition_of;
    let all = effects.iter().chain(hiding.iter());
    let mut of_parents: BTreeMap<i64, Work> = BTreeMap::new();
    for (id, effect) in all {
        // No table is a partition of itself.
        for above in std::iter::successors(parent(id), parent) {
            let most = of_parents.entry(above).or_insert(effect.work);
            *most = effect.work.max(*most);
        }
    }
    for (id, effect) in effects.iter_mut().chain(hiding) {
        let of_parts = of_parents.get(id).copied();
        effect.work = effect.work.max(of_parts.unwrap_or(effect.work));
    }
}

/// Whether an index of this table has a file that was not there before.
fn builds_index(after: &State, table: i64, files: &BTreeSet<i64>) -> bool {
    let mut indexes = after.relations.values();
    indexes
        .any(|index| index.table == Some(table) && index.file != 0 && !files.contains(&index.file))
}

fn relation(row: &[Option<String>]) -> Result<(i64, Relation), DatabaseError> {
    let schema = Some(text(row, 1)?.to_owned()).filter(|schema| !schema.is_empty());
    let kind = match text(row, 3)? {
        "m" => ObjectKind::MaterializedView,
        "i" | "I" => ObjectKind::Index,
        _ => ObjectKind::Table,
    };
    let relation = Relation {
        name: ObjectName {
            kind,
            schema,
            name: text(row, 2)?.to_owned(),
        },
        file: number(row, 4)?,
        table: Some(number(row, 5)?).filter(|table| *table != 0),
        scans: number(row, 6)?,
        partition_of: Some(number(row, 7)?).filter(|parent| *parent != 0),
    };
    Ok((number(row, 0)?, relation))
}

fn text(row: &[Option<String>], column: usize) -> Result<&str, DatabaseError> {
    let value = row.get(column).and_then(Option::as_deref);
    value.ok_or_else(unreadable)
}

fn number(row: &[Option<String>], column: usize) -> Result<i64, DatabaseError> {
    text(row, column)?.parse().map_err(|_| unreadable())
}

fn unreadable() -> DatabaseError {
    DatabaseError::new(
        ErrorKind::Unexpected,
        "the catalog of the scratch database holds something that this version does not know",
    )
}

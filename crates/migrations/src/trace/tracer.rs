//! Runs scripts statement by statement under observation.

use std::io::BufRead;
use std::time::Duration;

use forerun_sql::effect::{Blocks, Effect, Work, effects};
use forerun_sql::operation::{OperationKind, Operations, operations};
use forerun_sql::schema::Schema;
use forerun_sql::{
    Dialect, Piece, Position, SplitError, Splitter, Statement, TransactionUse, classify,
};

use super::beyond;
use super::observer::{Observation, Observer};
use super::{Source, TracedStatement};
use crate::database::{CommitOutcome, Database, DatabaseError, Timeouts};

/// Nobody else uses a scratch database; whoever does must not make a trace wait for long.
const LIMITS: Timeouts = Timeouts {
    lock: Some(Duration::from_secs(5)),
    statement: None,
};
/// Characters of a statement that are kept.
const PREVIEW: usize = 120;

/// Runs scripts one after the other on one scratch database.
pub struct Tracer {
    observer: Box<dyn Observer>,
    dialect: Dialect,
    transactional_ddl: bool,
    /// The scratch database.
    own: String,
    /// The database of the target, where it is on the same server.
    target: Option<String>,
    /// As the scripts made it.
    schema: Schema,
    files: usize,
    /// Files that were run before the observed ones.
    earlier: usize,
}

/// How a script is run.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// In one transaction, where the database has transactions for what it does.
    pub transaction: bool,
    /// Its own `BEGIN` and `COMMIT` are left out: the transaction stands for them.
    pub wrapped: bool,
    /// Look at what each statement does.
    pub observed: bool,
}

/// Why a script ended early.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be read.
    Split(SplitError),
    /// The server refused a statement.
    Statement {
        /// Where.
        position: Position,
        /// Which.
        sql: String,
        /// What it said.
        error: DatabaseError,
    },
}

impl From<SplitError> for Failure {
    fn from(error: SplitError) -> Self {
        Self::Split(error)
    }
}

impl Tracer {
    /// For the scratch database of an observer. `target` is the name of the target's database where both are on the same
    /// server.
    pub fn new(
        database: &dyn Database,
        mut observer: Box<dyn Observer>,
        target: Option<String>,
    ) -> Self {
        let dialect = database.dialect();
        Self {
            own: observer.session().server().database.clone(),
            observer,
            dialect,
            transactional_ddl: database.capabilities().transactional_ddl,
            target,
            schema: Schema::new(dialect),
            files: 0,
            earlier: 0,
        }
    }

    /// The observer.
    pub fn observer(&mut self) -> &mut dyn Observer {
        self.observer.as_mut()
    }

    /// What was run so far is what the scripts from here on find.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.earlier = self.files;
        self.observer.begin().await
    }

    /// Removes everything.
    ///
    /// # Errors
    /// When something could not be removed.
    pub async fn clear(mut self) -> Result<(), DatabaseError> {
        self.observer.session().rollback().await?;
        self.observer.session().reset().await?;
        self.observer.clear().await
    }

    /// Runs a script. Returns what its statements did, without those that were not looked at.
    ///
    /// # Errors
    /// When it cannot be read, or the server refuses a statement of it. What was done before stays.
    pub async fn run<R: BufRead + Send>(
        &mut self,
        script: R,
        how: How,
    ) -> Result<Vec<TracedStatement>, Failure> {
        self.files += 1;
        self.schema.begin_file(self.files);
        let mut traced = Vec::new();
        let mut splitter = Splitter::new(script, self.dialect);
        let whole = how.transaction && self.transactional_ddl;
        let mut group = false;
        if whole {
            self.begin_transaction().await?;
        }
        while let Some(piece) = splitter.next_piece()? {
            let Piece::Statement(statement) = piece else {
                continue;
            };
            let classification = classify(self.dialect, &statement.text);
            let parsed = operations(self.dialect, &statement.text);
            let control = match classification.transaction {
                TransactionUse::Begin => Some(true),
                TransactionUse::Commit | TransactionUse::Rollback => Some(false),
                _ => None,
            };
            if whole && how.wrapped && control.is_some() {
                continue;
            }
            let why_not = beyond::why_not(
                self.dialect,
                &statement.text,
                &parsed,
                &self.own,
                self.target.as_deref(),
            );
            if let Some(reason) = why_not {
                let documented = self.documented(&parsed);
                traced.push(told(
                    &statement,
                    classification.verb,
                    Source::NotRun,
                    documented,
                    format!("not run here: {reason}"),
                ));
                self.fold(&parsed, &statement);
                continue;
            }
            // Locks last as long as the transaction, so each statement that may have one gets one to look at.
            let outside = classification.transaction == TransactionUse::Outside;
            let alone = self.transactional_ddl && !whole && !group && !outside && control.is_none();
            if alone {
                self.begin_transaction().await?;
            }
            let in_transaction = whole || group || alone;
            let takes_rows =
                classification.verb.starts_with("COPY") && statement.terminator.contains('\n');
            let failed = |error| Failure::Statement {
                position: statement.position,
                sql: statement.text.clone(),
                error,
            };
            let mut observation = Observation::default();
            if takes_rows {
                self.copy(&statement, &mut splitter).await?;
            } else if how.observed {
                let observed =
                    self.observer
                        .observe(&statement.text, &parsed, in_transaction && !outside);
                observation = observed.await.map_err(failed)?;
            } else {
                let session = self.observer.session();
                session.run(&statement.text).await.map_err(failed)?;
            }
            if alone {
                self.commit().await.map_err(failed)?;
            }
            group = control.unwrap_or(group);
            if how.observed && !takes_rows {
                let one = self.observed(&statement, classification.verb, &parsed, observation);
                traced.push(one);
            }
            self.fold(&parsed, &statement);
        }
        if whole {
            self.commit().await.map_err(|error| Failure::Statement {
                position: Position::START,
                sql: "COMMIT".to_owned(),
                error,
            })?;
        }
        let reset = self.observer.session().reset().await;
        reset.map_err(|error| Failure::Statement {
            position: Position::START,
            sql: String::new(),
            error,
        })?;
        Ok(traced)
    }

    fn fold(&mut self, parsed: &Operations, statement: &Statement) {
        for operation in &parsed.list {
            self.schema.apply(operation, &statement.text);
        }
    }

    fn observed(
        &self,
        statement: &Statement,
        verb: String,
        parsed: &Operations,
        observation: Observation,
    ) -> TracedStatement {
        let Some(effects) = observation.effects else {
            let effects = self.documented(parsed);
            return TracedStatement {
                note: observation.note,
                ..told(statement, verb, Source::Documented, effects, String::new())
            };
        };
        let mut seen = Seen {
            source: Source::Observed,
            effects,
            held: observation.held,
            note: observation.note,
        };
        if !observation.hiding.is_empty() {
            let documented = self.documented(parsed);
            for held in &observation.hiding {
                let same = |effect: &&Effect| self.schema.same_name(&effect.table, &held.table);
                let of_table = documented.iter().filter(same);
                seen.uncover(held, of_table.max_by_key(|effect| effect.blocks));
            }
        }
        // What is held from before hurts for as long as this statement works.
        let longest = seen.effects.iter().map(|effect| effect.work).max();
        match longest.filter(|work| *work >= Work::Rows) {
            Some(work) => seen.held.iter_mut().for_each(|own| own.work = work),
            None => seen.held.clear(),
        }
        TracedStatement {
            watched: true,
            held: seen.held,
            note: seen.note,
            ..told(statement, verb, seen.source, seen.effects, String::new())
        }
    }

    /// What the manuals say of a statement, for the tables that the observed scripts find.
    fn documented(&self, parsed: &Operations) -> Vec<Effect> {
        let mut schema = self.schema.clone();
        let mut all: Vec<Effect> = Vec::new();
        for operation in &parsed.list {
            let found = effects(operation, &schema);
            all.extend(found.into_iter().filter(|effect| {
                let known = self.schema.table(&effect.table);
                let created = matches!(operation.kind, OperationKind::CreateTable(_));
                known.map_or(!created, |table| table.made_in <= self.earlier)
            }));
            schema.apply(operation, "");
        }
        all
    }

    async fn begin_transaction(&mut self) -> Result<(), Failure> {
        let begun = self.observer.session().begin(LIMITS).await;
        begun.map_err(|error| Failure::Statement {
            position: Position::START,
            sql: "BEGIN".to_owned(),
            error,
        })
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        match self.observer.session().commit().await {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::RolledBack(error) | CommitOutcome::Unknown(error) => Err(error),
        }
    }

    /// Streams the rows of a `COPY … FROM STDIN`.
    async fn copy<R: BufRead + Send>(
        &mut self,
        statement: &Statement,
        splitter: &mut Splitter<R>,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::Statement {
            position: statement.position,
            sql: statement.text.clone(),
            error,
        };
        let session = self.observer.session();
        session.copy_start(&statement.text).await.map_err(failed)?;
        while let Some(piece) = splitter.next_piece()? {
            match piece {
                Piece::CopyData(rows) => session.copy_data(rows).await.map_err(failed)?,
                Piece::CopyEnd(_) => break,
                _ => {}
            }
        }
        session.copy_finish().await.map_err(failed)?;
        Ok(())
    }

    /// The first column of the first row of a query.
    ///
    /// # Errors
    /// When the database refuses it.
    pub async fn answer(&mut self, sql: &str) -> Result<Option<String>, DatabaseError> {
        let rows = self.observer.session().rows(sql).await?;
        let first = rows.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next().flatten()))
    }
}

/// What a statement was seen doing.
struct Seen {
    source: Source,
    effects: Vec<Effect>,
    held: Vec<Effect>,
    note: Option<String>,
}

impl Seen {
    /// Tells the lock of a statement on a table on which an earlier one holds a lock that hides it: the documented one,
    /// unless the server has shown that it is another one; else that it is the one held, at most.
    fn uncover(&mut self, held: &Effect, documented: Option<&Effect>) {
        let place = self.effects.iter().position(|own| own.table == held.table);
        let seen = place.and_then(|place| self.effects.get(place));
        let least = seen.map_or(Blocks::Nobody, |seen| seen.blocks);
        let documented = documented.filter(|own| (least..=held.blocks).contains(&own.blocks));
        let told = match documented {
            // A lock that came is the documented one.
            Some(own) if seen.is_some_and(|seen| seen.lock == own.lock) => return,
            Some(own) => {
                self.source = Source::Documented;
                Effect {
                    table: held.table.clone(),
                    work: held.work,
                    ..own.clone()
                }
            }
            None if seen.is_some() || held.work >= Work::Scan => {
                self.note = Some(format!(
                    "on {} at most {}, which an earlier statement holds: a weaker lock cannot be seen",
                    held.table.name, held.lock
                ));
                held.clone()
            }
            None => return,
        };
        self.held
            .retain(|own| own.table != told.table || own.blocks > told.blocks);
        match place.and_then(|place| self.effects.get_mut(place)) {
            Some(effect) => *effect = told,
            None => self.effects.push(told),
        }
    }
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Tracer");
        shown.field("own", &self.own).finish_non_exhaustive()
    }
}

/// A statement without locks held from before.
fn told(
    statement: &Statement,
    verb: String,
    source: Source,
    effects: Vec<Effect>,
    note: String,
) -> TracedStatement {
    let words: Vec<&str> = statement.text.split_whitespace().collect();
    TracedStatement {
        statement: statement.index,
        position: statement.position,
        verb,
        preview: words.join(" ").chars().take(PREVIEW).collect(),
        source,
        watched: false,
        effects,
        held: Vec::new(),
        note: Some(note).filter(|note| !note.is_empty()),
    }
}

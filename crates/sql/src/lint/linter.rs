//! From files to findings.

use super::allowed::Allowed;
use super::finding::{Finding, Kind, Severity};
use super::nothing::{self, made};
use super::proposal::{self, Proposal};
use super::rule::{At, Check, FileAt, Found, Report, Rule, StatementAt};
use super::rules;
use super::size;
use super::view_indexes::ViewIndexes;
use crate::effect::{Blocks, Work, effects};
use crate::operation::{Operation, Operations, operations};
use crate::schema::{Catalog, Schema};
use crate::{Dialect, Position, Statement};

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Rules of severity info that are to be heard as well, by name.
    pub enabled: Vec<String>,
    /// Rules that are not to be heard, by name.
    pub disabled: Vec<String>,
    /// What is known of the server.
    pub server: Server,
}

/// What is known of the server that the scripts are for; nothing where only files are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Major and minor version.
    pub version: Option<(u32, u32)>,
    /// Whether it is MariaDB; `None` when it is not known whether MySQL or MariaDB.
    pub mariadb: Option<bool>,
}

/// One file to be judged.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is in it.
    pub script: &'a Script,
    /// It says `forerun:contract`: the release that it takes things from is gone when it runs.
    pub contract: bool,
    /// It runs in one transaction.
    pub transaction: bool,
}

/// What somebody else has found of a file.
#[derive(Clone, Debug)]
pub struct Also {
    /// By which rule.
    pub rule: &'static Rule,
    /// What happens.
    pub message: String,
    /// The statement that it is about, from 0; `None` for the file as a whole.
    pub statement: Option<usize>,
}

/// The statements of a file.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// In order, without rows of `COPY`.
    pub statements: Vec<Statement>,
}

/// Folds files into a schema, one after the other, and judges them.
pub struct Linter {
    settings: Settings,
    work: Vec<Option<Work>>,
    rules: Vec<&'static Rule>,
    schema: Schema,
    views: ViewIndexes,
    files: usize,
    together_since: Option<usize>,
    begun: u64,
    moved: bool,
    met_database: bool,
    asks_for_algorithm: bool,
}

impl Linter {
    /// Begins with an empty schema.
    pub fn new(dialect: Dialect, settings: Settings) -> Self {
        let rules = heard(dialect, &settings);
        let asks = |rule: &&Rule| rule.id == rules::my_assert_algorithm::RULE.id;
        Self {
            asks_for_algorithm: rules.iter().any(asks),
            rules,
            work: Vec::new(),
            settings,
            schema: Schema::new(dialect),
            views: ViewIndexes::default(),
            files: 0,
            together_since: None,
            begun: 0,
            moved: false,
            met_database: false,
        }
    }

    /// What a database says of itself takes the place of what the files so far have made.
    pub fn look_at(&mut self, catalog: &Catalog) {
        let mut views = ViewIndexes::default();
        self.schema
            .replace(catalog, |operation, schema| views.apply(operation, schema));
        self.views = views;
    }

    /// So many statements at the begin of the next file have run before, in an attempt that was interrupted: what they
    /// made, which the database shows already, is that file's.
    pub fn next_is_begun(&mut self, statements: u64) {
        self.begun = statements;
    }

    /// Whether the file that was judged last does anything to a table that was in the database before all files.
    pub fn met_database(&self) -> bool {
        self.met_database
    }

    /// The schema of what was read so far.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The files from here on run together: what one of them makes is new to the others. Without this each file stands
    /// alone.
    pub fn together_from_here(&mut self) {
        self.together_since = Some(self.files + 1);
    }

    /// Takes a file in without judging it.
    pub fn learn(&mut self, script: &Script) {
        self.files += 1;
        self.schema.begin_file(self.files);
        for statement in &script.statements {
            let parsed = operations(self.schema.dialect(), &statement.text);
            for operation in &parsed.list {
                self.views.apply(&operation.kind, &self.schema);
                self.schema.apply(operation, &statement.text);
            }
        }
    }

    /// Of each statement of the file that was judged last: the most work that it does under a lock on a table that was
    /// there before. `None` where it takes no such lock, or nobody knows.
    pub fn work(&self) -> &[Option<Work>] {
        &self.work
    }

    /// Judges a file and takes it in.
    pub fn judge(&mut self, file: &File<'_>) -> Vec<Finding> {
        self.judge_with(file, Vec::new())
    }

    /// The same with what others have found of the file: it can be allowed, or not be heard, like everything else.
    pub fn judge_with(&mut self, file: &File<'_>, also: Vec<Also>) -> Vec<Finding> {
        self.files += 1;
        let dialect = self.schema.dialect();
        let statements = &file.script.statements;
        let mut parsed: Vec<Operations> = statements
            .iter()
            .map(|statement| operations(dialect, &statement.text))
            .collect();
        // Sessions keep what they were told.
        self.moved |= nothing::moves(&parsed);
        let script = nothing::Script {
            statements,
            number: self.files,
            begun: self.begun,
            moved: self.moved,
        };
        let finding_nothing = script.resolve(&mut parsed, &self.schema);
        let at = FileAt {
            dialect,
            file,
            operations: &parsed,
            number: self.files,
            together_since: self.together_since.unwrap_or(self.files),
            server: self.settings.server,
        };
        let mut found: Vec<Found> = also
            .into_iter()
            .filter_map(|also| self.heard(file, also))
            .collect();
        for rule in &self.rules {
            if let Check::File(check) = rule.check {
                let mut report = Report {
                    found: &mut found,
                    rule,
                    statement: 0,
                };
                check(&at, &self.schema, &mut report);
            }
        }
        self.schema.begin_file(self.files);
        self.work.clear();
        self.met_database = false;
        for (place, (statement, list)) in statements.iter().zip(&parsed).enumerate() {
            let work = self.judge_statement(&at, place, statement, list, &mut found);
            self.work.push(work);
        }
        self.begun = 0;
        if let Some(also) = super::contract::settle(&at, &mut found) {
            found.extend(self.heard(file, also));
        }
        rules::observed_lock::leave_to_others(&mut found);
        rules::pg_multi_table_lock::propose_once(&mut found);
        // What a rule takes less seriously than others of its findings is for those who ask, as a rule of notes is.
        let asked = |rule: &Rule| self.settings.enabled.iter().any(|id| id == rule.id);
        found.retain(|one| {
            one.severity > Severity::Info || one.rule.severity == Severity::Info || asked(one.rule)
        });
        proposal::keep_exceptions(dialect, statements, &mut found);
        let mut allowed = Allowed::of(dialect, statements);
        let mut findings: Vec<Finding> = found
            .into_iter()
            .map(|found| finding(statements, found, &mut allowed))
            .collect();
        findings.extend(allowed.leftovers(&self.rules, &finding_nothing));
        findings.sort_by_key(|finding| {
            (
                finding.start.offset,
                std::cmp::Reverse(finding.severity),
                finding.rule.id,
            )
        });
        findings
    }

    fn heard(&self, file: &File<'_>, also: Also) -> Option<Found> {
        let disabled = self.settings.disabled.iter().any(|id| id == also.rule.id);
        let statement = also.statement;
        let statement = statement.and_then(|place| file.script.statements.get(place));
        (!disabled).then(|| Found {
            rule: also.rule,
            severity: also.rule.severity,
            // None: it is about the file.
            statement: also.statement.unwrap_or(usize::MAX),
            span: 0..statement.map_or(0, |statement| statement.text.len()),
            message: also.message,
            instead: Proposal::default(),
            rewrites: false,
        })
    }

    fn judge_statement(
        &mut self,
        file: &FileAt<'_>,
        place: usize,
        statement: &Statement,
        list: &Operations,
        found: &mut Vec<Found>,
    ) -> Option<Work> {
        let mut most = None;
        // What a contract migration breaks is asked of the time when it runs: everything before it is in use by then.
        let waited = FileAt {
            together_since: match file.file.contract {
                true => file.number,
                false => file.together_since,
            },
            ..*file
        };
        for number in 0..=list.list.len() {
            let statement_at = StatementAt {
                text: &statement.text,
                place,
                operations: list,
                schema: &self.schema,
                views: &self.views,
                file,
            };
            let operation = list.list.get(number);
            let in_use = StatementAt {
                file: &waited,
                ..statement_at
            };
            let at_of = |statement| {
                operation.map(|operation| At {
                    operation,
                    place: number,
                    statement,
                })
            };
            let (now, then) = (at_of(statement_at), at_of(in_use));
            for rule in &self.rules {
                let before = found.len();
                let mut report = Report {
                    found,
                    rule,
                    statement: place,
                };
                let (statement_at, at) = match rule.kind {
                    Kind::Breaks => (in_use, &then),
                    _ => (statement_at, &now),
                };
                let judged = match (rule.check, at) {
                    (Check::Statement(check), _) if number == 0 => {
                        check(&statement_at, &mut report);
                        list.list.as_slice()
                    }
                    (Check::Operation(check), Some(at)) => {
                        check(at, &mut report);
                        std::slice::from_ref(at.operation)
                    }
                    _ => continue,
                };
                let new = found.get_mut(before..).unwrap_or_default();
                for found in new.iter_mut() {
                    if let (Check::Operation(_), Some(at)) = (rule.check, at) {
                        proposal::keep_other_actions(at, &mut found.instead);
                    }
                    if self.asks_for_algorithm {
                        proposal::ask_for_algorithm(&statement_at, &mut found.instead);
                    }
                }
                if rule.kind == Kind::Lock && !new.is_empty() && rewrites(&statement_at, judged) {
                    new.iter_mut().for_each(|found| found.rewrites = true);
                }
                if !new.is_empty()
                    && let Some(size) = size::of(&statement_at, rule, judged)
                {
                    new.iter_mut()
                        .for_each(|found| found.message.push_str(&size));
                }
            }
            if let Some(operation) = operation {
                let effects = effects(operation, &self.schema).into_iter();
                let old = effects.filter(|effect| statement_at.is_old(&effect.table));
                let old: Vec<_> = old.collect();
                most = old.iter().map(|effect| effect.work).max().max(most);
                self.met_database |= old.iter().any(|effect| {
                    let known = self.schema.table(&effect.table);
                    known.is_some_and(|table| table.made_in == 0)
                });
                self.views.apply(&operation.kind, &self.schema);
                match statement.index <= self.begun {
                    true => self.schema.apply(&made(operation), &statement.text),
                    false => self.schema.apply(operation, &statement.text),
                }
            }
        }
        most
    }
}

/// Whether one of these operations of a statement writes a table anew that was there before, while others wait.
fn rewrites(at: &StatementAt<'_>, operations: &[Operation]) -> bool {
    let all = operations
        .iter()
        .flat_map(|operation| effects(operation, at.schema));
    let mut blocking =
        all.filter(|effect| effect.work == Work::Rewrite && effect.blocks > Blocks::Nobody);
    blocking.any(|effect| at.is_old(&effect.table))
}

/// The rules that are to be heard.
fn heard(dialect: Dialect, settings: &Settings) -> Vec<&'static Rule> {
    let named = |list: &[String], rule: &Rule| list.iter().any(|id| id == rule.id);
    let rules = rules::ALL.iter().copied().filter(|rule| {
        let heard = rule.severity > Severity::Info || named(&settings.enabled, rule);
        rule.dialects.contains(&dialect) && heard && !named(&settings.disabled, rule)
    });
    rules.collect()
}

/// With the places of the file.
fn finding(statements: &[Statement], found: Found, allowed: &mut Allowed) -> Finding {
    let statement = statements.get(found.statement);
    let (start, end) = match statement {
        Some(statement) => {
            let bytes = statement.text.as_bytes();
            let upto = |offset: usize| {
                let offset = statement.text.floor_char_boundary(offset);
                statement
                    .position
                    .after(bytes.get(..offset).unwrap_or(bytes))
            };
            (upto(found.span.start), upto(found.span.end))
        }
        None => (Position::START, Position::START),
    };
    Finding {
        rule: found.rule,
        severity: found.severity,
        statement: statement.map_or(0, |statement| statement.index),
        start,
        end,
        message: found.message,
        instead: found.instead.migrations,
        replaces: found.instead.replaces,
        allowed: allowed.take(found.rule.id, found.statement),
        rewrites: found.rewrites,
    }
}

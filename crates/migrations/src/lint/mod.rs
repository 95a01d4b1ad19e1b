//! Hands the migrations of a directory to the linter, and its findings back with the files that they are in.
//!
//! Reads scripts the way they are run, so that directories of all layouts are judged alike. It decides neither which
//! files are judged (the caller knows what is applied, or new) nor what follows from a finding.

mod behind;
mod reading;

use std::path::PathBuf;

use forerun_sql::effect::Work;
use forerun_sql::lint::{self, Kind, Linter, Replaces, Rule, Settings, Severity};
use forerun_sql::schema::Catalog;
use forerun_sql::{Dialect, Position};
use serde::{Serialize, Serializer};

pub(crate) use self::behind::Behind;
pub use forerun_sql::lint::Also;

use crate::directory::{DirectoryError, Migration, MigrationDirectory, Script, ScriptSummary};
use crate::history::Version;
use crate::plan::{self, Mode};

/// Statement text that is judged of one script. What comes after it is data in the form of statements.
pub const LONGEST_TEXT: usize = 8 << 20;

/// What a rule found in a migration.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which rule.
    #[serde(serialize_with = "id")]
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// What it endangers.
    pub kind: Kind,
    /// The migration.
    pub version: Version,
    /// Name of its file.
    pub script: String,
    /// Where that is.
    #[serde(rename = "file")]
    pub path: PathBuf,
    /// Where it begins.
    #[serde(flatten)]
    pub start: Place,
    /// Where it ends.
    pub end: Place,
    /// The statement's number in the file, from 1; 0 for the file as a whole.
    pub statement: u64,
    /// What happens, in one or two sentences.
    pub message: String,
    /// What to write instead: the text of one migration after the other.
    pub instead: Vec<String>,
    /// What that is in place of.
    #[serde(rename = "instead_of")]
    pub replaces: Replaces,
    /// The reason of the `forerun:allow` that covers it.
    pub allowed: Option<String>,
    /// A table that was there before is written anew while others wait for it.
    #[serde(skip)]
    pub rewrites: bool,
}

/// Where it is known from what is there before the files that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaFrom {
    /// From the files before them.
    #[default]
    Directory,
    /// From the catalog of the database.
    Database,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1, in characters.
    pub column: u64,
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Self {
            line: position.line,
            column: position.column,
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn id<S: Serializer>(rule: &&'static Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id)
}

impl Finding {
    /// Whether it counts as an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error && self.allowed.is_none()
    }

    /// What to say before one of the migrations in `instead` (from 0): `instead of this statement, first migration`.
    pub fn label(&self, number: usize) -> String {
        let of_file = ["-- forerun:contract", "-- forerun:data"];
        let is_of_file = |text: &String| of_file.iter().any(|head| text.starts_with(head));
        // What is said of a whole file cannot stand before one statement of it.
        let alone = self.replaces == Replaces::Statement
            && self.instead.get(number).is_some_and(is_of_file);
        let alone = if alone { " in a file of its own" } else { "" };
        let replaced = self.replaces.noun();
        match (number, self.instead.len()) {
            (_, 1) => format!("instead of {replaced}{alone}"),
            (0, _) => format!("instead of {replaced}, first migration{alone}"),
            _ => "next migration".to_owned(),
        }
    }

    /// `migrations/0007_x.sql:3:1`.
    pub fn place(&self) -> String {
        format!(
            "{}:{}:{}",
            self.path.display(),
            self.start.line,
            self.start.column
        )
    }
}

/// What was found in a directory.
#[derive(Debug, Default)]
pub struct Report {
    /// Findings, in the order of the files and in each by place.
    pub findings: Vec<Finding>,
    /// Files that were judged.
    pub judged: usize,
    /// Files that were only read for the tables that they make.
    pub learnt: usize,
    /// Where it is known from what was there before.
    pub schema_from: SchemaFrom,
    /// Files that are too long to be judged to their end.
    pub cut: Vec<Cut>,
}

/// A file that is not judged to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Its name.
    pub script: String,
    /// The last line that was judged.
    pub line: u64,
}

impl Cut {
    /// One sentence.
    pub fn sentence(&self) -> String {
        format!(
            "{} has more than {} MB of statements; what comes after line {} is not judged",
            self.script,
            LONGEST_TEXT >> 20,
            self.line
        )
    }
}

impl Report {
    /// How many findings of a severity are not allowed.
    pub fn count(&self, severity: Severity) -> usize {
        let open = self
            .findings
            .iter()
            .filter(|finding| finding.allowed.is_none());
        open.filter(|finding| finding.severity == severity).count()
    }
}

/// Judges migrations one after the other, in their order.
pub struct Judge {
    linter: Linter,
    dialect: Dialect,
    report: Report,
}

impl Judge {
    /// Begins with an empty schema.
    pub fn new(dialect: Dialect, settings: Settings) -> Self {
        Self {
            linter: Linter::new(dialect, settings),
            dialect,
            report: Report::default(),
        }
    }

    /// The files from here on run together; see [`Linter::together_from_here`].
    pub fn together_from_here(&mut self) {
        self.linter.together_from_here();
    }

    /// What the database says of itself takes the place of what was read so far.
    pub fn look_at(&mut self, catalog: &Catalog) {
        self.linter.look_at(catalog);
        self.report.schema_from = SchemaFrom::Database;
    }

    /// The migration that is judged next was interrupted by then; see [`Linter::next_is_begun`].
    pub fn next_is_begun(&mut self, statements: i64) {
        self.linter
            .next_is_begun(u64::try_from(statements).unwrap_or_default());
    }

    /// As [`Linter::met_database`], of the migration that was judged last.
    pub fn met_database(&self) -> bool {
        self.linter.met_database()
    }

    /// Reads a script for what it makes.
    ///
    /// # Errors
    /// When it cannot be read or split.
    pub fn learn(&mut self, script: &Script) -> Result<(), DirectoryError> {
        let text = reading::read(script, self.dialect)?;
        self.linter.learn(&text.script);
        self.report.learnt += 1;
        Ok(())
    }

    /// Judges a migration.
    ///
    /// # Errors
    /// When its script cannot be read or split.
    pub fn judge(
        &mut self,
        version: &Version,
        script: &Script,
        summary: &ScriptSummary,
        mode: Mode,
        also: Vec<Also>,
    ) -> Result<(), DirectoryError> {
        let text = reading::read(script, self.dialect)?;
        let file = lint::File {
            name: &script.file_name,
            script: &text.script,
            contract: summary.contract.is_some(),
            transaction: mode == Mode::Transaction,
        };
        let found = self.linter.judge_with(&file, also);
        self.report
            .findings
            .extend(found.into_iter().map(|finding| Finding {
                rule: finding.rule,
                severity: finding.severity,
                kind: finding.rule.kind,
                version: version.clone(),
                script: script.file_name.clone(),
                path: script.path.clone(),
                start: finding.start.into(),
                end: finding.end.into(),
                statement: finding.statement,
                message: finding.message,
                instead: finding.instead,
                replaces: finding.replaces,
                allowed: finding.allowed,
                rewrites: finding.rewrites,
            }));
        self.report.judged += 1;
        self.report.cut.extend(text.cut.map(|line| Cut {
            script: script.file_name.clone(),
            line,
        }));
        Ok(())
    }

    /// As [`Linter::work`], of the migration that was judged last.
    pub fn work(&self) -> &[Option<Work>] {
        self.linter.work()
    }

    /// What was found.
    pub fn finish(self) -> Report {
        self.report
    }
}

/// Which migrations of a directory are judged.
pub struct Selection<'a> {
    /// Whether this one is; the others are only read for what they make.
    pub judged: &'a dyn Fn(&Migration) -> bool,
    /// What somebody else has found of this one.
    pub also: &'a dyn Fn(&Migration) -> Vec<Also>,
    /// Whether this one runs together with the others of which that is true, at the end of the directory, so that what one
    /// of them makes is new to the others. Each of the rest stands alone.
    pub together: &'a dyn Fn(&Migration) -> bool,
}

/// Judges the migrations of a directory without a database.
///
/// # Errors
/// When a script cannot be read, split or understood.
pub fn directory(
    directory: &MigrationDirectory,
    dialect: Dialect,
    settings: Settings,
    selection: &Selection<'_>,
) -> Result<Report, DirectoryError> {
    let mut judge = Judge::new(dialect, settings);
    let mut migrations = directory.migrations.iter();
    let last_alone = migrations.rposition(|migration| !(selection.together)(migration));
    let tail = last_alone.map_or(0, |last| last + 1);
    // Where there is nothing but new files nothing is deployed, and a new database waives the gates.
    let mut behind = (tail > 0).then(Behind::all_new);
    for (place, migration) in directory.migrations.iter().enumerate() {
        if place == tail {
            judge.together_from_here();
        }
        // What only makes what all before it made has nothing old to hurt.
        if !(selection.judged)(migration) || plan::is_only_checkpoint(migration) {
            judge.learn(&migration.up)?;
            continue;
        }
        let summary = migration.up.inspect(dialect)?;
        directory.check_conditions(migration, &summary, &|_| false)?;
        let mode = plan::mode_of(&migration.up, &summary, dialect != Dialect::Mysql);
        let mut also = (selection.also)(migration);
        if let Some(behind) = behind.as_mut().filter(|_| (selection.together)(migration)) {
            also.extend(behind.next(migration, &summary));
        }
        judge.judge(&migration.version, &migration.up, &summary, mode, also)?;
    }
    Ok(judge.finish())
}

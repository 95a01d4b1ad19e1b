//! The commands under `forerun migrate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use forerun_migrations::history::Version;
use forerun_migrations::history::foreign::{self, PeerHistory, TableName};
use forerun_sql::Dialect;

use super::{
    DatabaseArguments, DirectoryArguments, GateArguments, LimitArguments, Lint, LintArguments,
    OtherHistoryArguments, ScratchArguments,
};

#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Applies all pending migrations, in order
    #[command(
        visible_alias = "apply",
        after_help = "Examples:
  forerun migrate up -u postgres://app:secret@db/app --dir file:///src/
  forerun migrate up --dry-run
  MIGRATION_TIMEOUT=300 MIGRATION_LOCK_TIMEOUT=60 forerun migrate up

Any number of these may start at the same moment: one does the work, the others wait and succeed.

With --release the run opens a deployment, which `migrate deployed` closes; a contract migration waits for that."
    )]
    Up(Up),
    /// Applies pending migrations up to the first pending data migration
    Schema(Up),
    /// Applies from the first pending data migration to the end, in order
    ///
    /// Refuses (exit code 5) while schema migrations come before it.
    Data(Up),
    /// Reverts applied migrations with their down scripts, newest first
    #[command(after_help = "Examples:
  forerun migrate down            the newest one
  forerun migrate down 3          the three newest ones
  forerun migrate down --to 0007  everything newer than 0007")]
    Down(Down),
    /// Closes the deployment of a release: only it runs now
    ///
    /// Run it when a rollout has ended: every pod of the release before is gone. What was added by this deployment may
    /// be followed by contract migrations from then on. See `migrate up --release`.
    #[command(after_help = "Examples:
  forerun migrate deployed --release 2.6.0
  forerun migrate deployed                             the newest deployment
  forerun migrate deployed --release 2.6.1 --unopened  a release without a run of `migrate up`

Closing twice is fine. Exit code 5 when there is nothing that could be closed.")]
    Deployed(Deployed),
    /// Lists the deployments, and the oldest release that may still run
    Deployments(Deployments),
    /// Shows what `up` would do, statement by statement; changes nothing
    Plan(Plan),
    /// Shows what is applied, pending, unfinished or in conflict
    Status(Status),
    /// Shows the history, or everything that is known about one version
    History(History),
    /// Waits until the database answers, or until a version is applied
    #[command(after_help = "Examples:
  forerun migrate wait --timeout 2m                    the database accepts connections
  forerun migrate wait --version latest --timeout 10m  everything in the directory is applied
  forerun migrate wait --version 0042                  0042 or a newer version is applied

Exit code 6 when the time is over.")]
    Wait(Wait),
    /// Creates the files of a new migration
    New(New),
    /// Checks the directory without a database
    #[command(after_help = "Examples:
  forerun migrate validate
  forerun migrate validate --base origin/main   what was merged is unchanged, what is new comes after it")]
    Validate(Validate),
    /// Finds what would stop requests, break the release that is running, or lose data
    ///
    /// Reads the files, and with a URL also the history of the database: then only what is pending is judged.
    #[command(after_help = "Examples:
  forerun migrate lint --dialect postgres                      every file, each on its own
  forerun migrate lint --dialect postgres --base origin/main   what a branch adds
  forerun migrate lint -u postgres://…                         what is pending there
  forerun migrate lint --explain pg-index-concurrently

Exit code 5 when there is an error that no `-- forerun:allow RULE \"reason\"` covers. With --format auto the findings are
text, whether or not there is a terminal.")]
    Lint(Lint),
    /// Writes forerun.sum, the digests of all scripts
    Hash(Hash),
    /// Writes the directory anew in another layout
    #[command(after_help = "Examples:
  forerun migrate convert --dir db/goose --to native db/migrations
  forerun migrate convert --dir db/goose --to native db/migrations --dry-run")]
    Convert(Convert),
    /// Declares a version and all below it as present, without running them
    Baseline(Baseline),
    /// Takes over the history of the tool that has migrated this database so far
    ///
    /// Reads the table in which Atlas, dbmate, diesel, Flyway, golang-migrate, goose, Liquibase, refinery, sqlx or tern
    /// remembers what it has applied, compares its checksums with the files, and records the same in forerun's own
    /// tables, under both tools' locks and in one transaction. The table of the other tool is not changed. A second time,
    /// only what is new is taken over.
    #[command(after_help = "Examples:
  forerun migrate adopt --dry-run            what would be recorded, and from which row
  forerun migrate adopt
  forerun migrate adopt --if-any             in a Job that new databases have as well
  forerun migrate adopt --from goose --table app.migrations
  forerun migrate adopt --accept-change 0003 the file of 0003 was changed, and the database is as it says now
  forerun migrate adopt --undo               forget it all again")]
    Adopt(Adopt),
    /// Decides what only a person can decide; without an action, shows what there is to decide
    #[command(after_help = "Examples:
  forerun migrate repair                      what needs a decision
  forerun migrate repair 0007 --done          its statement in doubt took effect
  forerun migrate repair 0007 --not-done      it did not
  forerun migrate repair 0007 --start-over    run it from its first statement again
  forerun migrate repair 0003 --accept-change record the text that the file has now")]
    Repair(Repair),
    /// Shows who holds the runner lock; with --force, ends a dead holder
    Unlock(Unlock),
}

#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Also apply pending migrations that are older than the newest applied one
    #[arg(long)]
    pub allow_out_of_order: bool,
    #[command(flatten)]
    pub other_history: OtherHistoryArguments,
    #[command(flatten)]
    pub gates: GateArguments,
    #[command(flatten)]
    pub lint: LintArguments,
}

#[derive(Debug, Args)]
pub struct Deployed {
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Also record a release for which `migrate up` never ran, because it has no migrations
    #[arg(long)]
    pub unopened: bool,
}

#[derive(Debug, Args)]
pub struct Deployments {
    #[command(flatten)]
    pub database: DatabaseArguments,
}

#[derive(Debug, Args)]
pub struct Down {
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// How many migrations [default: 1]
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Revert everything newer than this version
    #[arg(long, value_name = "VERSION", value_parser = version, conflicts_with = "count")]
    pub to: Option<Version>,
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub database: DatabaseArguments,
    /// Run the pending migrations on the scratch database of --dev-url and show what its server did: which locks each
    /// statement took, and whether a table was read as a whole or written anew
    ///
    /// Without a database to plan for, all migrations are traced.
    #[arg(long)]
    pub trace: bool,
    #[command(flatten)]
    pub scratch: ScratchArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    /// Also plan pending migrations that are older than the newest applied one
    #[arg(long)]
    pub allow_out_of_order: bool,
    #[command(flatten)]
    pub other_history: OtherHistoryArguments,
    #[command(flatten)]
    pub gates: GateArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    /// Exit with 6 when something is pending or unfinished, with 4 on a conflict
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    pub database: DatabaseArguments,
    /// Only this version, with its audit trail
    #[arg(value_name = "VERSION", value_parser = version)]
    pub version: Option<Version>,
}

#[derive(Debug, Args)]
pub struct Wait {
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    /// Wait until this version (or `latest`: the newest of the directory) or a newer one is applied
    #[arg(long, value_name = "VERSION", value_parser = wait_version)]
    pub version: Option<WaitVersion>,
    /// Wait this long; 0: one look [default: --wait, else 5m] [env: MIGRATION_TIMEOUT]
    #[arg(long, value_name = "DURATION", value_parser = forerun_sql::parse_duration)]
    pub timeout: Option<std::time::Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitVersion {
    /// The newest of the directory.
    Latest,
    /// This one.
    Version(Version),
}

#[derive(Debug, Args)]
pub struct New {
    /// What it does, in a few words: add_email_to_users
    pub name: String,
    /// A data migration
    #[arg(long)]
    pub data: bool,
    /// A contract migration: it takes away what an earlier release uses, and waits until none of them runs
    #[arg(long)]
    pub contract: bool,
    #[command(flatten)]
    pub directory: DirectoryArguments,
}

#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    pub directory: DirectoryArguments,
    /// Compare with the directory in git at this reference
    #[arg(long, value_name = "GIT-REF")]
    pub base: Option<String>,
    /// Check the scripts for this database [default: that of the URL, else postgres]
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<DialectArgument>,
    #[command(flatten)]
    pub database: DatabaseArguments,
}

/// Values of `--dialect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DialectArgument {
    /// PostgreSQL
    #[value(alias = "postgresql")]
    Postgres,
    /// MySQL and MariaDB
    #[value(alias = "mariadb")]
    Mysql,
    /// SQLite
    Sqlite,
}

impl From<DialectArgument> for Dialect {
    fn from(argument: DialectArgument) -> Self {
        match argument {
            DialectArgument::Postgres => Self::Postgres,
            DialectArgument::Mysql => Self::Mysql,
            DialectArgument::Sqlite => Self::Sqlite,
        }
    }
}

#[derive(Debug, Args)]
pub struct Hash {
    #[command(flatten)]
    pub directory: DirectoryArguments,
}

#[derive(Debug, Args)]
pub struct Convert {
    /// Directory to write; it must be empty or not exist
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Layout to write
    #[arg(long, value_name = "LAYOUT", value_parser = ["native"])]
    pub to: String,
    /// Only say what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// Write what runs on this database; only Liquibase's changelogs differ [default: that of the URL]
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<DialectArgument>,
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
}

#[derive(Debug, Args)]
pub struct Baseline {
    /// The version that the database has already
    #[arg(value_name = "VERSION", value_parser = version)]
    pub version: Version,
    /// Forget what is recorded, as after `migrate convert` has given the migrations new numbers
    #[arg(long)]
    pub replace_history: bool,
    /// Also where the directory has files before VERSION, and none for VERSION itself
    #[arg(long)]
    pub without_file: bool,
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Show what would be recorded and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Adopt {
    /// The tool, where more than one has a history here
    #[arg(long, value_name = "TOOL", value_parser = tool_names())]
    pub from: Option<String>,
    /// Its table, where that has another name than usual: NAME or SCHEMA.NAME
    #[arg(long, value_name = "TABLE", value_parser = table)]
    pub table: Option<TableName>,
    /// Take a version over although its file is not what the other tool has applied; `all`: every one
    #[arg(long, value_name = "VERSION")]
    pub accept_change: Vec<String>,
    /// Take a version over although its file is gone; `all`: every one
    #[arg(long, value_name = "VERSION")]
    pub accept_missing: Vec<String>,
    /// Succeed where no other tool has a history: so that `up` may follow on a new database as well
    #[arg(long)]
    pub if_any: bool,
    /// Forget everything that was taken over; refused once forerun has applied something
    #[arg(long, conflicts_with_all = ["if_any", "from", "table", "accept_change", "accept_missing"])]
    pub undo: bool,
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Show what would be recorded and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Names of the tools whose histories are known.
fn tool_names() -> Vec<&'static str> {
    foreign::all().map(PeerHistory::name).collect()
}

fn table(text: &str) -> Result<TableName, String> {
    TableName::parse(text).ok_or_else(|| "a table is NAME or SCHEMA.NAME".to_owned())
}

#[derive(Debug, Args)]
pub struct Repair {
    /// The version; may be left out when only one needs the action
    #[arg(value_name = "VERSION", value_parser = version)]
    pub version: Option<Version>,
    #[command(flatten)]
    pub action: RepairAction,
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub directory: DirectoryArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// Show what would be changed and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args, Clone, Copy)]
#[group(multiple = false)]
pub struct RepairAction {
    /// Record the text that the file of an applied version has now
    #[arg(long)]
    pub accept_change: bool,
    /// Record the text of all files that were changed in comments or layout only
    #[arg(long)]
    pub accept_comments: bool,
    /// The statement in doubt took effect
    #[arg(long)]
    pub done: bool,
    /// The statement in doubt did not take effect
    #[arg(long)]
    pub not_done: bool,
    /// Forget how far the unfinished attempt came
    #[arg(long)]
    pub start_over: bool,
}

#[derive(Debug, Args)]
pub struct Unlock {
    #[command(flatten)]
    pub database: DatabaseArguments,
    /// End the holder if it is dead: its session is gone or its lease has expired
    #[arg(long)]
    pub force: bool,
    /// With --force: end it even if it is alive
    #[arg(long, requires = "force")]
    pub even_if_alive: bool,
}

pub fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).or_else(|| Version::named(text)).ok_or_else(|| {
        "a version is the number in front of a file name, such as 7 or 0007 or 20260131120000, or what `forerun \
         migrate status` shows in its place"
            .to_owned()
    })
}

fn wait_version(text: &str) -> Result<WaitVersion, String> {
    if text == "latest" {
        return Ok(WaitVersion::Latest);
    }
    version(text).map(WaitVersion::Version)
}

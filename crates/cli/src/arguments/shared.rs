//! Options that several commands have.

use std::time::Duration;

use clap::{Args, ValueEnum};
use forerun_migrations::directory::Layout;
use forerun_sql::parse_duration;

/// Which database.
#[derive(Debug, Args, Default, Clone)]
pub struct DatabaseArguments {
    /// Database: a URL, env://NAME (read from a variable) or file:///path (read from a file)
    ///
    /// Without it: DATABASE_URL, else DATABASE_HOST, DATABASE_PORT, DATABASE_NAME, DATABASE_USER, DATABASE_PASSWORD and
    /// DATABASE_ENGINE, else the same names with DB_ in front. Each also with _FILE at the end, naming a file that
    /// holds the value. [env: DATABASE_URL]
    #[arg(
        short,
        long,
        value_name = "URL",
        help_heading = "Database",
        allow_hyphen_values = false
    )]
    pub url: Option<String>,
    /// Wait this long for the database to accept connections [default: 0] [env: MIGRATION_WAIT]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Database")]
    pub wait: Option<Duration>,
    /// PostgreSQL: schema of the bookkeeping tables [default: the first of the search path]
    /// [env: FORERUN_HISTORY_SCHEMA]
    #[arg(long, value_name = "SCHEMA", help_heading = "Database")]
    pub history_schema: Option<String>,
    /// Release of the application that is being deployed, for the ledger of deployments [env: FORERUN_RELEASE]
    #[arg(long, value_name = "RELEASE", help_heading = "Database")]
    pub release: Option<String>,
}

/// An empty database to try things out on.
#[derive(Debug, Args, Default, Clone)]
pub struct ScratchArguments {
    /// Empty database that belongs to forerun: migrations run in it, and it is emptied again [env: FORERUN_DEV_URL]
    ///
    /// Written as --url. It must hold nothing and must not be the target; best is one on a server of its own, of the
    /// version that the target has.
    #[arg(long, value_name = "URL", help_heading = "Database")]
    pub dev_url: Option<String>,
}

/// Which directory.
#[derive(Debug, Args, Default, Clone)]
pub struct DirectoryArguments {
    /// Directory of the migrations: a path or file:///path/ [default: migrations] [env: FORERUN_DIR]
    #[arg(long, value_name = "DIRECTORY")]
    pub dir: Option<String>,
    /// Layout of the directory [default: auto, which detects it] [env: FORERUN_LAYOUT]
    #[arg(long, value_name = "LAYOUT", value_parser = layout_names())]
    pub layout: Option<String>,
}

/// `auto` and the names of all layouts.
fn layout_names() -> Vec<&'static str> {
    let names = Layout::all().map(Layout::name);
    std::iter::once("auto").chain(names).collect()
}

/// What to do about the history of another tool.
#[derive(Debug, Args, Default, Clone, Copy)]
pub struct OtherHistoryArguments {
    /// Run although another tool's table says that it has migrated this database (see `migrate adopt`)
    /// [env: FORERUN_IGNORE_OTHER_HISTORY]
    #[arg(long)]
    pub ignore_other_history: bool,
}

/// What contract migrations wait for.
#[derive(Debug, Args, Default, Clone)]
pub struct GateArguments {
    /// Exit with 5 when a contract migration has to wait, and let it wait for sessions that do not tell their release
    /// [env: FORERUN_STRICT]
    #[arg(long, help_heading = "Contract migrations")]
    pub strict: bool,
    /// Run contract migrations although they should wait; the reason is recorded in the audit
    #[arg(long, value_name = "REASON", value_parser = reason, help_heading = "Contract migrations")]
    pub accept_downtime: Option<String>,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason is a sentence that says why the downtime is accepted".to_owned()),
        reason => Ok(reason.to_owned()),
    }
}

/// How long things may take. Durations are `300` (seconds), `500ms`, `5m`, `1h30m`.
#[derive(Debug, Args, Default, Clone)]
pub struct LimitArguments {
    /// Time limit of the whole run; 0: none [default: none] [env: MIGRATION_TIMEOUT]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Limits")]
    pub timeout: Option<Duration>,
    /// Wait this long for another runner; 0: one try [default: 60s] [env: MIGRATION_LOCK_TIMEOUT]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Limits")]
    pub lock_timeout: Option<Duration>,
    /// Time limit of one statement; 0: none [default: none] [env: MIGRATION_STATEMENT_TIMEOUT]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Limits")]
    pub statement_timeout: Option<Duration>,
    /// Longest wait of a statement for a table lock, per try [default: 5s] [env: MIGRATION_DDL_LOCK_TIMEOUT]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Limits")]
    pub ddl_lock_timeout: Option<Duration>,
    /// Try again after lock timeouts and deadlocks for this long [default: 10m] [env: MIGRATION_RETRY_BUDGET]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Limits")]
    pub retry_budget: Option<Duration>,
    /// A runner that is silent for this long loses the runner lock [default: 30s] [env: FORERUN_LEASE]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Limits")]
    pub lease: Option<Duration>,
}

/// What is shown, and how.
#[derive(Debug, Args, Default, Clone)]
pub struct OutputArguments {
    /// Output: text for people, JSON for programs; auto: text on a terminal, else JSON [env: FORERUN_FORMAT]
    #[arg(long, value_name = "FORMAT", global = true, help_heading = "Output")]
    pub format: Option<FormatArgument>,
    /// No colours [env: NO_COLOR]
    #[arg(long, global = true, help_heading = "Output")]
    pub no_color: bool,
    /// Show statements, notices of the server, and where settings come from
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "quiet",
        help_heading = "Output"
    )]
    pub verbose: bool,
    /// Show only results, warnings and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
}

/// Values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArgument {
    /// Text on a terminal, JSON otherwise
    Auto,
    /// Text
    Text,
    /// JSON
    Json,
    /// SARIF 2.1.0 (`check` and `migrate lint` only)
    Sarif,
    /// Annotations of GitHub Actions (`check` and `migrate lint` only)
    Github,
}

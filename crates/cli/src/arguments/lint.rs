//! `forerun migrate lint`, and what a run makes of findings.

use clap::{Args, ValueEnum};
use forerun_migrations::executor::LintMode;
use forerun_sql::Dialect;
use forerun_sql::lint::{self, Rule};

use super::{DatabaseArguments, DirectoryArguments, ScratchArguments};

#[derive(Debug, Args)]
pub struct Lint {
    #[command(flatten)]
    pub directory: DirectoryArguments,
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub scratch: ScratchArguments,
    /// Database that the scripts are for [default: that of the URL]
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<LintDialect>,
    /// Judge only what is new since this git reference, and compare the rest with it
    #[arg(long, value_name = "GIT-REF")]
    pub base: Option<String>,
    /// Also report what this rule finds, which usually is not told; can be given several times
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub enable: Vec<&'static Rule>,
    /// Do not report what this rule finds; can be given several times
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub disable: Vec<&'static Rule>,
    /// Explain a rule instead: what it finds, why, and what to write
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub explain: Option<&'static Rule>,
}

/// Values of `--dialect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintDialect {
    /// PostgreSQL
    #[value(alias = "postgresql")]
    Postgres,
    /// MySQL
    Mysql,
    /// MariaDB
    Mariadb,
    /// SQLite
    Sqlite,
}

impl LintDialect {
    /// The dialect of its scripts.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Postgres => Dialect::Postgres,
            Self::Mysql | Self::Mariadb => Dialect::Mysql,
            Self::Sqlite => Dialect::Sqlite,
        }
    }
}

/// What a run makes of findings.
#[derive(Debug, Args, Default, Clone, Copy)]
pub struct LintArguments {
    /// What follows when the linter finds something in what is about to run [default: enforce] [env: FORERUN_LINT]
    #[arg(long, value_name = "WHAT", help_heading = "Lint")]
    pub lint: Option<LintArgument>,
}

/// Values of `--lint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintArgument {
    /// What would break the release that runs, or hold up its requests for long, is not run (exit code 5)
    Enforce,
    /// All findings are warnings
    Warn,
    /// None is told, and none stops the run
    Off,
}

impl From<LintArgument> for LintMode {
    fn from(argument: LintArgument) -> Self {
        match argument {
            LintArgument::Enforce => Self::Enforce,
            LintArgument::Warn => Self::Warn,
            LintArgument::Off => Self::Off,
        }
    }
}

fn rule(id: &str) -> Result<&'static Rule, String> {
    lint::rule(id).ok_or_else(|| format!("{}; docs/lint.md lists them", lint::unknown(id)))
}

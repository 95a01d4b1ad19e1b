//! `forerun check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use forerun_sql::parse_duration;

#[derive(Debug, Args)]
pub struct Check {
    /// Files with manifests (YAML or JSON), directories of them, or `-` for standard input; together one rendering
    /// [default: -]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A second rendering of the same, to find what is different each time
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// The `--timeout` that Helm is called with
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "300")]
    pub helm_timeout: Duration,
    /// Leave a rule out; can be given several times
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,
    /// Check every Job, not only those that look like migrations
    #[arg(long)]
    pub all_jobs: bool,
    /// Fail on warnings, too, and when there is no migration Job
    #[arg(long)]
    pub strict: bool,
}

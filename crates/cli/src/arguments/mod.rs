//! The command line as typed. Only shapes and help texts: nothing here reads the environment or does work.
//!
//! Environment variables are named in the help texts; `settings` reads them.

mod check;
mod deploy;
mod lint;
mod migrate;
mod render;
mod shared;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use check::Check;
pub use deploy::{Deploy, DryRun};
pub use lint::{Lint, LintArgument, LintArguments, LintDialect};
pub use migrate::version;
pub use migrate::{
    Adopt, Baseline, Convert, Deployed, Deployments, DialectArgument, Down, Hash, History, Migrate,
    New, Plan, Repair, RepairAction, Status, Unlock, Up, Validate, Wait, WaitVersion,
};
pub use render::{Render, ValuesArguments, WaveArgument};
pub use shared::{
    DatabaseArguments, DirectoryArguments, FormatArgument, GateArguments, LimitArguments,
    OtherHistoryArguments, OutputArguments, ScratchArguments,
};

/// Database migrations that run before a release: exactly once, without stopping the application.
#[derive(Debug, Parser)]
#[command(
    name = "forerun",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:
  forerun migrate up -u postgres://app:secret@db:5432/app --dir migrations
  DATABASE_URL=sqlite:shop.db forerun migrate status
  forerun exec --wait 2m -- python manage.py migrate

Exit codes:
  0        done, or nothing to do
  2        usage or configuration
  3        a migration failed
  4        history and directory contradict each other
  5        refused by a safety rule
  6        not up to date
  75       temporary: try again
  130/143  interrupted and left clean"
)]
pub struct Arguments {
    #[command(flatten)]
    pub output: OutputArguments,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Applies, reverts and inspects migrations
    #[command(subcommand, arg_required_else_help = true)]
    Migrate(Migrate),
    /// Runs any migration command under the runner lock
    ///
    /// Waits for the database, takes the runner lock, runs the command with the environment unchanged, and passes
    /// its exit code on. The command is ended when the time limit is reached or the lock is lost.
    #[command(after_help = "Examples:
  forerun exec -- python manage.py migrate
  forerun exec --wait 2m --timeout 10m -- sh -c 'bundle exec rails db:migrate'

The command's exit code is passed on; 128 + n when signal n ended it, 127 when it was not found, \
126 when it cannot be executed. forerun's own messages go to standard error.")]
    Exec(Exec),
    /// Prints the Kubernetes objects for a values file
    ///
    /// Secrets and ConfigMaps, the migration Jobs, Services and Deployments, in the order in which they are needed. The
    /// same values give the same objects, here and with the Helm chart.
    #[command(after_help = "Examples:
  forerun render -f values.yaml --delivery plain | kubectl apply -n shop -f -
  forerun render -f values.yaml -f production.yaml --set deployments.shop.containers.main.imageTag=v2")]
    Render(Render),
    /// Brings a release into a cluster: migrations first, then the application
    ///
    /// The steps of the migration run one after another as Jobs; nothing of the new version is applied when one fails.
    /// Then configuration and application are applied, the rollout is watched, and what left the values is deleted (not
    /// claims). One deploy per release at a time. Interrupted, it says what goes on in the cluster; a second deploy follows it.
    #[command(after_help = "Examples:
  forerun deploy -f values.yaml -n shop --dry-run
  forerun deploy -f values.yaml -f production.yaml -n shop --set deployments.shop.containers.main.imageTag=v2

To take a release away:
  kubectl delete deployments,services,jobs,networkpolicies,serviceaccounts,configmaps,secrets,leases -n shop -l forerun.dev/release=NAME")]
    Deploy(Deploy),
    /// Finds mistakes in the migration Jobs of rendered manifests
    ///
    /// Reads what Helm, Kustomize or `forerun render` have rendered and reports what will fail, hang or migrate wrongly:
    /// each finding with its place, the reason and the remedy. Needs no cluster and changes nothing.
    #[command(after_help = "Examples:
  helm template shop ./chart | forerun check -
  forerun check --format sarif manifests/ > check.sarif
  forerun check --compare second.yaml --strict first.yaml

Exit codes: 0 without errors, 5 with errors (--strict: or warnings), 2 when something cannot be read.
A Job is left alone with the annotation forerun.dev/check: ignore; a rule with
forerun.dev/check-ignore: \"RULE: reason\".")]
    Check(Check),
    /// Copies this program into a directory
    ///
    /// For init containers: the image of forerun has no `cp`.
    #[command(after_help = "Example:
  forerun install /forerun-bin")]
    Install(Install),
    /// Prints a completion script for a shell
    #[command(after_help = "Example:
  forerun completions bash > /usr/share/bash-completion/completions/forerun")]
    Completions(Completions),
    /// Prints the manual page (roff)
    #[command(after_help = "Example:
  forerun man > /usr/share/man/man1/forerun.1")]
    Man,
    /// Writes the reference pages of the documentation and the schema of the chart
    #[command(hide = true)]
    Docs(Docs),
    /// Runs a command that ends when its parent does: what `exec` starts
    #[command(hide = true, name = GUARDED)]
    Guarded(Guarded),
}

/// Name of the hidden command that `exec` starts itself with.
pub const GUARDED: &str = "__guarded";

#[derive(Debug, Args)]
pub struct Exec {
    #[command(flatten)]
    pub database: DatabaseArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Install {
    /// The directory, which exists
    #[arg(value_name = "DIRECTORY")]
    pub directory: PathBuf,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Docs {
    /// Directory of the repository
    #[arg(long, value_name = "DIRECTORY")]
    pub root: PathBuf,
    /// Only compare: fail when a file is not what it should be
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Guarded {
    /// Process that must be the parent
    #[arg(long)]
    pub parent: i32,
    /// It is the head of a process group
    #[arg(long)]
    pub group: bool,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Arguments;

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_command_lines_of_the_guides_work() {
        for line in [
            "forerun migrate apply -u postgres://a:b@c/d --dir file:///src/",
            "forerun migrate up",
            "forerun migrate schema",
            "forerun migrate data",
            "forerun migrate down",
            "forerun migrate down 3",
            "forerun migrate down --to 0007",
            "forerun migrate plan",
            "forerun migrate status --exit-code",
            "forerun migrate history 7",
            "forerun migrate wait --version latest --timeout 5m",
            "forerun migrate new add_email --data",
            "forerun migrate validate --base origin/main",
            "forerun migrate hash",
            "forerun migrate baseline 12",
            "forerun migrate repair 12 --not-done",
            "forerun migrate unlock --force --even-if-alive",
            "forerun exec --wait 2m -- sh -c x --flag",
            "forerun deploy -f values.yaml -n shop",
            "forerun deploy -f a.yaml -f b.yaml --set a.b=c -n shop --dry-run",
            "forerun deploy -f a.yaml --dry-run=client --timeout 5m --force-conflicts",
            "forerun check",
            "forerun check - --format sarif --strict --ignore deadline --helm-timeout 10m",
            "forerun check a.yaml b --compare c.yaml --all-jobs",
            "forerun completions bash",
            "forerun man",
            "forerun --format json migrate status",
        ] {
            let parsed = Arguments::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
        }
    }

    #[test]
    fn contradicting_options_are_refused() {
        for line in [
            "forerun",
            "forerun migrate",
            "forerun exec",
            "forerun exec true",
            "forerun migrate down 3 --to 7",
            "forerun migrate down 0",
            "forerun migrate repair 1 --done --not-done",
            "forerun migrate unlock --even-if-alive",
            "forerun migrate up --timeout 5x",
            "forerun -v -q migrate status",
        ] {
            assert!(
                Arguments::try_parse_from(line.split(' ')).is_err(),
                "{line}"
            );
        }
    }
}

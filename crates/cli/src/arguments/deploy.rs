//! `forerun deploy`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use forerun_manifests::render::KubeVersion;
use forerun_sql::parse_duration;

use super::ValuesArguments;

#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    pub values: ValuesArguments,
    /// Namespace; it must exist [default: that of the context]
    #[arg(short, long, value_name = "NAMESPACE", help_heading = "Cluster")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "CONTEXT", help_heading = "Cluster")]
    pub context: Option<String>,
    /// Kubeconfig [default: ~/.kube/config, else the service account of the pod] [env: KUBECONFIG]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// Only shows what would be done. server: the API server is asked, with differences; client: no cluster is needed
    #[arg(
        long,
        value_name = "WHERE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "server",
        help_heading = "Deploy"
    )]
    pub dry_run: Option<DryRun>,
    /// Time limit of the rollout, after the migrations (which have their own in the values)
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10m", help_heading = "Deploy")]
    pub timeout: Duration,
    /// Wait this long for another deploy of the release, or for a Job that an earlier one left at work
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "0", help_heading = "Deploy")]
    pub wait_for_deploy: Duration,
    /// Take over fields that others (kubectl, an autoscaler, another controller) own
    #[arg(long, help_heading = "Deploy")]
    pub force_conflicts: bool,
    /// Digits for Jobs with `jobName: timestamp` [default: seconds since 1970]
    #[arg(long, value_name = "DIGITS", help_heading = "Deploy")]
    pub stamp: Option<u64>,
    /// Version of the cluster, for --dry-run=client [default: the newest]
    #[arg(long, value_name = "VERSION", help_heading = "Deploy")]
    pub kube_version: Option<KubeVersion>,
}

/// Values of `--dry-run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// What would be applied, in order; no cluster is asked
    Client,
    /// What the API server says, with differences
    Server,
}

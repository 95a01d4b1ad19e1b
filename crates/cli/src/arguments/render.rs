//! `forerun render`, and the options that say which values.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use forerun_manifests::render::{Delivery, KubeVersion};

/// Which values.
#[derive(Debug, Args, Default, Clone)]
pub struct ValuesArguments {
    /// Values file, `-` for standard input; later ones win
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        required = true,
        help_heading = "Values"
    )]
    pub files: Vec<PathBuf>,
    /// A value on top of the files, as with Helm: a.b=c, a[0].b=c, a={x,y}, a=1,b=2
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Values")]
    pub set: Vec<String>,
    /// The same, always as text
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Values")]
    pub set_string: Vec<String>,
    /// Name of the release [default: nameOverride, else the only deployment]
    #[arg(long, value_name = "NAME", help_heading = "Values")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Render {
    #[command(flatten)]
    pub values: ValuesArguments,
    /// Who sees to it that migrations come first [default: what the values say, else helm]
    #[arg(long, value_name = "DELIVERY")]
    pub delivery: Option<DeliveryArgument>,
    /// Version of the cluster: fields that it does not know are left out [default: the newest]
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<KubeVersion>,
    /// Digits for Jobs with `jobName: timestamp` [default: seconds since 1970]
    #[arg(long, value_name = "DIGITS")]
    pub stamp: Option<u64>,
    /// Only these objects; deployed: what closes the ledger, when `kubectl rollout status` has succeeded
    #[arg(long, value_name = "WAVE")]
    pub wave: Option<WaveArgument>,
}

/// What is rendered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WaveArgument {
    /// The Jobs that close the ledger
    Deployed,
}

/// Who sees to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeliveryArgument {
    /// Helm's hooks
    Helm,
    /// Argo CD's hooks and waves
    Argo,
    /// Plain objects
    Plain,
}

impl From<DeliveryArgument> for Delivery {
    fn from(delivery: DeliveryArgument) -> Self {
        match delivery {
            DeliveryArgument::Helm => Self::Helm,
            DeliveryArgument::Argo => Self::Argo,
            DeliveryArgument::Plain => Self::Plain,
        }
    }
}

//! Where the parts of the cluster are, as `scripts/cluster` says in the environment.

use std::env;
use std::path::PathBuf;

use crate::process::Failure;

/// Programs, files and addresses.
pub struct Settings {
    /// The checkout.
    pub checkout: PathBuf,
    /// `forerun`.
    pub forerun: PathBuf,
    /// `kubectl`.
    pub kubectl: PathBuf,
    /// Helm 3.
    pub helm: PathBuf,
    /// Helm 4.
    pub helm4: PathBuf,
    /// `psql`.
    pub psql: PathBuf,
    /// The database server, as its superuser.
    pub postgres_url: String,
    /// Address of the node, where the database server listens.
    pub node_address: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// Directory for temporary files.
    pub work: PathBuf,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// A variable is missing.
    pub fn read() -> Result<Self, Failure> {
        let text = |name: &str| {
            env::var(name)
                .map_err(|_| format!("{name} is not set: run this with scripts/cluster test"))
        };
        let path = |name: &str| text(name).map(PathBuf::from);
        Ok(Self {
            checkout: path("FORERUN_STORIES_CHECKOUT")?,
            forerun: path("FORERUN_STORIES_FORERUN")?,
            kubectl: path("FORERUN_CLUSTER_KUBECTL")?,
            helm: path("FORERUN_CLUSTER_HELM")?,
            helm4: path("FORERUN_CLUSTER_HELM4")?,
            psql: path("FORERUN_STORIES_PSQL")?,
            postgres_url: text("FORERUN_CLUSTER_POSTGRES_URL")?,
            node_address: text("FORERUN_CLUSTER_NODE_IP")?,
            kubeconfig: path("KUBECONFIG")?,
            work: path("FORERUN_STORIES_WORK")?,
        })
    }

    /// Values of the stories.
    pub fn values(&self, name: &str) -> PathBuf {
        self.checkout
            .join("tests/cluster/stories/values")
            .join(name)
    }
}

//! Which cluster: arguments and environment.

use std::path::{Path, PathBuf};

use forerun_cluster::{Connection, kubeconfig_of_home};

use super::SettingsError;
use super::environment::{self, Environment};
use crate::arguments::Deploy;

/// Where the cluster is described.
///
/// # Errors
/// A variable that is not text.
pub fn connection(
    arguments: &Deploy,
    environment: &Environment,
) -> Result<Connection, SettingsError> {
    let list = environment
        .text(&environment::KUBECONFIG)?
        .unwrap_or_default();
    let kubeconfig_list: Vec<PathBuf> = std::env::split_paths(&list)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    let home = environment.text(&environment::HOME)?;
    let no_proxy = match environment.text(&environment::NO_PROXY)? {
        Some(rules) => Some(rules),
        None => environment.named_text("no_proxy")?,
    };
    Ok(Connection {
        kubeconfig: arguments.kubeconfig.clone(),
        kubeconfig_list,
        kubeconfig_of_home: home.map(|home| kubeconfig_of_home(Path::new(&home))),
        context: arguments.context.clone(),
        namespace: arguments.namespace.clone(),
        no_proxy,
    })
}

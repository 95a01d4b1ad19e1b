//! What holds the pods of a new version back until its migrations are applied.

use k8s_openapi::api::core::v1::{Container as KubeContainer, Volume};

use super::container::{self, engine_resources};
use super::metadata::list;
use super::migration::{BINARY_DIRECTORY, BINARY_VOLUME, binary, mounted, scratch};
use super::plan::Plan;

/// Options of forerun that say, besides the URL, where the bookkeeping is, for which release, and which migrations
/// there are.
const OPTIONS: [&str; 4] = ["--history-schema", "--release", "--dir", "--layout"];

/// What holds the pods of the new version back: init containers for them, and a volume.
pub fn gate(plan: &Plan<'_>) -> Option<(Vec<KubeContainer>, Volume)> {
    let step = plan.steps.last().filter(|_| plan.migrations.gate)?;
    let mut command = [
        &format!("{BINARY_DIRECTORY}/forerun"),
        "migrate",
        "wait",
        "--version",
        "latest",
        "--timeout",
        "600s",
    ]
    .map(str::to_owned)
    .to_vec();
    command.extend(step.engine_options(&OPTIONS));
    // Mounts of volumes that only the Job has are not there.
    let mut volume_mounts = plan.container.volume_mounts.clone();
    volume_mounts.push(mounted(BINARY_VOLUME, BINARY_DIRECTORY));
    let wait = KubeContainer {
        name: "wait-for-migrations".to_owned(),
        image: Some(step.image.clone()),
        image_pull_policy: container::pull_policy(step.pull_policy),
        command: Some(command),
        working_dir: step.working_dir.clone(),
        env: list(step.env.clone()),
        env_from: list(step.env_from.clone()),
        resources: Some(engine_resources()),
        security_context: step.security_context.clone(),
        volume_mounts: list(volume_mounts),
        ..KubeContainer::default()
    };
    Some((vec![binary(plan.values), wait], scratch(BINARY_VOLUME)))
}

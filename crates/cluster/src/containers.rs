//! The containers of a pod, as its status tells of them.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// All of them; those of init containers first: they run first.
pub(crate) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status
        .and_then(|status| status.init_container_statuses.as_deref())
        .unwrap_or_default();
    let main = status
        .and_then(|status| status.container_statuses.as_deref())
        .unwrap_or_default();
    init.iter().chain(main)
}

/// Those that do the work: not native sidecars, which only run beside it.
pub(crate) fn workers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let sidecars: Vec<&str> = pod
        .spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten())
        .filter(|container| container.restart_policy.as_deref() == Some("Always"))
        .map(|container| container.name.as_str())
        .collect();
    statuses(pod).filter(move |status| !sidecars.contains(&status.name.as_str()))
}

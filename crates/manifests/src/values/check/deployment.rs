//! `deployments.<app>`, without its migrations.

use std::collections::BTreeMap;

use super::{
    Check,
    container::{self, Volumes},
    metadata, migration, repeated, volume,
};
use crate::{
    values::{Deployment, Protocol},
    yaml::At,
};

pub(super) fn check(check: &mut Check<'_, '_>, app: &str, deployment: &Deployment, at: &At<'_>) {
    metadata::labels(check, &deployment.labels, &at.key("labels"));
    metadata::labels(check, &deployment.pod_labels, &at.key("podLabels"));
    metadata::annotations(check, &deployment.annotations, &at.key("annotations"));
    metadata::annotations(
        check,
        &deployment.pod_annotations,
        &at.key("podAnnotations"),
    );
    metadata::selector(check, &deployment.node_selector, &at.key("nodeSelector"));

    let volumes_at = at.key("volumes");
    volume::volumes(check, &deployment.volumes, &volumes_at);
    let volumes = Volumes {
        known: deployment
            .volumes
            .iter()
            .map(|volume| volume.name.as_str())
            .collect(),
        holders: vec![&volumes_at],
    };
    let containers = at.key("containers");
    for (name, one) in &deployment.containers {
        container::container(check, one, &volumes, &containers.key(name));
    }
    let init = at.key("initContainers");
    container::named_list(check, &deployment.init_containers, &volumes, false, &init);
    for (index, one) in deployment.init_containers.iter().enumerate() {
        if deployment.containers.contains_key(&one.name) {
            let message = format!("`containers` has a container `{}` too", one.name);
            check.error(
                &init.index(index).key("name"),
                message,
                "names are unique in a pod",
            );
        }
    }
    default_probes(check, deployment, at);
    pod(check, deployment, at);
    service_account(check, app, deployment, at);
    service(check, app, deployment, at);
    if let Some(migrations) = &deployment.migrations {
        migration::check(check, deployment, migrations, at);
    }
}

/// Probes of the deployment are those of its main container.
fn default_probes(check: &mut Check<'_, '_>, deployment: &Deployment, at: &At<'_>) {
    let Some(probes) = &deployment.probes else {
        return;
    };
    let main = deployment
        .containers
        .get("main")
        .or_else(|| deployment.containers.values().next());
    let at = at.key("probes");
    for (key, probe) in [
        ("livenessProbe", &probes.liveness_probe),
        ("readinessProbe", &probes.readiness_probe),
        ("startupProbe", &probes.startup_probe),
    ] {
        container::probe(
            check,
            probe.as_ref(),
            main.map(|main| &main.ports),
            &at.key(key),
        );
    }
}

fn pod(check: &mut Check<'_, '_>, deployment: &Deployment, at: &At<'_>) {
    if let Some(aliases) = &deployment.host_aliases {
        let at = at.key("hostAliases");
        for (index, first) in repeated(aliases.iter().map(|alias| &alias.ip)) {
            let message = format!("the address is already in item {first} of this list");
            check.error(
                &at.index(index).key("ip"),
                message,
                "put all names of an address into one item",
            );
        }
    }
    if let Some(policy) = &deployment.dns_policy {
        const POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
        check.one_of(&at.key("dnsPolicy"), policy, &POLICIES);
        let servers = deployment
            .dns_config
            .as_ref()
            .and_then(|config| config.nameservers.as_ref());
        if policy == "None" && servers.is_none_or(Vec::is_empty) {
            let message =
                "with `dnsPolicy: None`, a pod has no name servers but those of `dnsConfig`";
            check.error(&at.key("dnsPolicy"), message, "add `dnsConfig.nameservers`");
        }
    }
    if let Some(strategy) = deployment.strategy.as_ref() {
        let place = at.key("strategy");
        if let Some(kind) = &strategy.type_ {
            check.one_of(&place.key("type"), kind, &["RollingUpdate", "Recreate"]);
            if kind == "Recreate" && strategy.rolling_update.is_some() {
                let message = "`rollingUpdate` has no meaning with `type: Recreate`";
                check.error_in_key(&place.key("rollingUpdate"), message, "remove one of them");
            }
        }
    }
}

fn service_account(check: &mut Check<'_, '_>, app: &str, deployment: &Deployment, at: &At<'_>) {
    let config = deployment.service_account_config.as_ref();
    if let Some(config) = config {
        let at = at.key("serviceAccountConfig");
        metadata::labels(check, &config.labels, &at.key("labels"));
        metadata::annotations(check, &config.annotations, &at.key("annotations"));
    }
    if !deployment.auto_create_service_account {
        if config.is_some() && !check.is_spoiled(&at.key("autoCreateServiceAccount")) {
            let message =
                "`serviceAccountConfig` does nothing without `autoCreateServiceAccount: true`";
            check.error_in_key(
                &at.key("serviceAccountConfig"),
                message,
                "set it, or remove this",
            );
        }
        return;
    }
    let name = config
        .and_then(|config| config.name.as_deref())
        .unwrap_or(app);
    if deployment
        .service_account_name
        .as_deref()
        .is_some_and(|other| other != name)
    {
        let message = format!("`autoCreateServiceAccount` makes the service account `{name}`");
        check.error(
            &at.key("serviceAccountName"),
            message,
            "remove `serviceAccountName`, or set `serviceAccountConfig.name`",
        );
    }
    if check.values.service_accounts.contains_key(name) {
        let message = format!("the service account `{name}` is in `serviceAccounts` already");
        let help = format!("use it with `serviceAccountName: {name}`");
        check.error_in_key(&at.key("autoCreateServiceAccount"), message, help);
    }
}

/// The Service that the deployment makes for itself.
fn service(check: &mut Check<'_, '_>, app: &str, deployment: &Deployment, at: &At<'_>) {
    let auto = at.key("autoCreateService");
    if !deployment.auto_create_service {
        if deployment.service_type.is_some() && !check.is_spoiled(&auto) {
            let message = "`serviceType` does nothing without `autoCreateService: true`";
            check.error_in_key(&at.key("serviceType"), message, "set it, or remove this");
        }
        return;
    }
    if check.values.services.contains_key(app) {
        let message = format!("the Service `{app}` is in `services` already");
        check.error_in_key(&auto, message, "remove one of them");
    }
    if app.starts_with(|c: char| c.is_ascii_digit()) {
        check.error_in_key(
            &auto,
            format!("a Service must not begin with a digit: {app:?}"),
            "rename the deployment",
        );
    }
    let containers = at.key("containers");
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut numbers: BTreeMap<(i32, &str), (&str, &str)> = BTreeMap::new();
    for (container, one) in &deployment.containers {
        let here = containers.key(container);
        let ports = here.key("ports");
        for (name, port) in &one.ports {
            if let Some(other) = names.insert(name, container) {
                let message = format!(
                    "the container `{other}` has a port `{name}` too, and the Service needs both"
                );
                check.error_in_key(&ports.key(name), message, "give it another name");
            }
            let number = port.service_port.unwrap_or(port.container_port);
            let protocol = port.protocol.unwrap_or(Protocol::Tcp).as_str();
            if let Some((other, first)) = numbers.insert((number, protocol), (container, name)) {
                let message = format!(
                    "port {number} of the Service is `{first}` of the container `{other}` already"
                );
                check.error_in_key(&ports.key(name), message, "set another `servicePort`");
            }
        }
    }
    if names.is_empty() && !check.is_spoiled(&containers) {
        let message = "`autoCreateService` needs a port, and no container has one";
        check.error_in_key(&auto, message, "add `ports` to a container, or remove this");
    }
}

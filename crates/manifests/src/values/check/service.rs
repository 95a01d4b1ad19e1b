//! `services`, `persistentVolumeClaims`, `serviceAccounts` and pull secrets.

use std::collections::BTreeSet;

use k8s_openapi::{
    api::core::v1::VolumeResourceRequirements, apimachinery::pkg::util::intstr::IntOrString,
};

use super::{Check, metadata, repeated};
use crate::{
    values::{PersistentVolumeClaim, Protocol, Service, ServiceType},
    yaml::At,
};

pub(super) fn check(check: &mut Check<'_, '_>) {
    let values = check.values;
    let services = At::ROOT.key("services");
    for (name, one) in &values.services {
        service(check, name, one, &services.key(name));
    }
    let claims = At::ROOT.key("persistentVolumeClaims");
    for (name, one) in &values.persistent_volume_claims {
        claim(check, one, &claims.key(name));
    }
    let accounts = At::ROOT.key("serviceAccounts");
    for (name, one) in &values.service_accounts {
        let at = accounts.key(name);
        metadata::labels(check, &one.labels, &at.key("labels"));
        metadata::annotations(check, &one.annotations, &at.key("annotations"));
    }
}

fn service(check: &mut Check<'_, '_>, name: &str, service: &Service, at: &At<'_>) {
    metadata::labels(check, &service.labels, &at.key("labels"));
    metadata::annotations(check, &service.annotations, &at.key("annotations"));
    metadata::selector(check, &service.selector, &at.key("selector"));
    let kind = service.kind.unwrap_or_default();
    let headless = service.cluster_ip.as_deref() == Some("None");
    if kind == ServiceType::ExternalName {
        if service.external_name.is_none() && !check.is_spoiled(&at.key("externalName")) {
            check.error_in_key(
                at,
                "a Service of type ExternalName needs `externalName`",
                "",
            );
        }
        return;
    }
    if service.external_name.is_some() && !check.is_spoiled(&at.key("type")) {
        let message = "`externalName` is for `type: ExternalName`";
        check.error_in_key(
            &at.key("externalName"),
            message,
            "set the type, or remove this",
        );
    }
    if service.ports.is_empty() && !headless && !check.is_spoiled(&at.key("ports")) {
        check.error_in_key(
            at,
            format!("the Service `{name}` has no `ports`"),
            "add at least one",
        );
    }
    let target = target(check, name, service, at);
    ports(check, service, kind, target.as_ref(), at);
    if let Some(policy) = &service.external_traffic_policy {
        check.one_of(
            &at.key("externalTrafficPolicy"),
            policy,
            &["Cluster", "Local"],
        );
        if kind == ServiceType::ClusterIP && !check.is_spoiled(&at.key("type")) {
            let message =
                "`externalTrafficPolicy` is for `type: NodePort` and `type: LoadBalancer`";
            check.error_in_key(
                &at.key("externalTrafficPolicy"),
                message,
                "set the type, or remove this",
            );
        }
    }
    if let Some(affinity) = &service.session_affinity {
        check.one_of(&at.key("sessionAffinity"), affinity, &["None", "ClientIP"]);
    }
}

/// The names of the ports of the pods behind a Service, where they are of these values.
fn target<'a>(
    check: &mut Check<'a, '_>,
    name: &str,
    service: &Service,
    at: &At<'_>,
) -> Option<BTreeSet<&'a str>> {
    let deployments = At::ROOT.key("deployments");
    if !service.selector.is_empty() {
        if service.deployment.is_some() {
            let message = "`selector` and `deployment` exclude each other";
            check.error_in_key(&at.key("deployment"), message, "keep one of them");
        }
        return None;
    }
    let app = service.deployment.as_deref().unwrap_or(name);
    if let Some(deployment) = check.values.deployments.get(app) {
        let names = deployment
            .containers
            .values()
            .flat_map(|container| container.ports.keys());
        return (!check.is_spoiled(&deployments.key(app)))
            .then(|| names.map(String::as_str).collect());
    }
    if service.deployment.is_some() {
        let known: Vec<&str> = check
            .values
            .deployments
            .keys()
            .map(String::as_str)
            .collect();
        check.no_such(
            &at.key("deployment"),
            app,
            &deployments,
            &known,
            "the deployment",
        );
    } else if !check.is_left_out(&deployments.key(name)) && !check.is_spoiled(&at.key("selector")) {
        let message = format!(
            "the Service `{name}` does not say which pods it leads to, and no deployment has its name"
        );
        check.error_in_key(at, message, "add `deployment: NAME`, or a `selector`");
    }
    None
}

fn ports(
    check: &mut Check<'_, '_>,
    service: &Service,
    kind: ServiceType,
    target: Option<&BTreeSet<&str>>,
    at: &At<'_>,
) {
    let at = at.key("ports");
    for (index, first) in repeated(
        service
            .ports
            .iter()
            .map(|port| port.name.as_deref().unwrap_or_default()),
    ) {
        match &service.ports[index].name {
            Some(name) => {
                let message = format!("the port `{name}` is already item {first} of this list");
                check.error(
                    &at.index(index).key("name"),
                    message,
                    "give each port a name of its own",
                );
            }
            None => check.error_in_key(
                &at.index(index),
                "with several ports, each needs a name",
                "add `name`",
            ),
        }
    }
    let numbers = service
        .ports
        .iter()
        .map(|port| (port.port, port.protocol.unwrap_or(Protocol::Tcp).as_str()));
    for (index, first) in repeated(numbers) {
        let message = format!(
            "port {} is already item {first} of this list",
            service.ports[index].port
        );
        check.error(&at.index(index).key("port"), message, "");
    }
    for (index, port) in service.ports.iter().enumerate() {
        let at = at.index(index);
        if service.ports.len() > 1 && index == 0 && port.name.is_none() && !check.is_spoiled(&at) {
            check.error_in_key(&at, "with several ports, each needs a name", "add `name`");
        }
        if let Some(name) = port.name.as_deref().filter(|name| !is_label(name)) {
            let help = "at most 63 lower-case letters, digits and dashes, with a letter or digit at both ends";
            check.error(
                &at.key("name"),
                format!("{name:?} cannot be the name of a port"),
                help,
            );
        }
        match (&port.target_port, target) {
            (Some(IntOrString::Int(number)), _) if !(1..=65535).contains(number) => {
                check.error(
                    &at.key("targetPort"),
                    format!("port {number}: ports are numbers from 1 to 65535"),
                    "",
                );
            }
            (Some(IntOrString::String(name)), Some(known)) if !known.contains(name.as_str()) => {
                let known: Vec<&str> = known.iter().copied().collect();
                let help = match known.is_empty() {
                    true => "its containers have no ports: add it, or write its number".to_owned(),
                    false => format!("its containers' ports are: {}", known.join(", ")),
                };
                check.error(
                    &at.key("targetPort"),
                    format!("the deployment has no port named {name:?}"),
                    help,
                );
            }
            _ => {}
        }
        if port.node_port.is_some() && kind == ServiceType::ClusterIP {
            let message = "`nodePort` is for `type: NodePort` and `type: LoadBalancer`";
            check.error_in_key(&at.key("nodePort"), message, "set the type, or remove this");
        }
    }
}

fn is_label(name: &str) -> bool {
    let inner = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    inner && (1..=63).contains(&name.len()) && !name.starts_with('-') && !name.ends_with('-')
}

fn claim(check: &mut Check<'_, '_>, claim: &PersistentVolumeClaim, at: &At<'_>) {
    metadata::labels(check, &claim.labels, &at.key("labels"));
    metadata::annotations(check, &claim.annotations, &at.key("annotations"));
    let requests = |resources: &VolumeResourceRequirements| {
        resources
            .requests
            .as_ref()
            .is_some_and(|requests| requests.contains_key("storage"))
    };
    match (&claim.size, &claim.resources) {
        (Some(_), Some(resources)) if requests(resources) => {
            check.error_in_key(
                &at.key("size"),
                "`size` and `resources` both say how large it is",
                "keep one of them",
            );
        }
        (Some(_), _) => {}
        (None, Some(resources)) if requests(resources) => {}
        _ if check.is_spoiled(&at.key("size")) || check.is_spoiled(&at.key("resources")) => {}
        _ => check.error_in_key(
            at,
            "a claim needs a size",
            "add `size`, such as `size: 10Gi`",
        ),
    }
    if let Some(mode) = &claim.volume_mode {
        check.one_of(&at.key("volumeMode"), mode, &["Filesystem", "Block"]);
    }
}

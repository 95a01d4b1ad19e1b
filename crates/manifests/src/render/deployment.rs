//! Deployments and the Services made for them.

use k8s_openapi::api::apps::v1::{Deployment as KubeDeployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Container as KubeContainer, PodSpec, PodTemplateSpec, Service as KubeService,
    ServicePort as KubeServicePort, ServiceSpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::container::{self, named, of_application, overlaid, overlaid_pod};
use super::metadata::{self, Metadata, list, matching, merged, object};
use super::plan::{Plan, account_of};
use super::{Object, RenderError, checksum, gate, ledger};
use crate::values::{Container, Deployment, Values};

/// The Deployment of an application, after its Service.
pub fn objects(
    values: &Values,
    app: &str,
    deployment: &Deployment,
    plan: Option<&Plan<'_>>,
    metadata: &Metadata,
) -> Result<Vec<Object>, RenderError> {
    let mut objects = Vec::new();
    if deployment.auto_create_service {
        objects.push(Object::new(&service(app, deployment, metadata))?);
    }
    objects.push(Object::new(&of_values(
        values, app, deployment, plan, metadata,
    ))?);
    Ok(objects)
}

fn of_values(
    values: &Values,
    app: &str,
    deployment: &Deployment,
    plan: Option<&Plan<'_>>,
    metadata: &Metadata,
) -> KubeDeployment {
    let general = &values.deployments_general;
    let pod_labels = merged(&general.pod_labels, &deployment.pod_labels);
    let pod_annotations = merged(&general.pod_annotations, &deployment.pod_annotations);
    let mut pod = pod_spec(values, app, deployment, plan);
    let checksum = checksum::annotation(&mut pod, values);
    KubeDeployment {
        metadata: object(
            app,
            metadata.labels_of(app, &deployment.labels),
            metadata.annotations(&merged(&general.annotations, &deployment.annotations)),
        ),
        spec: Some(DeploymentSpec {
            replicas: Some(deployment.replicas.or(general.replicas).unwrap_or(1)),
            selector: matching(metadata.selector(app)),
            strategy: deployment
                .strategy
                .clone()
                .or_else(|| general.strategy.clone()),
            min_ready_seconds: deployment.min_ready_seconds,
            progress_deadline_seconds: deployment.progress_deadline_seconds,
            revision_history_limit: deployment
                .revision_history_limit
                .or(general.revision_history_limit),
            template: PodTemplateSpec {
                metadata: Some(metadata::pod(
                    metadata.labels_of(app, &pod_labels),
                    merged(&checksum, &metadata.annotations(&pod_annotations)),
                )),
                spec: Some(pod),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn pod_spec(
    values: &Values,
    app: &str,
    deployment: &Deployment,
    plan: Option<&Plan<'_>>,
) -> PodSpec {
    let general = &values.deployments_general;
    let security_context = overlaid(
        general.container_security_context.as_ref(),
        deployment.container_security_context.as_ref(),
    );
    let probes = deployment.probes.as_ref().or(general.probes.as_ref());
    let mut containers: Vec<KubeContainer> = ordered(deployment)
        .into_iter()
        .enumerate()
        .map(|(index, (name, container))| {
            let probes = probes.filter(|_| index == 0);
            of_application(
                name,
                &container,
                app,
                probes,
                security_context.as_ref(),
                values,
            )
        })
        .collect();
    ledger::name_sessions(plan, &mut containers);

    let (mut init_containers, gate_volume) = match plan.and_then(gate::gate) {
        Some((containers, volume)) => (containers, Some(volume)),
        None => (Vec::new(), None),
    };
    init_containers.extend(deployment.init_containers.iter().map(|own| {
        let container = named(own, values);
        KubeContainer {
            security_context: overlaid(
                security_context.as_ref(),
                container.security_context.as_ref(),
            ),
            ..container
        }
    }));
    let mut volumes = deployment.volumes.clone();
    volumes.extend(gate_volume);

    PodSpec {
        containers,
        init_containers: list(init_containers),
        volumes: list(volumes),
        service_account_name: account_of(app, deployment),
        automount_service_account_token: deployment.automount_service_account_token,
        security_context: overlaid_pod(
            general.security_context.as_ref(),
            deployment.security_context.as_ref(),
        ),
        topology_spread_constraints: deployment
            .topology_spread_constraints
            .clone()
            .or_else(|| general.topology_spread_constraints.clone()),
        termination_grace_period_seconds: deployment
            .termination_grace_period_seconds
            .or(general.termination_grace_period_seconds),
        ..surroundings(values, deployment)
    }
}

/// Where the pods of an application run, and from where their images come: the same for its migrations.
pub fn surroundings(values: &Values, deployment: &Deployment) -> PodSpec {
    let general = &values.deployments_general;
    PodSpec {
        image_pull_secrets: container::pull_secrets(values, &deployment.image_pull_secrets),
        node_selector: metadata::some(merged(&general.node_selector, &deployment.node_selector)),
        tolerations: deployment
            .tolerations
            .clone()
            .or_else(|| general.tolerations.clone()),
        affinity: deployment
            .affinity
            .clone()
            .or_else(|| general.affinity.clone()),
        priority_class_name: deployment
            .priority_class_name
            .clone()
            .or_else(|| general.priority_class_name.clone()),
        host_aliases: deployment.host_aliases.clone(),
        dns_policy: deployment.dns_policy.clone(),
        dns_config: deployment.dns_config.clone(),
        runtime_class_name: deployment.runtime_class_name.clone(),
        scheduler_name: deployment.scheduler_name.clone(),
        ..PodSpec::default()
    }
}

/// The containers by name, `main` first; without any, one named `main`.
fn ordered(deployment: &Deployment) -> Vec<(&str, Container)> {
    if deployment.containers.is_empty() {
        return vec![("main", Container::default())];
    }
    let mut containers: Vec<(&str, Container)> = deployment
        .containers
        .iter()
        .map(|(name, container)| (name.as_str(), container.clone()))
        .collect();
    containers.sort_by_key(|(name, _)| *name != "main");
    containers
}

fn service(app: &str, deployment: &Deployment, metadata: &Metadata) -> KubeService {
    let ports = ordered(deployment)
        .into_iter()
        .flat_map(|(_, container)| container.ports)
        .map(|(name, port)| KubeServicePort {
            port: port.service_port.unwrap_or(port.container_port),
            target_port: Some(IntOrString::String(name.clone())),
            name: Some(name),
            protocol: Some(port.protocol.unwrap_or_default().as_str().to_owned()),
            ..KubeServicePort::default()
        })
        .collect();
    KubeService {
        metadata: object(
            app,
            metadata.labels_of(app, &metadata::Map::new()),
            metadata.annotations(&metadata::Map::new()),
        ),
        spec: Some(ServiceSpec {
            type_: Some(
                deployment
                    .service_type
                    .unwrap_or_default()
                    .as_str()
                    .to_owned(),
            ),
            ports: list(ports),
            selector: Some(metadata.selector(app)),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

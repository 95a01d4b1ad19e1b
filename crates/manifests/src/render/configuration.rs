//! Secrets, ConfigMaps, service accounts, volume claims and Services.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolumeClaim as KubeClaim, PersistentVolumeClaimSpec, Secret,
    Service as KubeService, ServiceAccount as KubeServiceAccount, ServicePort as KubeServicePort,
    ServiceSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::metadata::{Metadata, list, object, some};
use super::{Object, RenderError};
use crate::values::{
    AccessMode, Config, ConfigKind, PersistentVolumeClaim, Service, ServiceAccount, ServiceType,
    Values,
};

/// Configs, service accounts and volume claims.
pub fn objects(values: &Values, metadata: &Metadata) -> Result<Vec<Object>, RenderError> {
    let mut objects = Vec::new();
    for (name, item) in &values.configs {
        let labels = metadata.labels(&item.labels);
        let annotations = metadata.annotations(&item.annotations);
        objects.push(config(item, object(name, labels, annotations))?);
    }
    for (name, account) in service_accounts(values) {
        let labels = match &account.app {
            Some(app) => metadata.labels_of(app, &account.account.labels),
            None => metadata.labels(&account.account.labels),
        };
        let annotations = metadata.annotations(&account.account.annotations);
        objects.push(Object::new(&service_account(
            &account.account,
            object(&name, labels, annotations),
        ))?);
    }
    for (name, claim) in &values.persistent_volume_claims {
        objects.push(Object::new(&persistent_volume_claim(
            name, claim, metadata,
        ))?);
    }
    Ok(objects)
}

/// A Secret or ConfigMap. Secret data is written here, not by Kubernetes' type, since keys that were given in base64
/// stay as they were written.
pub fn config(config: &Config, metadata: ObjectMeta) -> Result<Object, RenderError> {
    match config.kind {
        ConfigKind::ConfigMap => {
            let texts = config
                .data
                .iter()
                .map(|(key, value)| (key.clone(), value.to_string()));
            let mut object = Object::new(&ConfigMap {
                metadata,
                data: some(texts.collect()),
                immutable: config.immutable,
                binary_data: None,
            })?;
            if !config.binary_data.is_empty()
                && let Value::Object(fields) = &mut object.value
            {
                fields.insert("binaryData".to_owned(), json!(config.binary_data));
            }
            Ok(object)
        }
        ConfigKind::Secret => {
            let bytes: BTreeMap<String, ByteString> = config
                .data
                .iter()
                .map(|(key, value)| (key.clone(), ByteString(value.to_string().into_bytes())))
                .collect();
            let mut object = Object::new(&Secret {
                metadata,
                data: some(bytes),
                type_: Some(
                    config
                        .secret_type
                        .clone()
                        .unwrap_or_else(|| "Opaque".to_owned()),
                ),
                immutable: config.immutable,
                string_data: None,
            })?;
            if let Value::Object(fields) = &mut object.value
                && !config.binary_data.is_empty()
                && let Value::Object(data) = fields.entry("data").or_insert_with(|| json!({}))
            {
                for (key, value) in &config.binary_data {
                    data.insert(key.clone(), json!(value));
                }
            }
            Ok(object)
        }
    }
}

/// A service account that these values create, and the deployment that it is made for.
pub struct CreatedAccount {
    pub account: ServiceAccount,
    pub app: Option<String>,
}

/// Every service account that these values create, by name.
pub fn service_accounts(values: &Values) -> BTreeMap<String, CreatedAccount> {
    let mut accounts: BTreeMap<String, CreatedAccount> = values
        .service_accounts
        .iter()
        .map(|(name, account)| {
            let account = account.clone();
            (name.clone(), CreatedAccount { account, app: None })
        })
        .collect();
    for (app, deployment) in &values.deployments {
        if deployment.auto_create_service_account {
            let own = deployment
                .service_account_config
                .clone()
                .unwrap_or_default();
            accounts.insert(
                own.name.unwrap_or_else(|| app.clone()),
                CreatedAccount {
                    account: ServiceAccount {
                        labels: own.labels,
                        annotations: own.annotations,
                        ..ServiceAccount::default()
                    },
                    app: Some(app.clone()),
                },
            );
        }
    }
    accounts
}

pub fn service_account(account: &ServiceAccount, metadata: ObjectMeta) -> KubeServiceAccount {
    KubeServiceAccount {
        metadata,
        automount_service_account_token: account.automount_service_account_token,
        image_pull_secrets: list(
            account
                .image_pull_secrets
                .iter()
                .map(|secret| LocalObjectReference {
                    name: secret.name().to_owned(),
                })
                .collect(),
        ),
        secrets: None,
    }
}

fn persistent_volume_claim(
    name: &str,
    claim: &PersistentVolumeClaim,
    metadata: &Metadata,
) -> KubeClaim {
    let size = claim.size.as_ref().map(|size| VolumeResourceRequirements {
        requests: Some(BTreeMap::from([(
            "storage".to_owned(),
            Quantity(size.clone()),
        )])),
        limits: None,
    });
    let modes = claim
        .access_modes
        .as_deref()
        .unwrap_or(&[AccessMode::ReadWriteOnce]);
    KubeClaim {
        metadata: object(
            name,
            metadata.labels(&claim.labels),
            metadata.annotations(&claim.annotations),
        ),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(modes.iter().map(|mode| mode.as_str().to_owned()).collect()),
            resources: size.or_else(|| claim.resources.clone()),
            storage_class_name: claim.storage_class_name.clone(),
            volume_mode: claim.volume_mode.clone(),
            volume_name: claim.volume_name.clone(),
            selector: claim.selector.clone(),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// The Services of `services`.
pub fn services(values: &Values, metadata: &Metadata) -> Result<Vec<Object>, RenderError> {
    values
        .services
        .iter()
        .map(|(name, service)| Object::new(&of_values(name, service, values, metadata)?))
        .collect()
}

fn of_values(
    name: &str,
    service: &Service,
    values: &Values,
    metadata: &Metadata,
) -> Result<KubeService, RenderError> {
    let kind = service.kind.unwrap_or_default();
    let app = service.deployment.as_deref().unwrap_or(name);
    let selector = if !service.selector.is_empty() {
        Some(service.selector.clone())
    } else if kind == ServiceType::ExternalName {
        None
    } else if values.deployments.contains_key(app) {
        Some(metadata.selector(app))
    } else {
        return Err(RenderError::Values {
            path: format!("services.{name}"),
            message: format!(
                "there is no deployment {app} for it to lead to; name one in `deployment`, or give a `selector`"
            ),
        });
    };
    let ports = service
        .ports
        .iter()
        .map(|port| KubeServicePort {
            name: port.name.clone(),
            port: port.port,
            target_port: Some(
                port.target_port
                    .clone()
                    .unwrap_or(IntOrString::Int(port.port)),
            ),
            protocol: Some(port.protocol.unwrap_or_default().as_str().to_owned()),
            node_port: port.node_port,
            app_protocol: port.app_protocol.clone(),
        })
        .collect();
    Ok(KubeService {
        metadata: object(
            name,
            metadata.labels(&service.labels),
            metadata.annotations(&service.annotations),
        ),
        spec: Some(ServiceSpec {
            type_: Some(kind.as_str().to_owned()),
            ports: list(ports),
            selector,
            cluster_ip: service.cluster_ip.clone(),
            external_name: service.external_name.clone(),
            external_traffic_policy: service.external_traffic_policy.clone(),
            load_balancer_class: service.load_balancer_class.clone(),
            session_affinity: service.session_affinity.clone(),
            publish_not_ready_addresses: service.publish_not_ready_addresses,
            ..ServiceSpec::default()
        }),
        status: None,
    })
}

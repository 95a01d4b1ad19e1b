//! The network policy of a migration Job.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::hook;
use super::metadata::{Map, Metadata, matching, merged, object};
use super::migration::labels;
use super::plan::Plan;
use crate::values;

/// MySQL's and PostgreSQL's.
const DATABASES: [u16; 2] = [3306, 5432];

/// A policy under which the Job's pods reach name servers and databases, and nobody reaches them.
pub fn network_policy(plan: &Plan<'_>, metadata: &Metadata) -> Option<NetworkPolicy> {
    let allowed = match plan.migrations.network_policy.as_ref()? {
        values::NetworkPolicy::Switch(false) => return None,
        values::NetworkPolicy::Switch(true) => values::Allowed::default(),
        values::NetworkPolicy::Allowed(allowed) => allowed.clone(),
    };
    let port = |protocol: &str, port: u16| NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(i32::from(port))),
        end_port: None,
    };
    let rule = |ports: Vec<NetworkPolicyPort>| NetworkPolicyEgressRule {
        ports: Some(ports),
        to: None,
    };
    let databases = allowed.ports.unwrap_or_else(|| DATABASES.to_vec());
    let mut egress = vec![
        rule(vec![port("UDP", 53), port("TCP", 53)]),
        rule(
            databases
                .into_iter()
                .map(|number| port("TCP", number))
                .collect(),
        ),
    ];
    egress.extend(allowed.egress);
    Some(NetworkPolicy {
        metadata: object(
            &plan.base,
            labels(plan, metadata, &Map::new()),
            merged(&metadata.annotations(&Map::new()), &hook::of_own(plan)),
        ),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(matching(metadata.selector(&plan.base))),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            egress: Some(egress),
            ingress: None,
        }),
    })
}

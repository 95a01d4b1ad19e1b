//! Deployments, and their defaults.

use serde_json::{Map, Value, json};

use super::container::{
    container, named_container, pod_security_context, probes, security_context, string_map, volumes,
};
use super::migrations::migrations;
use super::random::{Keys, Random};

/// What a deployment and `deploymentsGeneral` have in common.
pub fn general_keys(keys: &mut Keys<'_>) {
    keys.maybe(40, "replicas", &[json!(0), json!(1), json!(3)]);
    keys.maybe(
        20,
        "strategy",
        &[
            json!({"type": "Recreate"}),
            json!({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}),
        ],
    );
    keys.with(30, "securityContext", pod_security_context);
    keys.with(30, "containerSecurityContext", security_context);
    keys.maybe(
        30,
        "nodeSelector",
        &[json!({"disk": "ssd"}), json!({"zone": "a", "disk": "hdd"})],
    );
    keys.maybe(
        20,
        "tolerations",
        &[json!([{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}])],
    );
    keys.maybe(20, "affinity", &[json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "arch", "operator": "In", "values": ["amd64"]}]}]}}})]);
    keys.maybe(
        20,
        "topologySpreadConstraints",
        &[
            json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"a": "b"}}}]),
        ],
    );
    keys.maybe(20, "priorityClassName", &[json!("high")]);
    keys.maybe(20, "terminationGracePeriodSeconds", &[json!(10)]);
    keys.maybe(20, "revisionHistoryLimit", &[json!(0), json!(5)]);
    keys.with(30, "probes", probes);
    keys.with(30, "annotations", |random| {
        string_map(random, "deployment.example")
    });
    keys.with(30, "podAnnotations", |random| {
        string_map(random, "pod.example")
    });
    keys.with(30, "podLabels", |random| string_map(random, "pod.example"));
}

pub fn deployment(random: &mut Random, app: &str, kube_version: &str) -> Value {
    let (volumes, mounts, kept_mounts) = volumes(random, kube_version);
    let mut keys = Keys::new(random);
    general_keys(&mut keys);
    const CONTAINERS: [&[&str]; 4] = [
        &["main"],
        &["main", "a-sidecar"],
        &["web", "worker"],
        &["web"],
    ];
    let names = *keys.random.one_of(&CONTAINERS);
    let mut containers = Map::new();
    for (index, name) in names.iter().enumerate() {
        let ports = [&[("http", 8080), ("admin", 8081)][..], &[("metrics", 9090)]][index];
        containers.insert((*name).to_owned(), container(keys.random, &mounts, ports));
    }
    // A step's tag alone goes with an image that has none.
    let bare = containers
        .values()
        .all(|container| !container["image"].as_str().unwrap().contains('2'));
    keys.map
        .insert("containers".into(), Value::Object(containers));
    keys.map.insert("volumes".into(), json!(volumes));
    keys.with(20, "initContainers", |random| {
        json!([named_container(random, "prepare", &mounts)])
    });
    keys.with(30, "labels", |random| {
        string_map(random, "deployment.example")
    });
    keys.maybe(20, "minReadySeconds", &[json!(0), json!(10)]);
    keys.maybe(20, "progressDeadlineSeconds", &[json!(120)]);
    keys.maybe(
        20,
        "hostAliases",
        &[json!([{"ip": "10.0.0.1", "hostnames": ["database"]}])],
    );
    keys.maybe(20, "dnsPolicy", &[json!("Default"), json!("ClusterFirst")]);
    keys.maybe(
        20,
        "dnsConfig",
        &[json!({"nameservers": ["1.1.1.1"], "options": [{"name": "ndots", "value": "1"}]})],
    );
    keys.maybe(10, "runtimeClassName", &[json!("gvisor")]);
    keys.maybe(10, "schedulerName", &[json!("other")]);
    keys.maybe(
        30,
        "automountServiceAccountToken",
        &[json!(false), json!(true)],
    );
    keys.maybe(
        30,
        "imagePullSecrets",
        &[json!(["own", {"name": "shared"}]), json!(["tokens"])],
    );
    match keys.random.below(4) {
        0 => drop(
            keys.map
                .insert("serviceAccountName".into(), json!("external")),
        ),
        1 => drop(
            keys.map
                .insert("serviceAccountName".into(), json!("listed")),
        ),
        2 => {
            keys.map
                .insert("autoCreateServiceAccount".into(), json!(true));
            keys.maybe(
                50,
                "serviceAccountConfig",
                &[
                    json!({"annotations": {"example.com/role": "app"}}),
                    json!({"name": format!("{app}-account"), "labels": {"l": "m"}}),
                ],
            );
        }
        _ => {}
    }
    if keys.random.chance(40) {
        keys.map.insert("autoCreateService".into(), json!(true));
        keys.maybe(40, "serviceType", &[json!("NodePort"), json!("ClusterIP")]);
    }
    if keys.random.chance(75) {
        let migrations = migrations(keys.random, app, names, &kept_mounts, bare, kube_version);
        keys.map.insert("migrations".into(), migrations);
    }
    Value::Object(keys.map)
}

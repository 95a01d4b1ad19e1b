//! Values made up from a seed: every key of the model with some probability, references that lead somewhere.

mod container;
mod deployment;
mod migrations;
mod random;

use serde_json::{Map, Value, json};

use container::{CONFIGS, DIGEST, scalar, string_map};
use deployment::{deployment, general_keys};
use random::{Keys, Random};

/// Values, and the version of Kubernetes to render them for.
pub fn values(seed: u64) -> (Value, &'static str) {
    let random = &mut Random(seed);
    let kube_version = *random.one_of(&["1.26", "1.28", "1.29", "1.34", "1.35", "1.36"]);
    let mut keys = Keys::new(random);
    let mut configs = Map::new();
    for (name, kind) in CONFIGS {
        let mut config = Keys::new(keys.random);
        if kind == "secret" || config.random.chance(30) {
            config.map.insert("type".into(), json!(kind));
        }
        config.with(100, "data", |random| {
            json!({"k": scalar(random), "t": scalar(random), "url": scalar(random), "other.key": scalar(random)})
        });
        config.maybe(20, "binaryData", &[json!({"binary": "AAEC"})]);
        if kind == "secret" {
            config.maybe(20, "secretType", &[json!("example.com/kind")]);
        }
        config.maybe(20, "immutable", &[json!(true), json!(false)]);
        config.with(30, "labels", |random| string_map(random, "config.example"));
        config.with(30, "annotations", |random| {
            string_map(random, "config.example")
        });
        configs.insert(name.to_owned(), Value::Object(config.map));
    }
    keys.map.insert("configs".into(), Value::Object(configs));
    keys.map.insert(
        "secretRefs".into(),
        json!({
            "shared": [
                {"name": "URL", "secretKeyRef": {"name": "database", "key": "url"}},
                {"name": "TOKEN", "secretKeyRef": {"name": "tokens", "key": "t", "optional": true}},
            ],
            "more": [{"name": "TOKEN", "secretKeyRef": {"name": "elsewhere", "key": "t"}}],
        }),
    );
    let mut deployments = Map::new();
    let long = "an-application-whose-name-leaves-no-room-for-anything-behind-it";
    for app in ["shop", "worker", long]
        .into_iter()
        .take(1 + keys.random.below(3))
    {
        deployments.insert(app.to_owned(), deployment(keys.random, app, kube_version));
    }
    keys.map
        .insert("deployments".into(), Value::Object(deployments));
    keys.with(50, "deploymentsGeneral", |random| {
        let mut general = Keys::new(random);
        general_keys(&mut general);
        Value::Object(general.map)
    });
    keys.maybe(40, "generic", &[
        json!({"labels": {"common.example/team": "generic"}, "extraImagePullSecrets": [{"name": "extra"}, "shared"]}),
        json!({"annotations": {"common.example/one": "generic"}}),
    ]);
    keys.with(40, "commonLabels", |random| {
        string_map(random, "common.example")
    });
    keys.with(40, "commonAnnotations", |random| {
        string_map(random, "common.example")
    });
    keys.maybe(40, "services", &[
        json!({"front": {"deployment": "shop", "type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}),
        json!({"other": {"type": "ExternalName", "externalName": "db.example"}, "headless": {"clusterIP": "None", "selector": {"a": "b"},
            "ports": [{"port": 5432}], "publishNotReadyAddresses": true, "sessionAffinity": "ClientIP"}}),
    ]);
    keys.maybe(30, "persistentVolumeClaims", &[
        json!({"uploads": {"size": "1Gi"}}),
        json!({"uploads": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Gi"}}, "storageClassName": "",
            "volumeMode": "Filesystem", "volumeName": "pv", "selector": {"matchLabels": {"a": "b"}}, "labels": {"l": "m"}}}),
    ]);
    keys.map.insert("serviceAccounts".into(), json!({"listed": {
        "annotations": {"example.com/role": "listed"}, "automountServiceAccountToken": false, "imagePullSecrets": ["pull"],
    }}));
    keys.maybe(30, "imagePullSecret", &[json!("shared")]);
    keys.maybe(
        30,
        "imagePullSecrets",
        &[json!(["one", {"name": "two"}, "shared"])],
    );
    keys.maybe(30, "nameOverride", &[json!("platform")]);
    keys.maybe(20, "global", &[json!({"anything": [1, null, {"x": "y"}]})]);
    keys.maybe(
        40,
        "forerun",
        &[
            json!({"image": "registry.example/forerun"}),
            json!({"imageTag": "0.9", "imagePullPolicy": "Always"}),
            json!({"imageDigest": DIGEST}),
        ],
    );
    (Value::Object(keys.map), kube_version)
}

/// As many deployments as a big release has, each with migrations.
pub fn two_hundred_deployments() -> Value {
    let deployments: Map<String, Value> = (0..200)
        .map(|number| {
            let deployment = json!({
                "replicas": 2,
                "migrations": {"enabled": true, "args": ["migrate", "up"], "backoffLimit": 3, "waitForDatabase": true},
                "autoCreateService": true,
                "containers": {"main": {
                    "image": format!("registry.example/app-{number}"),
                    "imageTag": "1.0.0",
                    "env": [{"name": "DATABASE_HOST", "value": "database"}, {"name": "DATABASE_PORT", "value": 5432}],
                    "envFrom": [{"type": "secret", "configName": "database"}],
                    "ports": {"http": {"containerPort": 8080, "servicePort": 80}},
                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                }},
            });
            (format!("app-{number:03}"), deployment)
        })
        .collect();
    json!({
        "configs": {"database": {"type": "secret", "data": {"DATABASE_PASSWORD": "secret"}}},
        "deployments": deployments,
    })
}

//! Containers, their environment and what they mount.

use serde_json::{Map, Value, json};

use super::random::{Keys, Random};

pub const CONFIGS: [(&str, &str); 5] = [
    ("app-settings", "configMap"),
    ("database", "secret"),
    ("features", "configMap"),
    ("tokens", "secret"),
    (
        "a-config-whose-name-is-so-long-that-the-copy-must-be-cut-short",
        "secret",
    ),
];
pub const TEXTS: [&str; 12] = [
    "",
    "plain",
    "two words",
    "yes",
    "0755",
    "1e3",
    "a: b # c",
    "'\"\\",
    "<&>\u{2028}",
    "$(HOME) ${HOME}",
    "line\nline\n",
    "ünïcödé",
];
pub const NAMES: [&str; 8] = [
    "A",
    "B",
    "DATABASE_HOST",
    "DATABASE_PORT",
    "DEBUG",
    "MIGRATION_TIMEOUT",
    "URL",
    "Z_9",
];

pub fn scalar(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!(random.chance(50)),
        1 => json!(*random.one_of(&[0_i64, 1, -7, 5432, 1_000_000, 2_147_483_648])),
        _ => json!(random.one_of(&TEXTS)),
    }
}

pub fn string_map(random: &mut Random, prefix: &str) -> Value {
    let mut map = Map::new();
    for name in random.some_of(50, &["one", "two", "team"]) {
        map.insert(
            format!("{prefix}/{name}"),
            json!(random.one_of(&["x", "y", "true", "10"])),
        );
    }
    Value::Object(map)
}

pub fn env(random: &mut Random) -> Value {
    let mut list = Vec::new();
    for name in random.some_of(35, &NAMES) {
        list.push(match random.below(5) {
            0 => json!({"name": name, "valueFrom": {"secretKeyRef": {"name": random.one_of(&["database", "tokens", "elsewhere"]), "key": "k"}}}),
            1 => json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": random.one_of(&["features", "elsewhere"]), "key": "k", "optional": true}}}),
            2 => json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
            _ => json!({"name": name, "value": scalar(random)}),
        });
    }
    Value::Array(list)
}

pub fn env_from(random: &mut Random) -> Value {
    let mut list = Vec::new();
    for (name, kind) in random.some_of(25, &CONFIGS) {
        let mut source = Keys::new(random);
        match source.random.below(3) {
            0 => drop(source.map.insert(
                format!("{kind}Ref"),
                json!({"name": name, "optional": true}),
            )),
            1 => drop(source.map.insert("configName".into(), json!(name))),
            _ => {
                source.map.insert("configName".into(), json!(name));
                source.map.insert("type".into(), json!(kind));
            }
        }
        source.maybe(30, "prefix", &[json!("APP_")]);
        list.push(Value::Object(source.map));
    }
    Value::Array(list)
}

pub fn resources(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"requests": {"cpu": "250m", "memory": "64Mi"}}),
            json!({"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}),
        ])
        .clone()
}

pub fn security_context(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"runAsUser": 1000, "runAsNonRoot": true}),
            json!({"readOnlyRootFilesystem": false, "capabilities": {"add": ["NET_BIND_SERVICE"]}}),
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["NET_RAW", "CHOWN"]}, "seccompProfile": {"type": "RuntimeDefault"}}),
        ])
        .clone()
}

pub fn pod_security_context(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"runAsUser": 0, "runAsNonRoot": false}),
            json!({"fsGroup": 2000, "fsGroupChangePolicy": "OnRootMismatch"}),
            json!({"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}], "supplementalGroups": [5, 6]}),
        ])
        .clone()
}

pub const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Image keys; `whole` when the image itself has to be among them.
pub fn image(keys: &mut Keys<'_>, whole: bool) {
    if whole || keys.random.chance(25) {
        let named = *keys.random.one_of(&[
            "registry.example:5000/team/app",
            "app",
            "app:1.2",
            "team/app:2@sha256:aa",
        ]);
        keys.map.insert("image".into(), json!(named));
        if !named.contains("2") {
            keys.maybe(60, "imageTag", &[json!("v1.0.0"), json!(16), json!("1.10")]);
            keys.maybe(20, "imageDigest", &[json!(DIGEST)]);
        }
    }
    keys.maybe(
        25,
        "imagePullPolicy",
        &[json!("Always"), json!("IfNotPresent")],
    );
}

pub fn probe(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}),
            json!({"tcpSocket": {"port": 8080}, "initialDelaySeconds": 3}),
            json!({"exec": {"command": ["true"]}}),
        ])
        .clone()
}

pub fn probes(random: &mut Random) -> Value {
    let mut keys = Keys::new(random);
    keys.with(50, "livenessProbe", probe);
    keys.with(50, "readinessProbe", probe);
    keys.with(20, "startupProbe", probe);
    Value::Object(keys.map)
}

pub const COMMANDS: [&[&str]; 3] = [
    &["/app/server"],
    &["python", "manage.py"],
    &["sh", "-c", "true && echo <&>"],
];
pub const ARGUMENTS: [&[&str]; 6] = [
    &["migrate", "up"],
    &[
        "migrate",
        "apply",
        "-u",
        "env://URL",
        "--dir",
        "file:///src/",
    ],
    &["migrate", "up", "--url=env://URL", "--dir=/sql"],
    &["migrate", "data", "-uenv://URL"],
    &["serve", "--port", "8080"],
    &[],
];

pub fn container(random: &mut Random, mounts: &[Value], ports: &[(&str, u16)]) -> Value {
    let mut keys = Keys::new(random);
    image(&mut keys, true);
    keys.maybe(40, "command", &COMMANDS.map(|command| json!(command)));
    keys.maybe(40, "args", &ARGUMENTS.map(|arguments| json!(arguments)));
    keys.maybe(20, "workingDir", &[json!("/app")]);
    keys.with(70, "env", env);
    keys.with(50, "envFrom", env_from);
    keys.with(30, "secretRefs", |random| {
        json!(random.some_of(50, &["shared", "more"]))
    });
    keys.with(50, "resources", resources);
    keys.with(30, "securityContext", security_context);
    keys.with(40, "probes", probes);
    keys.with(50, "volumeMounts", |random| {
        json!(random.some_of(60, mounts))
    });
    keys.maybe(
        15,
        "lifecycle",
        &[json!({"preStop": {"exec": {"command": ["sleep", "5"]}}})],
    );
    let mut rendered = Map::new();
    for (name, port) in ports {
        let mut one = Keys::new(keys.random);
        one.map.insert("containerPort".into(), json!(port));
        one.maybe(30, "servicePort", &[json!(port - 8000)]);
        one.maybe(30, "protocol", &[json!("TCP"), json!("UDP")]);
        rendered.insert((*name).to_owned(), Value::Object(one.map));
    }
    keys.map.insert("ports".into(), Value::Object(rendered));
    Value::Object(keys.map)
}

pub fn named_container(random: &mut Random, name: &str, mounts: &[Value]) -> Value {
    let mut keys = Keys::new(random);
    keys.map.insert("name".into(), json!(name));
    image(&mut keys, true);
    keys.maybe(60, "command", &COMMANDS.map(|command| json!(command)));
    keys.maybe(30, "args", &[json!(["--port", 5432])]);
    keys.with(40, "env", env);
    keys.with(30, "envFrom", env_from);
    keys.with(20, "secretRefs", |random| {
        json!(random.some_of(50, &["shared", "more"]))
    });
    keys.with(30, "resources", resources);
    keys.with(30, "securityContext", security_context);
    keys.with(40, "volumeMounts", |random| {
        json!(random.some_of(50, mounts))
    });
    Value::Object(keys.map)
}

/// Volumes, and mounts of those that migrations keep and of those that they do not.
pub fn volumes(random: &mut Random, kube_version: &str) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let mut kept = vec![
        json!({"name": "settings", "configMap": {"name": "app-settings", "items": [{"key": "k", "path": "p"}]}}),
        json!({"name": "keys", "secret": {"secretName": "tokens", "defaultMode": 256}}),
        json!({"name": "cache", "emptyDir": {}}),
        json!({"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}),
        json!({"name": "all", "projected": {"sources": [
            {"secret": {"name": "database"}}, {"configMap": {"name": "features"}}, {"secret": {"name": "elsewhere"}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        ]}}),
        json!({"name": "vault", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true}}),
    ];
    let mut dropped = vec![
        json!({"name": "uploads", "persistentVolumeClaim": {"claimName": "uploads"}}),
        json!({"name": "node", "hostPath": {"path": "/var/log", "type": "Directory"}}),
    ];
    let image = json!({"name": "sql", "image": {"reference": "registry.example/sql:1", "pullPolicy": "IfNotPresent"}});
    if kube_version >= "1.35" {
        &mut kept
    } else {
        &mut dropped
    }
    .push(image);
    let kept = random.some_of(35, &kept);
    let dropped = random.some_of(35, &dropped);
    let mount = |volume: &Value| {
        let name = volume["name"].as_str().unwrap();
        json!({"name": name, "mountPath": format!("/mnt/{name}"), "readOnly": true})
    };
    let kept_mounts: Vec<Value> = kept.iter().map(mount).collect();
    let all_mounts = kept.iter().chain(&dropped).map(mount).collect();
    (
        kept.into_iter().chain(dropped).collect(),
        all_mounts,
        kept_mounts,
    )
}

//! Values made up from a seed: every key of the model with some probability, references that lead somewhere.

use serde_json::{Map, Value, json};

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// True in `percent` of all cases.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one_of<'v, T>(&mut self, all: &'v [T]) -> &'v T {
        &all[self.below(all.len())]
    }

    fn some_of<T: Clone>(&mut self, percent: usize, all: &[T]) -> Vec<T> {
        all.iter()
            .filter(|_| self.chance(percent))
            .cloned()
            .collect()
    }
}

/// A map under construction.
struct Keys<'r> {
    random: &'r mut Random,
    map: Map<String, Value>,
}

impl<'r> Keys<'r> {
    fn new(random: &'r mut Random) -> Self {
        Self {
            random,
            map: Map::new(),
        }
    }

    /// Gives `key` one of the values, in `percent` of all cases.
    fn maybe(&mut self, percent: usize, key: &str, values: &[Value]) {
        if self.random.chance(percent) {
            let value = self.random.one_of(values).clone();
            self.map.insert(key.to_owned(), value);
        }
    }

    fn with(&mut self, percent: usize, key: &str, value: impl FnOnce(&mut Random) -> Value) {
        if self.random.chance(percent) {
            let value = value(self.random);
            self.map.insert(key.to_owned(), value);
        }
    }
}

const CONFIGS: [(&str, &str); 5] = [
    ("app-settings", "configMap"),
    ("database", "secret"),
    ("features", "configMap"),
    ("tokens", "secret"),
    (
        "a-config-whose-name-is-so-long-that-the-copy-must-be-cut-short",
        "secret",
    ),
];
const TEXTS: [&str; 12] = [
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
const NAMES: [&str; 8] = [
    "A",
    "B",
    "DATABASE_HOST",
    "DATABASE_PORT",
    "DEBUG",
    "MIGRATION_TIMEOUT",
    "URL",
    "Z_9",
];

fn scalar(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!(random.chance(50)),
        1 => json!(*random.one_of(&[0_i64, 1, -7, 5432, 1_000_000, 2_147_483_648])),
        _ => json!(random.one_of(&TEXTS)),
    }
}

fn string_map(random: &mut Random, prefix: &str) -> Value {
    let mut map = Map::new();
    for name in random.some_of(50, &["one", "two", "team"]) {
        map.insert(
            format!("{prefix}/{name}"),
            json!(random.one_of(&["x", "y", "true", "10"])),
        );
    }
    Value::Object(map)
}

fn env(random: &mut Random) -> Value {
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

fn env_from(random: &mut Random) -> Value {
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

fn resources(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"requests": {"cpu": "250m", "memory": "64Mi"}}),
            json!({"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}),
        ])
        .clone()
}

fn security_context(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"runAsUser": 1000, "runAsNonRoot": true}),
            json!({"readOnlyRootFilesystem": false, "capabilities": {"add": ["NET_BIND_SERVICE"]}}),
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["NET_RAW", "CHOWN"]}, "seccompProfile": {"type": "RuntimeDefault"}}),
        ])
        .clone()
}

fn pod_security_context(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"runAsUser": 0, "runAsNonRoot": false}),
            json!({"fsGroup": 2000, "fsGroupChangePolicy": "OnRootMismatch"}),
            json!({"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}], "supplementalGroups": [5, 6]}),
        ])
        .clone()
}

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Image keys; `whole` when the image itself has to be among them.
fn image(keys: &mut Keys<'_>, whole: bool) {
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

fn probe(random: &mut Random) -> Value {
    random
        .one_of(&[
            json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}),
            json!({"tcpSocket": {"port": 8080}, "initialDelaySeconds": 3}),
            json!({"exec": {"command": ["true"]}}),
        ])
        .clone()
}

fn probes(random: &mut Random) -> Value {
    let mut keys = Keys::new(random);
    keys.with(50, "livenessProbe", probe);
    keys.with(50, "readinessProbe", probe);
    keys.with(20, "startupProbe", probe);
    Value::Object(keys.map)
}

const COMMANDS: [&[&str]; 3] = [
    &["/app/server"],
    &["python", "manage.py"],
    &["sh", "-c", "true && echo <&>"],
];
const ARGUMENTS: [&[&str]; 6] = [
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

fn container(random: &mut Random, mounts: &[Value], ports: &[(&str, u16)]) -> Value {
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

fn named_container(random: &mut Random, name: &str, mounts: &[Value]) -> Value {
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
fn volumes(random: &mut Random, kube_version: &str) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
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

/// Keys that a step can have, too.
fn step_keys(keys: &mut Keys<'_>, mounts: &[Value], app_image_is_bare: bool) {
    keys.maybe(40, "args", &ARGUMENTS.map(|arguments| json!(arguments)));
    if keys.random.chance(20) {
        keys.map.insert(
            "image".into(),
            json!(
                keys.random
                    .one_of(&["migrator", "registry.example/migrator"])
            ),
        );
        keys.maybe(50, "imageTag", &[json!("7"), json!(8)]);
    } else if app_image_is_bare {
        keys.maybe(20, "imageTag", &[json!("next")]);
        keys.maybe(10, "imageDigest", &[json!(DIGEST)]);
    }
    keys.maybe(20, "imagePullPolicy", &[json!("Always"), json!("Never")]);
    keys.maybe(20, "workingDir", &[json!("/migrations")]);
    keys.maybe(40, "backoffLimit", &[json!(0), json!(3)]);
    keys.with(50, "env", env);
    keys.with(30, "envFrom", env_from);
    keys.with(30, "secretRefs", |random| {
        json!(random.some_of(50, &["shared", "more"]))
    });
    keys.with(30, "initContainers", |random| {
        json!([
            named_container(random, "first", mounts),
            named_container(random, "second", mounts)
        ])
    });
    keys.with(40, "resources", resources);
    keys.maybe(
        40,
        "timeout",
        &[
            json!(300),
            json!("300"),
            json!("5m"),
            json!("1h30m"),
            json!("090s"),
        ],
    );
    keys.maybe(30, "lockTimeout", &[json!(60), json!("2m")]);
    keys.maybe(
        40,
        "waitForDatabase",
        &[json!(true), json!(false), json!("90s"), json!(30)],
    );
    keys.with(30, "securityContext", security_context);
    keys.maybe(
        20,
        "fatalExitCodes",
        &[json!([]), json!([1]), json!([4, 3, 255])],
    );
    keys.with(30, "volumeMounts", |random| {
        json!(random.some_of(50, mounts))
    });
}

fn migrations(
    random: &mut Random,
    app: &str,
    containers: &[&str],
    mounts: &[Value],
    bare: bool,
    kube_version: &str,
) -> Value {
    let own_volume = json!({"name": "sql-files", "configMap": {"name": "features"}});
    let own_mount = json!({"name": "sql-files", "mountPath": "/src"});
    let mut mounts = mounts.to_vec();
    mounts.push(own_mount);
    let mut keys = Keys::new(random);
    keys.map.insert("enabled".into(), json!(true));
    keys.map.insert("volumes".into(), json!([own_volume]));
    step_keys(&mut keys, &mounts, bare);
    let guard = keys.random.chance(30);
    if guard {
        keys.map.insert("guard".into(), json!(true));
        keys.map
            .insert("command".into(), json!(["python", "manage.py"]));
    } else {
        keys.maybe(30, "command", &COMMANDS.map(|command| json!(command)));
        keys.maybe(30, "gate", &[json!(true)]);
    }
    if !containers.contains(&"main") || keys.random.chance(30) {
        let name = *keys.random.one_of(containers);
        keys.map.insert("container".into(), json!(name));
    }
    if keys.random.chance(40) {
        let mut steps = Vec::new();
        for name in ["schema", "data", "a-step-with-quite-a-long-name-of-its-own"] {
            let mut step = Keys::new(keys.random);
            step.map.insert("name".into(), json!(name));
            // An image of the migrations has its own tag: a step's would come on top of it.
            step_keys(&mut step, &mounts, false);
            step.maybe(20, "command", &COMMANDS.map(|command| json!(command)));
            steps.push(Value::Object(step.map));
            if keys.random.chance(40) {
                break;
            }
        }
        keys.map.insert("steps".into(), Value::Array(steps));
    }
    if kube_version >= "1.29" {
        keys.with(20, "sidecars", |random| {
            json!([named_container(random, "proxy", &mounts)])
        });
    }
    keys.with(20, "podSecurityContext", pod_security_context);
    keys.maybe(40, "serviceAccount", &[
        json!({"create": true}),
        json!({"create": true, "name": format!("{app}-migrator"), "annotations": {"example.com/role": "ddl"}, "labels": {"l": "v"}}),
        json!({"name": "existing"}),
    ]);
    keys.with(30, "labels", |random| {
        string_map(random, "migration.example")
    });
    keys.with(30, "annotations", |random| {
        string_map(random, "migration.example")
    });
    keys.maybe(
        20,
        "podAnnotations",
        &[json!({"karpenter.sh/do-not-disrupt": "false", "p": "q"})],
    );
    if keys.random.chance(30) {
        let stamps = [json!("20260101120000"), json!(1_700_000_000)];
        keys.map.insert("jobName".into(), json!("timestamp"));
        keys.map
            .insert("stamp".into(), keys.random.one_of(&stamps).clone());
    } else {
        keys.maybe(50, "jobName", &[json!("fixed"), json!("hash")]);
    }
    keys.with(60, "hook", |random| {
        let mut hook = Keys::new(random);
        hook.maybe(
            70,
            "delivery",
            &[json!("helm"), json!("argo"), json!("plain")],
        );
        hook.maybe(40, "weight", &[json!(-5), json!(0), json!(20)]);
        hook.maybe(
            30,
            "deletePolicy",
            &[
                json!("hook-failed"),
                json!(["before-hook-creation", "hook-succeeded"]),
            ],
        );
        hook.maybe(
            30,
            "logPolicy",
            &[json!("hook-failed"), json!(["hook-failed"])],
        );
        Value::Object(hook.map)
    });
    keys.maybe(20, "ttlSecondsAfterFinished", &[json!(0), json!(86400)]);
    keys.maybe(20, "terminationGracePeriodSeconds", &[json!(5), json!(600)]);
    keys.maybe(30, "networkPolicy", &[
        json!(true), json!(false), json!({"ports": [5433]}),
        json!({"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443, "protocol": "TCP"}]}]}),
    ]);
    Value::Object(keys.map)
}

/// What a deployment and `deploymentsGeneral` have in common.
fn general_keys(keys: &mut Keys<'_>) {
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

fn deployment(random: &mut Random, app: &str, kube_version: &str) -> Value {
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

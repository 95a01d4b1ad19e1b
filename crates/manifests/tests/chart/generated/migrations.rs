//! Migrations and their steps.

use serde_json::{Value, json};

use super::container::{
    ARGUMENTS, COMMANDS, DIGEST, env, env_from, named_container, pod_security_context, resources,
    security_context, string_map,
};
use super::random::{Keys, Random};

/// Keys that a step can have, too.
pub fn step_keys(keys: &mut Keys<'_>, mounts: &[Value], app_image_is_bare: bool) {
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

pub fn migrations(
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
    let release = keys.random.chance(25);
    if release {
        // Generated images are often without a tag.
        keys.map.insert("ledger".into(), json!(true));
        let named = json!([{"name": "FORERUN_RELEASE", "value": "2.6.0"}]);
        keys.map.insert("env".into(), named);
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

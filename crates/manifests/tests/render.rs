//! What a values file becomes, as its reader sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use forerun_manifests::render::{Delivery, KubeVersion, Options, Rendered, render, yaml};
use forerun_manifests::values::Values;
use serde_json::{Value, json};

fn options(delivery: Option<Delivery>) -> Options {
    Options {
        release: "shop".to_owned(),
        delivery,
        kube_version: KubeVersion::NEWEST,
        stamp: 1_700_000_000,
    }
}

fn values(text: &str) -> Values {
    serde_saphyr::from_str(text).unwrap()
}

fn rendered(text: &str, delivery: Delivery) -> Rendered {
    render(&values(text), &options(Some(delivery))).unwrap()
}

fn shown(rendered: &Rendered) -> String {
    yaml(rendered.objects()).unwrap()
}

/// The only Job of the release.
fn job(rendered: &Rendered) -> &Value {
    assert_eq!(rendered.migrations.len(), 1);
    &rendered.migrations[0].job.value
}

fn container(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]["containers"][0]
}

const SHOP: &str = "
configs:
  db-secrets:
    type: secret
    data: {DB_PASSWORD: geheim, DB_USER: shop, DB_PORT: 5432}
deployments:
  shop:
    migrations:
      enabled: true
      args: [migrate, up]
      backoffLimit: 3
    containers:
      main:
        image: registry.example/shop
        imageTag: v1.0.0
        command: [/app/shop]
        args: [serve, --port, 8080]
        env:
          - {name: DB_HOST, value: postgresql}
          - {name: DB_NAME, value: shop}
        envFrom:
          - {type: secret, configName: db-secrets}
        ports:
          http: {containerPort: 8080}
        probes:
          livenessProbe: {httpGet: {path: /healthz, port: http}}
      proxy:
        image: registry.example/proxy:1
";

#[test]
fn helm() {
    insta::assert_snapshot!(shown(&rendered(SHOP, Delivery::Helm)));
}

#[test]
fn argo() {
    insta::assert_snapshot!(shown(&rendered(SHOP, Delivery::Argo)));
}

#[test]
fn plain() {
    insta::assert_snapshot!(shown(&rendered(SHOP, Delivery::Plain)));
}

/// The shop with a ledger, in the application's own image.
fn with_ledger() -> String {
    SHOP.replace(
        "      backoffLimit: 3\n",
        "      backoffLimit: 3\n      ledger: true\n      image: registry.example/shop-migrations\n      imageTag: v1.0.0\n",
    )
}

#[test]
fn the_job_that_closes_the_ledger() {
    let release = rendered(&with_ledger(), Delivery::Helm);
    insta::assert_snapshot!(yaml([&release.closing[0].job]).unwrap());
}

#[test]
fn what_closes_the_ledger_comes_last_or_apart() {
    for (delivery, apart) in [
        (Delivery::Helm, false),
        (Delivery::Argo, false),
        (Delivery::Deploy, false),
        (Delivery::Plain, true),
    ] {
        let release = rendered(&with_ledger(), delivery);
        let closing = &release.closing[0];
        assert_eq!((closing.app.as_str(), closing.apart), ("shop", apart));
        assert_eq!(closing.job.name, "shop-deployed");
        let together = release
            .objects()
            .any(|object| object.name == "shop-deployed" && object == &closing.job);
        assert_eq!(together, !apart, "{delivery:?}");
        let annotations = &closing.job.value["metadata"]["annotations"];
        match delivery {
            Delivery::Helm => {
                assert_eq!(
                    annotations["helm.sh/hook"],
                    "post-install,post-upgrade,post-rollback"
                );
                assert_eq!(annotations["helm.sh/hook-weight"], "1000");
            }
            Delivery::Argo => assert_eq!(annotations["argocd.argoproj.io/hook"], "PostSync"),
            Delivery::Plain => {
                let apply = annotations["forerun.dev/apply"].as_str().unwrap();
                assert!(apply.ends_with("kubectl rollout status deployment/shop"));
                let said = |note: &String| note.contains("--wave deployed");
                assert!(release.notes.iter().any(said), "{:?}", release.notes);
            }
            Delivery::Deploy => assert!(annotations.is_null()),
        }
        // The application's own Secret is there by then.
        let main = container(&closing.job.value);
        assert_eq!(main["envFrom"][0]["secretRef"]["name"], "db-secrets");
    }
    assert!(rendered(SHOP, Delivery::Helm).closing.is_empty());
}

#[test]
fn the_ledger_is_closed_by_forerun_from_where_the_migration_has_it() {
    let of = |migrations: &str| {
        let own = format!("ledger: true\n      {migrations}");
        let text = SHOP.replace("args: [migrate, up]", &own);
        let release = rendered(&text, Delivery::Helm);
        let main = container(&release.closing[0].job.value);
        let texts = |key: &str| {
            let texts = main[key].as_array().map_or(&[][..], Vec::as_slice);
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            texts.join(" ")
        };
        let image = main["image"].as_str().unwrap();
        format!("{image} {} {}", texts("command"), texts("args"))
    };
    let engine = concat!("forerun:", env!("CARGO_PKG_VERSION"));
    let deployed = "migrate deployed --unopened";
    assert_eq!(
        of("image: 'sql:1'\n      args: [migrate, up, --url, env://URL, --dir, /src]"),
        format!("sql:1  {deployed} --url env://URL")
    );
    // Of the application's own command nobody knows whether it has `migrate deployed`.
    assert_eq!(of("args: [migrate, up]"), format!("{engine}  {deployed}"));
    assert_eq!(
        of("command: [/bin/forerun, migrate]\n      args: [up, --history-schema=ops]"),
        format!("registry.example/shop:v1.0.0 /bin/forerun {deployed} --history-schema=ops")
    );
    assert_eq!(
        of("command: [python, -u, manage.py]\n      args: [migrate]"),
        format!("{engine}  {deployed}")
    );
    assert_eq!(
        of("guard: true\n      args: [migrate, -u, it]"),
        format!("registry.example/shop:v1.0.0 /forerun-bin/forerun {deployed} ")
    );
}

#[test]
fn the_release_is_what_the_image_says() {
    let of = |image: &str, ledger: bool| {
        let text = format!(
            "deployments: {{shop: {{containers: {{main: {{image: '{image}'}}}}, migrations: {{enabled: true, ledger: {ledger}}}}}}}"
        );
        render(&values(&text), &options(None))
    };
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    for (image, expected) in [
        ("shop:2.6.0".to_owned(), "2.6.0"),
        ("localhost:5000/shop:v3".to_owned(), "v3"),
        (format!("shop:2.6.0@{digest}"), "2.6.0"),
        (format!("shop@{digest}"), "0123456789ab"),
        (format!("shop:latest@{digest}"), "0123456789ab"),
    ] {
        let release = of(&image, true).unwrap();
        for job in [job(&release), &release.closing[0].job.value] {
            let env = container(job)["env"].as_array().unwrap();
            let expected = json!({"name": "FORERUN_RELEASE", "value": expected});
            assert!(env.contains(&expected), "{image}: {env:?}");
        }
        // By which the ledger knows the sessions of the application.
        let deployment = &release.application[0].value;
        let main = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(
            main["env"],
            json!([{"name": "PGAPPNAME", "value": format!("shop@{expected}")}])
        );
        assert!(release.notes.is_empty(), "{:?}", release.notes);
    }
    for image in ["shop", "shop:latest", "localhost:5000/shop"] {
        let release = of(image, false).unwrap();
        assert!(container(job(&release)).get("env").is_none());
        assert!(release.notes[0].contains("FORERUN_RELEASE is left out"));
        let error = of(image, true).unwrap_err().to_string();
        assert!(
            error.starts_with("deployments.shop.migrations.ledger: nothing says which release"),
            "{error}"
        );
    }
}

#[test]
fn everything_that_can_be_asked_for() {
    let text = include_str!("render/everything.yaml");
    insta::assert_snapshot!(shown(&rendered(text, Delivery::Helm)));
}

#[test]
fn the_job_takes_the_container_without_what_serves() {
    let release = rendered(SHOP, Delivery::Deploy);
    let migrate = container(job(&release));
    assert_eq!(migrate["image"], "registry.example/shop:v1.0.0");
    assert_eq!(migrate["command"], json!(["/app/shop"]));
    assert_eq!(migrate["args"], json!(["migrate", "up"]));
    for key in [
        "ports",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
    ] {
        assert!(migrate.get(key).is_none(), "{key}");
    }
    let pod = &job(&release)["spec"]["template"]["spec"];
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_backoff_limit_of_zero_is_zero() {
    let release = rendered(
        &SHOP.replace("backoffLimit: 3", "backoffLimit: 0"),
        Delivery::Helm,
    );
    assert_eq!(job(&release)["spec"]["backoffLimit"], 0);
}

#[test]
fn the_job_uses_copies_and_the_application_its_own() {
    let release = rendered(SHOP, Delivery::Helm);
    let own = |value: &Value| value["envFrom"][0]["secretRef"]["name"].clone();
    assert_eq!(own(container(job(&release))), "db-secrets-migrations");
    let deployment = release
        .application
        .iter()
        .find(|object| object.kind == "Deployment");
    let main = &deployment.unwrap().value["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(own(main), "db-secrets");
    let copy = &release.preparation[0].value;
    assert_eq!(copy["metadata"]["name"], "db-secrets-migrations");
    assert_eq!(copy["data"], release.configuration[0].value["data"]);
    assert!(
        release.configuration[0].value["metadata"]
            .get("annotations")
            .is_none()
    );
}

#[test]
fn no_service_of_the_application_leads_to_a_migration() {
    let text = SHOP.replace(
        "    migrations:",
        "    autoCreateService: true\n    migrations:",
    );
    let release = rendered(&text, Delivery::Helm);
    let service = release
        .application
        .iter()
        .find(|object| object.kind == "Service")
        .unwrap();
    let selector = service.value["spec"]["selector"].as_object().unwrap();
    let labels = &job(&release)["spec"]["template"]["metadata"]["labels"];
    assert!(
        selector
            .iter()
            .any(|(key, value)| labels.get(key) != Some(value))
    );
}

#[test]
fn steps_are_jobs_in_order() {
    let text = SHOP.replace(
        "      args: [migrate, up]\n",
        "      steps:
        - {name: schema, args: [migrate, schema], backoffLimit: 2}
        - {name: data, args: [migrate, data]}\n",
    );
    let release = rendered(&text, Delivery::Helm);
    let seen: Vec<_> = release
        .migrations
        .iter()
        .map(|step| {
            let job = &step.job.value;
            (
                step.job.name.as_str(),
                job["metadata"]["annotations"]["helm.sh/hook-weight"]
                    .as_str()
                    .unwrap(),
                job["spec"]["backoffLimit"].as_i64().unwrap(),
                container(job)["args"][1].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("shop-migrations-schema", "0", 2, "schema"),
            ("shop-migrations-data", "1", 3, "data"),
        ]
    );

    // Applied all at once, the second Job runs the first step itself before its own.
    let release = rendered(&text, Delivery::Plain);
    let second = &release.migrations[1].job.value["spec"]["template"]["spec"];
    assert_eq!(second["initContainers"][0]["name"], "step-schema");
    assert_eq!(
        second["initContainers"][0]["args"],
        json!(["migrate", "schema"])
    );
}

#[test]
fn the_name_follows_what_the_job_does() {
    let name = |text: &str| {
        rendered(text, Delivery::Plain).migrations[0]
            .job
            .name
            .clone()
    };
    let one = name(SHOP);
    assert!(one.starts_with("shop-migrations-"), "{one}");
    assert_eq!(one, name(SHOP));
    assert_ne!(one, name(&SHOP.replace("v1.0.0", "v1.0.1")));
    let stamped = SHOP.replace("backoffLimit: 3", "jobName: timestamp");
    assert_eq!(name(&stamped), "shop-migrations-1700000000");
}

/// Annotations of the pods of a Deployment.
fn pod_annotations(rendered: &Rendered, deployment: &str) -> Value {
    let found = rendered
        .application
        .iter()
        .find(|object| object.kind == "Deployment" && object.name == deployment);
    found.unwrap().value["spec"]["template"]["metadata"]["annotations"].clone()
}

const CHECKSUM: &str = "forerun.dev/configs-checksum";

#[test]
fn a_changed_config_replaces_the_pods_that_use_it_and_no_others() {
    let two = format!(
        "{SHOP}  front:\n    containers: {{main: {{image: 'front:1', envFrom: [{{configName: texts}}]}}}}\n  plain:\n    \
         containers: {{main: {{image: 'plain:1'}}}}\n"
    );
    let two = two.replace(
        "configs:\n",
        "configs:\n  texts: {data: {GREETING: hello}}\n",
    );
    let before = rendered(&two, Delivery::Helm);
    let after = rendered(&two.replace("geheim", "streng"), Delivery::Helm);
    let of = |release: &Rendered, app: &str| pod_annotations(release, app)[CHECKSUM].clone();
    assert!(of(&before, "shop").is_string());
    assert_ne!(of(&before, "shop"), of(&after, "shop"));
    assert_eq!(of(&before, "front"), of(&after, "front"));
    assert_eq!(pod_annotations(&before, "plain"), Value::Null);
    assert!(!shown(&before).contains("geheim"));

    // A text of one's own keeps the pods.
    let kept = |text: &str| {
        let own = format!("podAnnotations: {{{CHECKSUM}: 'off'}}\n    migrations:");
        of(
            &rendered(&text.replace("migrations:", &own), Delivery::Helm),
            "shop",
        )
    };
    assert_eq!(kept(SHOP), "off");
    assert_eq!(kept(&SHOP.replace("geheim", "streng")), "off");
}

/// SQL files may be in a ConfigMap: others are another Job.
#[test]
fn a_changed_config_is_another_job_where_names_follow_the_content() {
    let name = |text: &str, delivery| rendered(text, delivery).migrations[0].job.name.clone();
    let changed = SHOP.replace("geheim", "streng");
    assert_ne!(name(SHOP, Delivery::Plain), name(&changed, Delivery::Plain));
    assert_eq!(name(SHOP, Delivery::Helm), name(&changed, Delivery::Helm));
}

#[test]
fn a_long_name_is_cut() {
    let app = "a-very-long-name-of-an-application-that-somebody-thought-of";
    let release = rendered(
        &SHOP.replace("  shop:", &format!("  {app}:")),
        Delivery::Helm,
    );
    let name = &release.migrations[0].job.name;
    assert!(name.len() <= 63, "{name}");
    let labels = job(&release)["metadata"]["labels"].as_object().unwrap();
    assert!(
        labels
            .values()
            .all(|value| value.as_str().unwrap().len() <= 63)
    );
}

#[test]
fn old_clusters_get_what_they_know() {
    let old = Options {
        kube_version: "1.24".parse().unwrap(),
        ..options(None)
    };
    let release = render(&values(SHOP), &old).unwrap();
    let spec = &job(&release)["spec"];
    assert!(spec.get("podFailurePolicy").is_none());
    assert!(spec.get("podReplacementPolicy").is_none());
    assert_eq!(release.notes.len(), 2, "{:?}", release.notes);

    let sidecar = SHOP.replace(
        "      backoffLimit: 3",
        "      sidecars: [{name: sql-proxy, image: proxy:1}]",
    );
    let error = render(&values(&sidecar), &old).unwrap_err().to_string();
    assert!(
        error.starts_with("deployments.shop.migrations.sidecars: Kubernetes 1.24 has no"),
        "{error}"
    );
}

#[test]
fn a_guard_needs_a_command() {
    let text = SHOP
        .replace("        command: [/app/shop]\n", "")
        .replace("backoffLimit: 3", "guard: true");
    let error = render(&values(&text), &options(None))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the command to guard is not known"),
        "{error}"
    );
}

#[test]
fn a_release_is_named_after_the_only_deployment() {
    let name = |text: &str| forerun_manifests::render::release_name(&values(text)).ok();
    assert_eq!(name(SHOP).as_deref(), Some("shop"));
    assert_eq!(
        name("nameOverride: web\ndeployments: {a: {}, b: {}}").as_deref(),
        Some("web")
    );
    assert_eq!(name("deployments: {a: {}, b: {}}"), None);
}

/// What is written of an annotation, and what is read of that again.
fn written(text: &str) -> (String, String) {
    let mut values = values(SHOP);
    values
        .common_annotations
        .insert("a".to_owned(), text.to_owned());
    let release = render(&values, &options(None)).unwrap();
    let document = yaml([&release.configuration[0]]).unwrap();
    let line = document
        .lines()
        .find(|line| line.starts_with("    a:"))
        .unwrap();
    let read: Value = serde_saphyr::from_str(&document).unwrap();
    let read = read["metadata"]["annotations"]["a"]
        .as_str()
        .unwrap()
        .to_owned();
    (line["    a:".len()..].trim().to_owned(), read)
}

/// YAML 1.1, which kubectl and Helm read, takes some plain words for something else than text.
#[test]
fn words_that_yaml_would_take_for_something_else_are_quoted() {
    for text in [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "true",
        "null",
        "~",
        "",
        "0755",
        "0o17",
        "1_000",
        "1e3",
        ".5",
        "1:30",
        "2026-01-01",
        "=",
        "<<",
        "0x1F",
        "+1",
        "1.",
        ".nan",
        ".inf",
        "Null",
        "TRUE",
        "190:20:30",
        "0b1",
        "-",
        "12345678901234567890",
    ] {
        let (line, read) = written(text);
        assert!(
            line.starts_with(['"', '\'']),
            "{text:?} is written as {line}"
        );
        assert_eq!(read, text);
    }
}

#[test]
fn text_comes_out_as_it_was() {
    for text in [
        "- a",
        "a: b",
        "a #b",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "'",
        "\"",
        "\\",
        "\t",
        " a",
        "a ",
        "a\nb",
        "a\n",
        "\n",
        "a\n\n",
        "{{ x }}",
        "[",
        "{",
        "|",
        ">",
        "?",
        ":",
        "\u{85}",
        "é",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "\u{1}",
        "---",
        "...",
        "a\n  b\n c\n",
        "  a\nb",
        "#",
        "a\r\nb",
        "\r",
    ] {
        assert_eq!(written(text).1, text, "{text:?}");
    }
}

//! What forerun renders itself, and what its chart renders: the check finds nothing at all in it, in any delivery.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

#[path = "chart/helm.rs"]
mod helm;

use forerun_manifests::check::{self, Report};
use forerun_manifests::render::{self, Delivery, KubeVersion};
use forerun_manifests::values;

/// The application of the values guide, with a Secret of its own and a service account.
const BASE: &str = r#"
configs:
  db-secrets:
    type: secret
    data:
      DB_PASSWORD: your-db-password
      DB_USER: your-db-user
deployments:
  my-app:
    autoCreateServiceAccount: true
    migrations:
      enabled: true
      backoffLimit: 3
      MORE
    containers:
      main:
        image: my-app
        imageTag: v1.0.0
        command: [/app/my-app]
        args: [serve]
        env:
          - {name: DB_HOST, value: postgresql}
        envFrom:
          - {type: secret, configName: db-secrets}
        ports: {http: {containerPort: 8080}}
        probes: {livenessProbe: {httpGet: {path: /, port: http}}}
"#;

/// What the values guide and its readers add to the migrations.
const MORE: [&str; 16] = [
    r#"args: ["migrate", "up"]"#,
    r#"steps: [{name: schema, args: ["migrate", "schema"], backoffLimit: 2}, {name: data, args: ["migrate", "data"]}]"#,
    r#"env: [{name: MIGRATION_TIMEOUT, value: "300"}, {name: MIGRATION_LOCK_TIMEOUT, value: "60"}]"#,
    r#"initContainers: [{name: wait-for-db, image: alpine, command: [sh, -c, "until nc -z postgresql 5432; do\n  echo \"waiting for db\"\n  sleep 1\ndone\n"]}]"#,
    "resources: {requests: {cpu: 100m, memory: 256Mi}, limits: {cpu: 500m, memory: 512Mi}}",
    "sidecars: [{name: sql-proxy, image: 'proxy:1'}]",
    "guard: true\n      command: [python, manage.py, migrate]",
    "gate: true\n      waitForDatabase: true\n      networkPolicy: true",
    "jobName: timestamp\n      serviceAccount: {create: true}",
    "jobName: hash\n      backoffLimit: 0",
    "image: registry.example/migrations:7",
    "imageTag: v1.0.1\n      timeout: 200",
    "ledger: true\n      gate: true\n      networkPolicy: true\n      serviceAccount: {create: true}",
    "ledger: true\n      guard: true\n      command: [python, manage.py, migrate]",
    "ledger: true\n      image: registry.example/migrations:7",
    "ledger: true\n      steps: [{name: schema, args: [migrate, schema]}, {name: data, args: [migrate, data]}]",
];

fn check(values: &str, delivery: Delivery, stamp: u64) -> Report {
    let source = values::Source {
        name: "values.yaml".into(),
        text: values.to_owned(),
    };
    let values = values::read(&[source], &[]).unwrap().values;
    let options = render::Options {
        release: "shop".to_owned(),
        delivery: Some(delivery),
        kube_version: KubeVersion::NEWEST,
        stamp,
    };
    let mut rendered = render::render(&values, &options).unwrap();
    if delivery == Delivery::Deploy {
        // As `forerun deploy` applies it.
        for step in &mut rendered.migrations {
            step.job.value["metadata"]["labels"]["forerun.dev/release"] = "shop".into();
        }
        for closing in &mut rendered.closing {
            closing.job.value["metadata"]["labels"]["forerun.dev/release"] = "shop".into();
        }
    }
    let apart = rendered.closing.iter().filter(|closing| closing.apart);
    let objects = rendered.objects().chain(apart.map(|closing| &closing.job));
    checked(render::yaml(objects).unwrap())
}

/// The report on manifests of one rendering; another rendering gives the same.
fn checked(text: String) -> Report {
    let sources = [check::Source {
        name: "rendered".into(),
        text,
    }];
    check::run(&sources, Some(&sources), &check::Options::default()).unwrap()
}

fn assert_clean(report: &Report, what: &str) {
    assert!(!report.jobs.is_empty(), "{what}");
    assert!(report.findings.is_empty(), "{what}: {:#?}", report.findings);
}

#[test]
fn what_is_rendered_here_gets_no_finding() {
    for more in MORE {
        let values = BASE.replace("backoffLimit: 3\n      MORE", &with_default(more));
        for delivery in [
            Delivery::Helm,
            Delivery::Argo,
            Delivery::Plain,
            Delivery::Deploy,
        ] {
            let report = check(&values, delivery, 1_763_770_000);
            assert_clean(&report, &format!("{delivery:?} {more}"));
        }
    }
}

/// `helm template … | forerun check -`.
#[test]
fn what_the_chart_renders_gets_no_finding() {
    let Some(helm) = helm::Helm::find() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("values.yaml");
    for more in MORE {
        let values = BASE.replace("backoffLimit: 3\n      MORE", &with_default(more));
        for delivery in ["helm", "argo", "plain"] {
            let hook = format!("migrations:\n      hook: {{delivery: {delivery}}}\n");
            std::fs::write(&file, values.replace("migrations:\n", &hook)).unwrap();
            helm.lint(Some(&file)).unwrap();
            let rendered = helm.template("shop", &file, "1.35").unwrap();
            assert_clean(&checked(rendered), &format!("{delivery} {more}"));
        }
    }
}

fn with_default(more: &str) -> String {
    if more.contains("\n      backoffLimit") {
        more.to_owned()
    } else {
        format!("backoffLimit: 3\n      {more}")
    }
}

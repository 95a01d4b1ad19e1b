//! `forerun render` of a release of 200 deployments, beside `helm template` of the same values.

use std::fmt::Write;
use std::path::PathBuf;

use crate::measure::{Entrant, contest, median, run};
use crate::options::Options;
use crate::report::{FASTER, Report};
use crate::store::clean;

const DEPLOYMENTS: usize = 200;
const BOUND_MILLISECONDS: f64 = 100.0;
/// Each runs this often.
const ROUNDS: usize = 10;

/// Measures it.
///
/// # Errors
/// The values cannot be written.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    report.say(&format!("\n## forerun render, {DEPLOYMENTS} deployments\n"));
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let values = directory.path().join("values.yaml");
    std::fs::write(&values, release()).map_err(|error| error.to_string())?;
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/forerun");

    let helm = helm();
    let mut entrants = vec![Entrant::new("forerun render", || {
        run(clean(&options.forerun).args(["render", "-f"]).arg(&values))
    })];
    if let Some(helm) = helm {
        let (values, home) = (values.clone(), directory.path().to_owned());
        entrants.push(Entrant::new("helm template", move || {
            run(clean(&helm)
                .args(["template", "many", chart, "-f"])
                .arg(&values)
                .env("HOME", &home))
        }));
    } else {
        report.say("- not measured: helm (FORERUN_TEST_HELM, or built by scripts/cluster)");
    }
    let series = contest("render", ROUNDS, entrants);
    report.table(&series);
    report.bound(
        "forerun render, median",
        median(&series[0].walls()).map(|seconds| seconds * 1000.0),
        BOUND_MILLISECONDS,
        " ms",
    );
    match series.get(1) {
        Some(other) => report.ratio("forerun render ÷ helm template", &series[0], other, FASTER),
        None => report.bound("forerun render ÷ helm template", None, 1.0, ""),
    }
    Ok(())
}

/// Values as applications have them: each with a Secret, a Service and a migration Job.
fn release() -> String {
    let mut text = String::from("nameOverride: many\nconfigs:\n");
    for number in 0..DEPLOYMENTS {
        let _ = writeln!(
            text,
            "  db-{number}: {{type: secret, data: {{DB_USER: app, DB_PASSWORD: p{number}}}}}"
        );
    }
    text.push_str("deployments:\n");
    for number in 0..DEPLOYMENTS {
        let _ = write!(
            text,
            "  app-{number}:
    autoCreateService: true
    migrations:
      enabled: true
      args: [migrate, up]
      timeout: 4m
    containers:
      main:
        image: registry.example/app-{number}
        imageTag: v1.0.{number}
        env:
          - {{name: DB_HOST, value: postgresql}}
          - {{name: DB_NAME, value: app{number}}}
        envFrom:
          - {{type: secret, configName: db-{number}}}
        ports:
          http: {{containerPort: 8080}}
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
"
        );
    }
    text
}

/// Helm 3: what FORERUN_TEST_HELM names, else what `scripts/cluster` has built.
fn helm() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FORERUN_TEST_HELM") {
        return Some(path.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let entries = std::fs::read_dir(cache.join("forerun/cluster")).ok()?;
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("helm-v3"))
        .map(|entry| entry.path().join("helm"))
        .find(|path| path.exists())
}

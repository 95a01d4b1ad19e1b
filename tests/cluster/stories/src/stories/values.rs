//! Values of all shapes: what Helm and `forerun render` make of them is accepted by the API server to the last field.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::delivery::{RELEASE, Values};
use crate::place::Place;
use crate::process::{Failure, ensure};
use crate::runner::Story;

pub fn stories() -> Vec<Story> {
    vec![
        Story::new("values-of-the-guide", |place| {
            accepted(place, &["tests/cluster/stories/values/guide"])
        }),
        Story::new("values-of-the-examples", |place| {
            accepted(place, &["examples/shop", "examples/django"])
        }),
        Story::new("values-of-the-chart-tests", |place| {
            accepted(place, &["crates/manifests/tests/chart/values"])
        }),
    ]
}

fn accepted(place: &Place, directories: &[&str]) -> Result<(), Failure> {
    let mut files = Vec::new();
    for directory in directories {
        files.extend(values_files(&place.settings.checkout.join(directory))?);
    }
    ensure(!files.is_empty(), || "there are no values".into())?;
    let mut errors = Vec::new();
    for file in &files {
        if let Err(error) = one(place, file) {
            errors.push(format!("{}: {error}", file.display()));
        }
    }
    ensure(errors.is_empty(), || errors.join("\n\n"))
}

fn values_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries =
        fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    let examples = directory.join("values.yaml");
    if files.contains(&examples) {
        files = vec![examples];
    }
    files.sort();
    Ok(files)
}

/// What all deliveries make of the values, in one stream: each object stands for itself in a dry run.
fn one(place: &Place, file: &Path) -> Result<(), Failure> {
    let arguments = Values::files(&[file.to_owned()]).arguments();
    let settings = place.settings;
    let mut helm = Command::new(&settings.helm);
    helm.args(["template", RELEASE])
        .arg(settings.checkout.join("charts/forerun"));
    helm.args(["--kube-version", "1.34.0"]).args(&arguments);
    let mut all = vec![helm];
    for delivery in ["helm", "argo", "plain"] {
        let mut render = Command::new(&settings.forerun);
        render.args([
            "render",
            "--name",
            RELEASE,
            "--delivery",
            delivery,
            "--kube-version",
            "1.34",
        ]);
        render.args(&arguments);
        all.push(render);
    }
    let mut objects = String::new();
    for mut command in all {
        objects.push_str("---\n");
        objects.push_str(&place.run(&mut command, None)?.exits(0)?.stdout);
    }
    if objects.contains("kind:") {
        let mut apply = Command::new(&settings.kubectl);
        apply.args([
            "--namespace",
            &place.namespace,
            "apply",
            "--dry-run=server",
            "--validate=strict",
        ]);
        place
            .run(apply.args(["--filename", "-"]), Some(&objects))?
            .exits(0)?;
    }
    Ok(())
}

//! The chart and `forerun render` are two renderers of one model: the same values give the same objects.
//!
//! `values/` holds one file for each thing that values can say, `refused/` what neither renderer accepts;
//! `generated` makes up the rest. Real Helm renders all of them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code: an assumption that fails should stop the test at that place"
)]

mod difference;
mod generated;
mod helm;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use forerun_manifests::render::{self, Options};
use forerun_manifests::values::{self, Source, Values};
use forerun_manifests::yaml::Node;
use serde_json::Value;

use helm::Helm;

/// Seeds of the values that are made up.
const GENERATED: u64 = 250;

/// Values, and what is not in them.
struct Case {
    name: String,
    file: PathBuf,
    release: String,
    kube_version: String,
}

impl Case {
    /// The first lines of a file may say `# release: …` and `# kube-version: …`.
    fn of(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).expect("the file can be read");
        Self {
            name: file.file_stem().unwrap().to_string_lossy().into_owned(),
            release: said(&text, "release").unwrap_or("shop").to_owned(),
            kube_version: said(&text, "kube-version").unwrap_or("1.35").to_owned(),
            file,
        }
    }
}

/// What a comment at the beginning says about `key`.
fn said<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    let mut found = comments.filter_map(|line| {
        line.trim_start_matches('#')
            .trim_start()
            .strip_prefix(key)?
            .strip_prefix(": ")
    });
    found.next()
}

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/chart")
        .join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .expect("the directory can be read")
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(
        !files.is_empty(),
        "no values files in {}",
        directory.display()
    );
    files
}

/// The values files that people are shown.
fn examples() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut files: Vec<PathBuf> = fs::read_dir(&examples)
        .expect("the examples can be read")
        .map(|entry| entry.unwrap().path().join("values.yaml"))
        // A chart of its own has values of its own.
        .filter(|file| file.is_file() && !file.with_file_name("Chart.yaml").exists())
        .collect();
    files.sort();
    files
}

/// What one renderer made: objects by kind, name and hook event (a cleanup Job has the name of the Job it removes).
type Objects = BTreeMap<String, Value>;

fn by_name(objects: impl IntoIterator<Item = Value>) -> Result<Objects, String> {
    let mut all = Objects::new();
    for object in objects {
        let text = |pointer: &str| {
            let value = object.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let mut key = format!(
            "{} {} {}",
            text("/apiVersion"),
            text("/kind"),
            text("/metadata/name")
        );
        if text("/metadata/annotations/helm.sh~1hook") == "post-delete" {
            key += " (cleanup)";
        }
        if all.insert(key.clone(), object).is_some() {
            return Err(format!("{key} is there twice"));
        }
    }
    Ok(all)
}

fn read(file: &Path) -> Result<Values, String> {
    let name = file.file_name().unwrap().to_string_lossy();
    let source = Source::from_bytes(&name, fs::read(file).unwrap());
    source
        .and_then(|source| values::read(&[source], &[]))
        .map(|loaded| loaded.values)
        .map_err(|problems| problems.to_string())
}

fn rendered_by_forerun(case: &Case) -> Result<Objects, String> {
    let values = read(&case.file)?;
    let options = Options {
        release: case.release.clone(),
        delivery: None,
        kube_version: case.kube_version.parse().expect("a version"),
        stamp: 1_700_000_000,
    };
    let rendered = render::render(&values, &options).map_err(|error| error.to_string())?;
    by_name(rendered.objects().map(|object| object.value.clone()))
}

fn rendered_by_helm(helm: &Helm, case: &Case) -> Result<Objects, String> {
    let text = helm.template(&case.release, &case.file, &case.kube_version)?;
    let documents = forerun_manifests::yaml::documents("helm template", &text)
        .map_err(|error| error.to_string())?;
    by_name(documents.iter().map(Node::to_json))
}

/// What differs, in words; empty when nothing does.
fn compare(helm: &Helm, case: &Case) -> Vec<String> {
    match (rendered_by_helm(helm, case), rendered_by_forerun(case)) {
        (Ok(chart), Ok(forerun)) => difference::of_objects(&chart, &forerun),
        (chart, forerun) => [("helm", chart.err()), ("forerun", forerun.err())]
            .into_iter()
            .filter_map(|(who, error)| Some(format!("{who} says: {}", error?)))
            .collect(),
    }
}

/// Runs `work` for every case on all cores, and fails with everything that it found.
fn for_each(cases: &[Case], work: impl Fn(&Case) -> Vec<String> + Sync) {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differences = work(case);
                    if !differences.is_empty() {
                        found.lock().unwrap().insert(case.name.clone(), differences);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let report: String = found
        .iter()
        .take(10)
        .map(|(name, differences)| {
            format!(
                "\n{name}\n    {}\n",
                differences.join("\n").replace('\n', "\n    ")
            )
        })
        .collect();
    assert!(
        found.is_empty(),
        "{} of {} values files: chart (-) and forerun render (+) differ\n{report}",
        found.len(),
        cases.len()
    );
}

/// Where made-up values stay, for a look at those that failed.
fn kept_directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chart-values");
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn the_chart_and_render_agree_on_every_feature_and_example() {
    let Some(helm) = Helm::find() else { return };
    let cases: Vec<Case> = files("values")
        .into_iter()
        .chain(examples())
        .map(Case::of)
        .collect();
    for_each(&cases, |case| compare(&helm, case));
}

#[test]
fn the_chart_and_render_agree_on_generated_values() {
    let Some(helm) = Helm::find() else { return };
    let directory = kept_directory();
    let cases: Vec<Case> = (0..GENERATED)
        .map(|seed| {
            let (values, kube_version) = generated::values(seed);
            let file = directory.join(format!("seed-{seed:03}.yaml"));
            // JSON is YAML, and leaves nothing to how a scalar is written.
            fs::write(&file, serde_json::to_string_pretty(&values).unwrap()).unwrap();
            Case {
                name: file.display().to_string(),
                file,
                release: "shop".to_owned(),
                kube_version: kube_version.to_owned(),
            }
        })
        .collect();
    for_each(&cases, |case| compare(&helm, case));
}

/// Each file says in its first line what the chart's message contains: where it is, and what to do.
#[test]
fn both_refuse_what_cannot_work_and_the_chart_says_where() {
    let Some(helm) = Helm::find() else { return };
    let cases: Vec<Case> = files("refused").into_iter().map(Case::of).collect();
    for_each(&cases, |case| {
        let text = fs::read_to_string(&case.file).unwrap();
        let expected = said(&text, "says").expect("a first line `# says: …`");
        let mut found = Vec::new();
        match helm.template(&case.release, &case.file, &case.kube_version) {
            Ok(_) => found.push("the chart renders it".to_owned()),
            Err(message) if message.contains(expected) => {}
            Err(message) => found.push(format!("expected: {expected}\nthe chart says: {message}")),
        }
        // What only Helm cannot do.
        if said(&text, "helm-only").is_none() && rendered_by_forerun(case).is_ok() {
            found.push("forerun renders it".to_owned());
        }
        found
    });
}

#[test]
fn helm_lint_finds_nothing() {
    let Some(helm) = Helm::find() else { return };
    for file in [None]
        .into_iter()
        .chain(files("values").into_iter().map(Some))
    {
        if let Err(message) = helm.lint(file.as_deref()) {
            panic!("{file:?}: {message}");
        }
    }
}

#[test]
fn a_release_of_two_hundred_deployments_is_rendered_alike() {
    let Some(helm) = Helm::find() else { return };
    let file = kept_directory().join("two-hundred-deployments.yaml");
    let values = generated::two_hundred_deployments();
    fs::write(&file, serde_json::to_string(&values).unwrap()).unwrap();
    for_each(&[Case::of(file)], |case| {
        let rendered = rendered_by_helm(&helm, case).expect("Helm renders it");
        let jobs = rendered
            .keys()
            .filter(|name| name.contains(" Job "))
            .count();
        assert_eq!(jobs, 400, "200 migration Jobs and their cleanup");
        compare(&helm, case)
    });
}

//! Values files that are wrong, and what their writers are told; and values files that are right.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "test code: an assumption that fails should stop the test at that place"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use forerun_manifests::values::{Loaded, Override, Problems, Severity, Source, read};

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn read_one(text: &str) -> Result<Loaded, Problems> {
    read(&[source("values.yaml", text)], &[])
}

/// What is said about values that are wrong.
fn refused(text: &str) -> String {
    read_one(text)
        .expect_err("these values are wrong")
        .to_string()
}

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("the directory can be read")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    files
}

/// The first lines may be options: `# --set a=b`.
fn options(text: &str) -> Vec<Override> {
    text.lines()
        .map_while(|line| line.strip_prefix("# --set"))
        .map(|option| match option.strip_prefix("-string ") {
            Some(option) => Override::SetString(option.to_owned()),
            None => Override::Set(option.trim_start().to_owned()),
        })
        .collect()
}

/// Each `broken_values/*.yaml` is refused with the message beside it. The password in them is `hunter2`, and no
/// message shows it.
#[test]
fn broken_values_are_explained() {
    let files = files("broken_values");
    assert!(files.len() >= 60, "{}", files.len());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let problems = match read(&[source("values.yaml", &text)], &options(&text)) {
            Ok(_) => panic!("{name} is accepted"),
            Err(problems) => problems,
        };
        assert!(
            problems
                .0
                .iter()
                .any(|problem| problem.severity == Severity::Error),
            "{name}"
        );
        let said = problems.to_string();
        assert!(!said.contains("hunter"), "{name} shows a secret:\n{said}");
        assert!(
            !format!("{problems:?}").contains("hunter"),
            "{name} shows a secret in Debug"
        );
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("broken_values");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, said));
    }
}

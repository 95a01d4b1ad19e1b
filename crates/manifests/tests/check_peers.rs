//! Manifests in the shape of charts that are in use: each file says what is to be found in it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use forerun_manifests::check::{Options, Source, run};

#[test]
fn each_chart_gets_its_findings_and_no_others() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_peers");
    let mut charts = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let expected = text
            .lines()
            .find_map(|line| line.strip_prefix("# finds:"))
            .unwrap();
        let expected: BTreeSet<&str> = expected.split_whitespace().collect();
        let sources = [Source {
            name: name.as_str().into(),
            text: text.clone(),
        }];
        let report = run(&sources, None, &Options::default()).unwrap();
        let found: BTreeSet<&str> = report.findings.iter().map(|finding| finding.rule).collect();
        if found != expected {
            let more: Vec<_> = found.difference(&expected).collect();
            let less: Vec<_> = expected.difference(&found).collect();
            wrong.push(format!(
                "{name}: found also {more:?}, did not find {less:?}"
            ));
        }
        charts += 1;
    }
    assert!(charts >= 20, "{charts}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

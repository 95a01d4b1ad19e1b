//! Any texts as values files and options: nothing fails, every problem has a place that lies in its source, and
//! the secret of a config is not shown.
#![no_main]

use forerun_manifests::values::{Override, Problem, Severity, Source, read};
use forerun_manifests::yaml::documents;
use libfuzzer_sys::fuzz_target;

/// Long enough not to come about by itself.
const SECRET: &str = "hunter2-hunter2";

fuzz_target!(|text: &str| {
    let _ = documents("fuzz", text);
    // Sources are divided by NUL; what begins with `=` is an option.
    let (mut sources, mut overrides) = (Vec::new(), Vec::new());
    for (number, part) in text.split('\0').take(6).enumerate() {
        match part.strip_prefix('=') {
            Some(option) => overrides.push(Override::Set(option.to_owned())),
            None => sources.push(Source {
                name: format!("{number}.yaml"),
                text: part.to_owned(),
            }),
        }
    }
    let secret = format!("configs: {{fuzz: {{type: secret, data: {{PASSWORD: {SECRET}}}}}}}");
    sources.push(Source {
        name: "secret.yaml".to_owned(),
        text: secret,
    });
    let problems = match read(&sources, &overrides) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => {
            assert!(
                problems
                    .0
                    .iter()
                    .any(|problem| problem.severity == Severity::Error)
            );
            assert!(!problems.to_string().is_empty());
            problems.0
        }
    };
    for problem in &problems {
        check(problem, &sources);
    }
});

fn check(problem: &Problem, sources: &[Source]) {
    assert!(!problem.message.is_empty());
    assert!(
        !problem.message.starts_with("the values cannot be read"),
        "{problem}"
    );
    assert!(
        !format!("{problem}{problem:?}").contains(SECRET),
        "{problem}"
    );
    let place = problem.place.as_ref().expect("a place");
    assert!(place.caret <= place.text.chars().count(), "{problem:?}");
    if let Some(source) = sources.iter().find(|source| source.name == place.source) {
        let lines = source.text.split(['\n', '\r']).count();
        assert!((1..=lines).contains(&(place.line as usize)), "{problem:?}");
    }
}

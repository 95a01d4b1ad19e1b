//! Rules over rendered manifests: whether the migration Jobs in them do what their authors hope for.
//!
//! [`run`] reads texts ([`object`]), sorts out which Jobs migrate ([`selection`]) and what belongs together
//! ([`release`]), asks every rule ([`rules`]) and joins what they find with places in the files ([`report`]). A rule is
//! one file. No rule may repeat a value of a manifest that can be secret; names of objects and images are shown.

mod field;
mod hook;
mod image;
mod job_name;
mod object;
mod release;
mod report;
mod rule;
mod rules;
mod schema;
mod secrets;
mod selection;
mod silence;
#[cfg(test)]
mod testing;

pub use object::{ReadError, Source};
pub use report::{Excerpt, Finding, ObjectName, Report, Silenced};
pub use rule::{Rule, Severity};
pub use rules::{all, find};
pub use selection::CHECK_ANNOTATION;
pub use silence::{IGNORE_ANNOTATION, unknown};

use release::Release;
use report::Places;
use rule::{Reporter, Scope};

/// What a check may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Seconds that Helm waits for a hook: its `--timeout`.
    pub helm_timeout: i64,
    /// Check every Job, not only those that look like migrations.
    pub all_jobs: bool,
    /// Rules that are left out, by their names.
    pub ignored: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            helm_timeout: 300,
            all_jobs: false,
            ignored: Vec::new(),
        }
    }
}

/// Checks manifests, which together are one rendering. `compared` is a second rendering of the same, for the rule that
/// finds what is different each time.
///
/// # Errors
/// The first text that is not YAML or JSON, or holds something that is no Kubernetes object.
pub fn run(
    sources: &[Source],
    compared: Option<&[Source]>,
    options: &Options,
) -> Result<Report, ReadError> {
    let mut release = Release::new(read(sources)?, options);
    if let Some(compared) = compared {
        release.compared = Some(Box::new(Release::new(read(compared)?, options)));
    }
    let places = Places::new(sources, &release);
    let silences: Vec<_> = release.objects.iter().map(silence::of).collect();
    let mut report = Report {
        objects: release.objects.len(),
        jobs: release.jobs().map(|job| job.object.into()).collect(),
        findings: Vec::new(),
        silenced: Vec::new(),
    };
    for rule in all() {
        if options.ignored.iter().any(|id| id == rule.id) {
            continue;
        }
        let mut reporter = Reporter::new(rule.severity);
        match rule.scope {
            Scope::Job(check) => release.jobs().for_each(|job| check(&job, &mut reporter)),
            Scope::Release(check) => check(&release, &mut reporter),
        }
        for hit in reporter.into_hits() {
            let index = hit.object;
            let Some(object) = release.objects.get(index) else {
                continue;
            };
            let finding = places.finding(rule, hit, object);
            let silence = silences
                .get(index)
                .and_then(|silences| silences.iter().find(|silence| silence.rule == rule.id));
            match silence {
                Some(silence) => report.silenced.push(Silenced {
                    finding,
                    reason: silence.reason.clone(),
                }),
                None => report.findings.push(finding),
            }
        }
    }
    // Stable: at the same place the order of the rules stays.
    let order: std::collections::HashMap<&str, usize> = sources
        .iter()
        .enumerate()
        .rev()
        .map(|(number, source)| (&*source.name, number))
        .collect();
    report.findings.sort_by_key(|finding| {
        (
            order.get(finding.file.as_str()).copied(),
            finding.line,
            finding.column,
        )
    });
    Ok(report)
}

fn read(sources: &[Source]) -> Result<Vec<object::Object>, ReadError> {
    let mut objects = Vec::new();
    for source in sources {
        objects.extend(object::read(source)?);
    }
    Ok(objects)
}

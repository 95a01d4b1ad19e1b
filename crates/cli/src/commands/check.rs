//! `forerun check`: rules over rendered manifests. Reads files, changes nothing, needs no cluster.

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use forerun_manifests::check::{self, Options, Report, Severity, Source};
use forerun_migrations::event::{Event, Events};
use serde::Serialize;

use super::context::Context;
use crate::arguments::Check;
use crate::command_error::CommandError;
use crate::exit_code::ExitCode;
use crate::output::{Done, code_host, findings_text};

/// What standard input is called in positions.
const STANDARD_INPUT: &str = "-";
/// Endings of files that are read from directories.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Most that is read of one text.
const LONGEST: u64 = 256 * 1024 * 1024;

/// What was found, for programs.
#[derive(Serialize)]
struct Document<'a> {
    /// Neither errors nor, with `--strict`, warnings.
    passed: bool,
    errors: usize,
    #[serde(rename = "warning_findings")]
    warnings: usize,
    notes: usize,
    #[serde(flatten)]
    report: &'a Report,
}

pub fn run(context: &Context, arguments: &Check) -> Result<Done, CommandError> {
    for id in &arguments.ignore {
        if check::find(id).is_none() {
            return Err(CommandError::Usage {
                message: check::unknown(id),
                advice: "docs/reference/check-rules.md lists the rules.".to_owned(),
            });
        }
    }
    let sources = sources(arguments)?;
    let compared = match &arguments.compare {
        Some(path) => Some(read(path)?),
        None => None,
    };
    let options = Options {
        helm_timeout: i64::try_from(arguments.helm_timeout.as_secs()).unwrap_or(i64::MAX),
        all_jobs: arguments.all_jobs,
        ignored: arguments.ignore.clone(),
    };
    let report =
        check::run(&sources, compared.as_deref(), &options).map_err(CommandError::Manifests)?;
    if report.objects == 0 {
        return Err(CommandError::Usage {
            message: "there are no Kubernetes objects to check".to_owned(),
            advice: "Give rendered manifests: helm template . | forerun check -".to_owned(),
        });
    }
    let passed = passed(&report, arguments.strict);
    show(context, &report, passed);
    let exit_code = if passed {
        ExitCode::Done
    } else {
        ExitCode::Refused
    };
    Ok(Done {
        exit_code,
        ..Done::new("checked", "")
    })
}

/// Without a migration Job a strict check has checked nothing.
fn passed(report: &Report, strict: bool) -> bool {
    let unsure = report.jobs.is_empty() || report.count(Severity::Warning) > 0;
    report.count(Severity::Error) == 0 && !(strict && unsure)
}

fn show(context: &Context, report: &Report, passed: bool) {
    if report.jobs.is_empty() {
        context.output.emit(&Event::Warning {
            code: "no_migration_job",
            message: "no Job here looks like a migration; give one the annotation forerun.dev/check: migration, or use \
                      --all-jobs"
                .to_owned(),
        });
    }
    if let Some(host) = context.output.code_host() {
        context.output.print(&code_host::of_check(report, host));
        return;
    }
    let document = Document {
        passed,
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        notes: report.count(Severity::Note),
        report,
    };
    context.output.result(&document, || {
        findings_text::render(report, context.output.verbose())
    });
}

fn sources(arguments: &Check) -> Result<Vec<Source>, CommandError> {
    if arguments.files.is_empty() {
        if std::io::stdin().is_terminal() {
            return Err(CommandError::Usage {
                message: "there is nothing to check".to_owned(),
                advice: "Name files or directories, or pipe manifests in: helm template . | forerun check -"
                    .to_owned(),
            });
        }
        return read(Path::new(STANDARD_INPUT));
    }
    let from_input = arguments
        .files
        .iter()
        .chain(&arguments.compare)
        .filter(|path| path.as_os_str() == STANDARD_INPUT)
        .count();
    if from_input > 1 {
        return Err(CommandError::Usage {
            message: "standard input can be read only once".to_owned(),
            advice: "Write one of the renderings to a file.".to_owned(),
        });
    }
    let mut sources = Vec::new();
    for path in &arguments.files {
        sources.extend(read(path)?);
    }
    Ok(sources)
}

/// A file, the manifests of a directory in the order of their names, or standard input.
fn read(path: &Path) -> Result<Vec<Source>, CommandError> {
    let cannot_read = || CommandError::system(format!("read {}", path.display()));
    if path.as_os_str() == STANDARD_INPUT {
        let input = std::io::stdin().lock();
        return Ok(vec![source(STANDARD_INPUT.to_owned(), input)?]);
    }
    if !fs::metadata(path).map_err(cannot_read())?.is_dir() {
        let file = fs::File::open(path).map_err(cannot_read())?;
        return Ok(vec![source(path.display().to_string(), file)?]);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(cannot_read())?;
    entries.sort();
    let mut sources = Vec::new();
    for entry in entries.iter().filter(|entry| !is_hidden(entry)) {
        let ending = entry
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        // A link to a directory may lead back up.
        let directory = fs::symlink_metadata(entry).is_ok_and(|metadata| metadata.is_dir());
        if directory || (ENDINGS.contains(&ending) && entry.is_file()) {
            sources.extend(read(entry)?);
        }
    }
    Ok(sources)
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with('.'))
}

fn source(name: String, reader: impl Read) -> Result<Source, CommandError> {
    let mut bytes = Vec::new();
    reader
        .take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(CommandError::system(format!("read {name}")))?;
    let text = String::from_utf8(bytes).map_err(|_| CommandError::Usage {
        message: format!("{name} is not UTF-8 text"),
        advice: "Give rendered manifests, for example the output of `helm template`.".to_owned(),
    })?;
    Ok(Source {
        name: name.into(),
        text,
    })
}

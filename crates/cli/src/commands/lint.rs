//! `forerun migrate lint`: findings in the files, of all of them, of those that a branch adds, or of what is pending.

use std::collections::HashMap;

use forerun_databases::connection_url::ConnectionUrl;
use forerun_migrations::database::ErrorKind;
use forerun_migrations::directory::{DirectorySource, Migration, MigrationDirectory};
use forerun_migrations::error::RunError;
use forerun_migrations::event::{Event, Events};
use forerun_migrations::executor::Watched;
use forerun_migrations::history::Version;
use forerun_migrations::lint::{self, Also, Finding, Place, Report, SchemaFrom, Selection};
use forerun_migrations::trace;
use forerun_sql::Dialect;
use forerun_sql::lint::{Replaces, Rule, Server, Settings, Severity};
use serde::Serialize;

use super::context::Context;
use super::git_base::{Contradiction, Then, compare_directories};
use crate::arguments::{LimitArguments, Lint, LintDialect};
use crate::command_error::CommandError;
use crate::exit_code::ExitCode;
use crate::output::{Done, code_host, lint_text};
use crate::reference::lint_rules;
use crate::settings::{self, SettingsError};

/// What was found, for programs.
#[derive(Serialize)]
struct Document<'a> {
    /// There is no error.
    passed: bool,
    dialect: Dialect,
    base: Option<&'a str>,
    /// Files that were judged, and those that were only read for the tables that they make.
    judged: usize,
    learnt: usize,
    schema_from: SchemaFrom,
    errors: usize,
    #[serde(rename = "warning_findings")]
    warnings: usize,
    notes: usize,
    findings: &'a [Finding],
}

/// What the files are for.
struct Target {
    dialect: Dialect,
    mariadb: Option<bool>,
    /// There is a database that can be asked.
    url: bool,
}

pub fn run(context: &Context, arguments: &Lint) -> Result<Done, CommandError> {
    if let Some(rule) = arguments.explain {
        explain(context, rule);
        return Ok(Done::new("explained", ""));
    }
    let mut source = settings::directory(&arguments.directory, &context.environment)?;
    let target = target(context, arguments)?;
    source.options.dialect = Some(target.dialect);
    let ids = |rules: &[&Rule]| rules.iter().map(|rule| rule.id.to_owned()).collect();
    let settings = Settings {
        enabled: ids(&arguments.enable),
        disabled: ids(&arguments.disable),
        server: Server {
            mariadb: target.mariadb,
            ..Server::default()
        },
    };
    let report = match &arguments.base {
        Some(base) => since(context, arguments, &source, target.dialect, settings, base)?,
        None => match pending(context, arguments, &source, &target, &settings)? {
            Some(report) => report,
            None => {
                let directory = read(context, &source)?;
                let seen = Seen::of(context, arguments, &source, target.dialect, Watched::All)?;
                let all = Selection {
                    judged: &|_| true,
                    also: &|migration| seen.of_version(&migration.version),
                    together: &|_| false,
                };
                lint::directory(&directory, target.dialect, settings, &all)?
            }
        },
    };
    for cut in &report.cut {
        warn(context, "lint", cut.sentence());
    }
    Ok(show(context, arguments, target.dialect, &report))
}

/// That of the option, which must be the one of `--url` where both are given; else of the database that is configured.
fn target(context: &Context, arguments: &Lint) -> Result<Target, CommandError> {
    let configured = || {
        settings::database(&arguments.database, &context.environment).map(|found| match found.url {
            ConnectionUrl::Postgres(_) => Dialect::Postgres,
            ConnectionUrl::Mysql(_) => Dialect::Mysql,
            ConnectionUrl::Sqlite(_) => Dialect::Sqlite,
        })
    };
    let Some(told) = arguments.dialect else {
        return match configured() {
            Ok(dialect) => Ok(Target {
                dialect,
                mariadb: None,
                url: true,
            }),
            Err(SettingsError::NoDatabase) => Err(CommandError::Usage {
                message: "nothing says which database the migrations are for".to_owned(),
                advice: "Give --dialect postgres, mysql, mariadb or sqlite; or a database (--url, DATABASE_URL), so that \
                         only what is pending there is judged."
                    .to_owned(),
            }),
            Err(error) => Err(error.into()),
        };
    };
    let dialect = told.dialect();
    // The environment is there for other commands as well.
    let url = arguments.database.url.is_some();
    if url {
        let of_url = configured()?;
        if of_url != dialect {
            return Err(CommandError::Usage {
                message: format!(
                    "--dialect says {dialect}, but the database of --url is {of_url}"
                ),
                advice: "Leave --dialect out to judge what is pending in that database, or --url to judge the files alone."
                    .to_owned(),
            });
        }
    }
    Ok(Target {
        dialect,
        mariadb: match told {
            LintDialect::Mariadb => Some(true),
            LintDialect::Mysql => Some(false),
            LintDialect::Postgres | LintDialect::Sqlite => None,
        },
        url,
    })
}

fn read(context: &Context, source: &DirectorySource) -> Result<MigrationDirectory, CommandError> {
    let directory = source.read()?;
    for warning in &directory.warnings {
        warn(context, "directory", warning.to_string());
    }
    Ok(directory)
}

fn warn(context: &Context, code: &'static str, message: String) {
    context.output.emit(&Event::Warning { code, message });
}

/// What is pending in the database, if there is one that answers.
fn pending(
    context: &Context,
    arguments: &Lint,
    source: &DirectorySource,
    target: &Target,
    settings: &Settings,
) -> Result<Option<Report>, CommandError> {
    if !target.url {
        return Ok(None);
    }
    let runner = context.runner(&arguments.database, &LimitArguments::default())?;
    let watched = Watched::Pending(&runner);
    let seen = match Seen::of(context, arguments, source, target.dialect, watched) {
        Err(CommandError::Run { error, .. }) if is_unreachable(&error) => Seen::default(),
        seen => seen?,
    };
    let also = |version: &Version| seen.of_version(version);
    match context.block_on(&runner, runner.lint(source, settings.clone(), &also)) {
        Ok(report) => Ok(Some(report)),
        Err(CommandError::Run { error, .. }) if is_unreachable(&error) => {
            let message = format!("{error}; every file is judged, also what is applied already");
            warn(context, "no_database", message);
            Ok(None)
        }
        Err(error) => Err(error.about(&arguments.directory)),
    }
}

fn is_unreachable(error: &RunError) -> bool {
    matches!(error, RunError::Database { error, .. } if error.kind == ErrorKind::Unreachable)
}

/// What is new since a git reference.
fn since(
    context: &Context,
    arguments: &Lint,
    source: &DirectorySource,
    dialect: Dialect,
    settings: Settings,
    base: &str,
) -> Result<Report, CommandError> {
    let directory = read(context, source)?;
    let then = Then::read(&directory, &source.options, base)?;
    let comparison = compare_directories(&directory, &then, base, dialect);
    for message in comparison.warnings {
        warn(context, "directory", message);
    }
    let mut by_version: HashMap<&Version, Vec<Also>> = HashMap::new();
    let mut deleted = Vec::new();
    for contradiction in &comparison.contradictions {
        let Some(rule) = rule_of(contradiction) else {
            continue;
        };
        let also = Also {
            rule,
            message: contradiction.problem.message.clone(),
            statement: None,
        };
        if directory.get(&contradiction.version).is_some() {
            let version = &contradiction.version;
            by_version.entry(version).or_default().push(also);
        } else if !settings.disabled.iter().any(|id| id == rule.id) {
            deleted.extend(of_deleted(&then.directory, contradiction, also));
        }
    }
    let new = |migration: &Migration| !then.has(&migration.version);
    let suspect =
        |migration: &Migration| new(migration) || by_version.contains_key(&migration.version);
    let chosen = Selection {
        judged: &suspect,
        also: &|_| Vec::new(),
        together: &new,
    };
    let watched = Watched::Chosen(&chosen);
    let seen = Seen::of(context, arguments, source, dialect, watched)?;
    let also = |migration: &Migration| {
        let found = by_version.get(&migration.version);
        let mut found = found.cloned().unwrap_or_default();
        found.extend(seen.of_version(&migration.version));
        found
    };
    let selection = Selection {
        also: &also,
        ..chosen
    };
    let mut report = lint::directory(&directory, dialect, settings, &selection)?;
    report.findings.splice(0..0, deleted);
    Ok(report)
}

/// What a server was seen doing, on the scratch database if there is one.
#[derive(Default)]
struct Seen(HashMap<Version, Vec<Also>>);

impl Seen {
    fn of(
        context: &Context,
        arguments: &Lint,
        source: &DirectorySource,
        dialect: Dialect,
        watched: Watched<'_>,
    ) -> Result<Self, CommandError> {
        let found = settings::scratch_database(&arguments.scratch, &context.environment)?;
        let Some(found) = found else {
            return Ok(Self::default());
        };
        let limits = LimitArguments::default();
        let (scratch, _) = context.runner_of(found, &arguments.database, &limits)?;
        if scratch.database.dialect() != dialect {
            return Err(CommandError::Usage {
                message: format!(
                    "the scratch database is {}, but the migrations are for {dialect}",
                    scratch.database.target()
                ),
                advice: "Give --dev-url a database of that kind.".to_owned(),
            });
        }
        let trace = context
            .block_on(&scratch, scratch.observe(source, watched))
            .map_err(|error| error.about(&arguments.directory))?;
        Ok(Self(trace::findings(&trace)))
    }

    fn of_version(&self, version: &Version) -> Vec<Also> {
        self.0.get(version).cloned().unwrap_or_default()
    }
}

fn rule_of(contradiction: &Contradiction) -> Option<&'static Rule> {
    let id = match contradiction.problem.code {
        "version_taken" => "x-duplicate-version",
        "out_of_order" => "x-out-of-order",
        _ => "x-edited-file",
    };
    forerun_sql::lint::rule(id)
}

/// A file that is gone cannot say that it may be.
fn of_deleted(
    then: &MigrationDirectory,
    contradiction: &Contradiction,
    also: Also,
) -> Option<Finding> {
    let start = Place { line: 1, column: 1 };
    Some(Finding {
        rule: also.rule,
        severity: also.rule.severity,
        kind: also.rule.kind,
        version: contradiction.version.clone(),
        script: then.get(&contradiction.version)?.up.file_name.clone(),
        path: contradiction.problem.file.clone()?,
        start,
        end: start,
        statement: 0,
        message: also.message,
        instead: Vec::new(),
        replaces: Replaces::default(),
        allowed: None,
        rewrites: false,
    })
}

fn show(context: &Context, arguments: &Lint, dialect: Dialect, report: &Report) -> Done {
    let passed = report.count(Severity::Error) == 0;
    if let Some(host) = context.output.code_host() {
        context.output.print(&code_host::of_lint(report, host));
    } else {
        let document = Document {
            passed,
            dialect,
            base: arguments.base.as_deref(),
            judged: report.judged,
            learnt: report.learnt,
            schema_from: report.schema_from,
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            notes: report.count(Severity::Info),
            findings: &report.findings,
        };
        context.output.result(&document, || {
            lint_text::render(report, context.output.verbose())
        });
    }
    let exit_code = if passed {
        ExitCode::Done
    } else {
        ExitCode::Refused
    };
    Done {
        exit_code,
        ..Done::new("linted", "")
    }
}

/// The page of a rule.
fn explain(context: &Context, rule: &'static Rule) {
    #[derive(Serialize)]
    struct Document {
        rule: &'static str,
        severity: Severity,
        kind: forerun_sql::lint::Kind,
        summary: &'static str,
        page: String,
    }
    let document = Document {
        rule: rule.id,
        severity: rule.severity,
        kind: rule.kind,
        summary: rule.summary,
        page: lint_rules::text(rule),
    };
    context.output.result(&document, || document.page.clone());
}

//! `forerun migrate plan --trace`: the plan, and what a server does for it on a scratch database.

use forerun_migrations::directory::DirectorySource;
use forerun_migrations::executor::{Runner, UpOptions};
use forerun_migrations::plan::Plan;
use forerun_migrations::trace::Trace;
use serde::Serialize;

use super::context::Context;
use crate::arguments;
use crate::command_error::CommandError;
use crate::output::{Done, plan_text, trace_text};
use crate::settings::{self, SettingsError};

pub fn run(
    context: &Context,
    arguments: &arguments::Plan,
    directory: &DirectorySource,
    options: UpOptions,
) -> Result<Done, CommandError> {
    let found = settings::scratch_database(&arguments.scratch, &context.environment)?;
    let Some(found) = found else {
        return Err(CommandError::Usage {
            message: "there is no scratch database to trace on".to_owned(),
            advice:
                "Set --dev-url or FORERUN_DEV_URL to an empty database; forerun empties it again."
                    .to_owned(),
        });
    };
    let (scratch, _) = context.runner_of(found, &arguments.database, &arguments.limits)?;
    let target = match context.runner(&arguments.database, &arguments.limits) {
        Ok(target) => Some(target),
        Err(CommandError::Settings(SettingsError::NoDatabase)) => None,
        Err(error) => return Err(error),
    };
    if let Some(target) = &target
        && target.database.dialect() != scratch.database.dialect()
    {
        return Err(CommandError::Usage {
            message: format!(
                "the scratch database is {}, but the target is {}",
                scratch.database.target(),
                target.database.target()
            ),
            advice: "Give --dev-url a database of the same kind.".to_owned(),
        });
    }
    let traced = scratch.trace(directory, options, target.as_ref());
    let (plan, trace) = context
        .block_on(&scratch, traced)
        .map_err(|error| error.about(&arguments.directory))?;
    Ok(show(context, target.as_ref(), &scratch, &plan, &trace))
}

fn show(
    context: &Context,
    target: Option<&Runner>,
    scratch: &Runner,
    plan: &Plan,
    trace: &Trace,
) -> Done {
    #[derive(Serialize)]
    struct Document<'a> {
        target: Option<String>,
        scratch: String,
        #[serde(flatten)]
        plan: &'a Plan,
        trace: &'a Trace,
    }
    let document = Document {
        target: target.map(|target| target.database.target()),
        scratch: scratch.database.target(),
        plan,
        trace,
    };
    let dialect = scratch.database.dialect();
    let verbose = context.output.verbose();
    context.output.result(&document, || {
        let plan = plan_text::render(plan, &scratch.limits, dialect, verbose);
        format!(
            "{plan}\n{}",
            trace_text::render(trace, dialect, verbose, target.is_some())
        )
    });
    Done::new("traced", "")
}

//! `forerun migrate plan`, and `--dry-run` of the commands that run migrations.

use forerun_migrations::executor::{Runner, UpOptions};
use forerun_migrations::plan::{Plan, Scope};
use serde::Serialize;

use super::context::Context;
use super::trace;
use crate::arguments::{self, LintArguments};
use crate::command_error::CommandError;
use crate::output::{Done, plan_text};
use crate::settings;

pub fn run(context: &Context, arguments: &arguments::Plan) -> Result<Done, CommandError> {
    let options = UpOptions {
        scope: Scope::All,
        allow_out_of_order: arguments.allow_out_of_order,
        ignore_other_history: settings::ignore_other_history(
            arguments.other_history,
            &context.environment,
        )?,
        lint: settings::lint_mode(LintArguments::default(), &context.environment)?,
        strict: settings::strict(&arguments.gates, &context.environment)?,
        accept_downtime: arguments.gates.accept_downtime.clone(),
    };
    let directory = settings::directory(&arguments.directory, &context.environment)?;
    if arguments.trace {
        return trace::run(context, arguments, &directory, options);
    }
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    let made = context
        .block_on(&runner, runner.plan(&directory, options))
        .map_err(|error| error.about(&arguments.directory))?;
    Ok(show(context, &runner, &made))
}

/// Shows a plan.
pub fn show(context: &Context, runner: &Runner, plan: &Plan) -> Done {
    #[derive(Serialize)]
    struct Document<'a> {
        target: String,
        #[serde(flatten)]
        plan: &'a Plan,
    }
    let document = Document {
        target: runner.database.target(),
        plan,
    };
    context.output.result(&document, || {
        plan_text::render(
            plan,
            &runner.limits,
            runner.database.dialect(),
            context.output.verbose(),
        )
    });
    Done::new("planned", "")
}

//! One thin file per command: settings in, the engine called, a result for the output.

mod adopt;
mod baseline;
mod check;
mod completions;
mod context;
mod convert;
mod deploy;
mod deployed;
mod deployments;
mod docs;
mod down;
mod exec;
mod git_base;
mod guarded;
mod hash;
mod history;
mod install;
mod lint;
mod man;
mod new;
mod plan;
mod render;
mod repair;
mod status;
mod trace;
mod unlock;
mod up;
mod validate;
mod values;
mod wait;

use forerun_migrations::plan::Scope;

use crate::arguments::{Arguments, Command, FormatArgument, Migrate};
use crate::command_error::CommandError;
use crate::exit_code::ExitCode;
use crate::output::{Done, Output, Purpose};
use crate::settings::environment::Environment;
use crate::settings::{self, SettingsError};
use crate::signals::{self, First};
use context::Context;

/// Runs a command to its end.
pub fn run(arguments: Arguments) -> ExitCode {
    if let Command::Guarded(arguments) = arguments.command {
        return guarded::run(&arguments);
    }
    let environment = Environment::of_process();
    let purpose = purpose(&arguments.command);
    let path = settings::termination_message_path(&environment);
    let output_settings = match settings::output(&arguments.output, &environment) {
        Ok(output_settings) => output_settings,
        Err(error) => return wrong_format(&arguments, &environment, purpose, error),
    };
    // What a trace has made in the scratch database is removed first.
    let traces = match &arguments.command {
        Command::Migrate(Migrate::Plan(plan)) => plan.trace,
        Command::Migrate(Migrate::Lint(lint)) => {
            matches!(
                settings::scratch_database(&lint.scratch, &environment),
                Ok(Some(_))
            )
        }
        _ => false,
    };
    let context = Context::new(environment, Output::new(output_settings, purpose, path));
    let first = if matches!(purpose, Purpose::Question | Purpose::Findings) && !traces {
        First::Exit
    } else {
        First::Stop
    };
    let result = signals::install(context.stop_sender.clone(), context.child.clone(), first)
        .map_err(CommandError::system("install signal handlers"))
        .and_then(|()| dispatch(&context, arguments.command));
    context.output.finish(result)
}

fn wrong_format(
    arguments: &Arguments,
    environment: &Environment,
    purpose: Purpose,
    error: SettingsError,
) -> ExitCode {
    let output_settings =
        settings::output_with(FormatArgument::Auto, &arguments.output, environment);
    let path = settings::termination_message_path(environment);
    Output::new(output_settings, purpose, path).finish(Err(error.into()))
}

/// What a command uses its output for.
fn purpose(command: &Command) -> Purpose {
    match command {
        Command::Exec(_) => Purpose::Guard,
        Command::Render(_) => Purpose::Manifests,
        Command::Deploy(deploy) if deploy.dry_run.is_none() => Purpose::Run,
        Command::Migrate(Migrate::Up(up) | Migrate::Schema(up) | Migrate::Data(up))
            if !up.dry_run =>
        {
            Purpose::Run
        }
        Command::Migrate(Migrate::Down(down)) if !down.dry_run => Purpose::Run,
        Command::Migrate(Migrate::Repair(repair)) if repair.action.chosen().is_some() => {
            Purpose::Run
        }
        Command::Migrate(Migrate::Adopt(adopt)) if !adopt.dry_run => Purpose::Run,
        Command::Migrate(Migrate::Baseline(_) | Migrate::Wait(_) | Migrate::Deployed(_)) => {
            Purpose::Run
        }
        Command::Migrate(Migrate::Lint(_)) => Purpose::Findings,
        _ => Purpose::Question,
    }
}

fn dispatch(context: &Context, command: Command) -> Result<Done, CommandError> {
    let finds = matches!(
        command,
        Command::Check(_) | Command::Migrate(Migrate::Lint(_))
    );
    if context.output.code_host().is_some() && !finds {
        return Err(CommandError::Usage {
            message: "only `forerun check` and `forerun migrate lint` have findings for code hosts"
                .to_owned(),
            advice: "Use --format text or --format json.".to_owned(),
        });
    }
    match command {
        Command::Migrate(migrate) => match migrate {
            Migrate::Up(arguments) => up::run(context, &arguments, Scope::All),
            Migrate::Schema(arguments) => up::run(context, &arguments, Scope::Schema),
            Migrate::Data(arguments) => up::run(context, &arguments, Scope::Data),
            Migrate::Down(arguments) => down::run(context, &arguments),
            Migrate::Deployed(arguments) => deployed::run(context, &arguments),
            Migrate::Deployments(arguments) => deployments::run(context, &arguments),
            Migrate::Plan(arguments) => plan::run(context, &arguments),
            Migrate::Status(arguments) => status::run(context, &arguments),
            Migrate::History(arguments) => history::run(context, &arguments),
            Migrate::Wait(arguments) => wait::run(context, &arguments),
            Migrate::New(arguments) => new::run(context, &arguments),
            Migrate::Validate(arguments) => validate::run(context, &arguments),
            Migrate::Lint(arguments) => lint::run(context, &arguments),
            Migrate::Hash(arguments) => hash::run(context, &arguments),
            Migrate::Convert(arguments) => convert::run(context, &arguments),
            Migrate::Baseline(arguments) => baseline::run(context, &arguments),
            Migrate::Adopt(arguments) => adopt::run(context, &arguments),
            Migrate::Repair(arguments) => repair::run(context, &arguments),
            Migrate::Unlock(arguments) => unlock::run(context, &arguments),
        },
        Command::Exec(arguments) => exec::run(context, &arguments),
        Command::Render(arguments) => render::run(context, &arguments),
        Command::Deploy(arguments) => deploy::run(context, &arguments),
        Command::Install(arguments) => install::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Completions(arguments) => completions::run(context, &arguments),
        Command::Man => man::run(context),
        Command::Docs(arguments) => docs::run(context, &arguments),
        // Handled before there is any output.
        Command::Guarded(arguments) => Ok(Done {
            exit_code: guarded::run(&arguments),
            ..Done::new("done", "")
        }),
    }
}

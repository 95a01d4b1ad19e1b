//! `forerun exec`: any command under the runner lock.
//!
//! The command owns standard input and output. It runs in a process group of its own, so that a shell's children
//! are signalled with it; on a terminal it stays in the foreground group, which gets Ctrl-C from the terminal
//! itself.

use std::io::{ErrorKind, IsTerminal};
use std::process::ExitStatus;
use std::time::Duration;

use forerun_migrations::event::{Event, Events};
use forerun_migrations::executor::{Guard, StopReason};
use forerun_migrations::masking::mask_command_line;
use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::context::Context;
use super::guarded::shell_code;
use crate::arguments::{Exec, GUARDED};
use crate::command_error::CommandError;
use crate::exit_code::ExitCode;
use crate::output::Done;
use crate::output::style::took;
use crate::settings::environment::FORERUN_URL_FROM_ARGUMENT;

/// Time from SIGTERM to SIGKILL when the time is over.
const GRACE: Duration = Duration::from_secs(10);
/// The same when the lock is lost: another runner may be at work.
const GRACE_WITHOUT_LOCK: Duration = Duration::from_secs(2);
/// SIGINT.
const INTERRUPT: i32 = 2;

pub fn run(context: &Context, arguments: &Exec) -> Result<Done, CommandError> {
    let runner = context.runner(&arguments.database, &arguments.limits)?;
    let command = mask_command_line(&arguments.command);
    context.announce(&format!("exec {command}"), &runner, None);
    let dialect = runner.database.dialect();
    context.block_on_any(async {
        let guard = runner
            .guard(&command)
            .await
            .map_err(|error| CommandError::NotStarted {
                error: Box::new(error),
                dialect,
            })?;
        under_guard(context, arguments, guard).await
    })?
}

async fn under_guard(
    context: &Context,
    arguments: &Exec,
    mut guard: Guard<'_>,
) -> Result<Done, CommandError> {
    let own_group = !std::io::stdin().is_terminal();
    let mut child = match spawn(arguments, own_group) {
        Ok(child) => child,
        Err(error) => {
            guard
                .finish(
                    None,
                    format!("the command could not be started: {error}"),
                    None,
                )
                .await;
            return Err(CommandError::System {
                action: "start the command".to_owned(),
                error,
            });
        }
    };
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        context.child.set(pid, own_group);
    }
    let mut stopped = None;
    let status = tokio::select! {
        status = child.wait() => status,
        reason = guard.wait_for_stop() => {
            stopped = Some(reason);
            stop(context, &mut child, reason, own_group).await
        }
    };
    context.child.clear();
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            guard
                .finish(
                    None,
                    format!("how the command ended is not known: {error}"),
                    stopped,
                )
                .await;
            return Err(CommandError::System {
                action: "wait for the command".to_owned(),
                error,
            });
        }
    };
    let message = format!("the command {}", describe(status));
    let code = shell_code(status);
    guard
        .finish(Some(i32::from(code)), message.clone(), stopped)
        .await;
    match stopped {
        Some(StopReason::Timeout(limit)) => Err(CommandError::CommandTimedOut {
            limit,
            ended: message,
        }),
        Some(StopReason::LeaseLost) => Err(CommandError::CommandLostLock { ended: message }),
        Some(StopReason::Signal(_)) | None => {
            let exit_code = ExitCode::OfCommand(code);
            let outcome = match (code, stopped) {
                (0, _) => "command_succeeded",
                (_, Some(_)) => "interrupted",
                _ => "command_failed",
            };
            let message = format!(
                "The command {} after {}.",
                describe(status),
                took(context.output.elapsed())
            );
            Ok(Done {
                exit_code,
                ..Done::new(outcome, message)
            })
        }
    }
}

/// Starts it: on Linux by way of a process that is killed when this one dies.
fn spawn(arguments: &Exec, own_group: bool) -> std::io::Result<Child> {
    let mut command = if cfg!(target_os = "linux") {
        let mut command = Command::new(std::env::current_exe()?);
        let parent = std::process::id().to_string();
        command.args([GUARDED, "--parent", &parent]);
        command
            .args(own_group.then_some("--group"))
            .arg("--")
            .args(&arguments.command);
        command
    } else {
        let (program, rest) = arguments
            .command
            .split_first()
            .ok_or_else(|| std::io::Error::from(ErrorKind::InvalidInput))?;
        let mut command = Command::new(program);
        command.args(rest);
        command
    };
    command
        .env_remove(FORERUN_URL_FROM_ARGUMENT.name)
        .kill_on_drop(true);
    if own_group {
        command.process_group(0);
    }
    command.spawn()
}

/// Ends it, and waits for it.
async fn stop(
    context: &Context,
    child: &mut Child,
    reason: StopReason,
    own_group: bool,
) -> std::io::Result<ExitStatus> {
    context.output.emit(&Event::Stopping {
        reason: reason.describe(),
    });
    let grace = match reason {
        StopReason::Signal(number) => {
            // On a terminal Ctrl-C has reached the command already.
            if own_group || number != INTERRUPT {
                let signal = Signal::from_named_raw(number).unwrap_or(Signal::TERM);
                context.child.send(signal);
            }
            // Whoever sent the signal decides how long the command may take to obey.
            return child.wait().await;
        }
        StopReason::Timeout(_) => GRACE,
        StopReason::LeaseLost => GRACE_WITHOUT_LOCK,
    };
    context.child.send(Signal::TERM);
    match tokio::time::timeout(grace, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            context.child.send(Signal::KILL);
            child.wait().await
        }
    }
}

/// What became of it. A code above 128 is how a signal is told by the process in between.
fn describe(status: ExitStatus) -> String {
    match shell_code(status) {
        code @ 129..=159 => format!("was ended by signal {}", code - 128),
        code => format!("ended with exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn exit_codes_are_those_of_a_shell() {
        assert_eq!(shell_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(shell_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(shell_code(ExitStatus::from_raw(15)), 143);
        assert_eq!(describe(ExitStatus::from_raw(9)), "was ended by signal 9");
    }
}

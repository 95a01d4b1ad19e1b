//! What `forerun exec` starts: the command, in a way that it does not outlive its guard.
//!
//! The lock of a guard that was killed is taken over by the next runner, so its command must not go on. The kernel
//! tells this process when its parent dies (Linux manual, PR_SET_PDEATHSIG). With a process group of its own it
//! stays beside the command and then ends the whole group, a shell's children included; on a terminal it becomes
//! the command, which the setting survives.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;

use rustix::process::{Signal, getpgrp, getppid, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Guarded;
use crate::exit_code::ExitCode;

/// Not found, and not executable, as shells say it.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// Runs the command to its end.
pub fn run(arguments: &Guarded) -> ExitCode {
    let Some((program, rest)) = arguments.command.split_first() else {
        return ExitCode::Usage;
    };
    if !arguments.group {
        if !follow_parent(Signal::KILL, arguments.parent) {
            return ExitCode::Temporary;
        }
        let error = std::process::Command::new(program).args(rest).exec();
        return cannot_run(program, &error);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime
            .block_on(stay(arguments, program, rest))
            .unwrap_or_else(|error| cannot_run(program, &error)),
        Err(error) => cannot_run(program, &error),
    }
}

/// Asks for a signal when the parent dies; false when it has died already.
fn follow_parent(signal: Signal, parent: i32) -> bool {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(signal));
    #[cfg(not(target_os = "linux"))]
    let _ = signal;
    getppid().is_some_and(|pid| pid.as_raw_nonzero().get() == parent)
}

/// Waits beside the command. Signals for the group reach the command by themselves; here they change nothing.
async fn stay(
    arguments: &Guarded,
    program: &OsStr,
    rest: &[std::ffi::OsString],
) -> std::io::Result<ExitCode> {
    let mut parent_died = signal(SignalKind::user_defined2())?;
    let _ignored = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ];
    if !follow_parent(Signal::USR2, arguments.parent) {
        return Ok(ExitCode::Temporary);
    }
    let mut child = tokio::process::Command::new(program).args(rest).spawn()?;
    let status = tokio::select! {
        status = child.wait() => status?,
        _ = parent_died.recv() => {
            let _ = kill_process_group(getpgrp(), Signal::KILL);
            child.wait().await?
        }
    };
    Ok(ExitCode::OfCommand(shell_code(status)))
}

/// As shells say it: 128 + n for signal n.
pub fn shell_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}

fn cannot_run(program: &OsStr, error: &std::io::Error) -> ExitCode {
    let _ = writeln!(
        std::io::stderr(),
        "error: cannot run {}: {error}",
        program.to_string_lossy()
    );
    ExitCode::OfCommand(if error.kind() == ErrorKind::NotFound {
        NOT_FOUND
    } else {
        NOT_EXECUTABLE
    })
}

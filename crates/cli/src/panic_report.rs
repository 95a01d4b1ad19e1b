//! A bug in forerun: a short report and exit code 1, instead of a backtrace.

use std::io::Write;
use std::panic;

use crate::exit_code::ExitCode;

/// From now on a panic of any thread ends the process with a report.
#[expect(
    clippy::exit,
    reason = "the release build aborts on a panic, and that has an exit code of its own"
)]
pub fn install() {
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(
            std::io::stderr(),
            "error: this is a bug in forerun {}: {message} ({place})\n\nWhat was recorded in the database stays valid. \
             Please report this line with the command that was run.",
            env!("CARGO_PKG_VERSION")
        );
        std::process::exit(i32::from(ExitCode::Bug.number()));
    }));
}

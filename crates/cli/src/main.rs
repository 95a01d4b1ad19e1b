//! The binary `forerun`: arguments as typed → settings → one thin file per command → output → exit code.
//!
//! No migration logic and no SQL in here: that is the engine's and the drivers'.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod command_error;
mod commands;
mod exit_code;
mod output;
mod panic_report;
mod reference;
mod settings;
mod signals;
mod usage_error;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    panic_report::install();
    settings::process_title::hide_passwords();
    match Arguments::try_parse() {
        Ok(arguments) => commands::run(arguments).into(),
        Err(error) => usage_error::show(&error).into(),
    }
}

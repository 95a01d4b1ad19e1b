//! What is measured, one file for each bound.

pub mod copy;
pub mod noop;
pub mod render;
pub mod up;
pub mod version;

use std::path::Path;
use std::process::Command;

use crate::options::Options;
use crate::store::{Place, clean};

/// `forerun migrate up`, with its output in a file as in a Job.
fn forerun_up(options: &Options, place: &Place<'_>, directory: &Path) -> Command {
    let mut command = clean(&options.forerun);
    command
        .args(["migrate", "up", "--url", &place.url(), "--dir"])
        .arg(directory);
    command
}

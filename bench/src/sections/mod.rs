//! What is measured, one file for each bound.

pub mod copy;
pub mod lint;
pub mod noop;
pub mod read;
pub mod render;
pub mod up;
pub mod version;

use std::path::Path;
use std::process::Command;

use crate::options::Options;
use crate::store::{Place, clean};

/// `forerun migrate up`, with its output in a file and its URL in the environment as in a Job. (With a password on the
/// command line it would replace itself by a second process that does not show it.)
fn forerun_up(options: &Options, place: &Place<'_>, directory: &Path) -> Command {
    let mut command = clean(&options.forerun);
    command
        .env("DATABASE_URL", place.forerun_url())
        .args(["migrate", "up", "--dir"])
        .arg(directory);
    command
}

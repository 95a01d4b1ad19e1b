//! The operating system user and home directory, for libpq's and MySQL's defaults.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::Variables;

/// Name of the user that this process runs as; `None` where the user has no name (a numeric user in a
/// container without a password file).
pub(super) fn name(variables: Variables<'_>) -> Option<String> {
    password_entry()
        .and_then(|entry| entry.split(':').next().map(str::to_owned))
        .or_else(|| variables("USER"))
        .filter(|name| !name.is_empty())
}

/// Home directory.
pub(super) fn home(variables: Variables<'_>) -> Option<PathBuf> {
    variables("HOME")
        .or_else(|| password_entry().and_then(|entry| entry.split(':').nth(5).map(str::to_owned)))
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

fn password_entry() -> Option<String> {
    // The owner of /proc/self is the effective user; this avoids an unsafe call for one number.
    let user_id = fs::metadata("/proc/self").ok()?.uid().to_string();
    fs::read_to_string("/etc/passwd")
        .ok()?
        .lines()
        .find(|line| line.split(':').nth(2) == Some(user_id.as_str()))
        .map(str::to_owned)
}

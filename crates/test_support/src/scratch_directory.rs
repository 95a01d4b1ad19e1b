//! Temporary directories that name the process that made them, so that the leftovers of a killed test
//! run can be told from directories in use.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::Once;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::installed::ServerUser;

const PREFIX: &str = "forerun-test-";

/// The file in a server's directory that holds its process id.
pub(crate) const PID_FILE: &str = "forerun-server.pid";

/// Where temporary directories are made. Root cannot rely on `TMPDIR`: the unprivileged user that the
/// servers run as may not be able to enter it.
fn base() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        PathBuf::from("/tmp")
    } else {
        std::env::temp_dir()
    }
}

/// Makes a directory `forerun-test-<pid>-<purpose>-<random>`, owned by `owner` when given. It is removed
/// on drop, by the server's guard, or by the next test process.
pub(crate) fn make(purpose: &str, owner: Option<ServerUser>) -> TempDir {
    static STALE: Once = Once::new();
    STALE.call_once(remove_stale);
    let directory = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-{purpose}-", std::process::id()))
        .tempdir_in(base())
        .expect("a temporary directory can be made");
    give_to(directory.path(), owner);
    directory
}

/// Hands a file or directory to the user that the server runs as.
pub(crate) fn give_to(path: &Path, owner: Option<ServerUser>) {
    if let Some(user) = owner {
        chown(path, Some(user.uid), Some(user.gid))
            .unwrap_or_else(|error| panic!("cannot give {} away: {error}", path.display()));
    }
}

/// Removes the directories of test processes that are gone, and a server that still runs in one (its
/// guard was killed too).
fn remove_stale() {
    let Ok(entries) = fs::read_dir(base()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('-').next())
            .and_then(|pid| pid.parse::<u32>().ok());
        let Some(owner) = owner else { continue };
        if Path::new(&format!("/proc/{owner}")).exists() {
            continue;
        }
        kill_server_in(&entry.path());
        // Another test process may be removing it at the same moment.
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn kill_server_in(directory: &Path) {
    let pid = fs::read_to_string(directory.join(PID_FILE))
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok());
    let Some(pid) = pid else { return };
    // The number may belong to another process by now: only one that names the directory is ours.
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if String::from_utf8_lossy(&command_line).contains(&*directory.to_string_lossy())
        && let Some(pid) = Pid::from_raw(pid)
    {
        let _ = kill_process(pid, Signal::KILL);
    }
}

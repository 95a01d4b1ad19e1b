//! Which server programs this machine has, which user may run them, and what happens when one is missing.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An unprivileged user. PostgreSQL refuses to run as root, MariaDB should not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerUser {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl ServerUser {
    /// `preferred` or `nobody` when this process is root; otherwise `None`: servers run as ourselves.
    pub(crate) fn to_run_servers(preferred: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
        let find = |wanted: &str| {
            users.lines().find_map(|line| {
                let mut fields = line.split(':');
                (fields.next() == Some(wanted)).then_some(())?;
                let uid = fields.nth(1)?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Self { uid, gid })
            })
        };
        let user = find(preferred).or_else(|| find("nobody"));
        Some(user.unwrap_or_else(|| {
            panic!("tests run as root and there is neither a user `{preferred}` nor `nobody` to run servers as")
        }))
    }
}

/// A command with an environment of our own choosing, so that no `PG*` or `MYSQL_*` variable of the
/// developer reaches a server or client.
pub(crate) fn clean_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    command
}

/// [`clean_command`] that runs as `user` in `directory`.
pub(crate) fn server_command(
    program: &Path,
    user: Option<ServerUser>,
    directory: &Path,
) -> Command {
    let mut command = clean_command(program);
    command.current_dir(directory).env("HOME", directory);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Finds a program in `PATH` and in the `sbin` directories, which an ordinary user's `PATH` leaves out.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// The directory with PostgreSQL's server programs: `FORERUN_TEST_POSTGRES_BIN`, else the newest version
/// under Debian's `/usr/lib/postgresql`, else the directory of `postgres` in `PATH`.
pub(crate) fn find_postgres_programs() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("FORERUN_TEST_POSTGRES_BIN") {
        return Some(PathBuf::from(chosen));
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| path.join("postgres").is_file() && path.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, path)| path).or_else(|| {
        let directory = find_program("postgres")?.parent()?.to_path_buf();
        directory.join("initdb").is_file().then_some(directory)
    })
}

/// Says that the calling test is skipped because `what` is not installed, or fails it in CI.
///
/// Written to the standard error of the process: the test harness hides what a passing test prints. When
/// `FORERUN_TEST_SKIP_LOG` names a file, the line is added there too, so that `scripts/test` can count.
pub fn report_missing(what: &str) {
    let in_ci =
        std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    assert!(
        !in_ci,
        "{what} is not installed, and CI is set: tests are never skipped in CI (scripts/test installs it)"
    );
    let thread = std::thread::current();
    let line = format!(
        "SKIPPED: {}: {what} is not installed (scripts/test installs it)\n",
        thread.name().unwrap_or("a test")
    );
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("FORERUN_TEST_SKIP_LOG")
        && let Ok(mut log) = fs::OpenOptions::new().create(true).append(true).open(file)
    {
        let _ = log.write_all(line.as_bytes());
    }
}

//! A server as a child process that cannot outlive the test process.
//!
//! Statics are never dropped and a killed test runs no destructor, so each server has a *guard*: a small
//! shell whose standard input is a pipe from this process. When this process ends in any way, the kernel
//! closes the pipe; the guard then ends the server and removes its directory. (The kernel's parent-death
//! signal would not do: it fires when the *thread* that started the server ends, which for a shared server
//! is the first test that asked for it.)

use std::fs;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch_directory::PID_FILE;

/// `$1` server's process id, `$2` first signal, `$3` directory. A line on standard input means that the
/// server was ended in the ordinary way.
const GUARD: &str = r#"
if read -r _; then exit 0; fi
kill -s "$2" "$1"
tries=0
while kill -0 "$1" && [ "$tries" -lt 30 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -s KILL "$1"
rm -rf "$3"
"#;

const POLL: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    guard: Child,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts the server with its output added to `directory/log`. `goodbye` is the signal with which the
    /// guard asks it to end at once: one that takes child processes along, where the server has any.
    pub(crate) fn spawn(command: &mut Command, directory: &Path, goodbye: &str) -> Self {
        let log = directory.join("log");
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("the log can be opened");
        let errors = output.try_clone().expect("a file handle can be copied");
        // A group of its own: Ctrl-C in the terminal is for the test, the guard does the rest.
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let pid = child.id().to_string();
        fs::write(directory.join(PID_FILE), &pid).expect("the directory can be written");
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "forerun-test-guard", &pid, goodbye])
            .arg(directory)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("/bin/sh can be started");
        Self { child, guard, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        read_log(&self.log)
    }

    /// The exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Sends `signal` and waits until the server and its child processes are gone; after `patience`
    /// they are killed.
    pub(crate) fn stop(mut self, signal: Signal, patience: Duration) {
        let children = children_of(self.id());
        self.signal(signal);
        let deadline = Instant::now() + patience;
        while self.ended().is_none() {
            if Instant::now() > deadline {
                return self.kill();
            }
            sleep(POLL);
        }
        self.finish(&children);
    }

    /// Kills the server and its child processes at once, as a power cut would.
    pub(crate) fn kill(mut self) {
        // Stopped first, so that it cannot fork between the listing and the kill.
        self.signal(Signal::STOP);
        let children = children_of(self.id());
        self.signal(Signal::KILL);
        for child in &children {
            let _ = kill_process(*child, Signal::KILL);
        }
        let _ = self.child.wait();
        self.finish(&children);
    }

    /// A server that starts again beside old child processes would refuse to.
    fn finish(mut self, children: &[Pid]) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while children.iter().any(|child| is_running(*child)) {
            if Instant::now() > deadline {
                for child in children {
                    let _ = kill_process(*child, Signal::KILL);
                }
                break;
            }
            sleep(POLL);
        }
        if let Some(mut input) = self.guard.stdin.take() {
            let _ = input.write_all(b"ended\n");
        }
        let _ = self.guard.wait();
    }
}

/// A log file's text, lossily.
pub(crate) fn read_log(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// State letter and parent of a process, from `/proc/<pid>/stat` (proc(5)). The name in parentheses may
/// itself contain spaces and parentheses.
fn state_and_parent(pid: &str) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn children_of(parent: u32) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let pid = name.to_str()?;
            (state_and_parent(pid)?.1 == parent).then_some(())?;
            Pid::from_raw(pid.parse().ok()?)
        })
        .collect()
}

fn is_running(pid: Pid) -> bool {
    state_and_parent(&pid.as_raw_pid().to_string()).is_some_and(|(state, _)| state != 'Z')
}

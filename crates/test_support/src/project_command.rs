//! One run of a program in a scratch project, with an environment that holds nothing by accident.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// After this long a run is taken for hung.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(120);

/// A command that is being put together. See [`ScratchProject::command`](crate::ScratchProject::command).
#[derive(Clone, Debug)]
#[must_use = "a command does nothing until run() or spawn()"]
pub struct ProjectCommand {
    pub(crate) words: Vec<String>,
    pub(crate) directory: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) input: Option<String>,
    pub(crate) patience: Duration,
}

impl ProjectCommand {
    pub(crate) fn new(
        program: &Path,
        arguments: &[&str],
        directory: &Path,
        environment: BTreeMap<String, String>,
    ) -> Self {
        let mut words = vec![program.display().to_string()];
        words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self {
            words,
            directory: directory.to_owned(),
            environment,
            input: None,
            patience: DEFAULT_PATIENCE,
        }
    }

    /// Adds an argument.
    pub fn argument(mut self, argument: &str) -> Self {
        self.words.push(argument.to_owned());
        self
    }

    /// Sets a variable for this run.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a variable away for this run.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Gives it a standard input; otherwise that is empty.
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it in another directory than the project's.
    pub fn current_dir(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// Runs it as the last words of another command, such as `["unshare", "--pid", "--fork"]`.
    pub fn wrapped_in(mut self, words: &[&str]) -> Self {
        self.words
            .splice(0..0, words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// How long it may take before it is killed and the test fails (default 120 s).
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it takes longer than its patience.
    pub fn run(self) -> CommandOutcome {
        self.spawn().wait()
    }

    /// Starts it.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn(self) -> RunningCommand {
        let mut command = Command::new(&self.words[0]);
        command
            .args(&self.words[1..])
            .current_dir(&self.directory)
            .env_clear()
            .envs(&self.environment)
            .stdin(if self.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it started can be ended with it.
            .process_group(0);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.words[0]));
        if let (Some(text), Some(mut pipe)) = (self.input, child.stdin.take()) {
            spawn(move || {
                // A program that does not read its input is no fault.
                let _ = pipe.write_all(text.as_bytes());
            });
        }
        let stdout = Collected::read_from(child.stdout.take().expect("it is piped"));
        let stderr = Collected::read_from(child.stderr.take().expect("it is piped"));
        RunningCommand {
            child,
            stdout,
            stderr,
            deadline: Instant::now() + self.patience,
            words: self.words,
        }
    }
}

/// A started command. Dropping it kills it, with what it started.
#[derive(Debug)]
pub struct RunningCommand {
    child: Child,
    stdout: Collected,
    stderr: Collected,
    deadline: Instant,
    words: Vec<String>,
}

impl RunningCommand {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        // Not yet waited for, so the number is still its own.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// SIGTERM, as Kubernetes sends it.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGINT, as Ctrl-C sends it.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// SIGSTOP: it stands still until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it still runs (or is paused).
    pub fn is_running(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("a child can be asked")
            .is_none()
    }

    /// What it has written to standard output so far.
    #[must_use]
    pub fn stdout_so_far(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to standard error so far.
    #[must_use]
    pub fn stderr_so_far(&self) -> String {
        self.stderr.text()
    }

    /// Waits until standard output or standard error contains `text`.
    ///
    /// # Panics
    /// When the command ends without it, or its patience does.
    pub fn wait_for_output(&mut self, text: &str) {
        loop {
            // Asked first: what it wrote before it ended is then complete.
            let ended =
                !self.is_running() && self.stdout.is_complete() && self.stderr.is_complete();
            let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
            if stdout.contains(text) || stderr.contains(text) {
                return;
            }
            assert!(
                !ended && Instant::now() < self.deadline,
                "{}: {text:?} was not printed\nstdout:\n{stdout}\nstderr:\n{stderr}",
                self.words.join(" ")
            );
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// When its patience ends first.
    pub fn wait(mut self) -> CommandOutcome {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                break status;
            }
            if Instant::now() > self.deadline {
                let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
                panic!(
                    "{} did not end in time\nstdout:\n{stdout}\nstderr:\n{stderr}",
                    self.words.join(" ")
                );
            }
            sleep(Duration::from_millis(2));
        };
        // A grandchild may hold the pipes open; what it would still write is not this command's output.
        let deadline = Instant::now() + Duration::from_secs(2);
        while !(self.stdout.is_complete() && self.stderr.is_complete()) && Instant::now() < deadline
        {
            sleep(Duration::from_millis(1));
        }
        CommandOutcome {
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
            status,
            command: self.words.join(" "),
        }
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        // The group outlives its leader as long as it has members; without any this is an error.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "look at the exit code: expect_code(0)"]
pub struct CommandOutcome {
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
    command: String,
}

impl CommandOutcome {
    /// The exit code; `None` when a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Asserts the exit code, and shows all output when it is another.
    ///
    /// # Panics
    /// When the exit code is another one.
    #[allow(clippy::return_self_not_must_use, reason = "the assertion is the use")]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(
            self.code() == Some(code),
            "expected exit code {code}\n{self:?}"
        );
        self
    }

    /// Asserts that standard output or standard error contains `text`.
    ///
    /// # Panics
    /// When neither does.
    #[allow(clippy::return_self_not_must_use, reason = "the assertion is the use")]
    pub fn expect_text(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "expected to read {text:?}\n{self:?}"
        );
        self
    }
}

impl fmt::Debug for CommandOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}\n{}\nstdout:\n{}\nstderr:\n{}",
            self.command, self.status, self.stdout, self.stderr
        )
    }
}

/// Output that a thread reads as it comes, so that no full pipe stops the program.
#[derive(Debug)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collected {
    fn read_from(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&bytes);
        let reader = spawn(move || {
            let mut piece = [0; 8 * 1024];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                collected
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn is_complete(&self) -> bool {
        self.reader.is_finished()
    }
}

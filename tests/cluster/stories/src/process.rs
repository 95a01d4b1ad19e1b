//! Running commands: with a time limit, with their output kept.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Why a story failed, for people.
pub type Failure = String;

/// No command of a story takes longer, however busy the machine is.
pub const GENEROUS: Duration = Duration::from_secs(180);

/// What a command did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its command line.
    pub line: String,
    /// Its exit code; 128 + n when signal n ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Time it took.
    pub took: Duration,
}

impl Outcome {
    /// Both outputs.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// For a person.
    pub fn show(&self) -> String {
        format!(
            "$ {}\n{}(exit code {}, {:.1} s)",
            self.line,
            self.text(),
            self.code,
            self.took.as_secs_f64()
        )
    }

    /// The outcome, when the exit code is this one.
    ///
    /// # Errors
    /// Another exit code.
    pub fn exits(self, code: i32) -> Result<Self, Failure> {
        if self.code == code {
            Ok(self)
        } else {
            Err(format!("exit code {code} was expected:\n{}", self.show()))
        }
    }

    /// The outcome, when the command failed.
    ///
    /// # Errors
    /// It did not.
    pub fn fails(self) -> Result<Self, Failure> {
        if self.code == 0 {
            Err(format!("a failure was expected:\n{}", self.show()))
        } else {
            Ok(self)
        }
    }

    /// The outcome, when it said this.
    ///
    /// # Errors
    /// It did not.
    pub fn says(self, text: &str) -> Result<Self, Failure> {
        if self.text().contains(text) {
            Ok(self)
        } else {
            Err(format!("`{text}` was expected in:\n{}", self.show()))
        }
    }
}

/// What a story did so far, for its report.
pub type Transcript = Arc<Mutex<Vec<String>>>;

/// A command that runs beside the story. Dropped while it runs, it is ended, and what it said is remembered.
pub struct Running {
    transcript: Transcript,
    line: String,
    child: Child,
    begin: Instant,
    output: PathBuf,
}

/// Starts a command. Its outputs go to files in the directory, so that no pipe is ever full.
///
/// # Errors
/// It cannot be started.
pub fn start(
    command: &mut Command,
    input: Option<&str>,
    directory: &Path,
    transcript: &Transcript,
) -> Result<Running, Failure> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let output = directory.join(format!("command-{number}"));
    let file = |kind: &str| {
        let path = output.with_extension(kind);
        File::create(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    command.stdout(file("stdout")?).stderr(file("stderr")?);
    command.stdin(if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    let line = line_of(command);
    let mut child = command
        .spawn()
        .map_err(|error| format!("{line}: {error}"))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        pipe.write_all(input.as_bytes())
            .map_err(|error| format!("{line}: {error}"))?;
    }
    Ok(Running {
        transcript: Arc::clone(transcript),
        line,
        child,
        begin: Instant::now(),
        output,
    })
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started, or does not end.
pub fn run(
    command: &mut Command,
    input: Option<&str>,
    directory: &Path,
) -> Result<Outcome, Failure> {
    start(command, input, directory, &Transcript::default())?.end()
}

impl Running {
    /// What it wrote so far, both outputs.
    pub fn so_far(&self) -> String {
        self.read("stdout") + &self.read("stderr")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal by name (`INT`).
    ///
    /// # Errors
    /// There is no such process any more.
    pub fn signal(&self, name: &str) -> Result<(), Failure> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill -s {name} {id} of `{}`: {other:?}", self.line)),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end.
    pub fn end(mut self) -> Result<Outcome, Failure> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(self.outcome(status)),
                Ok(None) if self.begin.elapsed() > GENEROUS => {
                    return Err(format!(
                        "`{}` does not end; so far it said:\n{}",
                        self.line,
                        self.so_far()
                    ));
                }
                Ok(None) => thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(format!("{}: {error}", self.line)),
            }
        }
    }

    fn outcome(&self, status: ExitStatus) -> Outcome {
        use std::os::unix::process::ExitStatusExt;
        let signal = status.signal().unwrap_or_default();
        Outcome {
            line: self.line.clone(),
            code: status.code().unwrap_or(128 + signal),
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
            took: self.begin.elapsed(),
        }
    }

    fn read(&self, kind: &str) -> String {
        let bytes = fs::read(self.output.with_extension(kind)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            let told = format!("$ {}\n{}(ended by the story)", self.line, self.so_far());
            let transcript = &self.transcript;
            transcript
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(told);
        }
    }
}

fn line_of(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or(OsStr::new("?"));
    let words = std::iter::once(name).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Asks until there is an answer.
///
/// # Errors
/// There is none within a generous time; the last error of the question, if it had one.
pub fn until<T>(
    what: &str,
    mut question: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let begin = Instant::now();
    loop {
        let answer = question();
        if let Ok(Some(answer)) = answer {
            return Ok(answer);
        }
        if begin.elapsed() > GENEROUS {
            let error = answer.err().map(|error| format!(":\n{error}"));
            return Err(format!(
                "waited in vain for: {what}{}",
                error.unwrap_or_default()
            ));
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// A condition that must hold.
///
/// # Errors
/// The sentence, when it does not.
pub fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Two things that must be equal.
///
/// # Errors
/// Both, when they are not.
pub fn equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    got: &T,
    wanted: &T,
) -> Result<(), Failure> {
    ensure(got == wanted, || {
        format!("{what}: {wanted:?} was expected, it is {got:?}")
    })
}

//! One open session of a database's own client: a transaction that blocks others, a lock that is held.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// An open client session. Statements run one after the other in it; dropping it kills the client, and
/// the server rolls back.
#[derive(Debug)]
pub struct ClientSession {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    marker_query: &'static str,
}

const MARKER: &str = "forerun-session-marker";

impl ClientSession {
    /// `marker_query` makes the client print [`MARKER`] on a line of its own.
    pub(crate) fn open(command: &mut Command, marker_query: &'static str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut session = Self {
            child,
            input,
            output,
            marker_query,
        };
        session.run("");
        session
    }

    pub(crate) fn of_psql(command: &mut Command) -> Self {
        Self::open(command, "\\echo forerun-session-marker\n")
    }

    pub(crate) fn of_mariadb(command: &mut Command) -> Self {
        Self::open(command, "SELECT 'forerun-session-marker';\n")
    }

    /// Runs statements (each ended with `;`), waits until they are done, and returns what they printed.
    ///
    /// # Panics
    /// When a statement fails: the client then ends, its message is on standard error.
    pub fn run(&mut self, sql: &str) -> String {
        self.send(sql);
        self.input
            .write_all(self.marker_query.as_bytes())
            .and_then(|()| self.input.flush())
            .unwrap_or_else(|error| {
                panic!("the client session ended: {error} (while running: {sql})")
            });
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).expect("it prints UTF-8");
            assert!(length > 0, "the client session ended while running: {sql}");
            if line.trim_end() == MARKER {
                return printed.trim_end().to_owned();
            }
            printed.push_str(&line);
        }
    }

    /// Sends statements and does not wait for them: for one that is going to be blocked.
    pub fn send(&mut self, sql: &str) {
        self.input
            .write_all(format!("{sql}\n").as_bytes())
            .and_then(|()| self.input.flush())
            .unwrap_or_else(|error| {
                panic!("the client session ended: {error} (while sending: {sql})")
            });
    }
}

impl Drop for ClientSession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Running a database's own command-line client.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a client with `input` on its standard input. `Ok` is its standard output, `Err` everything that
/// it printed on standard error, with the exit status.
pub(crate) fn run(command: &mut Command, input: ClientInput<'_>) -> Result<String, String> {
    let stdin = match input {
        ClientInput::Nothing => Stdio::null(),
        ClientInput::Text(_) => Stdio::piped(),
        ClientInput::File(path) => std::fs::File::open(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
            .into(),
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    // From a thread of its own: a client that writes much before it has read all would block us.
    let writer = match (input, child.stdin.take()) {
        (ClientInput::Text(text), Some(mut pipe)) => {
            let text = text.to_owned();
            Some(std::thread::spawn(move || {
                // A client that gave up early does not read on; its message says why.
                let _ = pipe.write_all(text.as_bytes());
            }))
        }
        _ => None,
    };
    let output = child.wait_with_output().expect("a client can be awaited");
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!(
            "{}\n({})",
            String::from_utf8_lossy(&output.stderr).trim_end(),
            output.status
        ))
    }
}

#[derive(Clone, Copy)]
pub(crate) enum ClientInput<'a> {
    Nothing,
    Text(&'a str),
    File(&'a Path),
}

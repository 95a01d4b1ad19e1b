//! The application of the stories. Without arguments it serves HTTP on port 8080 and answers with its version; with
//! arguments it is forerun, as an application that brings its own `migrate` command.
//!
//! `BROKEN=yes` makes a version that never becomes ready.

use std::env;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    if !arguments.is_empty() {
        let error = Command::new("/app/forerun").args(arguments).exec();
        eprintln!("/app/forerun: {error}");
        return ExitCode::FAILURE;
    }
    let version = env::var("APP_VERSION").unwrap_or_default();
    let status = if env::var("BROKEN").is_ok_and(|broken| broken == "yes") {
        "503 Service Unavailable"
    } else {
        "200 OK"
    };
    let listener = match TcpListener::bind(("0.0.0.0", 8080)) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("port 8080: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{version} listens");
    for stream in listener.incoming().flatten() {
        let _ = answer(stream, status, &version);
    }
    ExitCode::SUCCESS
}

fn answer(mut stream: TcpStream, status: &str, version: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let length = version.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{version}"
    )
}

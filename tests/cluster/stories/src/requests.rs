//! Users of the application: one request after another, as long as the story wants.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::place::Place;
use crate::process::{Failure, ensure, until};

/// A user who never stops asking.
pub struct Requests {
    stop: Arc<AtomicBool>,
    user: Option<JoinHandle<Seen>>,
}

/// What the user saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests that were answered well.
    pub answered: usize,
    /// Those that were not, and why.
    pub failed: Vec<String>,
    /// Versions that answered.
    pub versions: BTreeSet<String>,
}

/// One request to the service of the application.
///
/// # Errors
/// It is not answered, or not well.
pub fn request(address: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| error.to_string();
    let socket = address
        .parse()
        .map_err(|_| format!("{address} is no address"))?;
    let mut stream =
        TcpStream::connect_timeout(&socket, Duration::from_secs(20)).map_err(failed)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .map_err(failed)?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: my-app\r\n\r\n")
        .map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("answered {answer:?}"))?;
    ensure(head.starts_with("HTTP/1.1 200"), || {
        format!("answered {head:?}")
    })?;
    Ok(body.to_owned())
}

/// Address of the application's service. The node's own processes reach it as pods do.
///
/// # Errors
/// There is no such service.
pub fn address(place: &Place) -> Result<String, Failure> {
    let ip = place.ask(&[
        "get",
        "service",
        "my-app",
        "--output",
        "jsonpath={.spec.clusterIP}",
    ])?;
    Ok(format!("{ip}:80"))
}

/// Waits until this version answers: after a rollout, the network takes a moment to forget the old pods.
///
/// # Errors
/// It does not.
pub fn serves(place: &Place, version: &str) -> Result<(), Failure> {
    let address = address(place)?;
    until(&format!("an answer of {version}"), || {
        let answer = request(&address)?;
        ensure(answer == version, || format!("{answer} answers"))?;
        Ok(Some(()))
    })
}

impl Requests {
    /// A user begins, with a version that serves.
    ///
    /// # Errors
    /// The application does not serve.
    pub fn start(place: &Place, version: &str) -> Result<Self, Failure> {
        serves(place, version)?;
        let address = address(place)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let user = thread::spawn(move || {
            let mut seen = Seen::default();
            while !stopped.load(Ordering::Relaxed) {
                match request(&address) {
                    Ok(version) => {
                        seen.answered += 1;
                        seen.versions.insert(version);
                    }
                    Err(error) => seen.failed.push(error),
                }
                thread::sleep(Duration::from_millis(30));
            }
            seen
        });
        Ok(Self {
            stop,
            user: Some(user),
        })
    }

    /// The user goes, content: every request was answered, and by this version.
    ///
    /// # Errors
    /// A request failed, or another version answered.
    pub fn end_with(mut self, version: &str) -> Result<(), Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self
            .user
            .take()
            .and_then(|user| user.join().ok())
            .unwrap_or_default();
        let content =
            seen.failed.is_empty() && seen.answered > 0 && seen.versions.iter().eq([version]);
        ensure(content, || {
            format!("requests must be answered by {version} only: {seen:?}")
        })
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

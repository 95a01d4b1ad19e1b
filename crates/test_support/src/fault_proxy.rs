//! A TCP proxy on loopback that breaks connections on purpose.
//!
//! It understands no protocol: bytes and patterns of bytes only. A fault is armed once and fires once,
//! so that the connections made afterwards work.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use crate::loopback_port;

/// A direction of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server sends.
    ToClient,
}

/// On which side of the matching bytes a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// They are not forwarded: the other side never sees the end of the pattern.
    Before,
    /// They are forwarded, and whatever comes back is not.
    After,
}

/// A proxy between clients and one server. Dropping it cuts everything.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    port: u16,
    target: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    refusing: bool,
    listening: bool,
    paused: bool,
    delay: Duration,
    to_server: Option<Fault>,
    to_client: Option<Fault>,
    open: HashMap<u64, Connection>,
    accepted: u64,
    cuts: u64,
}

#[derive(Debug)]
enum Fault {
    AfterBytes(usize),
    Pattern { bytes: Vec<u8>, when: When },
}

#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: TcpStream,
    ended_directions: u8,
}

impl Connection {
    fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

impl FaultProxy {
    /// Starts a proxy in front of 127.0.0.1:`target`.
    #[must_use]
    pub fn start(target: u16) -> Self {
        let (port, listener) = loop {
            let port = loopback_port::free();
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                break (port, listener);
            }
        };
        let shared = Arc::new(Shared {
            port,
            target,
            state: Mutex::new(State {
                listening: true,
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let acceptor = {
            let shared = Arc::clone(&shared);
            spawn(move || accept(&shared, listener))
        };
        Self {
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// The port on 127.0.0.1 that clients connect to. It stays the same.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Cuts all open connections now.
    pub fn cut_now(&self) {
        let mut state = self.shared.lock();
        for connection in state.open.values() {
            connection.cut();
        }
        state.cuts += state.open.len() as u64;
        state.open.clear();
        self.shared.changed.notify_all();
    }

    /// Lets `count` more bytes pass in `direction`, counted over all connections, and cuts the connection
    /// that would carry the next one.
    pub fn cut_after_bytes(&self, direction: Direction, count: usize) {
        self.shared.arm(direction, Some(Fault::AfterBytes(count)));
    }

    /// Cuts the connection on which `pattern` is seen next in `direction`. Bytes that arrive together with
    /// the pattern share its fate.
    pub fn cut_when(&self, direction: Direction, pattern: &[u8], when: When) {
        assert!(!pattern.is_empty(), "a pattern has at least one byte");
        let bytes = pattern.to_vec();
        self.shared
            .arm(direction, Some(Fault::Pattern { bytes, when }));
    }

    /// Disarms what [`cut_after_bytes`](Self::cut_after_bytes) and [`cut_when`](Self::cut_when) set up.
    pub fn disarm(&self) {
        self.shared.arm(Direction::ToServer, None);
        self.shared.arm(Direction::ToClient, None);
    }

    /// Swallows nothing and delivers nothing: connections stay open (new ones are accepted), bytes wait.
    pub fn pause(&self) {
        self.shared.lock().paused = true;
    }

    /// Ends [`pause`](Self::pause): what waited is delivered.
    pub fn resume(&self) {
        self.shared.lock().paused = false;
        self.shared.changed.notify_all();
    }

    /// Delivers every piece of data this much later, in both directions.
    pub fn delay(&self, delay: Duration) {
        self.shared.lock().delay = delay;
    }

    /// With `true`, new connections are refused by the kernel (nothing listens); open ones stay. With
    /// `false` they are accepted again. Returns when it is so.
    pub fn refuse(&self, refuse: bool) {
        self.shared.lock().refusing = refuse;
        self.shared.changed.notify_all();
        if refuse {
            self.shared.wake_acceptor();
        }
        let mut state = self.shared.lock();
        while state.listening == refuse {
            state = self.shared.wait(state);
        }
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections_accepted(&self) -> u64 {
        self.shared.lock().accepted
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections_open(&self) -> usize {
        self.shared.lock().open.len()
    }

    /// How many connections were cut so far.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.shared.lock().cuts
    }

    /// Waits until `count` connections were cut in all.
    ///
    /// # Panics
    /// When that has not happened after `patience`.
    pub fn wait_for_cuts(&self, count: u64, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.cuts() < count {
            assert!(
                Instant::now() < deadline,
                "after {patience:?} only {} of {count} connections were cut",
                self.cuts()
            );
            sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.stopping = true;
            state.paused = false;
        }
        self.cut_now();
        self.shared.wake_acceptor();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        // One that was accepted in between.
        self.cut_now();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn arm(&self, direction: Direction, fault: Option<Fault>) {
        *self.lock().fault(direction) = fault;
    }

    /// The acceptor looks at the state only when a connection arrives.
    fn wake_acceptor(&self) {
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }

    fn cut(&self, id: u64) {
        let mut state = self.lock();
        if let Some(connection) = state.open.remove(&id) {
            connection.cut();
            state.cuts += 1;
            self.changed.notify_all();
        }
    }

    fn direction_ended(&self, id: u64) {
        let mut state = self.lock();
        if let Some(connection) = state.open.get_mut(&id) {
            connection.ended_directions += 1;
            if connection.ended_directions == 2 {
                state.open.remove(&id);
            }
        }
    }
}

impl State {
    fn fault(&mut self, direction: Direction) -> &mut Option<Fault> {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// How many of the bytes that came last in `seen` are to be forwarded, and whether the connection is
    /// cut. `seen` begins with bytes that are forwarded already: a pattern may span two pieces.
    fn judge(&mut self, direction: Direction, seen: &[u8], new: usize) -> (usize, bool) {
        let fault = self.fault(direction);
        let verdict = match fault {
            Some(Fault::AfterBytes(left)) if *left < new => Some(*left),
            Some(Fault::AfterBytes(left)) => {
                *left -= new;
                None
            }
            Some(Fault::Pattern { bytes, when }) => seen
                .windows(bytes.len())
                .any(|window| window == bytes.as_slice())
                .then_some(if *when == When::After { new } else { 0 }),
            None => None,
        };
        if verdict.is_some() {
            *fault = None;
        }
        (verdict.unwrap_or(new), verdict.is_some())
    }
}

fn accept(shared: &Arc<Shared>, mut listener: TcpListener) {
    loop {
        let accepted = listener.accept();
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        if state.refusing {
            drop(listener);
            drop(accepted);
            state.listening = false;
            shared.changed.notify_all();
            while state.refusing && !state.stopping {
                state = shared.wait(state);
            }
            if state.stopping {
                return;
            }
            listener = TcpListener::bind((Ipv4Addr::LOCALHOST, shared.port))
                .expect("the port is still free");
            state.listening = true;
            shared.changed.notify_all();
            continue;
        }
        drop(state);
        if let Ok((client, _)) = accepted {
            // A server that is down shows as a connection that ends at once.
            let _ = connect(shared, client);
        }
    }
}

fn connect(shared: &Arc<Shared>, client: TcpStream) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.target))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let connection = Connection {
        client: client.try_clone()?,
        server: server.try_clone()?,
        ended_directions: 0,
    };
    let (client_reader, server_reader) = (client.try_clone()?, server.try_clone()?);
    let id = {
        let mut state = shared.lock();
        state.accepted += 1;
        let id = state.accepted;
        state.open.insert(id, connection);
        id
    };
    let upstream = Arc::clone(shared);
    spawn(move || forward(&upstream, id, Direction::ToServer, client_reader, server));
    let downstream = Arc::clone(shared);
    spawn(move || forward(&downstream, id, Direction::ToClient, server_reader, client));
    Ok(())
}

fn forward(shared: &Shared, id: u64, direction: Direction, mut from: TcpStream, mut to: TcpStream) {
    const LONGEST_PATTERN: usize = 1024;
    let mut piece = [0; 16 * 1024];
    let mut seen: Vec<u8> = Vec::new();
    while let Ok(length) = from.read(&mut piece) {
        if length == 0 {
            break;
        }
        seen.extend_from_slice(&piece[..length]);
        let delay = shared.lock().delay;
        if !delay.is_zero() {
            sleep(delay);
        }
        let (count, cut) = {
            let mut state = shared.lock();
            while state.paused && state.open.contains_key(&id) {
                state = shared.wait(state);
            }
            if !state.open.contains_key(&id) {
                break;
            }
            let (count, cut) = state.judge(direction, &seen, length);
            if cut {
                // First, so that no answer to what is still forwarded gets back.
                let _ = from.shutdown(Shutdown::Both);
            }
            (count, cut)
        };
        let written = to.write_all(&piece[..count]);
        if cut {
            shared.cut(id);
            return;
        }
        if written.is_err() {
            break;
        }
        seen.drain(..seen.len().saturating_sub(LONGEST_PATTERN));
    }
    let _ = to.shutdown(Shutdown::Write);
    shared.direction_ended(id);
}

//! The fault proxy, in front of a server that sends back what it gets.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::{Duration, Instant};

use forerun_test_support::{Direction, FaultProxy, When};

const SOON: Duration = Duration::from_secs(5);

/// A server that echoes, and the bytes that it has received.
fn echo_server() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&received);
    spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let received = Arc::clone(&all);
            spawn(move || {
                let mut piece = [0; 1024];
                while let Ok(length @ 1..) = stream.read(&mut piece) {
                    received.lock().unwrap().extend_from_slice(&piece[..length]);
                    if stream.write_all(&piece[..length]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, received)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

fn echo(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).unwrap();
    String::from_utf8(back).unwrap()
}

/// Everything that still arrives until the connection ends.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8(bytes).unwrap()
}

fn wait_for(received: &Mutex<Vec<u8>>, expected: &str) {
    let deadline = Instant::now() + SOON;
    while *received.lock().unwrap() != expected.as_bytes() {
        assert!(
            Instant::now() < deadline,
            "{:?}",
            String::from_utf8_lossy(&received.lock().unwrap())
        );
        std::thread::yield_now();
    }
}

#[test]
fn forwards_both_ways_and_closes_both_ends() {
    let (port, _) = echo_server();
    let proxy = FaultProxy::start(port);
    let mut stream = connect(&proxy);
    assert_eq!(echo(&mut stream, "hello"), "hello");
    assert_eq!(
        (proxy.connections_accepted(), proxy.connections_open()),
        (1, 1)
    );
    drop(stream);
    let deadline = Instant::now() + SOON;
    while proxy.connections_open() > 0 {
        assert!(
            Instant::now() < deadline,
            "a closed connection stays open in the proxy"
        );
    }
    assert_eq!(proxy.cuts(), 0);
}

#[test]
fn cut_now_ends_open_connections_and_leaves_new_ones_alone() {
    let (port, _) = echo_server();
    let proxy = FaultProxy::start(port);
    let (mut one, mut two) = (connect(&proxy), connect(&proxy));
    echo(&mut one, "x");
    echo(&mut two, "x");
    proxy.cut_now();
    assert_eq!(rest(&mut one) + &rest(&mut two), "");
    assert_eq!(proxy.cuts(), 2);
    assert_eq!(echo(&mut connect(&proxy), "again"), "again");
}

#[test]
fn cut_after_bytes_lets_exactly_that_many_pass() {
    let (port, received) = echo_server();
    let proxy = FaultProxy::start(port);
    let mut stream = connect(&proxy);
    proxy.cut_after_bytes(Direction::ToServer, 6);
    assert_eq!(echo(&mut stream, "1234"), "1234");
    stream.write_all(b"5678").unwrap();
    assert_eq!(rest(&mut stream), "");
    wait_for(&received, "123456");

    let mut stream = connect(&proxy);
    proxy.cut_after_bytes(Direction::ToClient, 3);
    stream.write_all(b"abcdef").unwrap();
    assert_eq!(rest(&mut stream), "abc");
    assert_eq!(proxy.cuts(), 2);
}

#[test]
fn cut_when_stops_before_or_after_a_pattern_that_arrives_in_two_pieces() {
    for (when, expected) in [(When::Before, "one COM"), (When::After, "one COMMIT")] {
        let (port, received) = echo_server();
        let proxy = FaultProxy::start(port);
        let mut stream = connect(&proxy);
        proxy.cut_when(Direction::ToServer, b"COMMIT", when);
        assert_eq!(echo(&mut stream, "one COM"), "one COM");
        stream.write_all(b"MIT").unwrap();
        assert_eq!(rest(&mut stream), "", "{when:?}: nothing comes back");
        proxy.wait_for_cuts(1, SOON);
        wait_for(&received, expected);
        assert_eq!(
            echo(&mut connect(&proxy), "COMMIT"),
            "COMMIT",
            "{when:?}: it fires once"
        );
    }
}

#[test]
fn pause_holds_bytes_back_and_resume_delivers_them() {
    let (port, received) = echo_server();
    let proxy = FaultProxy::start(port);
    let mut stream = connect(&proxy);
    echo(&mut stream, "a");
    proxy.pause();
    stream.write_all(b"b").unwrap();
    let mut late = connect(&proxy);
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
    assert_eq!(*received.lock().unwrap(), b"a");
    proxy.resume();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(echo(&mut late, "c"), "c");
}

#[test]
fn paused_connection_can_be_cut() {
    let (port, received) = echo_server();
    let proxy = FaultProxy::start(port);
    let mut stream = connect(&proxy);
    echo(&mut stream, "a");
    proxy.pause();
    stream.write_all(b"b").unwrap();
    proxy.cut_now();
    assert_eq!(rest(&mut stream), "");
    proxy.resume();
    assert_eq!(echo(&mut connect(&proxy), "c"), "c");
    assert_eq!(*received.lock().unwrap(), b"ac");
}

#[test]
fn refuse_closes_the_port_and_keeps_open_connections() {
    let (port, _) = echo_server();
    let proxy = FaultProxy::start(port);
    let mut open = connect(&proxy);
    echo(&mut open, "x");
    for _ in 0..3 {
        proxy.refuse(true);
        let error = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(echo(&mut open, "still"), "still");
        proxy.refuse(false);
        assert_eq!(echo(&mut connect(&proxy), "back"), "back");
    }
    proxy.refuse(true);
    drop(proxy);
    assert_eq!(rest(&mut open), "");
}

#[test]
fn delay_is_added_in_both_directions() {
    let (port, _) = echo_server();
    let proxy = FaultProxy::start(port);
    let mut stream = connect(&proxy);
    proxy.delay(Duration::from_millis(60));
    let start = Instant::now();
    echo(&mut stream, "x");
    assert!(
        start.elapsed() >= Duration::from_millis(120),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn server_that_is_down_shows_as_an_end_of_connection() {
    let (port, proxy) = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (port, FaultProxy::start(port))
    };
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert_eq!(rest(&mut connect(&proxy)), "");
}

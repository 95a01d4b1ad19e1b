//! Free loopback ports that stay ours over a restart.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which Linux takes the ports of outgoing connections (32768–60999): a port from
/// that range could be taken by any client while a server restarts.
const FIRST: u32 = 11_000;
const COUNT: u32 = 21_000;

/// A port on 127.0.0.1 that nothing listens on and that this process has not handed out yet.
pub(crate) fn free() -> u16 {
    // Test processes that run at the same time start at different places.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(977);
    for _ in 0..COUNT {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + offset).expect("the range ends below 65536");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!(
        "no free loopback port between {FIRST} and {}",
        FIRST + COUNT
    );
}

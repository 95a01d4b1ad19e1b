//! Cancel requests (protocol manual, "Canceling Requests in Progress").
//!
//! Not the driver's own: it closes its connection as soon as the request is written, and PgBouncer forgets a request
//! whose sender is gone before it was passed on. Like libpq, this one waits until the other side has closed.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use forerun_migrations::database::{Canceller, DatabaseError, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::CancelToken;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error;

/// Longest time for one request, from connecting to the answer (which is the end of the connection).
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for TLS (protocol manual, SSLRequest): length 8, code 80877103.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Where a connection went and how, to go there again.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) address: Address,
    pub(super) mode: SslMode,
    /// TLS from the first byte (`sslnegotiation=direct`).
    pub(super) direct_tls: bool,
    pub(super) tls: MakeRustlsConnect,
}

/// Address of a server.
#[derive(Clone)]
pub(super) enum Address {
    /// With the host name that its certificate is for.
    Tcp(SocketAddr, String),
    Unix(PathBuf),
}

/// The message that cancels what a connection executes: length, code, process id, secret; four bytes each.
#[derive(Clone, Copy)]
pub(super) struct CancelRequest([u8; 16]);

impl CancelRequest {
    /// The driver shows it nowhere, so it is asked to send it, into memory.
    pub(super) async fn of(token: &CancelToken) -> Option<Self> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        // The answer to a request for TLS, if the driver makes one: yes, and then nothing is encrypted.
        theirs.write_all(b"S").await.ok()?;
        token.cancel_query_raw(ours, InMemory).await.ok()?;
        let mut sent = Vec::new();
        theirs.read_to_end(&mut sent).await.ok()?;
        sent.last_chunk::<16>().map(|request| Self(*request))
    }

    /// The process id that was announced at startup (`BackendKeyData`).
    pub(super) fn process_id(self) -> i32 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = self.0;
        i32::from_be_bytes([a, b, c, d])
    }
}

/// Cancels over connections of its own.
pub(super) struct PostgresCanceller {
    pub(super) endpoint: Endpoint,
    pub(super) request: CancelRequest,
    /// Told before the request is sent, so that the error it causes is recognised in any language.
    pub(super) cancelled: Arc<AtomicBool>,
}

#[async_trait]
impl Canceller for PostgresCanceller {
    async fn cancel(&self) -> Result<(), DatabaseError> {
        self.cancelled.store(true, Ordering::Release);
        match tokio::time::timeout(PATIENCE, self.send()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error::from_socket(
                &error,
                "the server to cancel the statement",
            )),
            Err(_) => Err(DatabaseError::new(
                ErrorKind::Unreachable,
                "the server does not answer to the request to cancel the statement",
            )),
        }
    }
}

impl PostgresCanceller {
    async fn send(&self) -> io::Result<()> {
        match &self.endpoint.address {
            Address::Unix(path) => self.finish(UnixStream::connect(path).await?).await,
            Address::Tcp(address, host) => {
                let mut stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                if !self.encrypted(&mut stream).await? {
                    return self.finish(stream).await;
                }
                let mut tls = self.endpoint.tls.clone();
                let connect = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, host)
                    .map_err(io::Error::other)?;
                self.finish(connect.connect(stream).await?).await
            }
        }
    }

    /// Settles with the server whether to use TLS.
    async fn encrypted(&self, stream: &mut TcpStream) -> io::Result<bool> {
        if self.endpoint.mode == SslMode::Disable || self.endpoint.direct_tls {
            return Ok(self.endpoint.direct_tls);
        }
        stream.write_all(&TLS_REQUEST).await?;
        if stream.read_u8().await? == b'S' {
            return Ok(true);
        }
        if self.endpoint.mode == SslMode::Prefer {
            return Ok(false);
        }
        Err(io::Error::other("the server does not offer TLS any more"))
    }

    async fn finish(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        stream.write_all(&self.request.0).await?;
        stream.flush().await?;
        // The server closes without a word, and may do it rudely.
        let mut rest = [0; 16];
        while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
        Ok(())
    }
}

/// "TLS" for a stream that never leaves this process.
struct InMemory;

struct Plain(DuplexStream);

impl TlsConnect<DuplexStream> for InMemory {
    type Stream = Plain;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = std::future::Ready<Result<Plain, Self::Error>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        std::future::ready(Ok(Plain(stream)))
    }
}

impl TlsStream for Plain {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Plain {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Plain {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

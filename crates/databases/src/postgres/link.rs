//! One connection: sends text, collects notices, remembers why the connection ended.
//!
//! Only simple queries: they work behind every pooler and cost one round trip each. Knows nothing of migrations.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forerun_migrations::database::{Canceller, DatabaseError, ErrorKind, Notice};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{AsyncMessage, Client, Connection, SimpleQueryMessage, SimpleQueryRow};

use super::cancel::{CancelRequest, Endpoint, PostgresCanceller};
use super::error;

/// Notices kept of one statement; a loop with `RAISE NOTICE` must not fill the memory.
const NOTICES_KEPT: usize = 1000;

/// Longest time to wait for the task of a closed connection to say why.
const REASON_WAIT: Duration = Duration::from_millis(200);

/// An open connection.
pub(super) struct Link {
    pub(super) client: Client,
    shared: Arc<Shared>,
    endpoint: Endpoint,
    cancel_request: CancelRequest,
    /// A cancel request was sent for what runs.
    cancelled: Arc<AtomicBool>,
    task: tokio::task::AbortHandle,
}

/// What the task that drives the connection tells.
#[derive(Default)]
struct Shared {
    notices: Mutex<Notices>,
    ended: Mutex<Option<DatabaseError>>,
}

#[derive(Default)]
struct Notices {
    kept: Vec<Notice>,
    dropped: usize,
}

impl Link {
    /// Starts to drive the connection in a task of its own, so that notices arrive while a statement runs.
    pub(super) async fn new<S, T>(
        client: Client,
        mut connection: Connection<S, T>,
        endpoint: Endpoint,
    ) -> Result<Self, DatabaseError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsStream + Unpin + Send + 'static,
    {
        let cancel_request = CancelRequest::of(&client.cancel_token())
            .await
            .ok_or_else(|| {
                DatabaseError::new(
                    ErrorKind::Unexpected,
                    "the server sent no key to cancel statements with",
                )
            })?;
        let shared = Arc::new(Shared::default());
        let told = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let reason = loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notice(notice))) => told.add(Notice {
                        severity: notice.severity().to_owned(),
                        message: notice.message().to_owned(),
                    }),
                    Some(Ok(_)) => {}
                    Some(Err(reason)) => break lost(error::from_driver(&reason, None)),
                    None => {
                        break DatabaseError::new(
                            ErrorKind::ConnectionLost,
                            "the connection is closed",
                        );
                    }
                }
            };
            // Before the connection is dropped: that is what wakes those who wait for an answer.
            *lock(&told.ended) = Some(reason);
        });
        Ok(Self {
            client,
            shared,
            endpoint,
            cancel_request,
            cancelled: Arc::default(),
            task: task.abort_handle(),
        })
    }

    /// Runs statements of our own and returns the rows of all of them.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<SimpleQueryRow>, DatabaseError> {
        match self.client.simple_query(sql).await {
            Ok(messages) => Ok(messages
                .into_iter()
                .filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                })
                .collect()),
            Err(error) => Err(self.error(&error, None).await),
        }
    }

    /// Runs statements of our own.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), DatabaseError> {
        match self.client.batch_execute(sql).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.error(&error, None).await),
        }
    }

    /// Whether it is known that nothing can be sent any more.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Ends a connection whose protocol state is not known any more.
    pub(super) fn abandon(&self, reason: DatabaseError) {
        *lock(&self.shared.ended) = Some(reason);
        self.task.abort();
    }

    /// Forgets notices and a cancellation that belong to what ran before.
    pub(super) fn start_statement(&self) {
        *lock(&self.shared.notices) = Notices::default();
        self.cancelled.store(false, Ordering::Release);
    }

    /// Notices since [`Self::start_statement`].
    pub(super) fn take_notices(&self) -> Vec<Notice> {
        let notices = std::mem::take(&mut *lock(&self.shared.notices));
        let mut kept = notices.kept;
        if notices.dropped > 0 {
            kept.push(Notice {
                severity: "NOTICE".to_owned(),
                message: format!("… and {} more notices", notices.dropped),
            });
        }
        kept
    }

    /// The error in our terms. Says why a connection ended when its task knows better than the request.
    pub(super) async fn error(
        &self,
        error: &tokio_postgres::Error,
        sql: Option<&str>,
    ) -> DatabaseError {
        let mut mapped = error::from_driver(error, sql);
        if error.as_db_error().is_none() && mapped.kind == ErrorKind::ConnectionLost {
            mapped = self.reason().await.unwrap_or(mapped);
        }
        // The text of 57014 is translated on some servers; our own request needs no text.
        let stopped = matches!(
            mapped.kind,
            ErrorKind::Cancelled | ErrorKind::StatementTimeout
        );
        if stopped && self.cancelled.load(Ordering::Acquire) {
            mapped.kind = ErrorKind::Cancelled;
        }
        mapped
    }

    /// Stops what runs, from another task.
    pub(super) fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(PostgresCanceller {
            endpoint: self.endpoint.clone(),
            request: self.cancel_request,
            cancelled: Arc::clone(&self.cancelled),
        })
    }

    /// The process id that the other side announced at startup.
    pub(super) fn announced_process_id(&self) -> i32 {
        self.cancel_request.process_id()
    }

    async fn reason(&self) -> Option<DatabaseError> {
        let deadline = tokio::time::Instant::now() + REASON_WAIT;
        loop {
            let known = lock(&self.shared.ended).clone();
            if known.is_some() || tokio::time::Instant::now() >= deadline {
                return known;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Shared {
    fn add(&self, notice: Notice) {
        let mut notices = lock(&self.notices);
        if notices.kept.len() < NOTICES_KEPT {
            notices.kept.push(notice);
        } else {
            notices.dropped += 1;
        }
    }
}

/// Whatever ended the connection, it is lost.
fn lost(mut error: DatabaseError) -> DatabaseError {
    error.kind = ErrorKind::ConnectionLost;
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

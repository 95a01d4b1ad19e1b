//! Stops what a session is executing.

use async_trait::async_trait;
use forerun_migrations::database::{Canceller, DatabaseError};

use super::connect;
use super::error;
use crate::connection_url::MysqlOptions;

/// Sends `KILL QUERY` over a connection of its own, with the same account: an account may end what is its
/// own without further privileges.
pub(super) struct KillQuery {
    options: MysqlOptions,
    id: u64,
}

impl KillQuery {
    /// For the session with this connection id.
    pub(super) fn new(options: MysqlOptions, id: u64) -> Self {
        Self { options, id }
    }
}

#[async_trait]
impl Canceller for KillQuery {
    async fn cancel(&self) -> Result<(), DatabaseError> {
        let (mut connection, _) = connect::open(&self.options, false).await?;
        let result = connection.execute(&format!("KILL QUERY {}", self.id)).await;
        connection.close().await;
        match result {
            Err(error) if error::number(&error) == Some(error::NO_SUCH_SESSION) => Ok(()),
            result => result,
        }
    }
}

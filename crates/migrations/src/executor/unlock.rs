//! `migrate unlock`: who holds the lock, and ending a dead one.

use serde::Serialize;

use super::Runner;
use crate::database::Holder;
use crate::error::{Refusal, RunError};
use crate::history::AuditEntry;

/// The runner lock, as seen from outside.
#[derive(Debug, Serialize)]
pub struct LockState {
    /// Who holds it; `None` when it is free.
    pub holder: Option<Holder>,
    /// Whether the holder was ended now.
    pub released: bool,
}

impl Runner {
    /// Shows who holds the lock; with `force` ends a holder that is dead: its session is gone, or its lease has
    /// expired. With `even_alive` also one that is not.
    ///
    /// # Errors
    /// [`Refusal::HolderAlive`] when the holder is alive and `even_alive` was not given.
    pub async fn unlock(&self, force: bool, even_alive: bool) -> Result<LockState, RunError> {
        let reading = |error| RunError::Database {
            doing: "reading the runner lock",
            error,
        };
        let mut session = self.connect().await?;
        let Some(holder) = session.holder().await.map_err(reading)? else {
            return Ok(LockState {
                holder: None,
                released: false,
            });
        };
        if !force {
            return Ok(LockState {
                holder: Some(holder),
                released: false,
            });
        }
        let dead = holder.alive == Some(false) || holder.expires_in_seconds < 0;
        if !dead && !even_alive {
            return Err(Refusal::HolderAlive(Box::new(holder)).into());
        }
        let ending = |error| RunError::Database {
            doing: "ending the holder of the runner lock",
            error,
        };
        session.evict(&holder).await.map_err(ending)?;
        let entry = AuditEntry {
            event: "lock.forced",
            version: None,
            statement: None,
            attempt: None,
            message: format!("ended the holder of the runner lock: {holder}"),
            detail: serde_json::json!({ "holder": holder, "was_alive": !dead }),
        };
        session.audit(&[entry]).await.map_err(ending)?;
        Ok(LockState {
            holder: Some(holder),
            released: true,
        })
    }
}

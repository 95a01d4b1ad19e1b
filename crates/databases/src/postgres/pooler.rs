//! Whether a pooler that shares server sessions between clients sits in between.
//!
//! A pooler announces a process id of its own at startup (it needs it to route cancel requests), so the announced
//! id equals `pg_backend_pid()` exactly when nothing is in between. That costs no round trip. Only when they differ
//! is it tried out whether sessions are shared (transaction mode) or kept (session mode).

use std::time::Duration;

use forerun_migrations::database::DatabaseError;
use futures_util::future::try_join_all;

use super::link::Link;
use super::row::Row;

/// Rounds of the trial; other clients of the pool can spoil some of them.
const ROUNDS: usize = 5;
/// Transactions of the second client per round: more than the default pool size (20), so that a pool that hands out
/// its sessions in turn comes round to ours.
const BURST: usize = 24;
/// Longest wait for the second client; a full pool makes it wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the pooler gives the server session of `link` (which is in no transaction) to others as well.
/// `second` opens another connection the same way. When it cannot be found out, the answer is yes: that costs
/// session settings, while a wrong no would leave a lock behind in the pool.
pub(super) async fn shares_sessions(
    link: &Link,
    process_id: i32,
    second: impl Future<Output = Result<Link, DatabaseError>>,
) -> bool {
    tokio::time::timeout(PATIENCE, trial(link, process_id, second))
        .await
        .map_or(true, |shared| shared.unwrap_or(true))
}

async fn trial(
    link: &Link,
    process_id: i32,
    second: impl Future<Output = Result<Link, DatabaseError>>,
) -> Result<bool, DatabaseError> {
    let second = second.await?;
    for _ in 0..ROUNDS {
        if process_ids(link, 4)
            .await?
            .iter()
            .any(|&seen| seen != process_id)
        {
            return Ok(true);
        }
        // A pool that hands out the session used last gives ours to the other client now.
        if process_ids(&second, BURST).await?.contains(&process_id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The server sessions that `count` transactions run in, sent at once.
async fn process_ids(link: &Link, count: usize) -> Result<Vec<i32>, DatabaseError> {
    let answers = try_join_all((0..count).map(|_| link.rows("SELECT pg_backend_pid()"))).await?;
    answers
        .iter()
        .map(|rows| Ok(i32::try_from(Row::only(rows)?.number(0)?).unwrap_or_default()))
        .collect()
}

//! What tracing asks of a driver.

use async_trait::async_trait;
use forerun_sql::effect::Effect;
use forerun_sql::operation::Operations;

use crate::database::{DatabaseError, Session};

/// A session on a scratch database that sees what the server does for a statement.
#[async_trait]
pub trait Observer: Send {
    /// The session that executes.
    fn session(&mut self) -> &mut dyn Session;
    /// Which database this is. Only reads.
    async fn place(&mut self) -> Result<Place, DatabaseError>;
    /// What is in the database, by name: nothing, if it can be used. Only reads.
    async fn contents(&mut self) -> Result<Vec<String>, DatabaseError>;
    /// What is there now is what the observed statements find: effects on tables that are made later are not told.
    async fn begin(&mut self) -> Result<(), DatabaseError>;
    /// Runs one statement and says what the server did. `in_transaction`: one is open.
    async fn observe(
        &mut self,
        sql: &str,
        operations: &Operations,
        in_transaction: bool,
    ) -> Result<Observation, DatabaseError>;
    /// Removes everything that was made since [`Observer::contents`] found the database empty, and closes the session.
    /// Does nothing to a database that was not seen empty.
    async fn clear(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// Which database a session is connected to, by the server's own words: the same however it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The server.
    pub server: String,
    /// The database on it.
    pub database: String,
}

/// What the server did for one statement.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// What happened to each table; `None` where nobody could look.
    pub effects: Option<Vec<Effect>>,
    /// Locks of earlier statements of the same transaction that others wait for, should this one take long.
    pub held: Vec<Effect>,
    /// Such locks of tables on which no stronger one was seen coming: which one this statement takes itself cannot be seen.
    /// Each with the work that was seen.
    pub hiding: Vec<Effect>,
    /// More about it.
    pub note: Option<String>,
}

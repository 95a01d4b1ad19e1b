//! A statement for migrations that does not end until the test says so.
//!
//! PostgreSQL looks into a table again and again; MariaDB waits for a user lock that a session of the test holds.
//! SQLite has neither: see [`Gate::endless`].

use forerun_test_support::ClientSession;

use super::target::{Product, Target};

/// A closed gate in one database.
pub struct Gate<'target, 'server> {
    target: &'target Target<'server>,
    holder: Option<ClientSession>,
}

impl<'target, 'server> Gate<'target, 'server> {
    /// Closes it.
    ///
    /// # Panics
    /// For SQLite.
    pub fn closed(target: &'target Target<'server>) -> Self {
        let mut gate = Self {
            target,
            holder: None,
        };
        gate.close();
        gate
    }

    /// Closes it again.
    pub fn close(&mut self) {
        match self.target.product {
            Product::Sqlite => panic!("SQLite has no gate"),
            Product::Postgres => {
                self.target.query(
                    "CREATE SCHEMA IF NOT EXISTS test_gate; \
                     CREATE TABLE IF NOT EXISTS test_gate.opened (at timestamptz); \
                     DELETE FROM test_gate.opened",
                );
            }
            Product::Mariadb => {
                let mut session = self.target.session();
                let taken = session.run(&format!("SELECT GET_LOCK('{}', 60);", self.name()));
                assert_eq!(taken, "1", "the gate can be closed");
                self.holder = Some(session);
            }
        }
    }

    fn name(&self) -> String {
        format!("gate {}", self.target.database().name)
    }

    /// The statements that stand still while it is closed.
    pub fn sql(&self) -> String {
        match self.target.product {
            Product::Mariadb => {
                let name = self.name();
                format!("SELECT GET_LOCK('{name}', 3600);\nDO RELEASE_LOCK('{name}');\n")
            }
            _ => "DO $$ BEGIN\n  WHILE NOT EXISTS (SELECT FROM test_gate.opened) LOOP\n    \
                  PERFORM pg_sleep(0.02);\n  END LOOP;\nEND $$;\n"
                .to_owned(),
        }
    }

    /// Counts sessions that stand before it.
    fn waiting(&self) -> &'static str {
        match self.target.product {
            Product::Mariadb => {
                "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
                 AND state = 'User lock' AND info LIKE 'SELECT GET_LOCK(''gate %'"
            }
            _ => {
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND pid <> pg_backend_pid() AND state = 'active' \
                 AND query LIKE '%DO $$ BEGIN%test_gate.opened%'"
            }
        }
    }

    /// Waits until a run stands before it.
    pub fn wait_until_reached(&self) {
        self.target.wait_until(self.waiting(), "1");
    }

    /// Waits until nobody stands before it.
    pub fn wait_until_left(&self) {
        self.target.wait_until(self.waiting(), "0");
    }

    /// Opens it.
    pub fn open(&mut self) {
        match self.target.product {
            Product::Mariadb => self.holder = None,
            _ => {
                self.target
                    .query("INSERT INTO test_gate.opened VALUES (now())");
            }
        }
    }

    /// A statement for SQLite that runs for `steps` rounds of about 0.2 microseconds (optimised), which the test
    /// can shorten by a smaller number in the table `work`.
    pub fn endless() -> String {
        "INSERT INTO ledger (entry)\n\
         WITH RECURSIVE step (number) AS (\n  \
           SELECT 1 UNION ALL SELECT number + 1 FROM step WHERE number < (SELECT steps FROM work)\n\
         ) SELECT max(number) * 0 + 700 FROM step;\n"
            .to_owned()
    }
}

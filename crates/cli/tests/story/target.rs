//! One database of one product, asked in the same words whichever it is.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use forerun_test_support::{
    ClientSession, MariadbServer, PostgresServer, SqliteFile, TestDatabase,
};
use tempfile::TempDir;

use super::PATIENCE;

/// The three products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    Mariadb,
}

/// An empty database.
pub struct Target<'server> {
    /// Whose.
    pub product: Product,
    place: Place<'server>,
}

enum Place<'server> {
    File(SqliteFile, TempDir),
    Server(TestDatabase<'server>),
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.product)
    }
}

impl Target<'static> {
    /// A new database of the PostgreSQL server that the tests of this process share.
    pub fn postgres() -> Option<Self> {
        Some(Self::on_postgres(PostgresServer::shared()?))
    }

    /// A new database of the MariaDB server that the tests of this process share.
    pub fn mariadb() -> Option<Self> {
        Some(Self::on_mariadb(MariadbServer::shared()?))
    }

    /// A file that does not exist yet.
    pub fn sqlite() -> Option<Self> {
        Self::sqlite_in(&std::env::temp_dir())
    }

    /// The same on a file system in memory, if there is one: a process can be killed there as well as on a disk, and
    /// nothing waits for the disk.
    pub fn sqlite_in_memory() -> Option<Self> {
        Self::sqlite_in(Path::new("/dev/shm")).or_else(Self::sqlite)
    }

    /// Another new database of the same kind.
    pub fn another(&self) -> Self {
        let another = match self.product {
            Product::Sqlite => Self::sqlite(),
            Product::Postgres => Self::postgres(),
            Product::Mariadb => Self::mariadb(),
        };
        another.expect("there was one before")
    }

    fn sqlite_in(directory: &Path) -> Option<Self> {
        let prefix = format!("forerun-test-{}-sqlite-", std::process::id());
        let directory = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(directory)
            .ok()?;
        let file = SqliteFile::at(&directory.path().join("test.db"))?;
        Some(Self {
            product: Product::Sqlite,
            place: Place::File(file, directory),
        })
    }
}

impl<'server> Target<'server> {
    /// A new database of this server.
    pub fn on_postgres(server: &'server PostgresServer) -> Self {
        Self {
            product: Product::Postgres,
            place: Place::Server(server.fresh_database()),
        }
    }

    /// A new database of this server.
    pub fn on_mariadb(server: &'server MariadbServer) -> Self {
        Self {
            product: Product::Mariadb,
            place: Place::Server(server.fresh_database()),
        }
    }

    /// What `DATABASE_URL` takes.
    pub fn url(&self) -> String {
        match &self.place {
            Place::File(file, _) => file.url(),
            Place::Server(database) => database.url.clone(),
        }
    }

    /// The database on its server.
    ///
    /// # Panics
    /// For SQLite.
    pub fn database(&self) -> &TestDatabase<'server> {
        match &self.place {
            Place::Server(database) => database,
            Place::File(..) => panic!("SQLite has no server"),
        }
    }

    /// The database file.
    ///
    /// # Panics
    /// For the servers.
    pub fn file(&self) -> &SqliteFile {
        match &self.place {
            Place::File(file, _) => file,
            Place::Server(_) => panic!("this database is on a server"),
        }
    }

    /// Opens a client session that stays open.
    pub fn session(&self) -> ClientSession {
        self.database().session()
    }

    /// Runs SQL; rows on lines, columns apart by `|`.
    ///
    /// # Errors
    /// The client's message.
    pub fn try_query(&self, sql: &str) -> Result<String, String> {
        match &self.place {
            // Readers meet a writer that is committing.
            Place::File(file, _) => file.try_execute(&format!(".timeout 30000\n{sql};")),
            Place::Server(database) => Ok(database.try_execute(sql)?.replace('\t', "|")),
        }
    }

    /// Runs SQL that must succeed.
    pub fn query(&self, sql: &str) -> String {
        self.try_query(sql)
            .unwrap_or_else(|error| panic!("{self:?}: {error}\nSQL: {sql}"))
    }

    /// A query for one number.
    pub fn number(&self, sql: &str) -> i64 {
        let printed = self.query(sql);
        printed
            .parse()
            .unwrap_or_else(|_| panic!("{self:?}: {printed:?} is no number\nSQL: {sql}"))
    }

    /// Asks until the answer is `expected`. An error, such as a table that is not there yet, is another answer.
    pub fn wait_until(&self, sql: &str, expected: &str) {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.try_query(sql);
            if answer.as_deref() == Ok(expected) {
                return;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{self:?}: still {answer:?} instead of {expected:?}\nSQL: {sql}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Applied versions in order.
    pub fn applied(&self) -> Vec<i64> {
        let printed = self.query("SELECT version FROM forerun_history");
        let versions = printed.lines().map(|line| line.parse().expect("a number"));
        let mut versions: Vec<i64> = versions.collect();
        versions.sort_unstable();
        versions
    }

    /// Versions that the audit says were applied, in the order in which that happened.
    pub fn audited(&self) -> Vec<i64> {
        let printed = self.query(
            "SELECT version FROM forerun_audit WHERE event = 'migration.applied' ORDER BY id",
        );
        printed
            .lines()
            .map(|line| line.parse().expect("a version"))
            .collect()
    }

    /// Who holds the runner lock, as `FORERUN_ACTOR` said; nobody: empty.
    pub fn holder(&self) -> String {
        let sql = "SELECT coalesce(actor, '') FROM forerun_lock WHERE run_id IS NOT NULL";
        self.try_query(sql).unwrap_or_default()
    }

    /// Asserts that no run has left anything but its results: lock free, journal empty, no session on the server.
    pub fn assert_left_clean(&self) {
        assert_eq!(self.holder(), "", "{self:?}: the lock is free");
        assert_eq!(
            self.number("SELECT count(*) FROM forerun_journal"),
            0,
            "{self:?}: nothing is unfinished"
        );
        if let Some(sessions) = self.sessions_query() {
            self.wait_until(&sessions, "0");
        }
        if self.product == Product::Postgres {
            let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' \
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            assert_eq!(self.number(locks), 0, "no advisory lock is left");
        }
    }

    /// Counts sessions over TCP, which are forerun's: the test's own clients use the unix socket.
    pub fn sessions_query(&self) -> Option<String> {
        match self.product {
            Product::Sqlite => None,
            Product::Postgres => Some(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND client_addr IS NOT NULL"
                    .to_owned(),
            ),
            Product::Mariadb => Some(
                "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
                 AND host LIKE '127.0.0.1%'"
                    .to_owned(),
            ),
        }
    }

    /// Everything that a user would call the schema, without forerun's tables.
    pub fn dump_schema(&self) -> String {
        match &self.place {
            Place::File(file, _) => file.dump_schema(),
            Place::Server(database) => database.dump_schema(),
        }
    }

    /// Schema and rows, without the tables whose names begin with one of `without`.
    pub fn dump(&self, without: &[&str]) -> String {
        match &self.place {
            Place::File(file, _) => file.dump(without),
            Place::Server(database) => database.dump(without),
        }
    }
}

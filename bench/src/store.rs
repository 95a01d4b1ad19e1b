//! The three databases under test: private, durable servers and SQLite files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use forerun_test_support::{
    MARIADB_PASSWORD, MariadbServer, POSTGRES_PASSWORD, PostgresServer, SqliteFile,
};
use tempfile::TempDir;

/// Which product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
}

impl Product {
    /// As in `--databases`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "postgres" => Some(Self::Postgres),
            "mariadb" => Some(Self::Mariadb),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }
}

/// A place for databases, all with the settings that keep a committed transaction over a power cut.
#[derive(Debug)]
pub struct Store {
    server: Server,
    made: AtomicU32,
}

#[derive(Debug)]
enum Server {
    Postgres(PostgresServer),
    Mariadb(MariadbServer),
    Sqlite(TempDir),
}

impl Store {
    /// Starts it.
    ///
    /// # Errors
    /// Its programs are not installed.
    pub fn start(product: Product) -> Result<Self, String> {
        let missing = || format!("{product:?} is not installed; scripts/test installs it");
        let server = match product {
            // Everything else as the product ships it, except that databases of earlier rounds stay (see
            // [`Place::keep`]) and must not be tidied up during later ones.
            Product::Postgres => {
                let server = PostgresServer::builder()
                    .durable()
                    .start()
                    .ok_or_else(missing)?;
                server.execute("postgres", "ALTER SYSTEM SET autovacuum = off");
                server.execute("postgres", "SELECT pg_reload_conf()");
                Server::Postgres(server)
            }
            // The log and pool sizes that the product ships with, and not the small ones of the tests.
            Product::Mariadb => Server::Mariadb(
                MariadbServer::builder()
                    .durable()
                    .option("--innodb-log-file-size=96M")
                    .option("--innodb-buffer-pool-size=128M")
                    .start()
                    .ok_or_else(missing)?,
            ),
            Product::Sqlite => Server::Sqlite(
                tempfile::Builder::new()
                    .prefix("forerun-bench-")
                    .tempdir_in("/tmp")
                    .map_err(|error| error.to_string())?,
            ),
        };
        Ok(Self {
            server,
            made: AtomicU32::new(0),
        })
    }

    /// Which product.
    pub fn product(&self) -> Product {
        match &self.server {
            Server::Postgres(_) => Product::Postgres,
            Server::Mariadb(_) => Product::Mariadb,
            Server::Sqlite(_) => Product::Sqlite,
        }
    }

    /// Product and version, as the server or the client says it.
    pub fn label(&self) -> String {
        match &self.server {
            Server::Postgres(server) => {
                let version = server.query("postgres", "SHOW server_version");
                format!(
                    "PostgreSQL {}",
                    version.split(' ').next().unwrap_or_default()
                )
            }
            Server::Mariadb(server) => {
                let version = server.query("", "SELECT version()");
                format!("MariaDB {}", version.split('-').next().unwrap_or_default())
            }
            Server::Sqlite(_) => {
                let output = Command::new("sqlite3").arg("--version").output();
                let text = output
                    .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
                    .unwrap_or_default();
                format!(
                    "SQLite (client {})",
                    text.split(' ').next().unwrap_or_default()
                )
            }
        }
    }

    /// The program that feeds a script to this product.
    pub fn client_name(&self) -> &'static str {
        match self.product() {
            Product::Postgres => "psql",
            Product::Mariadb => "mariadb",
            Product::Sqlite => "sqlite3",
        }
    }

    /// An empty database. It is removed with the value, unless that is [kept](Place::keep).
    pub fn fresh(&self) -> Place<'_> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        // Of one length, so that recorded statements stay as long as they were.
        let name = format!("bench_{number:05}");
        match &self.server {
            Server::Postgres(server) => {
                server.create_database(&name);
                // What earlier rounds left to be written must not be written in this one.
                server.execute("postgres", "CHECKPOINT");
            }
            Server::Mariadb(server) => {
                server.create_database(&name);
            }
            Server::Sqlite(_) => {}
        }
        let _ = Command::new("sync").status();
        Place {
            store: self,
            name,
            kept: false,
        }
    }
}

/// One database.
#[derive(Debug)]
pub struct Place<'a> {
    store: &'a Store,
    name: String,
    kept: bool,
}

impl Place<'_> {
    /// Leaves the database where it is until the store goes. A database of a thousand tables is thousands of
    /// files, and for some minutes after so many were removed ext4 looks for inodes that were not in use just now
    /// (`recently_deleted`, fs/ext4/ialloc.c): whoever creates tables then pays for it, more than for anything
    /// that a tool does.
    pub fn keep(mut self) {
        self.kept = true;
    }

    /// Its store.
    pub fn store(&self) -> &Store {
        self.store
    }

    /// Its name; of a SQLite file the base name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> PathBuf {
        match &self.store.server {
            Server::Sqlite(directory) => directory.path().join(format!("{}.db", self.name)),
            _ => PathBuf::new(),
        }
    }

    /// The usual URL: TCP on loopback, password, no TLS. `sqlite://<absolute path>`.
    pub fn url(&self) -> String {
        match &self.store.server {
            Server::Postgres(server) => format!("{}?sslmode=disable", server.url(&self.name)),
            Server::Mariadb(server) => server.url(&self.name),
            Server::Sqlite(_) => format!("sqlite://{}", self.file().display()),
        }
    }

    /// The same for forerun, which would ask a MariaDB server for TLS first.
    pub fn forerun_url(&self) -> String {
        match &self.store.server {
            Server::Mariadb(_) => format!("{}?sslmode=disable", self.url()),
            _ => self.url(),
        }
    }

    /// The data source name of Go's MySQL driver, or the path of the SQLite file.
    pub fn go_source(&self) -> String {
        match &self.store.server {
            Server::Postgres(_) => self.url(),
            Server::Mariadb(server) => {
                format!(
                    "root:{MARIADB_PASSWORD}@tcp(127.0.0.1:{})/{}?parseTime=true",
                    server.port(),
                    self.name
                )
            }
            Server::Sqlite(_) => self.file().display().to_string(),
        }
    }

    /// The product's own client reading `script`, over the same kind of connection as everybody else.
    pub fn client(&self, script: &Path, single_transaction: bool) -> Command {
        let mut command = clean(self.store.client_name());
        match &self.store.server {
            Server::Postgres(server) => {
                command
                    .env("PGPASSWORD", POSTGRES_PASSWORD)
                    .env("PGSSLMODE", "disable")
                    .args([
                        "-X",
                        "-q",
                        "-v",
                        "ON_ERROR_STOP=1",
                        "-A",
                        "-t",
                        "-o",
                        "/dev/null",
                        "-h",
                        "127.0.0.1",
                        "-U",
                        "postgres",
                    ])
                    .args(["-p", &server.port().to_string(), "-d", &self.name]);
                if single_transaction {
                    command.arg("-1");
                }
                command.arg("-f").arg(script);
            }
            Server::Mariadb(server) => {
                command
                    .env("MYSQL_PWD", MARIADB_PASSWORD)
                    .args([
                        "--no-defaults",
                        "--batch",
                        "--skip-ssl",
                        "--user=root",
                        "--host=127.0.0.1",
                    ])
                    .arg(format!("--port={}", server.port()))
                    .args(["--default-character-set=utf8mb4", &self.name])
                    .arg(format!("--execute=source {}", script.display()));
            }
            Server::Sqlite(_) => {
                command
                    .args(["-batch", "-bail", "-init", "/dev/null"])
                    .arg(self.file())
                    .arg(format!(".read {}", script.display()));
            }
        }
        command
    }

    /// Runs SQL as the administrator and returns what the client printed.
    ///
    /// # Errors
    /// The client's message.
    pub fn query(&self, sql: &str) -> Result<String, String> {
        match &self.store.server {
            Server::Postgres(server) => server.try_execute(&self.name, sql),
            Server::Mariadb(server) => server.try_execute(&self.name, sql),
            Server::Sqlite(_) => SqliteFile::at(&self.file())
                .ok_or("sqlite3 is not installed")?
                .try_execute(sql),
        }
    }

    /// Everything the server has logged (PostgreSQL).
    pub fn server_log(&self) -> String {
        match &self.store.server {
            Server::Postgres(server) => server.log(),
            Server::Mariadb(server) => server.log(),
            Server::Sqlite(_) => String::new(),
        }
    }

    /// The number of tables whose name starts with `item_`.
    ///
    /// # Errors
    /// The client's message.
    pub fn tables(&self) -> Result<usize, String> {
        let sql = match self.store.product() {
            Product::Postgres => "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'item\\_%'".to_owned(),
            Product::Mariadb => format!(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = '{}' AND table_name LIKE 'item\\_%'",
                self.name
            ),
            Product::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'item\\_%' ESCAPE '\\'".to_owned(),
        };
        self.query(&sql)?
            .trim()
            .parse()
            .map_err(|error| format!("a count: {error}"))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        match &self.store.server {
            Server::Postgres(server) => {
                let _ = server.try_execute(
                    "postgres",
                    &format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name),
                );
            }
            Server::Mariadb(server) => {
                let _ = server.try_execute("", &format!("DROP DATABASE `{}`", self.name));
            }
            Server::Sqlite(_) => {
                let file = self.file();
                for suffix in ["", "-wal", "-shm", "-journal"] {
                    let mut name = file.clone().into_os_string();
                    name.push(suffix);
                    let _ = std::fs::remove_file(name);
                }
            }
        }
    }
}

/// A command that sees nothing of the caller's environment but `PATH` and `HOME`.
pub fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

//! A private PostgreSQL server (12 or newer) on a free loopback port and a unix socket.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::certificates::TestCertificates;
use crate::client_program::{ClientInput, run};
use crate::client_session::ClientSession;
use crate::installed::{
    ServerUser, clean_command, find_postgres_programs, report_missing, server_command,
};
use crate::loopback_port;
use crate::scratch_directory::{give_to, make};
use crate::server_process::{ServerProcess, read_log};
use crate::test_database::{ServerReference, TestDatabase};

/// Password of the superuser `postgres` over TCP (`scram-sha-256`). The unix socket asks for none.
pub const POSTGRES_PASSWORD: &str = "forerun-test-password";

/// A started PostgreSQL server. Dropping it ends the server and removes its files.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    user: Option<ServerUser>,
    port: u16,
    certificates: Option<TestCertificates>,
    process: Mutex<Option<ServerProcess>>,
    databases_made: AtomicU32,
    directory: TempDir,
}

/// What a private server should be like.
#[derive(Clone, Debug, Default)]
pub struct PostgresServerBuilder {
    durable: bool,
    names: Option<Vec<String>>,
    require_tls: bool,
    configuration: Vec<String>,
}

impl PostgresServerBuilder {
    /// Keeps `fsync` and `synchronous_commit` on: for tests that kill the server and look at what is left.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Offers TLS with a certificate for `localhost` and `127.0.0.1`.
    #[must_use]
    pub fn tls(self) -> Self {
        self.tls_for_names(&["localhost", "127.0.0.1"])
    }

    /// Offers TLS with a certificate for other names, such as `["database.invalid"]`.
    #[must_use]
    pub fn tls_for_names(mut self, names: &[&str]) -> Self {
        self.names = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Refuses TCP connections without TLS (only with [`tls`](Self::tls)).
    #[must_use]
    pub fn require_tls(mut self) -> Self {
        self.require_tls = true;
        self
    }

    /// Adds a line to `postgresql.conf`, such as `log_statement = 'all'`. Later lines win.
    #[must_use]
    pub fn configuration(mut self, line: &str) -> Self {
        self.configuration.push(line.to_owned());
        self
    }

    /// Makes a cluster and starts it; `None` (reported, and a failure in CI) when PostgreSQL is not
    /// installed.
    #[must_use]
    pub fn start(self) -> Option<PostgresServer> {
        let server = self.start_if_installed();
        if server.is_none() {
            report_missing("PostgreSQL server");
        }
        server
    }

    fn start_if_installed(self) -> Option<PostgresServer> {
        let programs = find_postgres_programs()?;
        let user = ServerUser::to_run_servers("postgres");
        let directory = make("postgres", user);
        let certificates = self.names.as_ref().map(|names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let certificates = TestCertificates::write(directory.path(), &names);
            certificates.give_to(user);
            certificates
        });
        let mut server = PostgresServer {
            programs,
            user,
            port: 0,
            certificates,
            process: Mutex::new(None),
            databases_made: AtomicU32::new(0),
            directory,
        };
        server.initialise();
        // Another process may take a port between our look and the server's own.
        for _ in 0..5 {
            server.port = loopback_port::free();
            server.configure(&self);
            match server.try_start() {
                Ok(()) => return Some(server),
                Err(log) if log.contains("could not bind") => {}
                Err(log) => panic!("PostgreSQL did not start:\n{log}"),
            }
        }
        panic!("PostgreSQL found no free port:\n{}", server.log());
    }
}

impl PostgresServer {
    /// The server that all tests of this process share, started when first asked for. `None` (reported,
    /// and a failure in CI) when PostgreSQL is not installed.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<PostgresServer>> = OnceLock::new();
        let server = SHARED.get_or_init(|| Self::builder().start_if_installed());
        if server.is_none() {
            report_missing("PostgreSQL server");
        }
        server.as_ref()
    }

    /// A private server with the settings of the shared one, for a test that stops or kills it.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::builder().start()
    }

    /// A private server with other settings.
    #[must_use]
    pub fn builder() -> PostgresServerBuilder {
        PostgresServerBuilder::default()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn initialise(&self) {
        let password_file = self.directory.path().join("password");
        fs::write(&password_file, POSTGRES_PASSWORD).expect("the directory can be written");
        give_to(&password_file, self.user);
        let mut command = server_command(
            &self.programs.join("initdb"),
            self.user,
            self.directory.path(),
        );
        command
            .args([
                "--no-sync",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .arg(format!("--pwfile={}", password_file.display()))
            .arg(format!("--pgdata={}", self.data().display()));
        run(&mut command, ClientInput::Nothing)
            .unwrap_or_else(|error| panic!("initdb failed: {error}"));
    }

    fn configure(&self, wanted: &PostgresServerBuilder) {
        let mut lines = vec![
            "listen_addresses = '127.0.0.1'".to_owned(),
            format!("port = {}", self.port),
            format!(
                "unix_socket_directories = '{}'",
                self.directory.path().display()
            ),
            "max_connections = 300".to_owned(),
            "password_encryption = 'scram-sha-256'".to_owned(),
            "timezone = 'UTC'".to_owned(),
            // In the data directory, so that nothing stays in /dev/shm after a kill.
            "dynamic_shared_memory_type = mmap".to_owned(),
            "log_line_prefix = '%m [%p] %q%a '".to_owned(),
        ];
        if !wanted.durable {
            lines.push("fsync = off".to_owned());
            lines.push("synchronous_commit = off".to_owned());
            lines.push("full_page_writes = off".to_owned());
        }
        if let Some(files) = &self.certificates {
            lines.push("ssl = on".to_owned());
            lines.push(format!("ssl_cert_file = '{}'", files.certificate.display()));
            lines.push(format!("ssl_key_file = '{}'", files.key.display()));
        }
        lines.extend(wanted.configuration.iter().cloned());
        let data = self.data();
        fs::write(data.join("postgresql.conf"), lines.join("\n") + "\n")
            .expect("the configuration can be written");
        let tcp = if wanted.require_tls {
            "hostssl"
        } else {
            "host"
        };
        let access = format!("local all all trust\n{tcp} all all 127.0.0.1/32 scram-sha-256\n");
        fs::write(data.join("pg_hba.conf"), access).expect("the configuration can be written");
    }

    /// `Err` is the server's log.
    fn try_start(&self) -> Result<(), String> {
        let mut running = self.lock_process();
        assert!(running.is_none(), "the server runs already");
        // One left by a killed server would still say that it is ready. Nothing runs in there now.
        let status = self.data().join("postmaster.pid");
        let _ = fs::remove_file(&status);
        let mut command = server_command(
            &self.programs.join("postgres"),
            self.user,
            self.directory.path(),
        );
        command.arg("-D").arg(self.data());
        // Its immediate shutdown takes the backends along.
        let mut process = ServerProcess::spawn(&mut command, self.directory.path(), "QUIT");
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            if is_ready(&status, process.id()) {
                *running = Some(process);
                return Ok(());
            }
            if process.ended().is_some() || Instant::now() > deadline {
                let log = process.log();
                process.kill();
                return Err(log);
            }
            sleep(Duration::from_millis(10));
        }
    }

    fn lock_process(&self) -> std::sync::MutexGuard<'_, Option<ServerProcess>> {
        // A test that panicked while it held the lock says enough by itself.
        self.process
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Shuts the server down; sessions are ended (PostgreSQL's fast shutdown).
    pub fn stop(&self) {
        if let Some(process) = self.lock_process().take() {
            process.stop(Signal::INT, Duration::from_secs(30));
        }
    }

    /// Kills the server and every backend at once (SIGKILL), as a power cut would.
    pub fn stop_hard(&self) {
        if let Some(process) = self.lock_process().take() {
            process.kill();
        }
    }

    /// Starts a stopped server again, on the same port, and waits until it accepts connections.
    ///
    /// # Panics
    /// When it does not start, with its log.
    pub fn start_again(&self) {
        self.try_start()
            .unwrap_or_else(|log| panic!("PostgreSQL did not start again:\n{log}"));
    }

    /// [`stop`](Self::stop) and [`start_again`](Self::start_again).
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the unix socket.
    #[must_use]
    pub fn socket_directory(&self) -> &Path {
        self.directory.path()
    }

    /// `postgres://postgres:<password>@127.0.0.1:<port>/<database>`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_at("127.0.0.1", self.port, database)
    }

    /// [`url`](Self::url) with another host name or port: a proxy's, `localhost`.
    #[must_use]
    pub fn url_at(&self, host: &str, port: u16, database: &str) -> String {
        format!("postgres://postgres:{POSTGRES_PASSWORD}@{host}:{port}/{database}")
    }

    /// A URL for the unix socket, which asks for no password.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&port={}&user=postgres",
            self.directory.path().display(),
            self.port
        )
    }

    /// The certificate files, of a server with TLS.
    ///
    /// # Panics
    /// When the server was started without TLS.
    #[must_use]
    pub fn certificates(&self) -> &TestCertificates {
        self.certificates
            .as_ref()
            .expect("a server started with tls()")
    }

    /// The authority that a client must trust, of a server with TLS.
    ///
    /// # Panics
    /// When the server was started without TLS.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.certificates().authority
    }

    /// Everything that the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(&self.directory.path().join("log"))
    }

    /// The major version, such as 15.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        let number: u32 = self
            .query("postgres", "SHOW server_version_num")
            .parse()
            .expect("server_version_num is a number");
        number / 10_000
    }

    /// Makes an empty database and returns its URL.
    pub fn create_database(&self, name: &str) -> String {
        let quoted = name.replace('"', "\"\"");
        self.execute("postgres", &format!("CREATE DATABASE \"{quoted}\""));
        self.url(name)
    }

    /// An empty database with a name that no other test has. It is dropped with the value.
    #[must_use]
    pub fn fresh_database(&self) -> TestDatabase<'_> {
        let number = self.databases_made.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        self.create_database(&name);
        TestDatabase::new(ServerReference::Postgres(self), name)
    }

    pub(crate) fn drop_database(&self, name: &str) {
        if self.lock_process().is_some() {
            // FORCE is not in PostgreSQL 12; there the database stays until the server ends.
            let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
            let _ = self.try_execute("postgres", &sql);
        }
    }

    /// A client program of this version, connected through the unix socket as the superuser.
    fn client(&self, program: &str, database: &str) -> Command {
        let mut command = clean_command(&self.programs.join(program));
        command
            .arg(format!("--host={}", self.directory.path().display()))
            .arg(format!("--port={}", self.port))
            .arg("--username=postgres")
            .arg(format!("--dbname={database}"));
        command
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = self.client("psql", database);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        command
    }

    /// Runs SQL through `psql` and returns what it printed (unaligned, tuples only), or its message.
    ///
    /// # Errors
    /// What `psql` wrote to standard error when a statement failed; the ones before it stay done.
    pub fn try_execute(&self, database: &str, sql: &str) -> Result<String, String> {
        run(&mut self.psql(database), ClientInput::Text(sql))
            .map(|printed| printed.trim_end().to_owned())
    }

    /// Runs SQL through `psql`, each statement by itself.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute(&self, database: &str, sql: &str) {
        self.query(database, sql);
    }

    /// Runs SQL through `psql` and returns what it printed: columns apart by `|`, one row a line.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn query(&self, database: &str, sql: &str) -> String {
        self.try_execute(database, sql)
            .unwrap_or_else(|error| panic!("{error}\nSQL: {sql}"))
    }

    /// Runs a script file through `psql`.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute_file(&self, database: &str, script: &Path) {
        run(&mut self.psql(database), ClientInput::File(script))
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    }

    /// Opens a `psql` session that stays open.
    #[must_use]
    pub fn session(&self, database: &str) -> ClientSession {
        ClientSession::of_psql(&mut self.psql(database))
    }

    /// The schema as `pg_dump` writes it, without the tables that match one of `without` (patterns of
    /// `pg_dump --exclude-table`, such as `forerun_*`) and without the `\restrict` lines, whose key is
    /// random.
    #[must_use]
    pub fn dump_schema(&self, database: &str, without: &[&str]) -> String {
        self.dump_as(database, &["--schema-only"], without)
    }

    /// [`dump_schema`](Self::dump_schema) with the rows.
    #[must_use]
    pub fn dump(&self, database: &str, without: &[&str]) -> String {
        self.dump_as(database, &[], without)
    }

    fn dump_as(&self, database: &str, options: &[&str], without: &[&str]) -> String {
        let mut command = self.client("pg_dump", database);
        command.args(options);
        command.args(
            without
                .iter()
                .map(|table| format!("--exclude-table={table}")),
        );
        let dump = run(&mut command, ClientInput::Nothing)
            .unwrap_or_else(|error| panic!("pg_dump failed: {error}"));
        dump.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .flat_map(|line| [line, "\n"])
            .collect()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(process) = self.lock_process().take() {
            // Immediate shutdown: no checkpoint, but shared memory is given back.
            process.stop(Signal::QUIT, Duration::from_secs(5));
        }
    }
}

/// `postmaster.pid` holds the server's process id in line 1 and its state in line 8 (PostgreSQL 10 and
/// newer, `src/include/utils/pidfile.h`).
fn is_ready(status: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(status).unwrap_or_default();
    let mut lines = text.lines();
    lines.next() == Some(&pid.to_string())
        && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

//! A private MariaDB server (10.5 or newer) on a free loopback port and a unix socket.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
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
use crate::installed::{ServerUser, clean_command, find_program, report_missing, server_command};
use crate::loopback_port;
use crate::scratch_directory::{give_to, make};
use crate::server_process::{ServerProcess, read_log};
use crate::test_database::{ServerReference, TestDatabase};

/// Password of `root`, over TCP and over the unix socket.
pub const MARIADB_PASSWORD: &str = "forerun-test-password";

/// A started MariaDB server. Dropping it ends the server and removes its files.
#[derive(Debug)]
pub struct MariadbServer {
    programs: Programs,
    user: Option<ServerUser>,
    port: u16,
    certificates: Option<TestCertificates>,
    options: Vec<String>,
    process: Mutex<Option<ServerProcess>>,
    databases_made: AtomicU32,
    directory: TempDir,
}

#[derive(Clone, Debug)]
struct Programs {
    server: PathBuf,
    install: PathBuf,
    client: PathBuf,
    dump: PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        Some(Self {
            server: find_program("mariadbd")?,
            install: find_program("mariadb-install-db")?,
            client: find_program("mariadb")?,
            dump: find_program("mariadb-dump")?,
        })
    }
}

/// What a private server should be like.
#[derive(Clone, Debug, Default)]
pub struct MariadbServerBuilder {
    durable: bool,
    names: Option<Vec<String>>,
    require_tls: bool,
    options: Vec<String>,
}

impl MariadbServerBuilder {
    /// Flushes at every commit: for tests that kill the server and look at what is left.
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

    /// Adds an option of `mariadbd`, such as `--read-only=1`. Later ones win.
    #[must_use]
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// Makes a data directory and starts a server in it; `None` (reported, and a failure in CI) when
    /// MariaDB is not installed.
    #[must_use]
    pub fn start(self) -> Option<MariadbServer> {
        let server = self.start_if_installed();
        if server.is_none() {
            report_missing("MariaDB (server and client)");
        }
        server
    }

    fn start_if_installed(self) -> Option<MariadbServer> {
        let programs = Programs::find()?;
        let user = ServerUser::to_run_servers("mysql");
        let directory = make("mariadb", user);
        let certificates = self.names.as_ref().map(|names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let certificates = TestCertificates::write(directory.path(), &names);
            certificates.give_to(user);
            certificates
        });
        let mut server = MariadbServer {
            programs,
            user,
            port: 0,
            certificates,
            options: Vec::new(),
            process: Mutex::new(None),
            databases_made: AtomicU32::new(0),
            directory,
        };
        server.initialise();
        // Another process may take a port between our look and the server's own.
        for _ in 0..5 {
            server.port = loopback_port::free();
            server.options = server.options(&self);
            match server.try_start() {
                Ok(()) => return Some(server),
                Err(log) if log.contains("Can't start server: Bind on TCP/IP port") => {}
                Err(log) => panic!("MariaDB did not start:\n{log}"),
            }
        }
        panic!("MariaDB found no free port:\n{}", server.log());
    }
}

impl MariadbServer {
    /// The server that all tests of this process share, started when first asked for. `None` (reported,
    /// and a failure in CI) when MariaDB is not installed.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<MariadbServer>> = OnceLock::new();
        let server = SHARED.get_or_init(|| Self::builder().start_if_installed());
        if server.is_none() {
            report_missing("MariaDB (server and client)");
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
    pub fn builder() -> MariadbServerBuilder {
        MariadbServerBuilder::default()
    }

    fn initialise(&self) {
        let mut command = server_command(&self.programs.install, self.user, self.directory.path());
        command
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", "--innodb-log-file-size=8M"])
            // The data directory needs to survive nothing yet; 5 s become less than 1 s.
            .arg("--innodb-flush-method=nosync")
            // Each server that starts removes other servers' temporary tables from a shared one.
            .arg(format!("--tmpdir={}", self.directory.path().display()))
            .arg(format!(
                "--datadir={}",
                self.directory.path().join("data").display()
            ));
        run(&mut command, ClientInput::Nothing)
            .unwrap_or_else(|error| panic!("mariadb-install-db failed: {error}"));
        // Run by the server at each start, before it accepts connections.
        // (Some versions make the second account without a password, some do not make it.)
        let accounts = format!(
            "ALTER USER root@localhost IDENTIFIED BY '{MARIADB_PASSWORD}';\n\
             CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '{MARIADB_PASSWORD}';\n\
             GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
        );
        let file = self.directory.path().join("accounts.sql");
        fs::write(&file, accounts).expect("the directory can be written");
        give_to(&file, self.user);
    }

    fn options(&self, wanted: &MariadbServerBuilder) -> Vec<String> {
        let directory = self.directory.path().display();
        let mut options = vec![
            "--no-defaults".to_owned(),
            format!("--datadir={directory}/data"),
            format!("--tmpdir={directory}"),
            format!("--socket={directory}/socket"),
            format!("--pid-file={directory}/mariadbd.pid"),
            format!("--init-file={directory}/accounts.sql"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={}", self.port),
            "--skip-name-resolve".to_owned(),
            "--max-connections=300".to_owned(),
            // Tests connect and leave without a word many times.
            "--max-connect-errors=1000000".to_owned(),
            "--innodb-log-file-size=8M".to_owned(),
            "--innodb-buffer-pool-size=64M".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
            "--default-time-zone=+00:00".to_owned(),
        ];
        if !wanted.durable {
            options.push("--innodb-flush-log-at-trx-commit=0".to_owned());
            options.push("--innodb-flush-method=nosync".to_owned());
            options.push("--innodb-doublewrite=0".to_owned());
        }
        if let Some(files) = &self.certificates {
            options.push(format!("--ssl-ca={}", files.authority.display()));
            options.push(format!("--ssl-cert={}", files.certificate.display()));
            options.push(format!("--ssl-key={}", files.key.display()));
        }
        if wanted.require_tls {
            options.push("--require-secure-transport=1".to_owned());
        }
        options.extend(wanted.options.iter().cloned());
        options
    }

    /// `Err` is the server's log.
    fn try_start(&self) -> Result<(), String> {
        let mut running = self.lock_process();
        assert!(running.is_none(), "the server runs already");
        let mut command = server_command(&self.programs.server, self.user, self.directory.path());
        command.args(&self.options);
        let mut process = ServerProcess::spawn(&mut command, self.directory.path(), "KILL");
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            // In this order: a greeting on our port may come from another server if ours has ended.
            let greets = greets(self.port);
            let ended = process.ended().is_some();
            if greets && !ended {
                *running = Some(process);
                return Ok(());
            }
            if ended || Instant::now() > deadline {
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

    /// Shuts the server down; sessions are ended.
    pub fn stop(&self) {
        if let Some(process) = self.lock_process().take() {
            process.stop(Signal::TERM, Duration::from_secs(30));
        }
    }

    /// Kills the server at once (SIGKILL), as a power cut would.
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
            .unwrap_or_else(|log| panic!("MariaDB did not start again:\n{log}"));
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

    /// The unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// `mysql://root:<password>@127.0.0.1:<port>/<database>`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_at("127.0.0.1", self.port, database)
    }

    /// [`url`](Self::url) with another host name or port: a proxy's, `localhost`.
    #[must_use]
    pub fn url_at(&self, host: &str, port: u16, database: &str) -> String {
        format!("mysql://root:{MARIADB_PASSWORD}@{host}:{port}/{database}")
    }

    /// A URL for the unix socket.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        format!(
            "mysql://root:{MARIADB_PASSWORD}@localhost/{database}?socket={}",
            self.socket().display()
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

    /// Makes an empty database and returns its URL.
    pub fn create_database(&self, name: &str) -> String {
        let quoted = name.replace('`', "``");
        self.execute("", &format!("CREATE DATABASE `{quoted}`"));
        self.url(name)
    }

    /// An empty database with a name that no other test has.
    #[must_use]
    pub fn fresh_database(&self) -> TestDatabase<'_> {
        let number = self.databases_made.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        self.create_database(&name);
        TestDatabase::new(ServerReference::Mariadb(self), name)
    }

    /// A client program, connected through the unix socket as `root`.
    fn client(&self, program: &Path) -> Command {
        let mut command = clean_command(program);
        command
            .arg("--no-defaults")
            .arg(format!("--socket={}", self.socket().display()))
            .arg("--user=root")
            .arg("--default-character-set=utf8mb4")
            .env("MYSQL_PWD", MARIADB_PASSWORD);
        command
    }

    fn mariadb(&self, database: &str) -> Command {
        let mut command = self.client(&self.programs.client);
        command.args(["--batch", "--skip-column-names", "--unbuffered"]);
        if !database.is_empty() {
            command.arg(format!("--database={database}"));
        }
        command
    }

    /// Runs SQL through `mariadb` and returns what it printed, or its message. An empty `database` means
    /// none.
    ///
    /// # Errors
    /// What `mariadb` wrote to standard error when a statement failed; the ones before it stay done.
    pub fn try_execute(&self, database: &str, sql: &str) -> Result<String, String> {
        run(&mut self.mariadb(database), ClientInput::Text(sql))
            .map(|printed| printed.trim_end_matches('\n').to_owned())
    }

    /// Runs SQL through `mariadb`.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute(&self, database: &str, sql: &str) {
        self.query(database, sql);
    }

    /// Runs SQL through `mariadb` and returns what it printed: columns apart by tabs, one row a line.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn query(&self, database: &str, sql: &str) -> String {
        self.try_execute(database, sql)
            .unwrap_or_else(|error| panic!("{error}\nSQL: {sql}"))
    }

    /// Runs a script file through `mariadb`.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn execute_file(&self, database: &str, script: &Path) {
        run(&mut self.mariadb(database), ClientInput::File(script))
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    }

    /// Opens a `mariadb` session that stays open.
    #[must_use]
    pub fn session(&self, database: &str) -> ClientSession {
        ClientSession::of_mariadb(&mut self.mariadb(database))
    }

    /// The schema as `mariadb-dump` writes it (tables, views, triggers, routines, events), without the
    /// tables whose name matches one of `without` (SQL `LIKE` patterns, such as `forerun\_%`).
    #[must_use]
    pub fn dump_schema(&self, database: &str, without: &[&str]) -> String {
        self.dump_as(database, &["--no-data"], without)
    }

    /// [`dump_schema`](Self::dump_schema) with the rows.
    #[must_use]
    pub fn dump(&self, database: &str, without: &[&str]) -> String {
        self.dump_as(
            database,
            &["--skip-extended-insert", "--order-by-primary"],
            without,
        )
    }

    fn dump_as(&self, database: &str, options: &[&str], without: &[&str]) -> String {
        let mut command = self.client(&self.programs.dump);
        command.args(options);
        command.args(["--skip-comments", "--skip-dump-date"]);
        command.args(["--routines", "--triggers", "--events"]);
        for pattern in without {
            let tables = self.query(
                "information_schema",
                &format!(
                    "SELECT table_name FROM tables \
                     WHERE table_schema = '{database}' AND table_name LIKE '{pattern}'"
                ),
            );
            command.args(
                tables
                    .lines()
                    .map(|table| format!("--ignore-table={database}.{table}")),
            );
        }
        command.arg(database);
        run(&mut command, ClientInput::Nothing)
            .unwrap_or_else(|error| panic!("mariadb-dump failed: {error}"))
    }
}

impl Drop for MariadbServer {
    fn drop(&mut self) {
        self.stop_hard();
    }
}

/// Whether a server sends its handshake packet, which comes only after the accounts file was run.
fn greets(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok_and(|mut stream| {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        stream.read(&mut [0; 1]).is_ok_and(|length| length == 1)
    })
}

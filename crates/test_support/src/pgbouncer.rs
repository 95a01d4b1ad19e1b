//! PgBouncer between a test and a PostgreSQL server.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::installed::{ServerUser, find_program, report_missing, server_command};
use crate::loopback_port;
use crate::postgres_server::{POSTGRES_PASSWORD, PostgresServer};
use crate::scratch_directory::{give_to, make};
use crate::server_process::{ServerProcess, read_log};

/// A running PgBouncer with Debian's defaults but for what it needs to run here. It ends when dropped.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    process: Option<ServerProcess>,
    directory: TempDir,
}

impl PgBouncer {
    /// Starts PgBouncer in front of `server`; `mode` is its `pool_mode`: `session`, `transaction` or
    /// `statement`. `None` (reported, and a failure in CI) when it is not installed.
    #[must_use]
    pub fn start(server: &PostgresServer, mode: &str) -> Option<Self> {
        Self::start_with(server, mode, &[])
    }

    /// [`start`](Self::start) with further lines of the `[pgbouncer]` section.
    #[must_use]
    pub fn start_with(server: &PostgresServer, mode: &str, settings: &[&str]) -> Option<Self> {
        let Some(program) = find_program("pgbouncer") else {
            report_missing("PgBouncer");
            return None;
        };
        let user = ServerUser::to_run_servers("postgres");
        let directory = make("pgbouncer", user);
        let path = directory.path();
        let users = path.join("users.txt");
        fs::write(&users, format!("\"postgres\" \"{POSTGRES_PASSWORD}\"\n"))
            .expect("the directory can be written");
        give_to(&users, user);
        let file = path.join("pgbouncer.ini");
        for _ in 0..5 {
            let port = loopback_port::free();
            let configuration = format!(
                "[databases]\n* = host=127.0.0.1 port={}\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\n\
                 max_client_conn = 300\n{}\n",
                server.port(),
                users.display(),
                settings.join("\n")
            );
            fs::write(&file, configuration).expect("the directory can be written");
            give_to(&file, user);
            let mut command = server_command(&program, user, path);
            command.arg(&file);
            let mut process = ServerProcess::spawn(&mut command, path, "KILL");
            let deadline = Instant::now() + Duration::from_secs(20);
            loop {
                let answers = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
                let ended = process.ended().is_some();
                if answers && !ended {
                    return Some(Self {
                        port,
                        process: Some(process),
                        directory,
                    });
                }
                if ended {
                    break;
                }
                assert!(
                    Instant::now() < deadline,
                    "PgBouncer does not answer:\n{}",
                    process.log()
                );
                sleep(Duration::from_millis(10));
            }
            let log = process.log();
            process.kill();
            assert!(log.contains("in use"), "PgBouncer did not start:\n{log}");
        }
        panic!("PgBouncer found no free port");
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `postgres://postgres:<password>@127.0.0.1:<port>/<database>`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:{POSTGRES_PASSWORD}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Everything that it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(&self.directory.path().join("log"))
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }
}

//! The PostgreSQL server, PgBouncer in front of it, and what happens to a server whose test is killed.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use forerun_test_support::{Direction, POSTGRES_PASSWORD, PgBouncer, PostgresServer, When};

/// `psql` from `PATH`, given a URL as a user would give it.
fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql")
        .args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
            url,
        ])
        .env("PGCONNECT_TIMEOUT", "10")
        .output()
        .expect("psql is installed");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn shared_server_gives_each_test_a_database() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let (one, two) = (server.fresh_database(), server.fresh_database());
    assert_ne!(one.name, two.name);
    one.execute("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1), (2);");
    assert_eq!(
        one.query("SELECT id, id * 2 FROM item ORDER BY id"),
        "1|2\n2|4"
    );
    assert!(
        two.try_execute("SELECT * FROM item")
            .unwrap_err()
            .contains("does not exist")
    );
    let dump = one.dump_schema();
    assert!(dump.contains("CREATE TABLE public.item"), "{dump}");
    assert!(!dump.contains("restrict"), "{dump}");
    let name = one.name.clone();
    drop(one);
    let left = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(two.query(&left), "0");
}

#[test]
fn both_urls_connect_and_the_password_is_checked() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    assert_eq!(
        psql(&database.url, "SELECT current_database()").unwrap(),
        database.name
    );
    assert_eq!(
        psql(&database.socket_url, "SELECT current_database()").unwrap(),
        database.name
    );
    let wrong = database.url.replace(POSTGRES_PASSWORD, "wrong");
    let error = psql(&wrong, "SELECT 1").unwrap_err();
    assert!(error.contains("password authentication failed"), "{error}");
}

#[test]
fn durable_server_keeps_what_was_committed_over_a_kill() {
    let Some(server) = PostgresServer::builder().durable().start() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE item (id int); INSERT INTO item VALUES (7);");
    let mut session = database.session();
    session.run("BEGIN; INSERT INTO item VALUES (8);");
    server.stop_hard();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.start_again();
    assert_eq!(database.query("SELECT id FROM item"), "7");
    server.restart();
    assert_eq!(database.query("SELECT id FROM item"), "7");
    assert!(
        server
            .log()
            .contains("database system was not properly shut down")
    );
}

#[test]
fn session_holds_a_transaction_open() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE item (id int)");
    let mut blocker = database.session();
    blocker.run("BEGIN; LOCK TABLE item;");
    let error = database
        .try_execute("SET lock_timeout = '100ms'; DROP TABLE item;")
        .unwrap_err();
    assert!(error.contains("lock timeout"), "{error}");
    drop(blocker);
    database.wait_until(
        "SELECT count(*) FROM pg_locks WHERE relation = 'item'::regclass",
        "0",
        Duration::from_secs(10),
    );
    database.execute("DROP TABLE item");
}

#[test]
fn tls_is_verified_by_authority_and_name() {
    let Some(server) = PostgresServer::builder().tls().require_tls().start() else {
        return;
    };
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let verified = |url: &str, authority: &Path| {
        psql(
            &format!(
                "{url}?sslmode=verify-full&sslrootcert={}",
                authority.display()
            ),
            query,
        )
    };
    let url = server.url("postgres");
    assert_eq!(verified(&url, server.ca_file()).unwrap(), "t");
    assert_eq!(
        verified(
            &server.url_at("localhost", server.port(), "postgres"),
            server.ca_file()
        )
        .unwrap(),
        "t"
    );
    let error = verified(&url, &server.certificates().unrelated_authority).unwrap_err();
    assert!(error.contains("certificate verify failed"), "{error}");
    let error = psql(&format!("{url}?sslmode=disable"), query).unwrap_err();
    assert!(error.contains("no encryption"), "{error}");
}

#[test]
fn certificate_for_another_name_is_refused_by_verify_full_only() {
    let builder = PostgresServer::builder().tls_for_names(&["database.invalid"]);
    let Some(server) = builder.configuration("log_statement = 'all'").start() else {
        return;
    };
    let url = |mode| {
        let authority = server.ca_file().display();
        format!(
            "{}?sslmode={mode}&sslrootcert={authority}",
            server.url("postgres")
        )
    };
    assert_eq!(psql(&url("verify-ca"), "SELECT 1").unwrap(), "1");
    let error = psql(&url("verify-full"), "SELECT 1").unwrap_err();
    assert!(error.contains("does not match host name"), "{error}");
    assert!(
        server.log().contains("statement: SELECT 1"),
        "{}",
        server.log()
    );
}

#[test]
fn pgbouncer_in_transaction_mode_shares_server_sessions() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let Some(pooler) = PgBouncer::start(server, "transaction") else {
        return;
    };
    let database = server.fresh_database();
    let url = pooler.url(&database.name);
    let pid = psql(&url, "SELECT pg_backend_pid()").unwrap();
    assert_eq!(psql(&url, "SELECT pg_backend_pid()").unwrap(), pid);
    assert!(psql(&url.replace(POSTGRES_PASSWORD, "wrong"), "SELECT 1").is_err());
}

#[test]
fn commit_is_forwarded_or_not_when_the_proxy_cuts_at_it() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE item (id int)");
    let proxy = database.proxy();
    let url = format!("{}?sslmode=disable", database.url_through(&proxy));
    let insert = |id: u32| {
        Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "BEGIN"])
            .args([
                "-c",
                &format!("INSERT INTO item VALUES ({id})"),
                "-c",
                "COMMIT",
                &url,
            ])
            .output()
            .expect("psql is installed")
            .status
            .success()
    };
    proxy.cut_when(Direction::ToServer, b"COMMIT", When::Before);
    assert!(!insert(1), "the client must see the cut");
    proxy.cut_when(Direction::ToServer, b"COMMIT", When::After);
    assert!(!insert(2), "the client must see the cut");
    assert_eq!(proxy.cuts(), 2);
    assert!(insert(3), "a fault fires once");
    database.wait_until(
        "SELECT string_agg(id::text, ' ' ORDER BY id) FROM item",
        "2 3",
        Duration::from_secs(10),
    );
}

/// Not a test by itself: the next one runs it in a process of its own, and kills that.
#[test]
#[ignore = "run by server_dies_with_a_killed_test_process"]
fn start_a_server_and_hang() {
    let server = PostgresServer::shared().expect("the caller checked that it is installed");
    println!(
        "\nserver {} {}",
        server.port(),
        server.socket_directory().display()
    );
    sleep(Duration::from_secs(120));
}

#[test]
fn server_dies_with_a_killed_test_process() {
    if PostgresServer::shared().is_none() {
        return;
    }
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "start_a_server_and_hang",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (port, directory) = BufReader::new(process.stdout.take().unwrap())
        .lines()
        .find_map(|line| {
            let line = line.unwrap();
            let (port, directory) = line.strip_prefix("server ")?.split_once(' ')?;
            Some((port.parse::<u16>().unwrap(), directory.to_owned()))
        })
        .expect("it says where its server is");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    process.kill().unwrap();
    process.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() || Path::new(&directory).exists() {
        assert!(
            Instant::now() < deadline,
            "the server of a killed test is still there"
        );
        sleep(Duration::from_millis(20));
    }
}

//! The MariaDB server.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use forerun_test_support::{MARIADB_PASSWORD, MariadbServer};

/// The `mariadb` client over TCP, as a user would call it.
fn mariadb(
    server: &MariadbServer,
    password: &str,
    options: &[&str],
    sql: &str,
) -> Result<String, String> {
    let output = Command::new("mariadb")
        .args([
            "--no-defaults",
            "--batch",
            "--skip-column-names",
            "--host=127.0.0.1",
            "--user=root",
        ])
        .arg(format!("--port={}", server.port()))
        .args(options)
        .args(["--execute", sql])
        .env("MYSQL_PWD", password)
        .output()
        .expect("mariadb is installed");
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
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let (one, two) = (server.fresh_database(), server.fresh_database());
    assert_ne!(one.name, two.name);
    one.execute("CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1), (2);");
    one.execute("CREATE TABLE forerun_history (id int)");
    assert_eq!(
        one.query("SELECT id, id * 2 FROM item ORDER BY id"),
        "1\t2\n2\t4"
    );
    assert!(
        two.try_execute("SELECT * FROM item")
            .unwrap_err()
            .contains("doesn't exist")
    );
    let dump = one.dump_schema();
    assert!(dump.contains("CREATE TABLE `item`"), "{dump}");
    assert!(!dump.contains("forerun_history"), "{dump}");
    assert_eq!(dump, one.dump_schema());
}

#[test]
fn password_is_checked_over_tcp() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    assert_eq!(
        mariadb(server, MARIADB_PASSWORD, &[], "SELECT 1").unwrap(),
        "1"
    );
    let error = mariadb(server, "wrong", &[], "SELECT 1").unwrap_err();
    assert!(error.contains("Access denied"), "{error}");
}

#[test]
fn durable_server_keeps_what_was_committed_over_a_kill() {
    let Some(server) = MariadbServer::builder().durable().start() else {
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
}

#[test]
fn session_holds_a_metadata_lock() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE item (id int)");
    let mut blocker = database.session();
    blocker.run("BEGIN; SELECT * FROM item;");
    let error = database
        .try_execute("SET lock_wait_timeout = 1; DROP TABLE item;")
        .unwrap_err();
    assert!(error.contains("Lock wait timeout"), "{error}");
    drop(blocker);
    database.wait_until(
        "SELECT count(*) FROM information_schema.processlist WHERE command = 'Sleep' AND db = database()",
        "0",
        Duration::from_secs(10),
    );
    database.execute("DROP TABLE item");
}

#[test]
fn tls_is_verified_by_authority() {
    let Some(server) = MariadbServer::builder().tls().require_tls().start() else {
        return;
    };
    let query = "SHOW STATUS LIKE 'Ssl_version'";
    let verified = |authority: &Path| {
        let authority = format!("--ssl-ca={}", authority.display());
        mariadb(
            &server,
            MARIADB_PASSWORD,
            &[&authority, "--ssl-verify-server-cert"],
            query,
        )
    };
    assert!(verified(server.ca_file()).unwrap().contains("TLS"));
    let error = verified(&server.certificates().unrelated_authority).unwrap_err();
    assert!(error.contains("TLS/SSL error"), "{error}");
    // Which of the two it says depends on the version.
    let error = mariadb(&server, MARIADB_PASSWORD, &["--skip-ssl"], query).unwrap_err();
    assert!(
        error.contains("Access denied") || error.contains("require_secure_transport"),
        "{error}"
    );
}

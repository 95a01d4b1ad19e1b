//! Connecting: what works, and what the user is told when it does not.

use std::time::{Duration, Instant};

use forerun_migrations::database::{Database, ErrorKind};
use forerun_test_support::{MariadbServer, TestDatabase};

use super::{connect, database, options, try_connect};

fn with_user(target: &TestDatabase<'_>, user: &str, password: &str) -> String {
    let (_, place) = target.url.split_once('@').unwrap();
    format!("mysql://{user}:{password}@{place}")
}

#[tokio::test]
async fn tcp_and_socket() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    for url in [&target.url, &target.socket_url] {
        let mut session = connect(url, "run-1").await;
        assert!(
            session.server().product.starts_with("MariaDB "),
            "{:?}",
            session.server()
        );
        assert_eq!(session.server().database, target.name);
        assert_eq!(session.server().schema, None);
        let row = session
            .first_row("SELECT DATABASE() AS name, NULL AS nothing, X'00ff' AS bytes")
            .await;
        assert_eq!(
            row.unwrap().unwrap(),
            format!("name={}, nothing=NULL, bytes=0x00ff", target.name)
        );
        assert_eq!(
            session.first_row("SELECT 1 WHERE FALSE").await.unwrap(),
            None
        );
    }
    let shown = database(&target.url).target();
    assert!(
        shown.contains(&target.name) && shown.contains("127.0.0.1"),
        "{shown}"
    );
    assert!(
        !shown.contains(forerun_test_support::MARIADB_PASSWORD),
        "{shown}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let error = try_connect(&with_user(&target, "root", "s3cr3t-wrong"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert_eq!(error.code.as_deref(), Some("1045 (28000)"));
    assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    let error = try_connect(&with_user(&target, "nobody", "x"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Authentication);
}

#[tokio::test]
async fn ed25519_accounts_work() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    if server
        .try_execute("", "INSTALL SONAME 'auth_ed25519'")
        .is_err()
    {
        return;
    }
    target.execute(&format!(
        "CREATE USER modern@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('päss');
         GRANT ALL ON `{}`.* TO modern@'127.0.0.1'",
        target.name
    ));
    let mut session = connect(&with_user(&target, "modern", "p%C3%A4ss"), "run-1").await;
    session.run("CREATE TABLE t (a INT)").await.unwrap();
}

#[tokio::test]
async fn missing_databases_hosts_and_ports_are_told() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();

    let error = try_connect(&server.url("missing_database"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("missing_database"), "{error}");
    assert!(error.hint.is_some());

    let error = try_connect(&target.url_at("no-such-host.invalid", 3306))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("no-such-host.invalid"), "{error}");

    let error = try_connect(&target.url_at("127.0.0.1", 1))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("connection refused"), "{error}");

    let error = try_connect("mysql://root:x@localhost/a?socket=/nowhere/mysqld.sock")
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("/nowhere/mysqld.sock"), "{error}");
}

#[tokio::test]
async fn a_database_without_privileges_is_a_matter_of_configuration() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute("CREATE USER stranger@'127.0.0.1' IDENTIFIED BY 'x'");
    let error = try_connect(&with_user(&target, "stranger", "x"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert_eq!(error.code.as_deref(), Some("1044 (42000)"));
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_the_connect_timeout() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    let proxy = target.proxy();
    proxy.pause();
    let mut options = options(&target.url_through(&proxy));
    options.connect_timeout = Duration::from_millis(300);
    let started = Instant::now();
    let result = forerun_databases::mysql::Mysql::new(options)
        .connect(&super::identity("run-1"))
        .await;
    let error = result.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("no answer within 0.3 s"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn too_many_connections_pass() {
    let Some(server) = MariadbServer::builder()
        .option("--max-connections=10")
        .start()
    else {
        return;
    };
    let target = server.fresh_database();
    let mut sessions = Vec::new();
    let error = loop {
        match try_connect(&target.url).await {
            Ok(session) => sessions.push(session),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
}

#[tokio::test]
async fn tls_is_verified_as_the_mode_says() {
    let Some(server) = MariadbServer::builder().tls().start() else {
        return;
    };
    let target = server.fresh_database();
    let authority = server.ca_file().display();
    let unrelated = server.certificates().unrelated_authority.display();
    let cipher = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";

    for parameters in [
        format!("sslmode=verify-full&sslrootcert={authority}"),
        format!("sslmode=verify-ca&sslrootcert={authority}"),
        "sslmode=require".to_owned(),
        "sslmode=prefer".to_owned(),
    ] {
        let mut session = connect(&format!("{}?{parameters}", target.url), "run-1").await;
        let row = session.first_row(cipher).await.unwrap().unwrap();
        assert!(row.contains("TLS"), "{parameters}: {row}");
    }
    for parameters in ["sslmode=disable", "sslmode=allow"] {
        let mut session = connect(&format!("{}?{parameters}", target.url), "run-1").await;
        let row = session.first_row(cipher).await.unwrap().unwrap();
        assert!(row.ends_with("Value="), "{parameters}: {row}");
    }
    for parameters in [
        format!("sslmode=verify-full&sslrootcert={unrelated}"),
        format!("sslmode=verify-ca&sslrootcert={unrelated}"),
        // The roots built in do not know our authority.
        "sslmode=verify-full".to_owned(),
    ] {
        let error = try_connect(&format!("{}?{parameters}", target.url))
            .await
            .err()
            .unwrap();
        assert_eq!(
            error.kind,
            ErrorKind::Configuration,
            "{parameters}: {error:?}"
        );
        assert!(
            error.message.contains("certificate"),
            "{parameters}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let Some(server) = MariadbServer::builder()
        .tls_for_names(&["database.invalid"])
        .start()
    else {
        return;
    };
    let target = server.fresh_database();
    let url = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        target.url,
        server.ca_file().display()
    );
    let error = try_connect(&url).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    assert!(error.message.contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_server_that_insists_on_tls() {
    let Some(server) = MariadbServer::builder().tls().require_tls().start() else {
        return;
    };
    let target = server.fresh_database();
    connect(&format!("{}?sslmode=prefer", target.url), "run-1").await;
    connect(&format!("{}?sslmode=allow", target.url), "run-1").await;
    let error = try_connect(&format!("{}?sslmode=disable", target.url))
        .await
        .err()
        .unwrap();
    // MySQL says why (3159); MariaDB only denies access.
    assert_eq!(error.kind, ErrorKind::Authentication, "{error:?}");
    assert!(error.hint.unwrap().contains("ssl-mode=REQUIRED"));
}

#[tokio::test]
async fn a_server_without_tls() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    connect(&format!("{}?sslmode=prefer", target.url), "run-1").await;
    let error = try_connect(&format!("{}?sslmode=require", target.url))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    assert!(error.message.contains("does not offer TLS"), "{error}");
}

#[tokio::test]
async fn a_read_only_server_is_recognised() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let target = server.fresh_database();
    target.execute(&format!(
        "CREATE USER writer@'127.0.0.1' IDENTIFIED BY 'x'; GRANT ALL ON `{}`.* TO writer@'127.0.0.1'",
        target.name
    ));
    let mut session = connect(&with_user(&target, "writer", "x"), "run-1").await;
    session
        .run("SET SESSION TRANSACTION READ ONLY")
        .await
        .unwrap();
    let error = session.run("CREATE TABLE t (a INT)").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly, "{error:?}");
}

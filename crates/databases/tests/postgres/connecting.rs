//! Connecting: every way in, and a useful sentence for every way that fails.

use forerun_migrations::database::ErrorKind;
use forerun_test_support::{POSTGRES_PASSWORD, PostgresServer};

use super::{connect, refused};

#[tokio::test(flavor = "multi_thread")]
async fn tcp_with_a_password_and_the_socket_without() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    for url in [&database.url, &database.socket_url] {
        let session = connect(url, "run").await;
        let info = session.server();
        assert!(info.product.starts_with("PostgreSQL "), "{info:?}");
        assert_eq!(info.database, database.name);
        assert_eq!(info.schema.as_deref(), Some("public"));
        assert!(!info.pooled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_can_be_recognised_in_pg_stat_activity() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let session = connect(&database.url, "run").await;
    let process = session.backend();
    let process = process.split('@').next().unwrap();
    let name = database.query(&format!(
        "SELECT application_name FROM pg_stat_activity WHERE pid = {process}"
    ));
    assert_eq!(name, "forerun 0.1.0 host-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named_and_not_shown() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let url = format!(
        "postgres://postgres:sesame-42@127.0.0.1:{}/postgres",
        server.port()
    );
    let error = refused(&url).await;
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert!(error.message.contains("127.0.0.1"), "{error:?}");
    assert!(
        error.hint.as_deref().unwrap().contains("DATABASE_PASSWORD"),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("sesame-42"));
    let none = refused(&format!(
        "postgres://postgres@127.0.0.1:{}/postgres",
        server.port()
    ))
    .await;
    assert_eq!(none.kind, ErrorKind::Authentication);
    assert!(none.message.contains("password"), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_database_is_a_matter_of_configuration() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let error = refused(&server.url("no_such_database")).await;
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("no_such_database"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_a_closed_port_and_a_missing_socket_can_be_waited_for() {
    let error = refused("postgres://u:p@no-such-host-forerun/db").await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("no-such-host-forerun"), "{error:?}");
    assert!(
        error.hint.as_deref().unwrap().contains("ndots"),
        "{error:?}"
    );

    let error = refused("postgres://u:p@127.0.0.1:1/db").await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(
        error.message.contains("127.0.0.1:1: connection refused"),
        "{error:?}"
    );

    let error = refused("postgres:///db?host=/no/such/folder&user=u").await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("/no/such/folder"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_host_is_tried_and_all_are_named_when_none_answers() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let port = server.port();
    connect(
        &format!("postgres://postgres:{POSTGRES_PASSWORD}@127.0.0.1:1,127.0.0.1:{port}/postgres"),
        "run",
    )
    .await;
    let error = refused("postgres://u:p@127.0.0.1:1,127.0.0.1:2/db").await;
    assert!(
        error.message.contains("127.0.0.1:1") && error.message.contains("127.0.0.1:2"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_given_up_after_the_connect_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let started = std::time::Instant::now();
    let error = refused(&format!(
        "postgres://u:p@127.0.0.1:{port}/db?connect_timeout=1"
    ))
    .await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("within"), "{error:?}");
    assert!(started.elapsed().as_secs() < 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_used_and_verified_as_the_mode_says() {
    let Some(server) = PostgresServer::builder().tls().start() else {
        return;
    };
    let root = server.ca_file().display();
    let other = server.certificates().unrelated_authority.display();
    let local = server.url_at("localhost", server.port(), "postgres");
    let used = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (mode, expected) in [
        ("sslmode=disable".to_owned(), "ssl=f"),
        ("sslmode=allow".to_owned(), "ssl=f"),
        ("sslmode=prefer".to_owned(), "ssl=t"),
        ("sslmode=require".to_owned(), "ssl=t"),
        (format!("sslmode=verify-ca&sslrootcert={root}"), "ssl=t"),
        (format!("sslmode=verify-full&sslrootcert={root}"), "ssl=t"),
        (
            format!("sslmode=verify-full&sslrootcert={root}&channel_binding=require"),
            "ssl=t",
        ),
    ] {
        let mut session = connect(&format!("{local}?{mode}"), "run").await;
        assert_eq!(
            session.first_row(used).await.unwrap().as_deref(),
            Some(expected),
            "{mode}"
        );
    }
    for mode in ["verify-ca", "verify-full"] {
        let error = refused(&format!("{local}?sslmode={mode}&sslrootcert={other}")).await;
        assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
        assert!(error.message.contains("TLS"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_is_refused_by_verify_full_only() {
    let names = ["database.invalid"];
    let Some(server) = PostgresServer::builder().tls_for_names(&names).start() else {
        return;
    };
    let root = server.ca_file().display();
    let local = server.url_at("localhost", server.port(), "postgres");
    connect(
        &format!("{local}?sslmode=verify-ca&sslrootcert={root}"),
        "run",
    )
    .await;
    let error = refused(&format!("{local}?sslmode=verify-full&sslrootcert={root}")).await;
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_insists_on_tls_or_has_none() {
    let Some(strict) = PostgresServer::builder().tls().require_tls().start() else {
        return;
    };
    let url = strict.url("postgres");
    for mode in ["allow", "prefer", "require"] {
        connect(&format!("{url}?sslmode={mode}"), "run").await;
    }
    let error = refused(&format!("{url}?sslmode=disable")).await;
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert!(
        error.hint.as_deref().unwrap().contains("sslmode"),
        "{error:?}"
    );

    let Some(plain) = PostgresServer::shared() else {
        return;
    };
    connect(&format!("{}?sslmode=prefer", plain.url("postgres")), "run").await;
    let error = refused(&format!("{}?sslmode=require", plain.url("postgres"))).await;
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("TLS"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_usable_schema_says_what_to_do() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let error = refused(&format!("{}?history_schema=ops", database.url)).await;
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(
        error
            .hint
            .as_deref()
            .unwrap()
            .contains("CREATE SCHEMA \"ops\""),
        "{error:?}"
    );
    database.execute("DROP SCHEMA public");
    let error = refused(&database.url).await;
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(
        error.hint.as_deref().unwrap().contains("CREATE SCHEMA"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_is_found_out_before_anything_is_done() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        database.name
    ));
    let mut session = connect(&database.url, "run").await;
    let error = session
        .try_acquire(&super::request(30.0))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReadOnly);
    let error = refused(&format!("{}?target_session_attrs=read-write", database.url)).await;
    assert_eq!(error.kind, ErrorKind::Unreachable);
}

//! MySQL and MariaDB URLs.

use std::path::PathBuf;
use std::time::Duration;

use super::super::{ConnectionUrl, Host, MysqlOptions, TlsMode, UrlError};

fn read(url: &str) -> MysqlOptions {
    match ConnectionUrl::parse(url, &|_| None) {
        Ok(ConnectionUrl::Mysql(options)) => options,
        other => panic!("{url}: {other:?}"),
    }
}

fn refused(url: &str) -> UrlError {
    ConnectionUrl::parse(url, &|_| None).unwrap_err()
}

#[test]
fn a_full_url_is_read() {
    let options = read(
        "mariadb://me:p%40ss@db:3307/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem&connect_timeout=4",
    );
    assert_eq!(options.host, Host::Tcp("db".to_owned(), 3307));
    assert_eq!(options.password.as_ref().unwrap().expose(), "p@ss");
    assert_eq!(options.tls, TlsMode::VerifyFull);
    assert_eq!(options.tls_files.root, Some(PathBuf::from("/ca.pem")));
    assert_eq!(options.connect_timeout, Duration::from_secs(4));
    for url in [
        "mysql://me@db/app",
        "mysql+pymysql://me@db/app",
        "jdbc:mysql://db:3306/app?user=me",
    ] {
        assert_eq!(
            read(url).to_string(),
            "mysql://me@db:3306/app?ssl-mode=PREFERRED"
        );
    }
    assert_eq!(
        read("mysql://me@[::1]/app").host,
        Host::Tcp("::1".to_owned(), 3306)
    );
}

#[test]
fn sockets_are_paths() {
    for url in [
        "mysql://me@localhost/app?socket=/run/m.sock",
        "mysql://me@/app?unix_socket=/run/m.sock",
        "mysql://me@%2Frun%2Fm.sock/app",
        "mysql://me@unix(/run/m.sock)/app",
    ] {
        assert_eq!(
            read(url).host,
            Host::Unix("/run/m.sock".into(), 3306),
            "{url}"
        );
    }
}

#[test]
fn a_go_data_source_name_is_read() {
    let options = read(
        "mysql://me:a@b/c?d@tcp(db:3307)/app?multiStatements=true&parseTime=true&sql_mode=ANSI&timeout=2s",
    );
    assert_eq!(options.host, Host::Tcp("db".to_owned(), 3307));
    assert_eq!(options.password.as_ref().unwrap().expose(), "a@b/c?d");
    assert_eq!(options.database, "app");
    assert_eq!(options.connect_timeout, Duration::from_secs(2));
    assert_eq!(options.warnings.len(), 3);
    assert_eq!(
        read("mysql://tcp(db)/app?user=me").host,
        Host::Tcp("db".to_owned(), 3306)
    );
    let own = read("mysql://me@tcp(db:3306)/app?tls=custom&x-tls-ca=/ca.pem");
    assert_eq!(
        (own.tls, own.tls_files.root),
        (TlsMode::VerifyFull, Some(PathBuf::from("/ca.pem")))
    );
    for broken in [
        "mysql://me@tcp(db/app",
        "mysql://me@tcp(db:3306)",
        "mysql://me@tcp(db)x/app",
    ] {
        assert!(
            matches!(refused(broken), UrlError::Syntax { .. }),
            "{broken}"
        );
    }
}

#[test]
fn protection_is_spelt_in_many_ways() {
    for (query, mode) in [
        ("", TlsMode::Prefer),
        ("ssl-mode=DISABLED", TlsMode::Disable),
        ("sslMode=required", TlsMode::Require),
        ("sslmode=verify-full", TlsMode::VerifyFull),
        ("ssl_mode=VERIFY_CA", TlsMode::VerifyCa),
        ("tls=true", TlsMode::VerifyFull),
        ("tls=skip-verify", TlsMode::Require),
        ("tls=preferred", TlsMode::Prefer),
        ("ssl-ca=/ca.pem", TlsMode::VerifyCa),
        ("useSSL=false", TlsMode::Disable),
        ("tls=true&x-tls-insecure-skip-verify=true", TlsMode::Require),
    ] {
        assert_eq!(
            read(&format!("mysql://me@db/app?{query}")).tls,
            mode,
            "{query}"
        );
    }
    assert!(
        refused("mysql://me@db/app?ssl-mode=on")
            .to_string()
            .contains("VERIFY_IDENTITY")
    );
}

#[test]
fn the_password_may_come_from_a_variable() {
    let variables = |name: &str| (name == "MYSQL_PWD").then(|| "from-env".to_owned());
    let Ok(ConnectionUrl::Mysql(options)) = ConnectionUrl::parse("mysql://me@db/app", &variables)
    else {
        panic!("not read");
    };
    assert_eq!(options.password.unwrap().expose(), "from-env");
}

#[test]
fn what_is_wrong_is_named() {
    for url in [
        "mysql://me@db",
        "mysql://me@db/",
        "mysql://me@tcp(db:3306)/",
    ] {
        let error = refused(url);
        assert_eq!(error.to_string(), "no database name is given", "{url}");
        assert!(error.hint().unwrap().contains("/name"));
    }
    let error = refused("mysql://me@db/app?ssl-mod=REQUIRED").to_string();
    assert!(error.contains("did you mean `ssl-mode`"), "{error}");
    assert!(
        read("mysql://me@db/app?charset=utf8mb4")
            .warnings
            .first()
            .unwrap()
            .contains("charset")
    );
}

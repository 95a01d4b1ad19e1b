//! PostgreSQL URLs, and what completes them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::super::{ConnectionUrl, Host, PostgresOptions, TlsMode, UrlError};

/// Parses with these variables; HOME is a directory that does not exist unless given.
fn read_with(url: &str, variables: &[(&str, &str)]) -> Result<PostgresOptions, UrlError> {
    let look_up = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, value)| (*value).to_owned())
            .or_else(|| (name == "HOME").then(|| "/nonexistent".to_owned()))
    };
    match ConnectionUrl::parse(url, &look_up)? {
        ConnectionUrl::Postgres(options) => Ok(options),
        other => panic!("not PostgreSQL: {other}"),
    }
}

fn read(url: &str) -> PostgresOptions {
    read_with(url, &[]).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refused(url: &str) -> UrlError {
    read_with(url, &[])
        .map(|options| panic!("{url} gave {options}"))
        .unwrap_err()
}

fn tcp(host: &str, port: u16) -> Host {
    Host::Tcp(host.to_owned(), port)
}

#[test]
fn a_full_url_is_read() {
    let options = read(
        "postgresql://me%40corp:p%3A%2F%23@db.example:6432/my%20app?sslmode=verify-full&sslrootcert=/ca.pem\
         &connect_timeout=3&application_name=shop&target_session_attrs=read-write&channel_binding=require",
    );
    assert_eq!(options.hosts, [tcp("db.example", 6432)]);
    assert_eq!(options.user, "me@corp");
    assert_eq!(options.password.as_ref().unwrap().expose(), "p:/#");
    assert_eq!(options.database, "my app");
    assert_eq!(options.tls, TlsMode::VerifyFull);
    assert_eq!(options.tls_files.root, Some(PathBuf::from("/ca.pem")));
    assert_eq!(options.connect_timeout, Duration::from_secs(3));
    assert_eq!(options.application_name.as_deref(), Some("shop"));
    assert!(options.read_write);
    assert_eq!(
        options.other.get("channel_binding").map(String::as_str),
        Some("require")
    );
    assert!(options.warnings.is_empty());
}

#[test]
fn hosts_are_lists_addresses_and_sockets() {
    assert_eq!(
        read("postgres://u@a,b:1,[::1]:2/d").hosts,
        [tcp("a", 5432), tcp("b", 1), tcp("::1", 2)]
    );
    assert_eq!(
        read("postgres://u@/d?host=a,b&port=1,2").hosts,
        [tcp("a", 1), tcp("b", 2)]
    );
    assert_eq!(
        read("postgres://u@/d?host=a,b&port=7").hosts,
        [tcp("a", 7), tcp("b", 7)]
    );
    let socket = Host::Unix("/var/sock".into(), 5432);
    for url in [
        "postgres://u@/d?host=/var/sock",
        "postgres://u@%2Fvar%2Fsock/d",
        "host=/var/sock user=u dbname=d",
    ] {
        assert_eq!(read(url).hosts.first(), Some(&socket), "{url}");
    }
    assert_eq!(
        read("host=a hostaddr=10.0.0.1 user=u").hosts,
        [tcp("10.0.0.1", 5432)]
    );
    assert!(matches!(
        refused("host=a hostaddr=10.0.0.1 sslmode=verify-full"),
        UrlError::Unsupported { .. }
    ));
    assert!(matches!(
        refused("postgres://u@/d?host=a,b,c&port=1,2"),
        UrlError::BadValue { .. }
    ));
    assert!(matches!(
        refused("postgres://u@a:b:1/d"),
        UrlError::BadValue { .. }
    ));
    assert!(matches!(
        refused("postgres://u@a:99999/d"),
        UrlError::BadValue { .. }
    ));
    assert!(matches!(
        refused("postgres://u@a b/d"),
        UrlError::BadValue { .. }
    ));
    let link = read_with("postgres:///d", &[("PGPORT", "tcp://10.0.0.1:5432")]).unwrap_err();
    assert!(matches!(link, UrlError::ServiceLink { .. }), "{link}");
}

#[test]
fn keyword_value_strings_are_read_as_libpq_does() {
    let options = read("host = db port=5433 dbname='my app' user=me password='it\\'s \\\\ x'");
    assert_eq!(options.hosts, [tcp("db", 5433)]);
    assert_eq!(options.database, "my app");
    assert_eq!(options.password.as_ref().unwrap().expose(), "it's \\ x");
    for url in [
        "host=db password=eins zwei",
        "host=db password=eins zw=ei",
        "host='db",
        "host=db =x",
    ] {
        let error = refused(url);
        assert!(matches!(error, UrlError::Syntax { .. }), "{url}: {error}");
        assert!(!format!("{error}{error:?}").contains("zw"), "{error}");
    }
}

#[test]
fn variables_and_defaults_complete_a_url() {
    let variables = [
        ("PGHOST", "env-host"),
        ("PGPORT", "1111"),
        ("PGUSER", "env-user"),
        ("PGPASSWORD", "env-pass"),
        ("PGSSLMODE", "require"),
        ("PGAPPNAME", ""),
    ];
    let options = read_with("postgres:///app", &variables).unwrap();
    assert_eq!(
        options.to_string(),
        "postgres://env-user:***@env-host:1111/app?sslmode=require"
    );
    let options = read_with("postgres://u:p@h:2/app?sslmode=disable", &variables).unwrap();
    assert_eq!(
        options.to_string(),
        "postgres://u:***@h:2/app?sslmode=disable"
    );
    assert_eq!(read("postgres://someone@h").database, "someone");
    let error = read_with("postgres://h/d", &[("PGSSLMODE", "on")]).unwrap_err();
    assert!(error.to_string().contains("verify-full"), "{error}");
    let error = read_with("postgres://h/d", &[("PGREQUIREAUTH", "scram-sha-256")]).unwrap_err();
    assert!(error.to_string().contains("PGREQUIREAUTH"), "{error}");
}

#[test]
fn a_service_overrides_variables_and_is_overridden_by_the_url() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("services");
    fs::write(&file, "# ours\n[other]\nhost=wrong\n\n[shop]\nhost=service-host\nport=7\nuser=service-user\n[x]\nport=8\n")
        .unwrap();
    let path = file.to_str().unwrap();
    let variables = [
        ("PGSERVICEFILE", path),
        ("PGHOST", "env-host"),
        ("PGDATABASE", "env-name"),
    ];
    let options = read_with("postgres://url-user@/?service=shop", &variables).unwrap();
    assert_eq!(
        options.to_string(),
        "postgres://url-user@service-host:7/env-name?sslmode=prefer"
    );
    let missing = read_with("postgres:///?service=nope", &variables).unwrap_err();
    assert!(missing.hint().unwrap().contains(path), "{missing}");
    fs::write(&file, "[shop]\nhots=a\n").unwrap();
    let error = read_with("service=shop", &variables)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 2") && error.contains("did you mean `host`"),
        "{error}"
    );
}

#[test]
fn the_password_file_is_used_only_when_it_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(".pgpass");
    fs::write(&file, "db:*:app:me:from-file\n*:*:*:*:other\n").unwrap();
    let variables = [("HOME", directory.path().to_str().unwrap())];
    let permit = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    permit(0o600);
    let options = read_with("postgres://me@db/app", &variables).unwrap();
    assert_eq!(options.password.unwrap().expose(), "from-file");
    assert_eq!(
        read_with("postgres://me:given@db/app", &variables)
            .unwrap()
            .password
            .unwrap()
            .expose(),
        "given"
    );
    permit(0o644);
    let url = ConnectionUrl::Postgres(read_with("postgres://me@db/app", &variables).unwrap());
    assert!(matches!(&url, ConnectionUrl::Postgres(options) if options.password.is_none()));
    assert!(url.warnings().first().unwrap().contains("chmod 0600"));
}

#[test]
fn tls_follows_libpq() {
    for (text, mode) in [
        ("disable", TlsMode::Disable),
        ("allow", TlsMode::Allow),
        ("prefer", TlsMode::Prefer),
        ("require", TlsMode::Require),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify-full", TlsMode::VerifyFull),
    ] {
        assert_eq!(read(&format!("postgres://u@h/d?sslmode={text}")).tls, mode);
    }
    assert_eq!(read("postgres://u@h/d").tls, TlsMode::Prefer);
    assert_eq!(read("postgres://u@h/d?ssl=true").tls, TlsMode::Require);
    assert_eq!(
        read("postgres://u@h/d?sslrootcert=system").tls,
        TlsMode::VerifyFull
    );
    assert!(matches!(
        refused("postgres://u@h/d?sslrootcert=system&sslmode=require"),
        UrlError::BadValue { .. }
    ));

    let home = tempfile::tempdir().unwrap();
    let files = home.path().join(".postgresql");
    fs::create_dir(&files).unwrap();
    for name in ["root.crt", "postgresql.crt", "postgresql.key"] {
        fs::write(files.join(name), "").unwrap();
    }
    let variables = [("HOME", home.path().to_str().unwrap())];
    let found = read_with("postgres://u@h/d?sslmode=require", &variables)
        .unwrap()
        .tls_files;
    assert_eq!(found.root, Some(files.join("root.crt")));
    assert_eq!(found.key, Some(files.join("postgresql.key")));
    let found = read_with("postgres://u@h/d?sslcertmode=disable", &variables)
        .unwrap()
        .tls_files;
    assert_eq!(found, super::TlsFiles::default());
}

#[test]
fn a_search_path_becomes_an_option() {
    for url in [
        "postgres://u@h/d?search_path=app",
        "postgres://u@h/d?schema=app",
        "postgres://u@h/d?currentSchema=app",
    ] {
        assert_eq!(read(url).options.as_deref(), Some("-c search_path=app"));
    }
    let both = read("postgres://u@h/d?search_path=a, b&options=-c%20jit%3Doff");
    assert_eq!(
        both.options.as_deref(),
        Some("-c jit=off -c search_path=a,\\ b")
    );
    assert_eq!(
        read("postgres://u@h/d?history_schema=ops")
            .history_schema
            .as_deref(),
        Some("ops")
    );
}

#[test]
fn parameters_that_cannot_be_obeyed_are_refused_or_mentioned() {
    for safe in [
        "gssencmode=prefer",
        "krbsrvname=x",
        "pool_max_conns=4",
        "x-migrations-table=m",
        "sslcompression=0",
    ] {
        read(&format!("postgres://u@h/d?{safe}"));
    }
    assert!(
        read("postgres://u@h/d?pgbouncer=true")
            .warnings
            .first()
            .unwrap()
            .contains("pgbouncer")
    );
    for unsafe_to_ignore in [
        "gssencmode=require",
        "require_auth=scram-sha-256",
        "sslcrl=/crl",
        "sslpassword=abc",
        "target_session_attrs=standby",
        "ssl_min_protocol_version=TLSv1.3",
    ] {
        let error = refused(&format!("postgres://u@h/d?{unsafe_to_ignore}"));
        assert!(matches!(error, UrlError::Unsupported { .. }), "{error}");
    }
    let error = refused("postgres://u@h/d?sslmod=require").to_string();
    assert!(error.contains("did you mean `sslmode`"), "{error}");
    for (timeout, seconds) in [("0", 86_400), ("1", 2), ("-1", 86_400), ("30", 30)] {
        let options = read(&format!("postgres://u@h/d?connect_timeout={timeout}"));
        assert_eq!(options.connect_timeout, Duration::from_secs(seconds));
    }
}

#[test]
fn an_unencoded_password_is_recognised_and_not_shown() {
    for url in [
        "postgres://app:hunter@zwei@db:5432/app",
        "postgres://app:hunter/zwei@db:5432/app",
        "postgres://app:hunter#zwei@db:5432/app",
        "postgres://app:hunter?zwei@db:5432/app",
        "postgres://app:12?hunter=zwei@db:5432/app",
        "postgres://app:hunter%zwei@db:5432/app",
        "postgres://app:hunter%0@db:5432/app",
        "postgres://app@db/app?password=hunter&zwei",
        "postgres://app@db/app?password=hunter&zwei=3",
        "mysql://app:hunter@zwei@db/app",
        "mysql://app:hunter/zwei@db/app",
        "mysql://app:hunter?zwei@db/app",
        "mysql://app@db/app?password=hunter&zwei=3",
    ] {
        let error = ConnectionUrl::parse(url, &|_| None).unwrap_err();
        assert!(error.hint().unwrap().contains("%40"), "{url}: {error}");
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(
            !shown.contains("hunter") && !shown.contains("zwei"),
            "{url}: {shown}"
        );
    }
}

#[test]
fn a_url_of_something_else_is_explained() {
    let parse = |url: &str| ConnectionUrl::parse(url, &|_| None);
    assert_eq!(parse(" \n"), Err(UrlError::Empty));
    assert!(UrlError::Empty.hint().unwrap().contains("DATABASE_URL"));
    let error = parse("postgre://h/d").unwrap_err();
    assert!(
        error.to_string().contains("did you mean `postgres`"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("mysql://"));
    assert!(matches!(
        parse("oracle://h/d"),
        Err(UrlError::UnknownScheme { nearest: None, .. })
    ));
    assert!(matches!(
        parse("jdbc:oracle:thin:@h"),
        Err(UrlError::NoScheme)
    ));
    assert!(matches!(
        parse("localhost:5432/app"),
        Err(UrlError::NoScheme)
    ));
    assert!(matches!(parse("app.db"), Err(UrlError::NoScheme)));
    assert!(matches!(parse("postgres:app"), Err(UrlError::NoSlashes)));
    assert!(matches!(
        parse("postgres://h/d\npostgres://h/e"),
        Err(UrlError::ControlCharacter)
    ));
    for url in [
        "postgresql+psycopg2://u@h/d",
        "jdbc:postgresql://h/d?user=u",
        "POSTGRES://u@h/d\n",
    ] {
        assert_eq!(
            read(url).to_string(),
            "postgres://u@h:5432/d?sslmode=prefer"
        );
    }
}

//! What must hold for every URL.

use proptest::prelude::*;

use super::display::encode_for_tests;
use super::{ConnectionUrl, Parts, Secret};

/// No password file, no service file.
fn variables(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/nonexistent".to_owned())
}

/// Options without their warnings, and the password.
fn plain(url: ConnectionUrl) -> ConnectionUrl {
    match url {
        ConnectionUrl::Postgres(mut options) => {
            options.warnings.clear();
            ConnectionUrl::Postgres(options)
        }
        ConnectionUrl::Mysql(mut options) => {
            options.warnings.clear();
            ConnectionUrl::Mysql(options)
        }
        ConnectionUrl::Sqlite(mut options) => {
            options.warnings.clear();
            ConnectionUrl::Sqlite(options)
        }
    }
}

/// Text that looks like a URL in some places.
fn nearly_a_url() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("postgres://".to_owned()),
        Just("mysql://".to_owned()),
        Just("sqlite:".to_owned()),
        Just("host=".to_owned()),
        Just("@tcp(".to_owned()),
        Just("@unix(/".to_owned()),
        Just("?sslmode=".to_owned()),
        Just("&password=".to_owned()),
        Just("&options=".to_owned()),
        Just("[::1]:".to_owned()),
        "[a-z0-9@:/?#%&=,'\\\\ ()\\[\\]*-]{0,6}",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn url_with(engine: u8, user: &str, password: &str, name: &str, as_parameter: bool) -> String {
    let scheme = if engine == 0 { "postgres" } else { "mysql" };
    let (user, encoded, name) = (
        encode_for_tests(user),
        encode_for_tests(password),
        encode_for_tests(name),
    );
    if as_parameter {
        format!("{scheme}://{user}@db.example/{name}?password={encoded}")
    } else {
        format!("{scheme}://{user}:{encoded}@db.example/{name}")
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_accepted_is_shown_stably(url in nearly_a_url()) {
        if let Ok(read) = ConnectionUrl::parse(&url, &variables) {
            let shown = read.to_string();
            // A hidden password or option reads as the text `***`; everything else survives.
            let again = ConnectionUrl::parse(&shown, &variables);
            prop_assert!(again.is_ok(), "{shown:?}: {again:?}");
            prop_assert_eq!(again.map(|again| again.to_string()), Ok(shown));
        }
    }

    #[test]
    fn a_password_is_never_shown_and_comes_back_when_restored(
        engine in 0_u8..2,
        user in "[a-z@:/ ]{1,8}",
        password in "[A-Z0-9@:/?#%&=' \\\\]{8,16}",
        name in "[a-z/?# ]{0,6}[a-z]",
        as_parameter: bool,
    ) {
        let url = ConnectionUrl::parse(&url_with(engine, &user, &password, &name, as_parameter), &variables).unwrap();
        for shown in [format!("{url}"), format!("{url:?}"), format!("{url:#?}")] {
            prop_assert!(!shown.contains(&password), "{}", shown);
            prop_assert!(!shown.contains(&encode_for_tests(&password)), "{}", shown);
        }
        let restored = url.to_string().replacen(":***@", &format!(":{}@", encode_for_tests(&password)), 1);
        prop_assert_eq!(plain(ConnectionUrl::parse(&restored, &variables).unwrap()), plain(url));
    }

    #[test]
    fn an_error_never_shows_a_password(
        engine in 0_u8..2,
        password in "[A-Z0-9]{5}[@:/?#%&=][A-Z0-9]{5}",
    ) {
        let scheme = if engine == 0 { "postgres" } else { "mysql" };
        for url in [
            format!("{scheme}://me:{password}@db/app?nonsense=1"),
            format!("{scheme}://me@db/app?password={password}&nonsense=1"),
            format!("host=db password={password} nonsense=1"),
        ] {
            let error = ConnectionUrl::parse(&url, &variables).unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.hint());
            prop_assert!(!shown.contains(&password[..5]) && !shown.contains(&password[6..]), "{}", shown);
        }
    }

    #[test]
    fn parts_never_panic_and_never_show_the_password(
        engine in prop::option::of("(postgres|mysql|sqlite|[a-z.+]{0,8})"),
        host in prop::option::of("([a-z]{1,8}|\\PC{0,12})"),
        port in prop::option::of("([0-9]{1,6}|tcp://[0-9.:]{1,12})"),
        name in prop::option::of("\\PC{0,12}"),
        password in "\\PC{8,16}-SECRET-\\PC{0,4}",
    ) {
        let parts = Parts {
            engine,
            host,
            port,
            name,
            user: Some("me".to_owned()),
            password: Some(Secret::new(password.clone())),
        };
        let shown = match ConnectionUrl::from_parts(parts, &variables) {
            Ok(url) => format!("{url} {url:?}"),
            Err(error) => format!("{error} {error:?} {:?}", error.hint()),
        };
        prop_assert!(!shown.contains("-SECRET-"), "{}", shown);
    }
}

//! Connection URLs: nothing panics, what is accepted is shown in a form that means the same, and neither a
//! shown URL nor an error repeats a password.
#![no_main]

use forerun_databases::connection_url::ConnectionUrl;
use libfuzzer_sys::fuzz_target;

/// No variables, and a home without password or service files.
fn variables(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/nonexistent".to_owned())
}

fuzz_target!(|text: &str| {
    // The service and password files that a URL names are read from disk: not what is tested here.
    if text.contains("service") || text.contains("passfile") {
        return;
    }
    if let Ok(url) = ConnectionUrl::parse(text, &variables) {
        let shown = url.to_string();
        let again = ConnectionUrl::parse(&shown, &variables)
            .unwrap_or_else(|error| panic!("`{shown}` is not read again: {error}"));
        assert_eq!(again.to_string(), shown);
    }
    if text.contains("SEKRIT") || text.contains('%') {
        return;
    }
    for scheme in ["postgres", "mysql"] {
        for url in [
            format!("{scheme}://me:SEKRIT{text}@db/app"),
            format!("{scheme}://me@db/app?password=SEKRIT{text}"),
        ] {
            let shown = match ConnectionUrl::parse(&url, &variables) {
                Ok(url) => format!("{url} {url:?} {:?}", url.warnings()),
                Err(error) => format!("{error} {error:?} {:?}", error.hint()),
            };
            assert!(!shown.contains("SEKRIT"), "{shown}");
        }
    }
});

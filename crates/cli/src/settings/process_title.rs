//! Keeps passwords out of the process list.
//!
//! What is on a command line can be read by every user of the machine (`ps`, `/proc/<pid>/cmdline`), and a process
//! cannot change its own without unsafe code. So a run whose `--url` holds a password replaces itself by the same
//! program with the URL in an environment variable, which only the same user can read.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::environment::FORERUN_URL_FROM_ARGUMENT;

/// Replaces the process if its arguments hold a password. Returns if not, or if that is not possible (then the run
/// goes on: the password has been visible already).
pub fn hide_passwords() {
    let mut arguments = std::env::args_os();
    let title = arguments
        .next()
        .unwrap_or_else(|| OsString::from("forerun"));
    let Some((url, arguments)) = without_password(arguments) else {
        return;
    };
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let _ = Command::new(program)
        .arg0(title)
        .args(arguments)
        .env(FORERUN_URL_FROM_ARGUMENT.name, url)
        .exec();
}

/// The URL with a password, and the arguments with a reference in its place.
fn without_password(arguments: impl Iterator<Item = OsString>) -> Option<(String, Vec<OsString>)> {
    let reference = format!("env://{}", FORERUN_URL_FROM_ARGUMENT.name);
    let mut found = None;
    let mut value_follows = false;
    let mut rest = Vec::new();
    let mut arguments = arguments;
    for argument in arguments.by_ref() {
        if argument == "--" {
            // What follows belongs to another command.
            rest.push(argument);
            break;
        }
        let text = argument.to_str().unwrap_or_default();
        let (prefix, value) = if value_follows {
            ("", Some(text))
        } else if let Some(value) = text.strip_prefix("--url=") {
            ("--url=", Some(value))
        } else if let Some(value) = text.strip_prefix("-u=") {
            ("-u=", Some(value))
        } else if let Some(value) = text.strip_prefix("-u").filter(|value| !value.is_empty()) {
            ("-u", Some(value))
        } else {
            ("", None)
        };
        value_follows = !value_follows && matches!(text, "-u" | "--url");
        match value.filter(|value| holds_password(value)) {
            Some(value) => {
                found = Some(value.to_owned());
                rest.push(OsStr::new(&format!("{prefix}{reference}")).to_owned());
            }
            None => rest.push(argument),
        }
    }
    rest.extend(arguments);
    found.map(|url| (url, rest))
}

/// Whether a URL holds a password, as far as can be told without understanding it. It may be mistyped, so rather once
/// too often: `postgres:/u:p@h` and `u:p@h` do as well.
pub fn holds_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let user = rest.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || url.to_ascii_lowercase().contains("pass")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(line: &str) -> Option<(String, String)> {
        let (url, rest) = without_password(line.split(' ').map(OsString::from))?;
        let rest: Vec<_> = rest
            .into_iter()
            .map(|argument| argument.into_string().unwrap())
            .collect();
        Some((url, rest.join(" ")))
    }

    #[test]
    fn a_url_with_a_password_is_moved() {
        let reference = "env://FORERUN_URL_FROM_ARGUMENT";
        let url = "postgres://u:p@h/d";
        for (option, expected) in [
            ("-u ", "-u "),
            ("--url ", "--url "),
            ("--url=", "--url="),
            ("-u", "-u"),
            ("-u=", "-u="),
        ] {
            let (found, rest) = moved(&format!("migrate up {option}{url} --dir x")).unwrap();
            assert_eq!(found, url);
            assert_eq!(rest, format!("migrate up {expected}{reference} --dir x"));
        }
        assert!(moved("migrate up -u postgres://u@h/d?password=x").is_some());
        assert!(moved("migrate up -u host=h,password=x").is_some());
        assert!(moved("migrate up -u postgres:/u:p@h/d").is_some());
        assert!(moved("migrate up -u u:p@h/d").is_some());
    }

    #[test]
    fn anything_else_stays() {
        for line in [
            "migrate up",
            "migrate up -u sqlite:a.db",
            "migrate up -u postgres://u@h/d",
            "migrate up -u env://NAME",
            "exec -- psql -u postgres://u:p@h/d",
        ] {
            assert_eq!(moved(line), None, "{line}");
        }
    }
}

//! Keeps passwords out of the process list.
//!
//! What is on a command line can be read by every user of the machine (`ps`, `/proc/<pid>/cmdline`), and a process
//! cannot change its own without unsafe code. So a run whose `--url` or `--dev-url` holds a password replaces itself by
//! the same program with the URL in an environment variable, which only the same user can read.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::environment::{FORERUN_DEV_URL_FROM_ARGUMENT, FORERUN_URL_FROM_ARGUMENT};

/// Options that take a URL, and the variable in which it goes on.
const OPTIONS: [(&str, &str); 3] = [
    ("--url", FORERUN_URL_FROM_ARGUMENT.name),
    ("-u", FORERUN_URL_FROM_ARGUMENT.name),
    ("--dev-url", FORERUN_DEV_URL_FROM_ARGUMENT.name),
];

/// Replaces the process if its arguments hold a password. Returns if not, or if that is not possible (then the run
/// goes on: the password has been visible already).
pub fn hide_passwords() {
    let mut arguments = std::env::args_os();
    let title = arguments
        .next()
        .unwrap_or_else(|| OsString::from("forerun"));
    let (urls, arguments) = without_passwords(arguments);
    if urls.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let _ = Command::new(program)
        .arg0(title)
        .args(arguments)
        .envs(urls)
        .exec();
}

/// The URLs with a password, each with the variable it goes on in, and the arguments with references in their place.
fn without_passwords(
    mut arguments: impl Iterator<Item = OsString>,
) -> (Vec<(&'static str, String)>, Vec<OsString>) {
    let mut found = Vec::new();
    let mut value_follows = None;
    let mut rest = Vec::new();
    for argument in arguments.by_ref() {
        if argument == "--" {
            // What follows belongs to another command.
            rest.push(argument);
            break;
        }
        let text = argument.to_str().unwrap_or_default();
        let given = match value_follows.take() {
            Some(variable) => Some((variable, "", text)),
            None => attached(text),
        };
        if given.is_none() {
            let option = OPTIONS.iter().find(|(option, _)| *option == text);
            value_follows = option.map(|(_, variable)| *variable);
        }
        match given.filter(|(_, _, value)| holds_password(value)) {
            Some((variable, prefix, value)) => {
                rest.push(OsStr::new(&format!("{prefix}env://{variable}")).to_owned());
                found.push((variable, value.to_owned()));
            }
            None => rest.push(argument),
        }
    }
    rest.extend(arguments);
    (found, rest)
}

/// The variable of an option, the option with its `=`, and the URL, where all of it is one argument.
fn attached(text: &str) -> Option<(&'static str, &str, &str)> {
    OPTIONS.iter().find_map(|(option, variable)| {
        let rest = text.strip_prefix(option)?;
        let value = match rest.strip_prefix('=') {
            Some(value) => value,
            // `-uURL`
            None if *option == "-u" && !rest.is_empty() => rest,
            None => return None,
        };
        let prefix = text.get(..text.len() - value.len())?;
        Some((*variable, prefix, value))
    })
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
        let (urls, rest) = without_passwords(line.split(' ').map(OsString::from));
        let url = urls.into_iter().next()?.1;
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
    fn that_of_the_scratch_database_is_moved_as_well() {
        let line = "migrate plan --url postgres://u:p@h/d --dev-url=postgres://u:q@h/e";
        let (urls, rest) = without_passwords(line.split(' ').map(OsString::from));
        let urls: Vec<&str> = urls.iter().map(|(_, url)| url.as_str()).collect();
        assert_eq!(urls, ["postgres://u:p@h/d", "postgres://u:q@h/e"]);
        assert_eq!(
            rest.last().unwrap(),
            "--dev-url=env://FORERUN_DEV_URL_FROM_ARGUMENT"
        );
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

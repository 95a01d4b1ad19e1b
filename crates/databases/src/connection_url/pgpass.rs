//! The PostgreSQL password file (PostgreSQL manual, "The Password File"): lines of
//! `host:port:database:user:password`, `*` matches anything, `\` escapes `:` and `\`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::postgres_hosts::name_in_password_file;
use super::{Host, Secret, Variables, user};

/// What the file gave.
#[derive(Default)]
pub(super) struct Found {
    pub password: Option<Secret>,
    /// Why the file was not used.
    pub warning: Option<String>,
}

/// Password of the first host that the file names. A file that is missing is no trouble; one that others
/// can read is not used, as in libpq, and the warning says so.
pub(super) fn look_up(
    file: Option<PathBuf>,
    hosts: &[Host],
    database: &str,
    user: &str,
    variables: Variables<'_>,
) -> Found {
    let Some(file) = file.or_else(|| user::home(variables).map(|home| home.join(".pgpass"))) else {
        return Found::default();
    };
    let text = match read(&file) {
        Ok(Some(text)) => text,
        Ok(None) => return Found::default(),
        Err(problem) => {
            return Found {
                password: None,
                warning: Some(format!(
                    "the password file `{}` is not used: {problem}",
                    file.display()
                )),
            };
        }
    };
    let password = hosts.iter().find_map(|host| {
        let (name, port) = name_in_password_file(host);
        find(&text, [&name, &port.to_string(), database, user])
    });
    Found {
        password: password.map(Secret::new),
        warning: None,
    }
}

fn read(path: &Path) -> Result<Option<String>, String> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(None);
    };
    if !metadata.is_file() {
        return Err("it is not a plain file".to_owned());
    }
    if metadata.mode() & 0o077 != 0 {
        return Err("others can read it; run `chmod 0600` on it (for a mounted secret: `defaultMode: 0400`)".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Password of the first line whose four fields match.
fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut rest = line;
            for value in wanted {
                let (field, after) = split_field(rest)?;
                if rest.split(':').next() != Some("*") && field != value {
                    return None;
                }
                rest = after;
            }
            // libpq ends the password at a further unescaped colon, too.
            let (password, _) = split_field(rest).unwrap_or_else(|| (unescape(rest), ""));
            Some(password).filter(|password| !password.is_empty())
        })
}

/// The text up to the first unescaped colon, unescaped, and the text after it.
fn split_field(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => return Some((unescape(text.get(..at)?), text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => result.push(characters.next().unwrap_or('\\')),
            character => result.push(character),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::find;

    const FILE: &str = "# a comment\n\
        db:5432:app:me:first\n\
        db:*:other\\:name:me:se\\:co\\\\nd\n\
        *:*:*:someone:third\n\
        short:line\n";

    #[test]
    fn the_first_line_that_matches_counts() {
        assert_eq!(
            find(FILE, ["db", "5432", "app", "me"]).as_deref(),
            Some("first")
        );
        assert_eq!(
            find(FILE, ["any", "1", "x", "someone"]).as_deref(),
            Some("third")
        );
        assert_eq!(find(FILE, ["db", "5433", "app", "me"]), None);
    }

    #[test]
    fn colons_and_backslashes_can_be_escaped() {
        assert_eq!(
            find(FILE, ["db", "1", "other:name", "me"]).as_deref(),
            Some("se:co\\nd")
        );
    }
}

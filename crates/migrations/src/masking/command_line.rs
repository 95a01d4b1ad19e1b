//! A command line for the audit, without what looks like a secret.

use std::ffi::OsString;

use super::{HIDDEN, is_secret, without_password};

/// Characters of a command line that are recorded.
const LIMIT: usize = 300;
/// Clients whose `-p` is followed by a password without a space.
const JOINED_PASSWORD: [&str; 2] = ["mysql", "mariadb"];

/// The command and its arguments on one line.
pub fn mask_command_line(command: &[OsString]) -> String {
    let mut masked = Vec::with_capacity(command.len());
    let mut mask = Masking::default();
    for argument in command {
        let text = argument.to_string_lossy();
        let words: Vec<String> = text
            .split_whitespace()
            .map(|word| mask.word(word))
            .collect();
        let argument = words.join(" ");
        masked.push(if words.len() == 1 {
            argument
        } else {
            format!("'{argument}'")
        });
    }
    let line = masked.join(" ");
    match line.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[derive(Default)]
struct Masking {
    /// The next word is the value of a secret option.
    value_follows: bool,
    /// `-pSECRET` is a password.
    joined: bool,
}

impl Masking {
    fn word(&mut self, word: &str) -> String {
        let program = word.rsplit('/').next().unwrap_or(word);
        self.joined |= JOINED_PASSWORD
            .iter()
            .any(|client| program.starts_with(client));
        if std::mem::take(&mut self.value_follows) && !word.starts_with('-') {
            return HIDDEN.to_owned();
        }
        if self.joined && word.starts_with("-p") && word.len() > 2 {
            return format!("-p{HIDDEN}");
        }
        // The value of a variable or option; quotes of a shell may stand around it.
        if let Some((name, value)) = word.split_once('=') {
            if is_secret(name) {
                return format!("{name}={HIDDEN}");
            }
            return format!("{name}={}", without_password(value));
        }
        if word.starts_with('-') && is_secret(word) {
            self.value_follows = true;
        }
        without_password(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(words: &[&str]) -> String {
        mask_command_line(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn secrets_are_masked_in_every_spelling() {
        for (words, expected) in [
            (
                &["psql", "postgres://u:p@ss@h/d"][..],
                "psql postgres://u:***@h/d",
            ),
            (&["tool", "--password", "x", "up"], "tool --password *** up"),
            (&["tool", "--db-password=x"], "tool --db-password=***"),
            (&["env", "PGPASSWORD=x", "psql"], "env PGPASSWORD=*** psql"),
            (&["mysql", "-px", "-u", "app"], "mysql -p*** -u app"),
            (
                &["tool", "--url=mysql://u:p@h/d"],
                "tool --url=mysql://u:***@h/d",
            ),
            (
                &["sh", "-c", "TOKEN=x tool  up"],
                "sh -c 'TOKEN=*** tool up'",
            ),
            (&["tool", "--token", "--verbose"], "tool --token --verbose"),
        ] {
            assert_eq!(masked(words), expected);
        }
    }

    #[test]
    fn anything_else_is_recorded() {
        assert_eq!(
            masked(&["python", "manage.py", "migrate"]),
            "python manage.py migrate"
        );
        assert_eq!(
            masked(&["psql", "postgres://u@h/d", "-p", "5433"]),
            "psql postgres://u@h/d -p 5433"
        );
        assert_eq!(
            masked(&["echo", &"x".repeat(1000)]).chars().count(),
            LIMIT + 1
        );
    }
}

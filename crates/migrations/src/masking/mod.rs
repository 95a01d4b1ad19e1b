//! Texts for events, errors and the audit, without what looks like a secret: a command line, a server's sentence, a
//! statement of somebody else.
//!
//! Texts are matched word by word and may be cut or wrong SQL. In doubt more is hidden than need be.

mod command_line;
mod text;

pub use command_line::mask_command_line;
pub use text::{mask_text, mask_text_about};

const HIDDEN: &str = "***";

/// Words in the name of an option or variable whose value is a secret.
const SECRET_WORDS: [&str; 10] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "access-key",
    "access_key",
    "credential",
];

/// Whether what this names is a secret.
fn is_secret(name: &str) -> bool {
    // `?password=` of a URL is found here as well.
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// `scheme://user:password@host` without the password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let Some((user, host)) = rest.rsplit_once('@') else {
        return text.to_owned();
    };
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}@{host}"),
        None => text.to_owned(),
    }
}

//! What is secret in a manifest, so that it is found and never shown.

use serde_json::Value;

use super::object::Object;
use crate::yaml::{Data, Node, Span};

/// Words in names of variables and options whose values are secret.
const SECRET_WORDS: [&str; 12] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIALS",
    "PASS",
];
/// Last words of names that hold something about a secret, and not the secret.
const ABOUT: [&str; 24] = [
    "FILE", "PATH", "DIR", "NAME", "NAMES", "TTL", "SECONDS", "LENGTH", "POLICY", "URL", "URI",
    "HOST", "ENABLED", "REQUIRED", "TYPE", "KIND", "COUNT", "EXPIRY", "ROTATION", "REF", "ID",
    "ISSUER", "ENDPOINT", "KEYREF",
];
/// First words that make a name a question.
const QUESTIONS: [&str; 8] = [
    "USE", "ENABLE", "DISABLE", "HAS", "REQUIRE", "SKIP", "NO", "ALLOW",
];

/// The password in a URL, where it is written out and no reference.
pub fn url_password(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        rest = rest.get(start + 3..)?;
        let end = rest
            .find(|character: char| character.is_whitespace() || "/?#'\"".contains(character))
            .unwrap_or(rest.len());
        let authority = rest.get(..end)?;
        let password = authority
            .rsplit_once('@')
            .and_then(|(user, _)| user.split_once(':'))
            .map(|(_, password)| password)
            .filter(|password| is_secret_value(password));
        if password.is_some() {
            return password;
        }
    }
    None
}

/// A text without the passwords of URLs in it.
pub(super) fn redact(text: String) -> String {
    let mut text = text;
    // Each turn removes one password; `***` is none.
    while let Some(password) = url_password(&text) {
        let hidden = format!(":{password}@");
        text = text.replace(&hidden, ":***@");
    }
    text
}

/// A variable of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = words_apart(name);
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let first = words.clone().next().unwrap_or_default();
    let last = words.next_back().unwrap_or_default();
    if ABOUT.contains(&last) || QUESTIONS.contains(&first) {
        return false;
    }
    SECRET_WORDS.iter().any(|word| {
        if word.len() <= 4 {
            name.split('_').any(|own| own == *word)
        } else {
            name.contains(word)
        }
    })
}

/// `secretName` and `secret-name` as `SECRET_NAME`.
fn words_apart(name: &str) -> String {
    let mut apart = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for character in name.chars() {
        if lower && character.is_ascii_uppercase() {
            apart.push('_');
        }
        lower = character.is_ascii_lowercase();
        let separator = matches!(character, '-' | '.');
        apart.push(if separator {
            '_'
        } else {
            character.to_ascii_uppercase()
        });
    }
    apart
}

/// It is a secret itself: no reference to a variable, no switch.
pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    !value.is_empty()
        && !value.starts_with(['$', '%', '`', '<'])
        && !value.starts_with("{{")
        && !value.starts_with("vault:")
        && !value.bytes().all(|byte| byte == b'*')
        && !matches!(
            value.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "none"
        )
}

/// An element of a command line holds a password: `--password=x`, `x` after `--password`, `PGPASSWORD=x …`.
pub fn argument_holds_secret(before: &str, text: &str) -> bool {
    let is_option = |text: &str| {
        text.strip_prefix('-').is_some_and(|name| {
            let name = name.trim_start_matches('-');
            !name.contains(['=', ' ']) && is_secret_name(name)
        })
    };
    if is_option(before) && !text.starts_with('-') {
        return is_secret_value(text);
    }
    text.split(|character: char| character.is_whitespace() || ";&|".contains(character))
        .filter_map(|word| word.split_once('='))
        .any(|(name, value)| {
            let name = name.trim_start_matches('-');
            let plain = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
            plain && is_secret_name(name) && is_secret_value(value)
        })
}

/// Where an object holds something that must not be shown.
pub(super) fn spans(object: &Object) -> Vec<Span> {
    let mut found = Vec::new();
    let Some(tree) = object.tree() else {
        return found;
    };
    if object.kind == "Secret" {
        for key in ["data", "stringData"] {
            if let Some(node) = tree.get(key) {
                scalars(node, &mut found);
            }
        }
    }
    collect(tree, &mut found);
    found
}

fn scalars(node: &Node, found: &mut Vec<Span>) {
    match &node.data {
        Data::Map(map) => map.values().for_each(|entry| scalars(&entry.value, found)),
        Data::List(items) => items.iter().for_each(|item| scalars(item, found)),
        _ => found.push(node.span.clone()),
    }
}

fn collect(node: &Node, found: &mut Vec<Span>) {
    match &node.data {
        Data::Map(map) => {
            // An entry of env, or any other pair of name and value.
            let name = node.get("name").and_then(Node::as_text);
            if let (Some(name), Some(value)) = (name, node.get("value"))
                && is_secret_name(name)
            {
                scalars(value, found);
            }
            for (key, entry) in map {
                let secret = match &entry.value.data {
                    Data::Text(text) => is_secret_value(text),
                    Data::Number(_) => true,
                    _ => false,
                };
                if secret && is_secret_name(key) {
                    found.push(entry.value.span.clone());
                }
                collect(&entry.value, found);
            }
        }
        Data::List(items) => {
            let mut before = "";
            for item in items {
                let text = item.as_text().unwrap_or_default();
                if argument_holds_secret(before, text) {
                    found.push(item.span.clone());
                }
                before = text;
                collect(item, found);
            }
        }
        Data::Text(text) if url_password(text).is_some() => found.push(node.span.clone()),
        _ => {}
    }
}

/// A value in a few words, without what it holds.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "DATABASE_PASSWORD",
            "PGPASSWORD",
            "db-password",
            "API_KEY",
            "GITHUB_TOKEN",
            "DB_PASS",
            "MYSQL_PWD",
            "adminPassword",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "PASSWORD_FILE",
            "SECRET_NAME",
            "PWDS",
            "COMPASS",
            "BYPASS_X",
            "secretName",
            "tokenExpirationSeconds",
            "USE_TOKEN",
            "DATABASE_USER",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn passwords_are_taken_out() {
        let text = redact("a postgres://a:b@c/d and mysql://e:f@g@h".to_owned());
        assert_eq!(text, "a postgres://a:***@c/d and mysql://e:***@h");
    }

    #[test]
    fn passwords_of_urls() {
        assert_eq!(url_password("x postgres://a:b@c/d"), Some("b"));
        assert_eq!(url_password("http://x/ postgres://a:b@c@d/d"), Some("b@c"));
        for text in [
            "postgres://a@c",
            "postgres://a:$(P)@c",
            "http://c:80/x@y",
            "://",
            "a:b@c",
            "postgres://a:@c",
        ] {
            assert_eq!(url_password(text), None, "{text}");
        }
    }
}

//! What `--dir` accepts: a path, or a `file:` URL.

use std::path::PathBuf;

use super::error::DirectoryError;

/// The directory that a path or URL names.
///
/// `file:///src/` and `file:/src/` are absolute; `file://migrations` and `file:migrations` are relative to the
/// working directory, as golang-migrate and Atlas read them, so a remote host cannot be expressed. Only
/// `file://localhost/src`, being RFC 8089's way to write `/src`, is read as that. `%20` and the like are decoded in
/// URLs; paths are taken as they are. Whether the directory exists is not looked at.
pub fn parse_dir(text: &str) -> Result<PathBuf, DirectoryError> {
    let refuse = |reason| DirectoryError::Location {
        text: without_secrets(text),
        reason,
    };
    if text.is_empty() {
        return Err(refuse("it is empty"));
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return Ok(PathBuf::from(text));
    };
    if !scheme.eq_ignore_ascii_case("file") {
        let scheme_like = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
        // Also `jdbc:postgresql://…`, a database URL in the wrong place.
        if scheme_like && (rest.starts_with("//") || rest.contains("://")) {
            return Err(refuse("only local directories can be read"));
        }
        return Ok(PathBuf::from(text));
    }
    if rest.contains('?') {
        return Err(refuse(
            "a query is not supported (the layout is detected from the file names)",
        ));
    }
    if rest.contains('#') {
        return Err(refuse("a `#` in a URL has to be written as %23"));
    }
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => {
            let host = rest.split('/').next().unwrap_or_default();
            if host.contains(['@', ':']) {
                return Err(refuse("it names another host"));
            }
            match rest.strip_prefix("localhost") {
                Some(path) if path.starts_with('/') => path,
                _ => rest,
            }
        }
    };
    if path.is_empty() {
        return Err(refuse("it has no path"));
    }
    percent_decode(path)
        .map(PathBuf::from)
        .ok_or_else(|| refuse("it has a % that is not followed by two hex digits of UTF-8 text"))
}

/// A URL as it may be shown: tokens stand before an `@`, passwords there or in the query.
fn without_secrets(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) if rest.contains(['@', '?']) => format!("{scheme}://…"),
        _ => text.to_owned(),
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(*rest.next()?).to_digit(16)?;
        let low = char::from(*rest.next()?).to_digit(16)?;
        let decoded = u8::try_from(high * 16 + low)
            .ok()
            .filter(|decoded| *decoded != 0)?;
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn paths_and_urls() {
        for (text, path) in [
            ("migrations", "migrations"),
            ("./a%20b", "./a%20b"),
            ("/src/x:y", "/src/x:y"),
            ("c:x", "c:x"),
            ("file:///src/", "/src/"),
            ("FILE:/src", "/src"),
            ("file://migrations/a", "migrations/a"),
            ("file:migrations", "migrations"),
            ("file://../up", "../up"),
            ("file://localhost/src", "/src"),
            ("file://localhosts/src", "localhosts/src"),
            ("file:///a%20b/%C3%A4", "/a b/ä"),
        ] {
            assert_eq!(parse_dir(text).unwrap(), Path::new(path), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, reason) in [
            ("", "it is empty"),
            ("file://", "no path"),
            ("s3://bucket/x", "only local"),
            ("jdbc:postgresql://db/x", "only local"),
            ("github://a/b", "only local"),
            ("file://user@host/src", "another host"),
            ("file://host:80/src", "another host"),
            ("file:///src?format=flyway", "the layout is detected"),
            ("file:///a#b", "%23"),
            ("file:///a%2", "two hex digits"),
            ("file:///a%zz", "two hex digits"),
            ("file:///a%00", "two hex digits"),
            ("file:///a%ff", "two hex digits"),
        ] {
            let message = parse_dir(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
    #[test]
    fn secrets_of_a_url_are_not_repeated() {
        for text in [
            "github://user:hush@owner/repo",
            "postgres://u:hush@db/x",
            "jdbc:postgresql://db/x?password=hush",
            "file://user:hush@host/src",
        ] {
            let message = parse_dir(text).unwrap_err().to_string();
            assert!(!message.contains("hush"), "{message}");
        }
    }
}

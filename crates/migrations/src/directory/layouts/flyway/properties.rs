//! The format of `flyway.conf` and of a script's `.sql.conf`: Java's properties, as far as Flyway lets them through.
//!
//! Flyway doubles every backslash before Java reads the file, so that there are no escapes, except one at the end of a
//! line, which goes on in the next.

/// One entry.
pub(super) struct Property {
    /// Its name.
    pub key: String,
    /// Its value. May be a secret.
    pub value: String,
    /// Line where it begins, from 1.
    pub line: u64,
}

/// All entries, in order.
pub(super) fn properties(text: &str) -> Vec<Property> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let mut lines = (1..).zip(text.split('\n')).peekable();
    while let Some((line, first)) = lines.next() {
        let mut entry = trim(first).to_owned();
        if entry.is_empty() || entry.starts_with(['#', '!']) {
            continue;
        }
        while entry.ends_with('\\') {
            let Some((_, next)) = lines.next_if(|(_, next)| continues(next)) else {
                break;
            };
            entry.pop();
            entry.push_str(trim(next));
        }
        let (key, value) = split(&entry);
        found.push(Property {
            key: key.to_owned(),
            value: value.to_owned(),
            line,
        });
    }
    found
}

/// Whether a line belongs to one before it that ends with a backslash: not when it is empty or a setting by itself.
fn continues(line: &str) -> bool {
    let line = line.trim_end_matches('\r');
    let comparison = line.contains("==") || line.contains("!=");
    let setting = trim(line).starts_with("flyway.") && line.contains('=') && !comparison;
    !line.is_empty() && !setting
}

/// The name ends at the first `=`, `:` or white space.
fn split(entry: &str) -> (&str, &str) {
    let space = |character: char| matches!(character, ' ' | '\t' | '\u{c}');
    let end = entry
        .find(|character| matches!(character, '=' | ':') || space(character))
        .unwrap_or(entry.len());
    let (key, rest) = entry.split_at(end);
    let rest = rest.trim_start_matches(space);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, rest.trim_start_matches(space))
}

fn trim(line: &str) -> &str {
    line.trim_matches(|character| character <= ' ')
}

/// Puts environment variables in place of `${NAME}`; nothing in place of those that are not set.
pub(super) fn expand(value: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| {
            let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !name.is_empty() && name.bytes().all(word)
        });
        expanded.push_str(before);
        match name {
            Some(name) => {
                expanded.push_str(&lookup(name).unwrap_or_default());
                rest = after.get(name.len() + 1..).unwrap_or_default();
            }
            None => {
                expanded.push_str("${");
                rest = after;
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, u64)> {
        let all = properties(text).into_iter();
        all.map(|entry| (entry.key, entry.value, entry.line))
            .collect()
    }

    fn entry(key: &str, value: &str, line: u64) -> (String, String, u64) {
        (key.to_owned(), value.to_owned(), line)
    }

    #[test]
    fn names_end_at_the_first_separator() {
        assert_eq!(
            read("a=1\r\nb: 2\n  c 3 \nd = =4\ne\n# f=1\n! g=1\n\nh=a=b:c"),
            [
                entry("a", "1", 1),
                entry("b", "2", 2),
                entry("c", "3", 3),
                entry("d", "=4", 4),
                entry("e", "", 5),
                entry("h", "a=b:c", 9),
            ]
        );
    }

    #[test]
    fn a_backslash_is_itself_unless_the_line_goes_on() {
        assert_eq!(
            read(
                "path=C:\\sql\\new\nlist=one,\\\n   two,\\\n three\nend=x\\\nflyway.next=1\nlast=y\\"
            ),
            [
                entry("path", "C:\\sql\\new", 1),
                entry("list", "one,two,three", 2),
                entry("end", "x\\", 5),
                entry("flyway.next", "1", 6),
                entry("last", "y\\", 7),
            ]
        );
    }

    #[test]
    fn environment_variables_are_put_in() {
        let lookup = |name: &str| (name == "HOST").then(|| "db${X}".to_owned());
        assert_eq!(
            expand("a ${HOST} b ${NONE}c ${not one} ${", lookup),
            "a db${X} b c ${not one} ${"
        );
    }
}

//! Placeholders: `${name}` becomes its value, wherever it stands, in strings and comments too.

use forerun_sql::Position;

use super::super::super::read::Variables;
use super::super::super::script::Edit;
use super::configuration::Configuration;

/// Looks up values.
pub(super) struct Placeholders<'a> {
    pub configuration: &'a Configuration,
    pub variables: &'a Variables,
}

/// What was found in a text.
#[derive(Default)]
pub(super) struct Replaced {
    /// The values, in order.
    pub edits: Vec<Edit>,
    /// What has no value.
    pub problems: Vec<(Position, String)>,
    /// A comment has a value in it that is another one in every run.
    pub changing: bool,
}

enum Value {
    Text(String),
    Changing,
    Missing(String),
}

impl Placeholders<'_> {
    /// What stands in place of the placeholders of a text. `file_name` is that of its file, without directories.
    pub fn replace(&self, text: &str, file_name: &str) -> Replaced {
        let Configuration {
            placeholder_prefix: prefix,
            placeholder_suffix: suffix,
            ..
        } = self.configuration;
        let mut replaced = Replaced::default();
        let (mut position, mut counted) = (Position::START, 0);
        let mut at = 0;
        while let Some(start) = next(text, at, prefix) {
            let inner = start + prefix.len();
            let end = text
                .get(inner..)
                .and_then(|rest| rest.find(suffix.as_str()))
                .map(|length| inner + length);
            let problem = match end {
                Some(end) => {
                    let name = text.get(inner..end).unwrap_or_default();
                    let range = start..end + suffix.len();
                    match self.value(name, file_name) {
                        Value::Text(with) => {
                            replaced.edits.push(Edit { range, with });
                            None
                        }
                        Value::Changing if in_comment(text, start) => {
                            replaced.changing = true;
                            None
                        }
                        Value::Changing => Some(format!(
                            "`{prefix}{name}{suffix}` has another value in every run: write the database's own, such as \
                             CURRENT_TIMESTAMP"
                        )),
                        Value::Missing(message) => Some(message),
                    }
                }
                None => Some(format!(
                    "`{prefix}` begins a placeholder, and there is no `{suffix}` after it. Add it, or write \
                     `placeholderReplacement=false` into a file with this one's name and .conf at its end"
                )),
            };
            if let Some(message) = problem {
                let between = text.get(counted..start).unwrap_or_default();
                position = position.after(between.as_bytes());
                counted = start;
                replaced.problems.push((position, message));
            }
            at = end.map_or(text.len(), |end| end + suffix.len());
        }
        replaced
    }

    fn value(&self, name: &str, file_name: &str) -> Value {
        let Configuration {
            placeholder_prefix: prefix,
            placeholder_suffix: suffix,
            placeholder_separator: separator,
            ..
        } = self.configuration;
        let lower = name.to_lowercase();
        let own = lower
            .strip_prefix("flyway")
            .and_then(|rest| rest.strip_prefix(separator.to_lowercase().as_str()));
        if let Some(value) = own.and_then(|own| self.built_in(own, file_name)) {
            return value;
        }
        let variable = |name: &str| {
            self.variables
                .environment(&format!("FLYWAY_PLACEHOLDERS_{name}"))
        };
        let value = variable(&name.to_uppercase())
            .or_else(|| variable(name))
            .or_else(|| self.configuration.placeholders.get(&lower).cloned());
        match value {
            Some(value) => Value::Text(value),
            None => Value::Missing(format!(
                "there is no value for the placeholder `{prefix}{}{suffix}`. Give it as flyway.placeholders.{} in \
                 flyway.toml or flyway.conf, or as the environment variable FLYWAY_PLACEHOLDERS_{}",
                shortened(name),
                shortened(name),
                shortened(&name.to_uppercase()),
            )),
        }
    }

    fn built_in(&self, name: &str, file_name: &str) -> Option<Value> {
        let target = |key: &str| match self.variables.target.get(key) {
            Some(value) => Value::Text(value.clone()),
            None => Value::Missing(format!(
                "the value of `flyway:{name}` is only known with a database. Name one with --url"
            )),
        };
        Some(match name {
            "defaultschema" => match &self.configuration.default_schema {
                Some(schema) => Value::Text(schema.clone()),
                None => target("schema"),
            },
            "user" => target("user"),
            "database" => target("database"),
            "timestamp" => Value::Changing,
            "filename" => Value::Text(file_name.to_owned()),
            "table" => Value::Text(self.configuration.table.clone()),
            "environment" => Value::Text(self.configuration.environment.clone()),
            "workingdirectory" => Value::Missing(
                "`flyway:workingDirectory` depends on where Flyway is started. Write what is meant in its place"
                    .to_owned(),
            ),
            _ => return None,
        })
    }
}

/// Where the next placeholder begins. Flyway does not look again at characters that looked like the start of one, so
/// that `$${name}` stays as it is.
fn next(text: &str, from: usize, prefix: &str) -> Option<usize> {
    let (bytes, prefix) = (text.as_bytes(), prefix.as_bytes());
    let first = *prefix.first()?;
    let mut at = from;
    loop {
        let start = at + memchr::memchr(first, bytes.get(at..)?)?;
        let rest = bytes.get(start..).unwrap_or_default();
        let same = rest
            .iter()
            .zip(prefix)
            .take_while(|(found, wanted)| found == wanted)
            .count();
        if same == prefix.len() {
            return Some(start);
        }
        at = start + same + 1;
    }
}

/// Whether what begins at `at` stands in a comment that begins its line.
fn in_comment(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
    let block = line
        .strip_prefix("/*")
        .is_some_and(|inside| !inside.contains("*/"));
    line.starts_with("--") || block
}

/// What may be a whole file, if a placeholder was never ended.
fn shortened(name: &str) -> String {
    let line = name.lines().next().unwrap_or_default();
    let short: String = line.chars().take(60).collect();
    if short.len() < name.len() {
        format!("{short}…")
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_begin_where_flyway_sees_them() {
        assert_eq!(next("a ${x}", 0, "${"), Some(2));
        assert_eq!(next("'$${x}'", 0, "${"), None);
        assert_eq!(next("'$$${x}'", 0, "${"), Some(3));
        assert_eq!(next("$", 0, "${"), None);
        assert_eq!(next("é$é${", 0, "${"), Some(5));
        assert_eq!(next("@@x@@", 1, "@@"), Some(3));
    }

    #[test]
    fn comments_begin_their_line() {
        let cases = [
            ("-- ${x}", true),
            ("a;\n  --${x}", true),
            ("/* ${x} */", true),
            ("/* a */ ${x}", false),
            ("a ${x}", false),
            ("-- a\n${x}", false),
        ];
        for (text, expected) in cases {
            assert_eq!(
                in_comment(text, text.find("${").unwrap()),
                expected,
                "{text}"
            );
        }
    }
}

//! Values of `${name}` in changelogs.
//!
//! In Liquibase's order: the environment, then properties of changelogs that are for all (the first one wins), then
//! those of the changelog itself (the last one wins). A name without a value stays as it is written. Values may be
//! secrets and are never shown.

use std::ops::Range;

use super::super::super::Variables;
use super::super::super::script::Edit;

/// Replacements inside of replacements beyond this depth are a circle.
const MAXIMUM_DEPTH: usize = 16;

/// All properties that were seen so far.
#[derive(Default)]
pub(super) struct Properties {
    variables: Variables,
    entries: Vec<Property>,
    missing: Missing,
}

/// What becomes of a name without a value.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Missing {
    #[default]
    Preserve,
    Empty,
    Error,
}

struct Property {
    name: String,
    value: String,
    /// The changelog that it is for; `None`: all.
    file: Option<String>,
}

impl Properties {
    pub fn new(variables: &Variables) -> Self {
        let mode = variables.environment("LIQUIBASE_MISSING_PROPERTY_MODE");
        let missing = match mode.map(|mode| mode.to_lowercase()).as_deref() {
            Some("empty") => Missing::Empty,
            Some("error") => Missing::Error,
            _ => Missing::Preserve,
        };
        Self {
            variables: variables.clone(),
            entries: Vec::new(),
            missing,
        }
    }

    /// Adds one that is meant for this run.
    pub fn add(&mut self, name: &str, value: &str, file: Option<&str>) {
        self.entries.push(Property {
            name: name.to_owned(),
            value: value.to_owned(),
            file: file.map(str::to_owned),
        });
    }

    /// A short text with its values; `Err` says which one cannot be had.
    pub fn expand(&self, text: &str, file: &str) -> Result<String, String> {
        self.expand_to(text, file, 0)
    }

    /// The replacements in the parts of a file that are kept.
    pub fn edits(
        &self,
        text: &str,
        keep: &[Range<usize>],
        file: &str,
    ) -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        for range in keep {
            let kept = text.get(range.clone()).unwrap_or_default();
            let mut at = 0;
            while let Some(found) = next(kept, at) {
                if let Some(value) = self.value(found.name, file, 0)? {
                    let range = range.start + found.range.start..range.start + found.range.end;
                    edits.push(Edit { range, with: value });
                }
                at = found.range.end;
            }
        }
        Ok(edits)
    }

    fn expand_to(&self, text: &str, file: &str, depth: usize) -> Result<String, String> {
        let mut expanded = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = next(text, at) {
            expanded.push_str(text.get(at..found.range.start).unwrap_or_default());
            match self.value(found.name, file, depth)? {
                Some(value) => expanded.push_str(&value),
                None => expanded.push_str(text.get(found.range.clone()).unwrap_or_default()),
            }
            at = found.range.end;
        }
        expanded.push_str(text.get(at..).unwrap_or_default());
        Ok(expanded)
    }

    fn value(&self, name: &str, file: &str, depth: usize) -> Result<Option<String>, String> {
        if depth > MAXIMUM_DEPTH {
            return Err(format!("`${{{name}}}` contains itself"));
        }
        // `${:name}` is how a text that is no property is written.
        if let Some(literal) = name.strip_prefix(':') {
            return Ok(Some(format!("${{{}}}", literal.trim())));
        }
        let name = &self.expand_to(name, file, depth + 1)?;
        let name = name.trim();
        let value = self.variables.environment(name).or_else(|| {
            let named = |entry: &&Property| entry.name.eq_ignore_ascii_case(name);
            let mut for_all = self.entries.iter().filter(|entry| entry.file.is_none());
            let own = |entry: &&Property| entry.file.as_deref() == Some(file);
            let found = for_all
                .find(named)
                .or_else(|| self.entries.iter().rev().filter(own).find(named));
            found.map(|entry| entry.value.clone())
        });
        if let Some(value) = value {
            return self.expand_to(&value, file, depth + 1).map(Some);
        }
        if name.to_ascii_lowercase().starts_with("database.")
            || name
                .to_ascii_lowercase()
                .starts_with("liquibase_execution_")
        {
            return Err(format!(
                "`${{{name}}}` is a value that Liquibase itself knows and forerun does not. Write it out, or give it \
                 as a property"
            ));
        }
        match self.missing {
            Missing::Preserve => Ok(None),
            Missing::Empty => Ok(Some(String::new())),
            Missing::Error => Err(format!(
                "`${{{name}}}` has no value (LIQUIBASE_MISSING_PROPERTY_MODE is ERROR). Set the environment variable, \
                 or add a property"
            )),
        }
    }
}

/// A `${name}`.
struct Found<'a> {
    range: Range<usize>,
    name: &'a str,
}

/// The next one from `at` on; one inside of its name belongs to it.
fn next(text: &str, mut at: usize) -> Option<Found<'_>> {
    loop {
        let start = at + memchr::memmem::find(text.as_bytes().get(at..)?, b"${")?;
        let mut depth = 0_usize;
        let mut end = start;
        let bytes = text.as_bytes();
        loop {
            match bytes.get(end) {
                Some(b'$') if bytes.get(end + 1) == Some(&b'{') => {
                    depth += 1;
                    end += 2;
                    continue;
                }
                Some(b'}') => depth -= 1,
                Some(_) => {}
                None => break,
            }
            end += 1;
            if depth == 0 {
                return Some(Found {
                    range: start..end,
                    name: text.get(start + 2..end - 1)?,
                });
            }
        }
        // Never closed: text. Another one may begin behind it, and be closed.
        at = start + 2;
        memchr::memchr(b'}', bytes.get(at..)?)?;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn properties(environment: &'static [(&'static str, &'static str)]) -> Properties {
        Properties::new(&Variables {
            environment: Some(Arc::new(move |name: &str| {
                let found = environment.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })),
            ..Variables::default()
        })
    }

    #[test]
    fn values_come_from_the_environment_then_from_the_first_property() {
        let mut properties = properties(&[("HOME", "/root")]);
        properties.add("table", "people", None);
        properties.add("TABLE", "other", None);
        properties.add("HOME", "/elsewhere", None);
        properties.add("own", "first", Some("a.sql"));
        properties.add("own", "last", Some("a.sql"));
        properties.add("nested", "<${table}>", None);
        let text = "${table} ${HOME} ${own} ${nested} ${nope} ${:table} $ {x} ${open";
        assert_eq!(
            properties.expand(text, "a.sql").unwrap(),
            "people /root last <people> ${nope} ${table} $ {x} ${open"
        );
        assert_eq!(properties.expand("${own}", "b.sql").unwrap(), "${own}");
    }

    #[test]
    fn a_circle_and_a_value_of_liquibase_are_refused() {
        let mut properties = properties(&[]);
        properties.add("a", "${b}", None);
        properties.add("b", "${a}", None);
        assert!(
            properties
                .expand("${a}", "x")
                .unwrap_err()
                .contains("contains itself")
        );
        let refused = properties
            .expand("${database.defaultSchemaName}", "x")
            .unwrap_err();
        assert!(refused.contains("that Liquibase itself knows"), "{refused}");
    }

    #[test]
    fn what_has_no_value_is_kept_left_out_or_refused() {
        assert_eq!(properties(&[]).expand("a${x}b", "f").unwrap(), "a${x}b");
        let empty = properties(&[("LIQUIBASE_MISSING_PROPERTY_MODE", "EMPTY")]);
        assert_eq!(empty.expand("a${x}b", "f").unwrap(), "ab");
        let error = properties(&[("LIQUIBASE_MISSING_PROPERTY_MODE", "ERROR")]);
        assert!(
            error
                .expand("a${x}b", "f")
                .unwrap_err()
                .contains("has no value")
        );
    }
}

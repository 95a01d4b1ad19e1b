//! What the run of Liquibase would be told: the root changelog, contexts, a label filter and values for placeholders.
//!
//! From the environment, as Liquibase reads it (`LIQUIBASE_COMMAND_UPDATE_CONTEXTS`, `LIQUIBASE_COMMAND_CONTEXTS`, …),
//! and from a `liquibase.properties` in the directory. That file may hold a password: nothing else of it is looked at.

use super::super::super::Variables;
use super::expression::list;

/// The file that Liquibase reads its options from.
pub(super) const FILE: &str = "liquibase.properties";

#[derive(Default)]
pub(super) struct Settings {
    /// The root changelog, as it was given.
    pub root: Option<String>,
    pub contexts: Vec<String>,
    pub label_filter: String,
    /// Values for placeholders.
    pub parameters: Vec<(String, String)>,
}

impl Settings {
    /// `file` is the text of [`FILE`], where there is one.
    pub fn new(variables: &Variables, file: Option<&str>) -> Self {
        let entries: Vec<(String, &str)> =
            file.map(|text| entries(text).collect()).unwrap_or_default();
        let option = |names: [&str; 2]| {
            let from_environment = ["UPDATE_", ""].into_iter().find_map(|command| {
                let mut values = names.iter().map(|name| {
                    variables.environment(&format!("LIQUIBASE_COMMAND_{command}{}", upper(name)))
                });
                values.find_map(|value| value.filter(|value| !value.trim().is_empty()))
            });
            let in_file = || {
                let (_, value) = entries.iter().find(|(key, _)| {
                    let key = ["liquibase.command.update.", "liquibase.command."]
                        .iter()
                        .find_map(|start| key.strip_prefix(start))
                        .unwrap_or(key);
                    names.iter().any(|name| {
                        let key = key.bytes().filter(|byte| *byte != b'-');
                        key.map(|byte| byte.to_ascii_lowercase())
                            .eq(name.to_ascii_lowercase().bytes())
                    })
                })?;
                Some((*value).to_owned())
            };
            from_environment.or_else(in_file)
        };
        let contexts = option(["contextFilter", "contexts"]).unwrap_or_default();
        let parameters = entries.iter().filter_map(|(key, value)| {
            let name = key.strip_prefix("parameter.")?;
            Some((name.to_owned(), (*value).to_owned()))
        });
        Self {
            root: option(["changelogFile", "changelogFile"]),
            contexts: list(&contexts.replace('\\', "")).collect(),
            label_filter: option(["labelFilter", "labels"])
                .unwrap_or_default()
                .replace('\\', ""),
            parameters: parameters.collect(),
        }
    }
}

/// `contextFilter` as `CONTEXT_FILTER`.
fn upper(name: &str) -> String {
    let mut upper = String::new();
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            upper.push('_');
        }
        upper.push(char.to_ascii_uppercase());
    }
    upper
}

/// `key=value` or `key: value`, a line each.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with(['#', '!']) {
            return None;
        }
        let (key, value) = line.split_once(['=', ':'])?;
        Some((key.trim().to_owned(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let variables = Variables {
            environment: Some(Arc::new(|name: &str| match name {
                "LIQUIBASE_COMMAND_CONTEXT_FILTER" => Some("Test, qa".to_owned()),
                _ => None,
            })),
            ..Variables::default()
        };
        let file = "# comment\nchangeLogFile=db/root.xml\ncontexts: prod\nliquibase.command.labelFilter=v1\n\
                    password: hush\nparameter.table = people\n";
        let settings = Settings::new(&variables, Some(file));
        assert_eq!(settings.root.as_deref(), Some("db/root.xml"));
        assert_eq!(settings.contexts, ["test", "qa"]);
        assert_eq!(settings.label_filter, "v1");
        assert_eq!(
            settings.parameters,
            [("table".to_owned(), "people".to_owned())]
        );
    }
}

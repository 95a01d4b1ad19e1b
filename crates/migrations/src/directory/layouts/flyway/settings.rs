//! Settings by their names, from files and environment variables, with the place of each.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use forerun_sql::Position;

use super::super::super::error::{DirectoryError, LayoutProblem};
use super::super::super::read::Variables;
use super::super::toml;
use super::locations::{self, Locations, Resolved};
use super::properties::{expand, properties};

/// Settings that would change what runs and that forerun has no counterpart for: the value that is harmless (`None`:
/// none is), and what to do.
const REFUSED: [(&str, Option<&str>, &str); 9] = [
    (
        "target",
        Some("latest"),
        "forerun runs all migrations of the directory: take it away, and keep files that must not run yet out of it",
    ),
    (
        "cherryPick",
        None,
        "forerun runs all migrations in order: take it away",
    ),
    (
        "skipExecutingMigrations",
        Some("false"),
        "use `forerun migrate baseline` to record versions without running them, and take it away",
    ),
    (
        "initSql",
        None,
        "forerun runs nothing when it connects: put it into the database URL or the user's defaults, and take it away",
    ),
    (
        "callbacks",
        None,
        "it names code, and forerun runs SQL: take it away",
    ),
    (
        "resolvers",
        None,
        "it names code, and forerun runs SQL: take it away",
    ),
    (
        "migrationResolvers",
        None,
        "it names code, and forerun runs SQL: take it away",
    ),
    (
        "skipDefaultResolvers",
        Some("false"),
        "with it Flyway runs no SQL migration at all: take it away",
    ),
    (
        "errorOverrides",
        None,
        "forerun takes errors as the database reports them: take it away",
    ),
];

/// Settings that are read and have an environment variable.
const READ: [&str; 23] = [
    "locations",
    "callbackLocations",
    "sqlMigrationPrefix",
    "repeatableSqlMigrationPrefix",
    "undoSqlMigrationPrefix",
    "baselineMigrationPrefix",
    "sqlMigrationSeparator",
    "sqlMigrationSuffixes",
    "placeholderPrefix",
    "placeholderSuffix",
    "placeholderSeparator",
    "placeholderReplacement",
    "table",
    "defaultSchema",
    "schemas",
    "outOfOrder",
    "validateMigrationNaming",
    "executeInTransaction",
    "skipDefaultCallbacks",
    "encoding",
    "detectEncoding",
    "jarDirs",
    "environment",
];

/// One setting.
pub(super) struct Setting {
    pub values: Vec<String>,
    /// The file and line that it is from, or the name of the environment variable.
    origin: Result<(PathBuf, Option<u64>), String>,
}

/// Settings by their names, without `flyway.` in front.
pub(super) struct Settings {
    root: PathBuf,
    pub all: BTreeMap<String, Setting>,
    pub problems: Vec<LayoutProblem>,
}

impl Settings {
    pub fn none(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            all: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Those of the files in one directory, and the first file.
    pub fn of(
        directory: &Path,
        root: &Path,
        variables: &Variables,
    ) -> Result<Option<(PathBuf, Self)>, DirectoryError> {
        let mut settings = Self::none(root);
        let mut first = None;
        for name in ["flyway.toml", "flyway.user.toml"] {
            let path = directory.join(name);
            if let Some(text) = read(&path)? {
                settings.add_toml(&path, &text, variables);
                first.get_or_insert(path);
            }
        }
        if first.is_none() {
            let path = directory.join("flyway.conf");
            if let Some(text) = read(&path)? {
                settings.add_properties(&path, &text, variables);
                first = Some(path);
            }
        }
        Ok(first.map(|first| (first, settings)))
    }

    fn add_properties(&mut self, path: &Path, text: &str, variables: &Variables) {
        for property in properties(text) {
            let Some(name) = property.key.strip_prefix("flyway.") else {
                continue;
            };
            let value = expand(&property.value, |name| variables.environment(name));
            let list = matches!(
                name,
                "locations" | "callbackLocations" | "sqlMigrationSuffixes" | "schemas" | "jarDirs"
            );
            let values = match list {
                true => value
                    .split(',')
                    .map(|item| item.trim().to_owned())
                    .collect(),
                false => vec![value],
            };
            let origin = Ok((path.to_owned(), Some(property.line)));
            self.all.insert(name.to_owned(), Setting { values, origin });
        }
    }

    fn add_toml(&mut self, path: &Path, text: &str, variables: &Variables) {
        let entries = match toml::entries(text) {
            Ok(entries) => entries,
            Err(error) => {
                let before = text.get(..error.offset).unwrap_or_default();
                self.problems.push(LayoutProblem {
                    path: path.to_owned(),
                    position: Some(Position::START.after(before.as_bytes())),
                    message: format!("this is not TOML: {}", error.message),
                });
                return;
            }
        };
        for entry in &entries {
            if let Some(name) = entry.name.strip_prefix("flyway.") {
                self.add_value(path, name, &entry.value, variables);
            }
        }
        // What is set for one environment comes before what is set for all.
        let environment = format!("environments.{}.", self.text("environment", "default"));
        for entry in &entries {
            let own = entry.name.strip_prefix(&environment);
            let own = own.and_then(|own| {
                own.strip_prefix("flyway.")
                    .or_else(|| (own == "schemas").then_some(own))
            });
            if let Some(name) = own {
                self.add_value(path, name, &entry.value, variables);
            }
        }
    }

    fn add_value(&mut self, path: &Path, name: &str, value: &toml::Value, variables: &Variables) {
        if !matters(name) {
            return;
        }
        let items = match value {
            toml::Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let resolved = match item {
                toml::Value::Text(text) => resolve(text, variables),
                toml::Value::Boolean(flag) => Ok(flag.to_string()),
                _ if name.starts_with("placeholders.") || items.len() > 1 => Err(
                    "forerun takes values in quotation marks here: put them around it".to_owned(),
                ),
                // A table in braces, whose keys are entries of their own.
                _ => return,
            };
            match resolved {
                Ok(value) => values.push(value),
                Err(message) => self.problems.push(LayoutProblem {
                    path: path.to_owned(),
                    position: None,
                    message: format!("flyway.{name}: {message}"),
                }),
            }
        }
        let origin = Ok((path.to_owned(), None));
        self.all.insert(name.to_owned(), Setting { values, origin });
    }

    pub fn add_environment(&mut self, variables: &Variables) {
        for name in READ.into_iter().chain(REFUSED.map(|(name, ..)| name)) {
            let variable = variable_name(name);
            // Flyway has no variable for the name of the environment.
            let value = variables
                .environment(&variable)
                .filter(|_| name != "environment");
            if let Some(value) = value {
                let values = value
                    .split(',')
                    .map(|item| item.trim().to_owned())
                    .collect();
                let origin = Err(variable);
                self.all.insert(name.to_owned(), Setting { values, origin });
            }
        }
    }

    pub fn refuse_what_cannot_be_carried_over(&mut self, variables: &Variables) {
        for (name, harmless, advice) in REFUSED {
            let value = self.all.get(name).map(|setting| setting.values.join(","));
            let value = value.unwrap_or_default();
            if !value.is_empty()
                && !harmless.is_some_and(|harmless| value.eq_ignore_ascii_case(harmless))
            {
                self.problem(name, advice);
            }
        }
        let encoding = self.text("encoding", "UTF-8");
        if !is_utf_8(&encoding) && !self.flag("detectEncoding", false) {
            self.problem(
                "encoding",
                "forerun reads UTF-8: save the files as UTF-8, and set this to UTF-8",
            );
        }
        let schema = self
            .list("defaultSchema")
            .or_else(|| self.list("schemas"))
            .and_then(|all| all.into_iter().next());
        let connected = variables.target.get("schema");
        if let (Some(schema), Some(connected)) = (schema, connected)
            && schema != *connected
        {
            let name = if self.all.contains_key("defaultSchema") {
                "defaultSchema"
            } else {
                "schemas"
            };
            let advice = format!(
                "Flyway runs the migrations in the schema `{schema}`, and forerun is connected with `{connected}`: \
                 name it in the database URL"
            );
            self.problem(name, &advice);
        }
    }

    pub fn located(&self, base: &Path, name: &str) -> Option<Resolved> {
        let setting = self.all.get(name)?;
        let base = if setting.origin.is_ok() {
            base
        } else {
            Path::new("")
        };
        Some(locations::resolve(&setting.values, base, &self.root))
    }

    /// What of the directory is read; `None` where the setting does not say.
    pub fn locations(&mut self, base: &Path, name: &str) -> Option<Locations> {
        let resolved = self.list(name).and_then(|_| self.located(base, name))?;
        for problem in &resolved.problems {
            self.problem(name, problem);
        }
        if name == "locations" && !resolved.lead_here && resolved.problems.is_empty() {
            let all = self.text(name, "");
            let advice = format!(
                "none of these is this directory: {all}. Give the one that is meant with --dir, or correct them"
            );
            self.problem(name, &advice);
        }
        Some(resolved.locations)
    }

    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let values = self.all.get(name)?.values.iter();
        let values: Vec<String> = values.filter(|value| !value.is_empty()).cloned().collect();
        (!values.is_empty()).then_some(values)
    }

    pub fn text(&self, name: &str, default: &str) -> String {
        let setting = self.all.get(name);
        setting.map_or_else(|| default.to_owned(), |setting| setting.values.join(","))
    }

    pub fn not_empty(&mut self, name: &str, default: &str) -> String {
        let text = self.text(name, default);
        if text.is_empty() {
            self.problem(name, "it is empty: give it at least one character");
            return default.to_owned();
        }
        text
    }

    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        let text = self.text(name, "");
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            return text.eq_ignore_ascii_case("true");
        }
        if self.all.contains_key(name) {
            self.problem(name, "it is neither true nor false");
        }
        default
    }

    fn problem(&mut self, name: &str, message: &str) {
        let origin = self.all.get(name).map(|setting| &setting.origin);
        let (path, line, name) = match origin {
            Some(Ok((path, line))) => (path.clone(), *line, format!("flyway.{name}")),
            Some(Err(variable)) => (
                self.root.clone(),
                None,
                format!("environment variable {variable}"),
            ),
            None => (self.root.clone(), None, format!("flyway.{name}")),
        };
        let problem = LayoutProblem {
            path,
            position: line.map(|line| Position {
                line,
                ..Position::START
            }),
            message: format!("{name}: {message}"),
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// The text of a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, DirectoryError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::read_to_string(path)
            .map(Some)
            .map_err(DirectoryError::io("read", path)),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(DirectoryError::io("look at", path)(error)),
    }
}

fn matters(name: &str) -> bool {
    name.starts_with("placeholders.")
        || READ.contains(&name)
        || REFUSED.iter().any(|(refused, ..)| *refused == name)
}

/// UTF-8, or an encoding of which every file is UTF-8 too.
pub(super) fn is_utf_8(encoding: &str) -> bool {
    let same = ["UTF-8", "UTF8", "US-ASCII", "ASCII"];
    same.into_iter()
        .any(|name| encoding.trim().eq_ignore_ascii_case(name))
}

/// `sqlMigrationPrefix` as `FLYWAY_SQL_MIGRATION_PREFIX`.
fn variable_name(name: &str) -> String {
    let mut variable = "FLYWAY_".to_owned();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            variable.push('_');
        }
        variable.push(character.to_ascii_uppercase());
    }
    variable
}

/// Puts values in place of `${env.NAME}`, the one of Flyway's resolvers that forerun knows.
fn resolve(text: &str, variables: &Variables) -> Result<String, String> {
    let verbatim = text
        .trim()
        .strip_prefix("!{")
        .and_then(|rest| rest.strip_suffix('}'));
    if let Some(verbatim) = verbatim {
        return Ok(verbatim.to_owned());
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        resolved.push_str(before);
        let reference = after.split_once('}').map(|(reference, _)| reference);
        let parts = reference.and_then(|reference| reference.split_once('.'));
        let Some((resolver, name)) =
            parts.filter(|(resolver, name)| !resolver.is_empty() && !name.is_empty())
        else {
            resolved.push_str("${");
            rest = after;
            continue;
        };
        if before.ends_with('$') {
            resolved.push('{');
            rest = after;
            continue;
        }
        let value = match resolver.trim().eq_ignore_ascii_case("env") && !name.contains(':') {
            true => variables.environment(name.trim()),
            false => {
                return Err(format!(
                    "`{}` is not a value that forerun can look up: give it as an environment variable, with \
                     ${{env.NAME}}",
                    resolver.trim()
                ));
            }
        };
        let value = value.ok_or_else(|| {
            let name = name.trim();
            format!("the environment variable {name} is not set: set it")
        })?;
        resolved.push_str(&value);
        rest = after
            .get(reference.map_or(0, str::len) + 1..)
            .unwrap_or_default();
    }
    resolved.push_str(rest);
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_variables_are_named_as_flyway_names_them() {
        assert_eq!(
            variable_name("repeatableSqlMigrationPrefix"),
            "FLYWAY_REPEATABLE_SQL_MIGRATION_PREFIX"
        );
        assert_eq!(variable_name("outOfOrder"), "FLYWAY_OUT_OF_ORDER");
    }

    #[test]
    fn values_of_toml_can_name_environment_variables() {
        let lookup = |name: &str| (name == "ROLE").then(|| "app".to_owned());
        let variables = Variables {
            environment: Some(std::sync::Arc::new(lookup)),
            ..Variables::default()
        };
        let resolve = |text: &str| resolve(text, &variables);
        assert_eq!(resolve("a_${env.ROLE}_b"), Ok("a_app_b".to_owned()));
        assert_eq!(resolve("$${env.ROLE}"), Ok("${env.ROLE}".to_owned()));
        assert_eq!(resolve("!{${env.ROLE}}"), Ok("${env.ROLE}".to_owned()));
        assert_eq!(resolve("${"), Ok("${".to_owned()));
        assert!(
            resolve("${env.NONE}")
                .unwrap_err()
                .contains("NONE is not set")
        );
        assert!(
            resolve("${vault.key}")
                .unwrap_err()
                .contains("`vault` is not a value")
        );
    }
}

//! The settings that Flyway would use: `flyway.toml` or `flyway.conf`, and its environment variables.
//!
//! Flyway reads the files of the directory it is started in. forerun looks in the directory of migrations, in the one
//! above it, and then further up, where a file counts only if one of its `locations` leads to the directory. As in
//! Flyway `flyway.toml` comes before `flyway.conf`, `flyway.user.toml` is laid over `flyway.toml`, and environment
//! variables come before both. The files of Flyway's own installation and of the home directory are not read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::super::error::{DirectoryError, LayoutProblem};
use super::super::super::read::Variables;
use super::locations::Locations;
use super::settings::Settings;

/// Directories that are searched for a file, from the one with the migrations up.
const LEVELS: usize = 8;

/// What of Flyway's configuration matters for reading migrations. Has no `Debug`: values may be secrets.
pub(super) struct Configuration {
    /// The file it is from; with `flyway.user.toml` the first of both.
    pub file: Option<PathBuf>,
    /// The file is in the directory itself.
    pub own: bool,
    pub versioned_prefix: String,
    pub repeatable_prefix: String,
    pub undo_prefix: String,
    pub baseline_prefix: String,
    pub separator: String,
    pub suffixes: Vec<String>,
    pub placeholder_prefix: String,
    pub placeholder_suffix: String,
    pub placeholder_separator: String,
    pub placeholder_replacement: bool,
    /// Values by names in lower case.
    pub placeholders: BTreeMap<String, String>,
    pub environment: String,
    pub table: String,
    pub default_schema: Option<String>,
    pub out_of_order: bool,
    pub validate_naming: bool,
    pub execute_in_transaction: bool,
    pub skip_callbacks: bool,
    /// Where migrations are, and callbacks if nothing else is said.
    pub locations: Locations,
    pub callback_locations: Option<Locations>,
    /// Where Flyway looks for Java migrations.
    pub jar_directories: Vec<String>,
    /// What is wrong with it or cannot be carried over.
    pub problems: Vec<LayoutProblem>,
}

impl Configuration {
    /// The configuration of a directory of migrations.
    ///
    /// # Errors
    /// When a file cannot be read. What is wrong in it is among the problems.
    pub fn load(root: &Path, variables: &Variables) -> Result<Self, DirectoryError> {
        let absolute = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        for (level, directory) in absolute.ancestors().take(LEVELS).enumerate() {
            let directory = if level == 0 { root } else { directory };
            let Some((file, settings)) = Settings::of(directory, root, variables)? else {
                continue;
            };
            if level >= 2
                && !settings
                    .located(directory, "locations")
                    .is_some_and(|found| found.lead_here)
            {
                continue;
            }
            let mut configuration = Self::new(settings, directory, variables);
            configuration.file = Some(file);
            configuration.own = level == 0;
            return Ok(configuration);
        }
        Ok(Self::new(Settings::none(root), root, variables))
    }

    fn new(mut settings: Settings, base: &Path, variables: &Variables) -> Self {
        settings.add_environment(variables);
        settings.refuse_what_cannot_be_carried_over(variables);
        let locations = settings.locations(base, "locations");
        let callback_locations = settings.locations(base, "callbackLocations");
        let schemas = settings
            .list("defaultSchema")
            .or_else(|| settings.list("schemas"));
        let default_schema = schemas.and_then(|schemas| schemas.into_iter().next());
        let placeholders = settings.all.iter().filter_map(|(name, setting)| {
            let name = name.strip_prefix("placeholders.")?;
            Some((name.to_lowercase(), setting.values.join(",")))
        });
        Self {
            file: None,
            own: false,
            placeholders: placeholders.collect(),
            versioned_prefix: settings.text("sqlMigrationPrefix", "V"),
            repeatable_prefix: settings.text("repeatableSqlMigrationPrefix", "R"),
            undo_prefix: settings.text("undoSqlMigrationPrefix", "U"),
            baseline_prefix: settings.text("baselineMigrationPrefix", "B"),
            separator: settings.not_empty("sqlMigrationSeparator", "__"),
            suffixes: settings
                .list("sqlMigrationSuffixes")
                .unwrap_or_else(|| vec![".sql".to_owned()]),
            placeholder_prefix: settings.not_empty("placeholderPrefix", "${"),
            placeholder_suffix: settings.not_empty("placeholderSuffix", "}"),
            placeholder_separator: settings.text("placeholderSeparator", ":"),
            placeholder_replacement: settings.flag("placeholderReplacement", true),
            environment: settings.text("environment", "default"),
            table: settings.text("table", "flyway_schema_history"),
            default_schema,
            out_of_order: settings.flag("outOfOrder", false),
            validate_naming: settings.flag("validateMigrationNaming", false),
            execute_in_transaction: settings.flag("executeInTransaction", true),
            skip_callbacks: settings.flag("skipDefaultCallbacks", false),
            locations: locations.unwrap_or_default(),
            callback_locations,
            jar_directories: settings.list("jarDirs").unwrap_or_default(),
            problems: settings.problems,
        }
    }
}

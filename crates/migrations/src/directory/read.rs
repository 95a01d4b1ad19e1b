//! From a directory to migrations: which layout, what it finds, and whether that makes sense.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forerun_sql::Dialect;

use super::error::{DirectoryError, DirectoryWarning};
use super::folder::Folder;
use super::layout::{Found, Layout};
use super::{Migration, MigrationDirectory};

/// Where migrations are, and how to read them.
#[derive(Debug, Clone, Default)]
pub struct DirectorySource {
    /// The directory.
    pub path: PathBuf,
    /// How to read it.
    pub options: ReadOptions,
}

impl DirectorySource {
    /// Reads them.
    ///
    /// # Errors
    /// As [`MigrationDirectory::read`].
    pub fn read(&self) -> Result<MigrationDirectory, DirectoryError> {
        MigrationDirectory::read(&self.path, &self.options)
    }
}

impl From<PathBuf> for DirectorySource {
    fn from(path: PathBuf) -> Self {
        Self {
            path,
            options: ReadOptions::default(),
        }
    }
}

/// How to read a directory.
#[derive(Clone, Default)]
pub struct ReadOptions {
    /// Its layout; detected where none is given.
    pub layout: Option<Layout>,
    /// What the scripts will run on, for layouts in which a migration can be for one database only. Without it all are
    /// read.
    pub dialect: Option<Dialect>,
    /// Values for the placeholders of layouts that have them.
    pub variables: Variables,
}

/// Where the values of placeholders come from. They may be secrets: never shown.
#[derive(Clone, Default)]
pub struct Variables {
    /// Looks up an environment variable.
    pub environment: Option<Arc<Lookup>>,
    /// What is known of the target: `database`, `user`, `schema`, `host`.
    pub target: BTreeMap<&'static str, String>,
}

/// Looks up a value by its name.
pub type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Variables {
    /// The value of an environment variable.
    pub fn environment(&self, name: &str) -> Option<String> {
        self.environment.as_ref().and_then(|lookup| lookup(name))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Variables").finish_non_exhaustive()
    }
}

impl fmt::Debug for ReadOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReadOptions")
            .field("layout", &self.layout)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

impl MigrationDirectory {
    /// Reads all migrations of a directory; see the [module](super) for the rules.
    ///
    /// # Errors
    /// What is wrong with the directory or its files.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self, DirectoryError> {
        let mut folder = Folder::open(path)?;
        let layout = match options.layout {
            Some(layout) => layout,
            None => Layout::detect(&mut folder)?,
        };
        let Found {
            migrations,
            mut warnings,
        } = layout.rules().read(&mut folder, options)?;
        if migrations.is_empty() {
            warnings.push(DirectoryWarning::Empty {
                path: path.to_owned(),
            });
        }
        Self::new(path, layout, migrations, warnings)
    }

    /// Puts migrations together.
    ///
    /// # Errors
    /// When two have the same version.
    pub(crate) fn new(
        path: &Path,
        layout: Layout,
        migrations: Vec<Migration>,
        warnings: Vec<DirectoryWarning>,
    ) -> Result<Self, DirectoryError> {
        let mut places = HashMap::with_capacity(migrations.len());
        for (place, migration) in migrations.iter().enumerate() {
            let first = places.insert(migration.version.clone(), place);
            if let Some(first) = first.and_then(|first| migrations.get(first)) {
                return Err(DirectoryError::DuplicateVersion {
                    version: migration.version.to_string(),
                    first: first.up.file_name.clone(),
                    second: migration.up.file_name.clone(),
                });
            }
        }
        Ok(Self {
            path: path.to_owned(),
            layout,
            migrations,
            warnings,
            places,
        })
    }
}

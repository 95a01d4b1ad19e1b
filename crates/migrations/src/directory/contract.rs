//! Whether the conditions of a contract migration can be met at all: what `after` names must be there, and come before it.

use super::error::DirectoryError;
use super::{Migration, MigrationDirectory, ScriptSummary};
use crate::history::Version;

impl MigrationDirectory {
    /// Checks what a contract migration comes after. `is_applied` says what a database has besides the directory; without
    /// one that is nothing. What is older than the first file was there once, and is nobody's mistake.
    ///
    /// # Errors
    /// [`DirectoryError::Directive`] where the directive names the migration itself, a later one, or none.
    pub fn check_conditions(
        &self,
        migration: &Migration,
        summary: &ScriptSummary,
        is_applied: &dyn Fn(&Version) -> bool,
    ) -> Result<(), DirectoryError> {
        let Some(conditions) = &summary.contract else {
            return Ok(());
        };
        let own = self.place(&migration.version).unwrap_or(usize::MAX);
        let wrong = conditions.after.iter().find_map(|version| {
            let what = match self.place(version) {
                Some(place) if place < own => return None,
                Some(place) if place == own => "which is this file itself".to_owned(),
                Some(place) => {
                    let later = self.migrations.get(place);
                    let file = later.map_or("", |later| later.up.file_name.as_str());
                    format!("and {file} comes after this file")
                }
                None if self.is_before_all(version) || is_applied(version) => return None,
                None => "and there is no such migration".to_owned(),
            };
            Some((version, what))
        });
        let Some((version, what)) = wrong else {
            return Ok(());
        };
        let before = own
            .checked_sub(1)
            .and_then(|place| self.migrations.get(place));
        let write = match before {
            Some(before) => format!(
                "name the migration that made what it takes away unnecessary, such as after={}, or leave after= out, which \
                 stands for all before it",
                before.version_text
            ),
            None => "leave after= out: there is no migration before this one".to_owned(),
        };
        Err(DirectoryError::Directive {
            path: migration.up.path.clone(),
            position: conditions.position,
            message: format!("after= names version {version}, {what}: {write}"),
        })
    }

    /// Whether a version is older than all files, so that one of them may stand for it.
    fn is_before_all(&self, version: &Version) -> bool {
        let versions = self.migrations.iter().map(|migration| &migration.version);
        let oldest = versions.filter(|version| version.is_number()).min();
        version.is_number() && oldest.is_some_and(|oldest| version < oldest)
    }
}

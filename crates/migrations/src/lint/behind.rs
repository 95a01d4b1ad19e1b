//! Files that would be deployed together, with a contract migration among them that cannot run before that deployment is
//! completed, and others behind it.

use std::collections::HashSet;

use forerun_sql::lint::rule;

use super::Also;
use crate::directory::{Migration, Repeat, ScriptSummary};
use crate::history::Version;

/// What is known of the files so far, in their order.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    /// What brings something, of the files that are deployed together.
    expand: HashSet<Version>,
    /// All of them.
    together: HashSet<Version>,
    /// The first contract migration that is certain to be held.
    stop: Option<String>,
    /// Nobody has deployed the files yet: one that does not say `unused-since` waits for the release that brings it.
    all_new: bool,
}

impl Behind {
    /// For files that no release has had yet.
    pub fn all_new() -> Self {
        Self {
            all_new: true,
            ..Self::default()
        }
    }

    /// Takes in the next of the files that are deployed together, and tells what stands before it.
    pub fn next(&mut self, migration: &Migration, summary: &ScriptSummary) -> Option<Also> {
        if migration.repeat != Repeat::Never {
            return None;
        }
        let version = &migration.version;
        let Some(conditions) = &summary.contract else {
            self.expand.insert(version.clone());
            self.together.insert(version.clone());
            let stop = self.stop.as_ref()?;
            return Some(Also {
                rule: rule("x-behind-contract")?,
                message: format!(
                    "if this is deployed together with {stop}, which has to wait until that deployment is completed, `up` \
                     stops before {stop} and ends with exit code 5: give {stop} a version after this file, or leave it to \
                     the next release"
                ),
                statement: None,
            });
        };
        let comes_with = match conditions.after.as_slice() {
            [] => !self.expand.is_empty(),
            named => named.iter().any(|after| self.together.contains(after)),
        };
        let brought = self.all_new && conditions.unused_since.is_none();
        if self.stop.is_none() && (comes_with || brought) {
            self.stop = Some(migration.up.file_name.clone());
        }
        self.together.insert(version.clone());
        None
    }
}

//! What is in the scripts, each read once.

use std::collections::{HashMap, HashSet};

use super::Runner;
use crate::directory::{Script, ScriptSummary};
use crate::error::RunError;
use crate::history::Direction;

/// Summaries of scripts that were read already, so that making the plan again under the lock reads no file twice.
#[derive(Default)]
pub(super) struct Summaries {
    known: HashMap<(String, Direction), ScriptSummary>,
    /// Scripts that a warning was given about.
    pub(super) told: HashSet<String>,
}

impl Summaries {
    /// The summary of a script, read at most once.
    pub fn of(&mut self, runner: &Runner, script: &Script) -> Result<&ScriptSummary, RunError> {
        // A file may hold both directions.
        let key = (script.file_name.clone(), script.direction);
        if !self.known.contains_key(&key) {
            let summary = script.inspect(runner.database.dialect())?;
            for warning in &summary.warnings {
                runner.warn("script", warning.to_string());
            }
            self.known.insert(key.clone(), summary);
        }
        Ok(&self.known[&key])
    }

    /// Whether something was not told before.
    pub fn tell(&mut self, message: &str) -> bool {
        self.told.insert(message.to_owned())
    }

    pub fn known(&self, script: &Script) -> Option<&ScriptSummary> {
        let key = (script.file_name.clone(), script.direction);
        self.known.get(&key)
    }
}

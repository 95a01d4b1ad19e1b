//! The Helm programs of this machine.

use std::env;
use std::fs;
use std::path::PathBuf;

/// Where tests keep what they fetch and build: `forerun` in `XDG_CACHE_HOME`, else in `~/.cache`.
pub fn cache_directory() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("forerun"))
}

/// Helm: what `FORERUN_TEST_HELM` names, else `helm` in `PATH`, else Helm 3 and 4 as `scripts/cluster` built them;
/// the first is the one to use where one is enough. Without any, empty and a line that says so.
pub fn helm_programs() -> Vec<PathBuf> {
    if let Some(chosen) = env::var_os("FORERUN_TEST_HELM") {
        return vec![PathBuf::from(chosen)];
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = env::split_paths(&path)
        .map(|directory| directory.join("helm"))
        .filter(|program| program.is_file())
        .take(1)
        .collect();
    let built = cache_directory().and_then(|cache| fs::read_dir(cache.join("cluster")).ok());
    let mut built: Vec<PathBuf> = built
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("helm-v"))
        .map(|entry| entry.path().join("helm"))
        .filter(|program| program.is_file())
        .collect();
    built.sort();
    found.extend(built);
    if found.is_empty() {
        crate::report_missing("helm");
    }
    found
}

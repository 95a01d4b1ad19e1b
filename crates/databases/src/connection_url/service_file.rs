//! The PostgreSQL connection service file (PostgreSQL manual, "The Connection Service File").

use std::fs;
use std::path::{Path, PathBuf};

use super::postgres::Settings;
use super::{UrlError, Variables, user};

/// Where packages put the system-wide file: PGSYSCONFDIR, Debian, Red Hat and source builds.
const SYSTEM_DIRECTORIES: [&str; 3] = [
    "/etc/postgresql-common",
    "/etc/sysconfig/pgsql",
    "/usr/local/pgsql/etc",
];

/// Settings of a service. The named file, or else PGSERVICEFILE, or else `~/.pg_service.conf`, is searched
/// first, then the system-wide one.
///
/// # Errors
/// A file that was asked for and cannot be read, a line that makes no sense, a service that is nowhere.
pub(super) fn read(
    service: &str,
    file: Option<PathBuf>,
    variables: Variables<'_>,
) -> Result<Settings, UrlError> {
    let variable = |name: &str| variables(name).filter(|value| !value.is_empty());
    let asked_for = file.or_else(|| variable("PGSERVICEFILE").map(PathBuf::from));
    let mut searched = Vec::new();
    if let Some(path) = &asked_for {
        let text = fs::read_to_string(path).map_err(|error| problem(path, error.to_string()))?;
        if let Some(settings) = find(&text, service, path)? {
            return Ok(settings);
        }
        searched.push(path.clone());
    }
    let personal = user::home(variables)
        .map(|home| home.join(".pg_service.conf"))
        .filter(|_| asked_for.is_none());
    let system = variable("PGSYSCONFDIR").map_or_else(
        || SYSTEM_DIRECTORIES.iter().map(PathBuf::from).collect(),
        |directory| vec![PathBuf::from(directory)],
    );
    let system = system
        .into_iter()
        .map(|directory| directory.join("pg_service.conf"));
    for path in personal.into_iter().chain(system) {
        if let Ok(text) = fs::read_to_string(&path) {
            if let Some(settings) = find(&text, service, &path)? {
                return Ok(settings);
            }
            searched.push(path);
        }
    }
    let searched: Vec<String> = searched
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(UrlError::Missing {
        what: "connection service of that name",
        advice: if searched.is_empty() {
            "there is no service file; set PGSERVICEFILE, or leave `service` and PGSERVICE out"
                .to_owned()
        } else {
            format!("it is not in {}", searched.join(", "))
        },
    })
}

/// The section of a service, if the file has it.
fn find(text: &str, service: &str, path: &Path) -> Result<Option<Settings>, UrlError> {
    let mut found: Option<Settings> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.split(']').next() == Some(service) {
                found = Some(Settings::default());
            }
            continue;
        }
        let Some(settings) = &mut found else { continue };
        let at_line = |text: String| problem(path, format!("line {}: {text}", number + 1));
        let (keyword, value) = line
            .split_once('=')
            .ok_or_else(|| at_line("there is no `=`".to_owned()))?;
        if keyword == "service" || keyword == "servicefile" {
            return Err(at_line("a service cannot refer to a service".to_owned()));
        }
        // The first of two equal lines counts, as in libpq.
        if settings.get(keyword).is_none() {
            settings
                .set(keyword, value.to_owned())
                .map_err(|error| at_line(error.to_string()))?;
        }
    }
    Ok(found)
}

fn problem(path: &Path, problem: String) -> UrlError {
    UrlError::File {
        what: "the service file",
        path: path.display().to_string(),
        problem,
    }
}

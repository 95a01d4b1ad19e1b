//! Who runs: recorded with the lock and with every audit entry.

use std::hash::{BuildHasher, Hasher, RandomState};

use forerun_migrations::database::Identity;

use super::SettingsError;
use super::environment::{self, Environment};

/// The identity of this run.
///
/// # Errors
/// A variable that is not text.
pub fn identity(
    release: Option<&str>,
    environment: &Environment,
) -> Result<Identity, SettingsError> {
    let first = |variables: &[&environment::Variable]| {
        variables
            .iter()
            .find_map(|variable| environment.lookup(variable.name))
    };
    let release = match release.filter(|release| !release.is_empty()) {
        Some(release) => Some(release.to_owned()),
        None => environment.text(&environment::FORERUN_RELEASE)?,
    };
    let actor = first(&[
        &environment::FORERUN_ACTOR,
        &environment::USER,
        &environment::LOGNAME,
    ])
    .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    let host = first(&[&environment::POD_NAME, &environment::HOSTNAME]).unwrap_or_else(|| {
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned()
    });
    Ok(Identity {
        run_id: random_id(),
        actor,
        host,
        release,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Sixteen random hexadecimal digits.
pub fn random_id() -> String {
    // The keys of a hasher come from the operating system's random numbers.
    let number = RandomState::new().build_hasher().finish();
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_named() {
        let environment = Environment::fixed(&[
            ("USER", "app"),
            ("FORERUN_ACTOR", "deploy bot"),
            ("HOSTNAME", "node"),
            ("POD_NAME", "shop-migrations-x7k2p"),
            ("FORERUN_RELEASE", "2.5.0"),
        ]);
        let found = identity(None, &environment).unwrap();
        assert_eq!(
            (found.actor.as_str(), found.host.as_str()),
            ("deploy bot", "shop-migrations-x7k2p")
        );
        assert_eq!(found.release.as_deref(), Some("2.5.0"));
        assert_eq!(
            identity(Some("2.6.0"), &environment)
                .unwrap()
                .release
                .as_deref(),
            Some("2.6.0")
        );
    }

    #[test]
    fn without_any_variable_there_is_still_somebody() {
        let found = identity(None, &Environment::fixed(&[])).unwrap();
        assert!(found.actor.starts_with("uid "));
        assert!(!found.host.is_empty());
        assert_eq!(found.run_id.len(), 16);
        assert_ne!(found.run_id, random_id());
    }
}

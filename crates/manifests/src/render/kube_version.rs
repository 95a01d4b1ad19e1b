//! The version of a cluster, and what it knows.

use std::fmt;
use std::str::FromStr;

/// Version of Kubernetes: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubeVersion {
    /// 1.
    pub major: u16,
    /// 34 in 1.34.
    pub minor: u16,
}

impl KubeVersion {
    /// Newer than all that is known here: nothing is left out.
    pub const NEWEST: Self = Self {
        major: 1,
        minor: u16::MAX,
    };

    const fn at_least(self, minor: u16) -> bool {
        self.major > 1 || (self.major == 1 && self.minor >= minor)
    }

    /// Failing a Job by exit code (KEP-3329; on by default since 1.26).
    #[must_use]
    pub const fn has_pod_failure_policy(self) -> bool {
        self.at_least(26)
    }

    /// A new pod only after the old one has ended (KEP-3939; on by default since 1.29).
    #[must_use]
    pub const fn has_pod_replacement_policy(self) -> bool {
        self.at_least(29)
    }

    /// Containers that run beside the others and end with them (KEP-753; on by default since 1.29).
    #[must_use]
    pub const fn has_native_sidecars(self) -> bool {
        self.at_least(29)
    }

    /// Images as volumes (KEP-4639; on by default since 1.35).
    #[must_use]
    pub const fn has_image_volumes(self) -> bool {
        self.at_least(35)
    }
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// A text that is no version of Kubernetes.
#[derive(Debug, thiserror::Error)]
#[error("not a version of Kubernetes: write it as 1.34")]
pub struct NotAVersion;

impl FromStr for KubeVersion {
    type Err = NotAVersion;

    /// `1.34`, `v1.34.2`, `1.34+`, `1.34.2-gke.1`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let (major, rest) = text
            .strip_prefix('v')
            .unwrap_or(text)
            .split_once('.')
            .ok_or(NotAVersion)?;
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        let number = |digits: &str| digits.parse::<u16>().map_err(|_| NotAVersion);
        Ok(Self {
            major: number(major)?,
            minor: number(&rest[..end])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_and_people_write_them() {
        for text in ["1.34", "v1.34.2", "1.34+", "v1.34.2-gke.100"] {
            assert_eq!(text.parse::<KubeVersion>().unwrap().minor, 34, "{text}");
        }
        for text in ["", "1", "34", "one.two", "1.x"] {
            assert!(text.parse::<KubeVersion>().is_err(), "{text}");
        }
    }
}

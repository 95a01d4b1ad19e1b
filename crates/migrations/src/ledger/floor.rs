//! The oldest release that may still run.

use std::cmp::Ordering;

use serde::Serialize;

use super::{Deployment, release};
use crate::history::Version;

/// A contract migration that is applied and says since when nothing uses what it has taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FloorMark {
    /// Its version.
    pub version: Version,
    /// Its file name.
    pub script: String,
    /// The first release that can live without it.
    pub unused_since: String,
}

/// The oldest release that may still run, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Floor {
    /// The release.
    pub release: String,
    /// The migration that made it so.
    pub version: Version,
    /// Its file name.
    pub script: String,
}

/// The highest mark. Where neither names nor ledger tell two releases apart, the later migration decides.
pub fn floor(marks: &[FloorMark], deployments: &[Deployment]) -> Option<Floor> {
    let mut marks: Vec<&FloorMark> = marks.iter().collect();
    marks.sort_by(|one, other| one.version.cmp(&other.version));
    let highest = marks.into_iter().reduce(|highest, mark| {
        match release::order(&mark.unused_since, &highest.unused_since, deployments) {
            Some(Ordering::Less | Ordering::Equal) => highest,
            Some(Ordering::Greater) | None => mark,
        }
    })?;
    Some(Floor {
        release: highest.unused_since.clone(),
        version: highest.version.clone(),
        script: highest.script.clone(),
    })
}

/// Whether a release is known to be older than the floor.
pub fn below_floor(release: &str, floor: &Floor, deployments: &[Deployment]) -> bool {
    release::order(release, &floor.release, deployments) == Some(Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::super::{DeploymentStatus, for_test};
    use super::*;

    fn mark(version: u32, unused_since: &str) -> FloorMark {
        FloorMark {
            version: Version::from(version),
            script: format!("{version}_x.sql"),
            unused_since: unused_since.to_owned(),
        }
    }

    #[test]
    fn the_highest_release_is_the_floor() {
        let found = floor(&[mark(9, "2.4"), mark(7, "v2.10"), mark(8, "2.9")], &[]).unwrap();
        assert_eq!(
            (found.release.as_str(), found.script.as_str()),
            ("v2.10", "7_x.sql")
        );
        assert!(below_floor("2.9.9", &found, &[]));
        assert!(!below_floor("2.10", &found, &[]));
        assert!(!below_floor("2.11", &found, &[]));
        assert_eq!(floor(&[], &[]), None);
    }

    #[test]
    fn a_release_that_cannot_be_compared_is_not_below() {
        let completed = DeploymentStatus::Completed;
        let ledger = [for_test(1, "aaa", completed), for_test(2, "bbb", completed)];
        let found = floor(&[mark(1, "bbb")], &ledger).unwrap();
        assert!(below_floor("aaa", &found, &ledger));
        assert!(!below_floor("bbb", &found, &ledger));
        assert!(!below_floor("ccc", &found, &ledger));
    }
}

//! Which of two releases is the older one.
//!
//! Names of the form `2.5.0`, `v2.5`, `2.5.0-rc.1` are compared part by part as numbers; what follows a hyphen comes
//! before the release itself, as in Semantic Versioning, and what follows a plus sign does not count. Anything else,
//! such as the hash of a commit, has only the order in which the ledger saw it.

use std::cmp::Ordering;

use super::Deployment;

/// Whether two names mean the same release: `v2.5` and `2.5.0` do.
pub fn same_release(one: &str, other: &str) -> bool {
    one == other
        || matches!((Numbered::parse(one), Numbered::parse(other)), (Some(one), Some(other)) if one.cmp(&other) == Ordering::Equal)
}

/// How `one` stands to `other`; `None` when neither the names nor the ledger tell.
pub(super) fn order(one: &str, other: &str, deployments: &[Deployment]) -> Option<Ordering> {
    if same_release(one, other) {
        return Some(Ordering::Equal);
    }
    if let (Some(one), Some(other)) = (Numbered::parse(one), Numbered::parse(other)) {
        return Some(one.cmp(&other));
    }
    let first = |release: &str| {
        let of_release = deployments
            .iter()
            .filter(|deployment| same_release(&deployment.release, release));
        of_release.map(|deployment| deployment.id).min()
    };
    Some(first(one)?.cmp(&first(other)?))
}

/// Whether the order of this name is known without the ledger.
pub(super) fn is_numbered(release: &str) -> bool {
    Numbered::parse(release).is_some()
}

/// A release whose name is a number.
struct Numbered<'a> {
    numbers: Vec<&'a str>,
    /// What follows a hyphen.
    pre_release: Option<&'a str>,
}

impl<'a> Numbered<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(text, _)| text);
        let (core, pre_release) = match text.split_once('-') {
            Some((core, pre_release)) => (core, Some(pre_release)),
            None => (text, None),
        };
        let numbers: Vec<&str> = core.split('.').collect();
        numbers
            .iter()
            .all(|number| is_number(number))
            .then_some(Self {
                numbers,
                pre_release,
            })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let part = |numbers: &[&'a str], index: usize| numbers.get(index).copied().unwrap_or("0");
        for index in 0..length {
            let ordering = by_number(part(&self.numbers, index), part(&other.numbers, index));
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        match (self.pre_release, other.pre_release) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) => by_identifiers(one, other),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Of any length.
fn by_number(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// `rc.2` before `rc.10`, numbers before words, the shorter one first.
fn by_identifiers(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        let ordering = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (is_number(one), is_number(other)) {
                (true, true) => by_number(one, other),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => one.cmp(other),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DeploymentStatus, for_test};
    use super::*;

    #[test]
    fn numbers_have_an_order_of_their_own() {
        let ordered = [
            "1.9",
            "v1.10",
            "2.5.0-alpha",
            "2.5.0-rc.2",
            "2.5.0-rc.10",
            "2.5",
            "V2.5.1",
            "20260131",
        ];
        for (index, one) in ordered.iter().enumerate() {
            for (place, other) in ordered.iter().enumerate() {
                assert_eq!(
                    order(one, other, &[]),
                    Some(index.cmp(&place)),
                    "{one} {other}"
                );
            }
        }
        for (one, other) in [
            ("2.5", "v2.5.0"),
            ("02.5", "2.05+build.7"),
            ("a1b2", "a1b2"),
        ] {
            assert!(same_release(one, other), "{one} {other}");
        }
        assert!(!same_release("a1b2", "A1B2"));
    }

    #[test]
    fn other_names_have_the_order_of_the_ledger() {
        use DeploymentStatus::{Completed, Open};
        let ledger = [
            for_test(1, "a1b2c3", Completed),
            for_test(2, "2.5.0", Completed),
            for_test(3, "ffee00", Open),
            // A rollback makes a release no newer than it is.
            for_test(4, "a1b2c3", Open),
        ];
        assert_eq!(order("a1b2c3", "ffee00", &ledger), Some(Ordering::Less));
        assert_eq!(order("ffee00", "2.5.0", &ledger), Some(Ordering::Greater));
        assert_eq!(order("ffee00", "0d0d0d", &ledger), None);
        assert_eq!(order("2.4.0", "ffee00", &ledger), None);
    }
}

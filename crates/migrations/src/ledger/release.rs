//! Which of two releases is the older one.
//!
//! Names with numbers in them tell by themselves where their order is beyond doubt:
//!
//! - `2.5.0`, `v2.5`: part by part. What follows a plus sign does not count.
//! - `2.5.0-rc.1`: words that are known to mean it come before the version itself.
//! - `2.5.0-3-gabc1234`: what `git describe` says of commits after a tag comes after it.
//! - `8812`: numbers of builds, up to six digits. Seven may be the beginning of a hash.
//! - `20261122`, `2026-11-22`, `20261122093000`: days and moments.
//!
//! Any other suffix (`-alpine`, the hash behind a date) makes no order among equal numbers, and numbers of different kinds
//! have none. There, and among names such as hashes of commits, the ledger tells: files are only ever added to a
//! directory, so the release with the older newest migration is older. Where that is the same one, it is the release that
//! was completed first. A rollback makes a release no newer than it is.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Deployment, DeploymentStatus};
use crate::history::Version;

/// Whether two names mean the same release: `v2.5` and `2.5.0` do.
pub fn same_release(one: &str, other: &str) -> bool {
    by_names(one, other) == Some(Ordering::Equal)
}

/// How `one` stands to `other`; `None` when neither the names nor the ledger tell.
pub(super) fn order(one: &str, other: &str, deployments: &[Deployment]) -> Option<Ordering> {
    by_names(one, other).or_else(|| {
        let (one, other) = (Past::of(one, deployments)?, Past::of(other, deployments)?);
        Some(one.cmp(&other))
    })
}

/// How `one` stands to `other`, as far as the names alone tell.
pub(super) fn by_names(one: &str, other: &str) -> Option<Ordering> {
    if one == other {
        return Some(Ordering::Equal);
    }
    Numbered::parse(one)?.compare(&Numbered::parse(other)?)
}

/// What the ledger knows of a release.
struct Past<'a> {
    /// The newest migration of its directory, where that has a number.
    directory: Option<&'a Version>,
    /// Its first completed deployment, else its first one.
    first: i64,
}

impl<'a> Past<'a> {
    fn of(release: &str, deployments: &'a [Deployment]) -> Option<Self> {
        let rows = || {
            let rows = deployments.iter();
            rows.filter(|row| same_release(&row.release, release))
        };
        let completed = rows().filter(|row| row.status == DeploymentStatus::Completed);
        let first = completed.map(|row| row.id).min();
        let with_directory = rows().filter(|row| row.directory_version.is_some());
        let latest = with_directory.max_by_key(|row| row.id);
        Some(Self {
            directory: latest.and_then(|row| row.directory_version.as_ref()),
            first: first.or_else(|| rows().map(|row| row.id).min())?,
        })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let directories = self.directory.zip(other.directory);
        let directories = directories.map(|(one, other)| one.cmp(other));
        directories
            .unwrap_or(Ordering::Equal)
            .then(self.first.cmp(&other.first))
    }
}

/// A release whose name has a number.
struct Numbered<'a> {
    number: Number<'a>,
    pre_release: Option<PreRelease<'a>>,
    /// Any other suffix.
    build: &'a str,
    /// Commits after the tag, and the hash of the last one.
    commits: Option<(&'a str, &'a str)>,
}

/// What has an order with others of its kind.
enum Number<'a> {
    /// `2.5.0`
    Version(Vec<&'a str>),
    /// `8812`
    Count(&'a str),
    /// `20261122`, and more digits for the time of day.
    Day(Cow<'a, str>),
}

/// `rc.1`
struct PreRelease<'a> {
    stage: Stage,
    numbers: Vec<&'a str>,
}

/// The words that come before the version itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Preview,
    Development,
    Snapshot,
}

impl<'a> Numbered<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(text, _)| text);
        let (text, commits) = match described(text) {
            Some((tag, count, hash)) => (tag, Some((count, hash))),
            None => (text, None),
        };
        let (number, suffix) = Number::parse(text)?;
        let (pre_release, build) = match PreRelease::parse(suffix) {
            Some((pre_release, build)) => (Some(pre_release), build),
            None => (None, suffix),
        };
        Some(Self {
            number,
            pre_release,
            build,
            commits,
        })
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        let numbers = self.number.compare(&other.number)?;
        if numbers != Ordering::Equal {
            return Some(numbers);
        }
        let same_build = self.build.eq_ignore_ascii_case(other.build);
        let stages = match (&self.pre_release, &other.pre_release) {
            (None, None) => Ordering::Equal,
            (Some(one), Some(other)) => one.compare(other)?,
            // Before a build of which nothing is known there may be anything.
            (Some(_), None) if same_build || other.build.is_empty() => Ordering::Less,
            (None, Some(_)) if same_build || self.build.is_empty() => Ordering::Greater,
            _ => return None,
        };
        if stages != Ordering::Equal {
            return Some(stages);
        }
        if !same_build {
            return None;
        }
        match (self.commits, other.commits) {
            (None, None) => Some(Ordering::Equal),
            (None, Some(_)) => Some(Ordering::Less),
            (Some(_), None) => Some(Ordering::Greater),
            (Some((one, hash)), Some((other, other_hash))) => match by_number(one, other) {
                // Two branches.
                Ordering::Equal if !is_abbreviated(hash, other_hash) => None,
                ordering => Some(ordering),
            },
        }
    }
}

impl<'a> Number<'a> {
    /// The number, and what follows its hyphen.
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        if let Some((day, rest)) = text.split_at_checked("2026-11-22".len())
            && let [year, month, day] = day.split('-').collect::<Vec<_>>()[..]
            && is_day(&[year, month, day].concat())
            && (rest.is_empty() || rest.starts_with('-'))
        {
            let day = Cow::Owned([year, month, day].concat());
            return Some((Self::Day(day), rest.trim_start_matches('-')));
        }
        let (core, suffix) = text.split_once('-').unwrap_or((text, ""));
        let parts: Vec<&str> = core.split('.').collect();
        if !parts.iter().all(|part| is_number(part)) {
            return None;
        }
        let number = match parts[..] {
            [only] if is_day(only) => Self::Day(Cow::Borrowed(only)),
            [only] if only.len() <= LONGEST_COUNT => Self::Count(only),
            // The beginning of a hash may be digits alone.
            [_] => return None,
            _ => Self::Version(parts),
        };
        Some((number, suffix))
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Version(one), Self::Version(other)) => Some(by_parts(one, other)),
            (Self::Count(one), Self::Count(other)) => Some(by_number(one, other)),
            // `v3`
            (Self::Count(one), Self::Version(other)) if one.len() <= LONGEST_MAJOR => {
                Some(by_parts(&[one], other))
            }
            (Self::Version(one), Self::Count(other)) if other.len() <= LONGEST_MAJOR => {
                Some(by_parts(one, &[other]))
            }
            (Self::Day(one), Self::Day(other)) => {
                let length = one.len().min(other.len());
                match one.get(..length).cmp(&other.get(..length)) {
                    Ordering::Equal if one.len() != other.len() => None,
                    ordering => Some(ordering),
                }
            }
            _ => None,
        }
    }
}

impl<'a> PreRelease<'a> {
    /// What it says, and what follows.
    fn parse(suffix: &'a str) -> Option<(Self, &'a str)> {
        let letters = |character: char| !character.is_ascii_alphabetic();
        let (word, mut rest) = suffix.split_at(suffix.find(letters).unwrap_or(suffix.len()));
        let word = word.to_ascii_lowercase();
        let stage = match word.as_str() {
            "alpha" => Stage::Alpha,
            "beta" => Stage::Beta,
            "m" | "milestone" => Stage::Milestone,
            "rc" => Stage::Candidate,
            "pre" | "preview" | "prerelease" => Stage::Preview,
            "dev" => Stage::Development,
            "snapshot" => Stage::Snapshot,
            _ => return None,
        };
        let mut numbers = Vec::new();
        loop {
            let after = match numbers.is_empty() {
                // `rc1`
                true => rest.strip_prefix(['.', '-']).unwrap_or(rest),
                false => rest.strip_prefix(['.', '-']).unwrap_or_default(),
            };
            let (number, next) = after.split_at(after.find(['.', '-']).unwrap_or(after.len()));
            if !is_number(number) || (number.len() > LONGEST_COUNT && !is_day(number)) {
                break;
            }
            numbers.push(number);
            rest = next;
        }
        let told = stage != Stage::Milestone || !numbers.is_empty();
        let ends = rest.is_empty() || rest.starts_with(['.', '-']);
        let rest = rest.trim_start_matches(['.', '-']);
        (told && ends).then_some((Self { stage, numbers }, rest))
    }

    /// `rc.2` before `rc.10`, `rc` before `rc.1`.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.stage != other.stage {
            // Whether a snapshot comes before a candidate is for each project to say.
            let ranked = |stage: Stage| stage <= Stage::Candidate;
            let both = ranked(self.stage) && ranked(other.stage);
            return both.then(|| self.stage.cmp(&other.stage));
        }
        let pairs = self.numbers.iter().zip(&other.numbers);
        let mut pairs = pairs.map(|(one, other)| by_number(one, other));
        let first = pairs.find(|ordering| *ordering != Ordering::Equal);
        Some(first.unwrap_or(self.numbers.len().cmp(&other.numbers.len())))
    }
}

/// A number of a build has no more digits than this: seven are the beginning of a hash.
const LONGEST_COUNT: usize = 6;
/// A number without a dot that means the first part of a version has no more digits than this.
const LONGEST_MAJOR: usize = 2;

/// The tag, the commits after it and the hash in `2.5.0-3-gabc1234`.
fn described(text: &str) -> Option<(&str, &str, &str)> {
    let (text, hash) = text.rsplit_once("-g")?;
    let (tag, count) = text.rsplit_once('-')?;
    let is_hash = hash.len() >= 4 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && is_number(count)).then_some((tag, count, hash))
}

fn is_abbreviated(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it begins with a year, a month and a day of this century, and goes on with nothing but digits.
fn is_day(text: &str) -> bool {
    let between = |range: std::ops::Range<usize>, least: &str, most: &str| {
        text.get(range)
            .is_some_and(|part| least <= part && part <= most)
    };
    is_number(text)
        && (8..=14).contains(&text.len())
        && text.starts_with("20")
        && between(4..6, "01", "12")
        && between(6..8, "01", "31")
}

/// `2.5` is `2.5.0`.
fn by_parts(one: &[&str], other: &[&str]) -> Ordering {
    let mut parts = (0..one.len().max(other.len())).map(|index| {
        let (one, other) = (one.get(index), other.get(index));
        by_number(one.unwrap_or(&"0"), other.unwrap_or(&"0"))
    });
    let different = parts.find(|ordering| *ordering != Ordering::Equal);
    different.unwrap_or(Ordering::Equal)
}

/// Of any length.
fn by_number(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;

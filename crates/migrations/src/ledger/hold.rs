//! Why a contract migration is held, as facts and as sentences.

use serde::Serialize;

use super::ClientSession;
use crate::history::Version;

/// Why a contract migration is held. Fields are facts; [`HoldReason::sentence`] says them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "gate", rename_all = "snake_case")]
pub enum HoldReason {
    /// There is no release, so there is nothing to compare.
    NoRelease,
    /// `after` names migrations that do not come before it.
    UnknownMigration {
        /// These.
        versions: Vec<Version>,
    },
    /// What it comes after arrives with this very deployment.
    SameDeployment {
        /// The migrations.
        versions: Vec<Version>,
        /// The release that was skipped, where it is known: it has to be deployed before.
        deploy_first: Option<String>,
    },
    /// No deployment that knows what it comes after has been completed since that was applied.
    NotCompleted {
        /// The migrations.
        versions: Vec<Version>,
        /// The release of their deployment, where there was one.
        release: Option<String>,
    },
    /// No release has been completed, so what it takes away may be in use.
    NothingCompleted {
        /// The first release without it.
        unused_since: String,
    },
    /// The release that runs still uses what it takes away.
    StillUsed {
        /// The first release without it.
        unused_since: String,
        /// The release that runs.
        running: String,
    },
    /// A release that still uses it was started after the last one that was completed.
    MayStillRun {
        /// The first release without it.
        unused_since: String,
        /// That release.
        release: String,
    },
    /// The release that is being deployed uses it itself.
    UsedByThisRelease {
        /// The first release without it.
        unused_since: String,
        /// This release.
        release: String,
    },
    /// `unused-since` names a release that has no number and was never completed here.
    NeverCompleted {
        /// The name.
        unused_since: String,
    },
    /// Sessions of an older release are connected.
    OldSessions {
        /// The oldest release that may be connected.
        at_least: String,
        /// The sessions.
        sessions: Vec<ClientSession>,
    },
    /// In strict mode: sessions that do not tell their release.
    UnknownSessions {
        /// What is known of them.
        known: String,
    },
}

impl HoldReason {
    /// What is missing, and what to do about it.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoRelease => "it is a contract migration, and without --release (FORERUN_RELEASE) there is no telling \
                                which releases still run"
                .to_owned(),
            Self::UnknownMigration { versions } => format!(
                "after= names {}, which {} not come before it",
                list(versions),
                if versions.len() == 1 { "does" } else { "do" }
            ),
            Self::SameDeployment {
                versions,
                deploy_first: Some(first),
            } => format!(
                "{} with this same deployment: deploy release {first} first, close it with `forerun migrate deployed`, \
                 and then deploy this one",
                arrive(versions)
            ),
            Self::SameDeployment { versions, .. } => format!(
                "{} with this same deployment: roll it out and close it with `forerun migrate deployed`; the next \
                 deployment applies it",
                arrive(versions)
            ),
            Self::NotCompleted {
                versions,
                release: Some(release),
            } => format!(
                "no deployment has been completed since {} applied (with release {release}): run `forerun migrate \
                 deployed` when a rollout has ended",
                were(versions)
            ),
            Self::NotCompleted { versions, .. } => format!(
                "no deployment has been completed since {} applied: roll a release out, and run `forerun migrate \
                 deployed` when that has ended",
                were(versions)
            ),
            Self::NothingCompleted { unused_since } => format!(
                "releases before {unused_since} use what it takes away, and the ledger knows of no completed deployment: \
                 run `forerun migrate deployed` when a rollout of {unused_since} or newer has ended"
            ),
            Self::StillUsed {
                unused_since,
                running,
            } => format!(
                "release {running} runs now and still uses what it takes away: deploy {unused_since} first and close it \
                 with `forerun migrate deployed`"
            ),
            Self::MayStillRun {
                unused_since,
                release,
            } => format!(
                "release {release} was started and never closed, and releases before {unused_since} still use what it \
                 takes away: roll out {unused_since} or newer and run `forerun migrate deployed`"
            ),
            Self::UsedByThisRelease {
                unused_since,
                release,
            } => format!(
                "this is release {release}, and only {unused_since} and newer can live without what it takes away"
            ),
            Self::NeverCompleted { unused_since } => format!(
                "unused-since names release {unused_since}, which was never completed here: deploy it first and close it \
                 with `forerun migrate deployed`"
            ),
            Self::OldSessions { at_least, sessions } => {
                let shown: Vec<String> = sessions
                    .iter()
                    .take(3)
                    .map(|session| {
                        let from = match session.client.as_str() {
                            "" => String::new(),
                            client => format!(" from {client}"),
                        };
                        format!("{} ({}{from}, {})", session.application, session.user, session.backend)
                    })
                    .collect();
                let more = match sessions.len().saturating_sub(shown.len()) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!(
                    "releases before {at_least} are still connected: {}{more}; end them first",
                    shown.join(", ")
                )
            }
            Self::UnknownSessions { known } => known.clone(),
        }
    }
}

/// `version 7`, `versions 3, 4, 5 and 2 more`.
fn list(versions: &[Version]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = versions.iter().take(SHOWN).map(Version::as_str).collect();
    let noun = match versions {
        [_] => "version",
        _ => "versions",
    };
    match versions.len().saturating_sub(SHOWN) {
        0 => format!("{noun} {}", shown.join(", ")),
        more => format!("{noun} {} and {more} more", shown.join(", ")),
    }
}

fn arrive(versions: &[Version]) -> String {
    let verb = match versions {
        [_] => "arrives",
        _ => "arrive",
    };
    format!("{}, which it comes after, {verb}", list(versions))
}

fn were(versions: &[Version]) -> String {
    let verb = match versions {
        [_] => "was",
        _ => "were",
    };
    format!("{} {verb}", list(versions))
}

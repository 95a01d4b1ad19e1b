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
    /// What it comes after waits behind another contract migration that is held.
    Behind {
        /// The migrations.
        versions: Vec<Version>,
        /// File name of that one.
        script: String,
    },
    /// It does not say since when it is safe, and a release that may run does not have its file.
    NotInRunning {
        /// That release; `None` where none has been completed.
        running: Option<String>,
        /// What is known of it.
        because: NotInRunning,
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
        /// The same where it is another one than this: it has to be deployed before.
        deploy_first: Option<String>,
    },
    /// The release that runs still uses what it takes away.
    StillUsed {
        /// The first release without it.
        unused_since: String,
        /// The release that runs.
        running: String,
        /// The first release without it where that is not this one: it has to be deployed before.
        deploy_first: Option<String>,
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
        /// The same where it is another one than this: it has to be deployed before.
        deploy_first: Option<String>,
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

/// How a release stands to the file of a contract migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotInRunning {
    /// Its directory ended before the file.
    Older,
    /// The same, and it was started after the last one that was completed.
    Started,
    /// Its directory had the file, and its deployment was never closed.
    NotClosed,
    /// The ledger does not tell.
    Unknown,
}

/// What ends most of them.
const CLOSE: &str = "roll it out and close it with `forerun migrate deployed`";

impl HoldReason {
    /// Whether it cannot end before this release has been rolled out.
    pub fn needs_this_release(&self) -> bool {
        match self {
            Self::SameDeployment { deploy_first, .. }
            | Self::NothingCompleted { deploy_first, .. }
            | Self::StillUsed { deploy_first, .. }
            | Self::NeverCompleted { deploy_first, .. } => deploy_first.is_none(),
            Self::UsedByThisRelease { .. } => true,
            Self::NotInRunning { because, .. } => *because == NotInRunning::Older,
            _ => false,
        }
    }

    /// What is missing, and what to do about it. Where migrations of this release stand behind the one that is held
    /// (`blocks`), nobody is sent to roll it out.
    pub fn sentence(&self, blocks: bool) -> String {
        let rolled_out = |this: &str| match blocks {
            true => String::new(),
            false => format!(
                ": roll {this} out and close it with `forerun migrate deployed`; the run after that applies it"
            ),
        };
        match self {
            Self::NoRelease => "it is a contract migration, and without --release (FORERUN_RELEASE) there is no telling \
                                which releases still run"
                .to_owned(),
            Self::UnknownMigration { versions } => format!(
                "after= names {}, which {} not come before it: correct the directive",
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
            Self::SameDeployment { versions, .. } if blocks => {
                format!("{} with this same deployment", arrive(versions))
            }
            Self::SameDeployment { versions, .. } => format!(
                "{} with this same deployment: {CLOSE}; the next deployment applies it",
                arrive(versions)
            ),
            Self::Behind { versions, script } => format!(
                "{}, which it comes after, {} behind {script}, which is held itself",
                list(versions),
                if versions.len() == 1 { "waits" } else { "wait" }
            ),
            Self::NotInRunning { running, because } => not_in_running(running.as_deref(), *because, blocks),
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
            Self::NothingCompleted {
                unused_since,
                deploy_first: Some(first),
            } => format!(
                "releases before {unused_since} use what it takes away, and the ledger knows of no completed deployment: \
                 deploy {first} first and close it with `forerun migrate deployed` (with --unopened, if it runs already)"
            ),
            Self::NothingCompleted { unused_since, .. } => format!(
                "releases before {unused_since} use what it takes away, and the ledger knows of no completed deployment{}",
                rolled_out("this release")
            ),
            Self::StillUsed {
                running,
                deploy_first: Some(first),
                ..
            } => format!(
                "release {running} runs now and still uses what it takes away: deploy {first} first and close it with \
                 `forerun migrate deployed`"
            ),
            Self::StillUsed { running, .. } => format!(
                "release {running} runs now and still uses what it takes away{}",
                rolled_out("this release")
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
            Self::NeverCompleted {
                unused_since,
                deploy_first: Some(_),
            } => format!(
                "unused-since names release {unused_since}, which was never completed here: deploy it first and close it \
                 with `forerun migrate deployed`"
            ),
            Self::NeverCompleted { unused_since, .. } => format!(
                "unused-since names this release, {unused_since}, which was never completed here{}",
                rolled_out("it")
            ),
            Self::OldSessions { at_least, sessions } => old_sessions(at_least, sessions),
            Self::UnknownSessions { known } => known.clone(),
        }
    }
}

fn not_in_running(running: Option<&str>, because: NotInRunning, blocks: bool) -> String {
    const SAY: &str = "say with unused-since=RELEASE which one is the first without";
    let rolled_out = match blocks {
        true => format!("; {SAY}, if that is an earlier one"),
        false => format!(
            ": roll this release out and close it with `forerun migrate deployed`, and the run after that applies it; or {SAY}"
        ),
    };
    match (running, because) {
        (None, _) => format!(
            "it does not say since which release nothing uses what it takes away, and the ledger knows of no completed \
             deployment that had this file{rolled_out}"
        ),
        (Some(running), NotInRunning::Older) => format!(
            "release {running} runs now and does not have this file yet, so it may use what the file takes away\
             {rolled_out}"
        ),
        (Some(running), NotInRunning::Started) => format!(
            "release {running} was started and never closed, and does not have this file, so it may use what the file \
             takes away: roll out a release that has it and run `forerun migrate deployed`; or {SAY}"
        ),
        (Some(running), NotInRunning::NotClosed) => format!(
            "release {running}, which has this file, was started and never closed: run `forerun migrate deployed --release \
             {running}` when its rollout has ended; or {SAY}"
        ),
        (Some(running), NotInRunning::Unknown) => format!(
            "whether release {running}, which runs now, lives without what it takes away the ledger cannot tell: {SAY}"
        ),
    }
}

fn old_sessions(at_least: &str, sessions: &[ClientSession]) -> String {
    let shown: Vec<String> = sessions
        .iter()
        .take(3)
        .map(|session| {
            let from = match session.client.as_str() {
                "" => String::new(),
                client => format!(" from {client}"),
            };
            format!(
                "{} ({}{from}, {})",
                session.application, session.user, session.backend
            )
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

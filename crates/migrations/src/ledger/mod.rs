//! Two versions at once: which releases were rolled out, and what a migration that takes something away has to wait
//! for.
//!
//! The database remembers deployments (`forerun_deployment`). `migrate up --release X` opens one, `migrate deployed`
//! closes it: from then on only this release runs. The gates compare a contract migration with that ledger and with
//! the sessions that are connected; the floor is the oldest release that what was taken away leaves able to run.
//!
//! Pure: no I/O, no clock. The executor reads the evidence and writes the rows.

mod brought;
mod floor;
mod gate;
mod hold;
mod release;
mod transition;

use serde::{Deserialize, Serialize};

pub use floor::{Floor, FloorMark, below_floor, floor};
pub use gate::{Candidate, ClientSession, ClientSessions, Earlier, Evidence, Verdict, evaluate};
pub use hold::{HoldReason, NotInRunning};
pub use release::same_release;
pub use transition::{CloseProblem, Closing, Opener, Opening, close, finished, open};

use crate::history::Version;

/// How far a deployment came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeploymentStatus {
    /// Being rolled out: its release may run beside the one before it.
    Open,
    /// Its migrations failed, or were held in strict mode; running them again opens it again.
    Failed,
    /// Only its release ran when it was closed.
    Completed,
    /// Another one was completed after it, and this one never was.
    Superseded,
}

impl DeploymentStatus {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Completed => "completed",
            Self::Superseded => "superseded",
        }
    }

    /// From the stored text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "failed" => Some(Self::Failed),
            "completed" => Some(Self::Completed),
            "superseded" => Some(Self::Superseded),
            _ => None,
        }
    }
}

/// A row of `forerun_deployment`. Times are UTC, RFC 3339, by forerun's clock, as in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Order of opening, from 1; history rows name it.
    pub id: i64,
    /// What `--release` said.
    pub release: String,
    /// The release that ran when it was opened: that of the last completed deployment.
    pub previous_release: Option<String>,
    /// How far it came.
    pub status: DeploymentStatus,
    /// Newest version with a number in the directory of this release: tells a rollback from a rollout. `None` when the
    /// directory was empty or not looked at.
    pub directory_version: Option<Version>,
    /// When it was opened first.
    pub started_at: String,
    /// When its migrations ended well, the last time.
    pub migrated_at: Option<String>,
    /// When it was closed.
    pub completed_at: Option<String>,
    /// The run that changed it last.
    pub run_id: String,
    /// User and host of the run that opened it.
    pub opened_by: String,
}

/// The deployment that was completed last.
pub fn last_completed(deployments: &[Deployment]) -> Option<&Deployment> {
    deployments
        .iter()
        .filter(|deployment| deployment.status == DeploymentStatus::Completed)
        .max_by_key(|deployment| deployment.id)
}

/// The deployment that was opened last.
pub fn newest(deployments: &[Deployment]) -> Option<&Deployment> {
    deployments.iter().max_by_key(|deployment| deployment.id)
}

#[cfg(test)]
pub(crate) fn for_test(id: i64, release: &str, status: DeploymentStatus) -> Deployment {
    Deployment {
        id,
        release: release.to_owned(),
        previous_release: None,
        status,
        directory_version: Some(Version::from(9)),
        started_at: format!("2026-01-0{id}T12:00:00Z"),
        migrated_at: Some(format!("2026-01-0{id}T12:00:01Z")),
        completed_at: (status == DeploymentStatus::Completed)
            .then(|| format!("2026-01-0{id}T13:00:00Z")),
        run_id: "run".to_owned(),
        opened_by: "me@here".to_owned(),
    }
}

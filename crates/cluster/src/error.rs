//! Every way in which a deploy ends early.

use crate::api_error::ApiError;
use crate::apply::FieldOwner;
use crate::connect::report_of_api_error;
use crate::diagnosis::Diagnosis;
use crate::ownership::Foreign;
use crate::report::{Outcome, Report};

/// Why a deploy ended early. The state that it leaves is told by [`Failure`].
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Another deploy of the release is at work.
    #[error("another deploy of the release `{release}` is at work: {holder}")]
    Busy {
        /// The release.
        release: String,
        /// Who, where, since when.
        holder: String,
        /// The Lease.
        lease: String,
    },
    /// The lease is no longer ours.
    #[error("the lease of this deploy was lost: {reason}")]
    LeaseLost {
        /// How it was noticed.
        reason: String,
    },
    /// Objects that belong to others.
    #[error("{} of the release belong{} to others", objects(.0.len()), if .0.len() == 1 { "s" } else { "" })]
    Foreign(Vec<Foreign>),
    /// Fields that others own.
    #[error("fields of {object} are owned by others")]
    FieldOwners {
        /// The object.
        object: String,
        /// Field by field.
        owners: Vec<FieldOwner>,
    },
    /// An earlier Job of the same name still works.
    #[error("the Job {job} of an earlier deploy still works, with another specification")]
    JobBusy {
        /// The Job.
        job: String,
        /// Its pods.
        pods: Vec<String>,
    },
    /// Somebody deleted or replaced the Job while it was followed.
    #[error("the Job {job} was deleted by somebody else while it was followed")]
    JobGone {
        /// The Job.
        job: String,
    },
    /// A step of the migration failed, or cannot run.
    #[error("{}", .diagnosis.message)]
    Step {
        /// The Job.
        job: String,
        /// Why.
        diagnosis: Box<Diagnosis>,
    },
    /// The new version does not come up.
    #[error("the Deployment {deployment} does not become ready: {}", .diagnosis.message)]
    Rollout {
        /// The Deployment.
        deployment: String,
        /// Why.
        diagnosis: Box<Diagnosis>,
        /// What serves now.
        serving: String,
    },
    /// It was told to stop.
    #[error("stopped: {reason}")]
    Stopped {
        /// By what: `SIGTERM received`.
        reason: String,
    },
}

/// A deploy that ended early, with the state that it leaves.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Why.
    pub error: DeployError,
    /// What is in the cluster now.
    pub state: String,
    /// How to go on, where the state asks for it.
    pub advice: Option<String>,
    /// Address of the API.
    pub server: String,
    /// The namespace.
    pub namespace: String,
}

impl Failure {
    /// For people.
    pub fn report(&self) -> Report {
        let namespace = &self.namespace;
        let mut report = match &self.error {
            DeployError::Api(error) => report_of_api_error(error, &self.server, namespace),
            DeployError::Busy { lease, .. } => Report::new(
                Outcome::Temporary,
                "deploy_running",
                self.error.to_string(),
            )
            .detail(
                "look",
                format!("kubectl get lease {lease} -n {namespace} -o yaml"),
            )
            .advise(
                "Run it again when that one is done, or let it wait (--wait-for-deploy 10m). \
                     The lease of a deploy that died is taken \
                     over a minute after its last sign of life.",
            ),
            DeployError::LeaseLost { .. } => {
                Report::new(Outcome::Temporary, "lease_lost", self.error.to_string())
                    .advise("Deploy again.")
            }
            DeployError::Foreign(objects) => foreign(&self.error, objects, namespace),
            DeployError::FieldOwners { owners, .. } => field_owners(&self.error, owners),
            DeployError::JobBusy { job, pods } => {
                Report::new(Outcome::Temporary, "job_running", self.error.to_string())
                    .detail("pods", pods.join(", "))
                    .detail("look", format!("kubectl logs -f job/{job} -n {namespace}"))
                    .advise(format!(
                        "Let it end and deploy again, or let the deploy wait for it \
                     (--wait-for-deploy 30m). To end it: kubectl delete job {job} \
                     -n {namespace} (it gets SIGTERM and goes on where it stopped next time)."
                    ))
            }
            DeployError::JobGone { .. } => {
                Report::new(Outcome::Temporary, "job_deleted", self.error.to_string())
                    .advise("Deploy again.")
            }
            DeployError::Step { job, diagnosis } => {
                let mut report = diagnosis.report();
                report.details.insert(0, ("job", job.clone()));
                report
            }
            DeployError::Rollout { diagnosis, .. } => {
                let mut report = diagnosis.report();
                report.message = self.error.to_string();
                report
            }
            DeployError::Stopped { .. } => {
                Report::new(Outcome::Interrupted, "interrupted", self.error.to_string())
            }
        };
        report.state = Some(self.state.clone());
        if let Some(advice) = &self.advice {
            report.advice.push(advice.clone());
        }
        report
    }
}

fn foreign(error: &DeployError, objects: &[Foreign], namespace: &str) -> Report {
    let mut report = Report::new(Outcome::Refused, "owned_by_another", error.to_string());
    for object in objects {
        report = report.detail("object", format!("{}: {}", object.object, object.owner));
    }
    let helm = objects.iter().find(|object| object.helm);
    let advice = match helm {
        Some(object) => format!(
            "Deploy it with Helm as before, or hand it over: kubectl annotate {0} -n {namespace} \
             meta.helm.sh/release-name- \
             meta.helm.sh/release-namespace-, and kubectl label {0} -n {namespace} \
             app.kubernetes.io/managed-by-. Or use other names.",
            object.reference
        ),
        None => "Use another name in one of the two releases, or, when the other release is gone, \
                 take the label off: kubectl label \
                 KIND/NAME forerun.dev/release-."
            .to_owned(),
    };
    report.advise(advice)
}

fn field_owners(error: &DeployError, owners: &[FieldOwner]) -> Report {
    let mut report = Report::new(Outcome::Refused, "field_owned", error.to_string());
    for owner in owners {
        report = report.detail(
            "field",
            format!("{} is owned by {}", owner.field, owner.owner),
        );
    }
    report.advise("Take them over with --force-conflicts, or leave these fields out of the values.")
}

fn objects(number: usize) -> String {
    format!("{number} object{}", if number == 1 { "" } else { "s" })
}

//! Brings a rendered release into a cluster and tells what happens there. The only room that knows the Kubernetes
//! client.
//!
//! [`connect`] → [`deploy`](deploy()) or [`preview`]. What happens comes out as [`Event`]s; how it ended as [`Done`] or as
//! a [`Failure`] whose [`Report`] says what happened, the state of things and what to do. Nothing here prints, reads the
//! environment or renders.
//!
//! The cluster is asked once a second instead of watched: a question always has an answer or an error, while a watch can
//! be silent because nothing happens or because its peer is dead.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod api;
mod api_error;
mod apply;
mod connect;
mod containers;
mod deploy;
mod diagnosis;
mod difference;
mod error;
mod event;
#[cfg(test)]
mod fake_api;
mod job;
mod lease;
mod logs;
mod object;
mod ownership;
mod prune;
mod report;
mod rollout;
#[cfg(test)]
mod stories;

pub use api::{Cluster, Dependents};
pub use api_error::{ApiError, ApiErrorKind, Cause};
pub use apply::FieldOwner;
pub use connect::{ConnectError, Connection, connect, kubeconfig_of_home};
pub use deploy::{Done, Options, Preview, PreviewedChange, Release, Step, deploy, preview};
pub use diagnosis::{Detail, Diagnosis, Verdict};
pub use difference::FieldChange;
pub use error::{DeployError, Failure};
pub use event::{Change, Event, Events, Wave};
pub use object::{FIELD_MANAGER, Kind, MANAGED_BY_LABEL, Object, RELEASE_LABEL};
pub use ownership::Foreign;
pub use report::{Outcome, Report};

//! One deploy per release at a time: a Lease in the namespace, renewed while the deploy works.
//!
//! It keeps people from disturbing each other. That no two migrations run at once does not rest on it: the lock in the
//! database sees to that.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease as LeaseObject, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::ObjectMeta;
use tokio::time::{Instant, sleep, timeout};

use crate::api::Cluster;
use crate::api_error::{ApiError, ApiErrorKind};
use crate::error::DeployError;
use crate::event::{Event, Events};
use crate::object::{MANAGED_BY_LABEL, RELEASE_LABEL};

/// A holder that is silent for this long has lost the lease.
const DURATION: Duration = Duration::from_secs(60);
/// Time between signs of life.
const RENEWAL: Duration = Duration::from_secs(10);
/// A holder that has not renewed for this long gives up, before others may take over.
const GIVE_UP: Duration = Duration::from_secs(50);
/// A lease that looks expired by our clock is watched for this long first: clocks differ.
const CONFIRMATION: Duration = Duration::from_secs(12);

/// The lease of a running deploy.
pub struct Lease {
    cluster: Cluster,
    object: LeaseObject,
    renewed: Instant,
}

/// Name of the Lease of a release.
pub fn name(release: &str) -> String {
    format!("forerun-{release}")
}

impl Lease {
    /// Takes it, waiting for another deploy as long as is wanted.
    ///
    /// # Errors
    /// Another deploy is at work, or the API.
    pub async fn take(
        cluster: &Cluster,
        release: &str,
        holder: &str,
        wait: Duration,
        events: &dyn Events,
    ) -> Result<Self, DeployError> {
        let name = name(release);
        let begin = Instant::now();
        let mut observed: Option<(LeaseObject, Instant)> = None;
        let mut told: Option<Instant> = None;
        loop {
            let Some(current) = cluster.get_typed::<LeaseObject>(&name).await? else {
                match write(cluster, new(&name, release, holder), true).await? {
                    Some(object) => return Ok(Self::held(cluster, object)),
                    None => continue,
                }
            };
            let since = match &observed {
                Some((seen, since))
                    if seen.metadata.resource_version == current.metadata.resource_version =>
                {
                    *since
                }
                _ => {
                    let now = Instant::now();
                    observed = Some((current.clone(), now));
                    now
                }
            };
            let former = current
                .spec
                .as_ref()
                .and_then(|spec| spec.holder_identity.clone())
                .unwrap_or_default();
            let looks_dead = looks_expired(&current, Timestamp::now());
            let silent = since.elapsed();
            let dead = silent >= duration(&current) || (looks_dead && silent >= CONFIRMATION);
            if former.is_empty() || dead {
                if let Some(object) =
                    write(cluster, taken(&current, release, holder), false).await?
                {
                    if !former.is_empty() {
                        events.emit(&Event::DeployTakenOver { holder: former });
                    }
                    return Ok(Self::held(cluster, object));
                }
                continue;
            }
            let description = describe(&current);
            if begin.elapsed() >= wait && !looks_dead {
                return Err(DeployError::Busy {
                    release: release.to_owned(),
                    holder: description,
                    lease: name,
                });
            }
            if told.is_none_or(|told| told.elapsed() >= Duration::from_secs(10)) {
                told = Some(Instant::now());
                events.emit(&Event::DeployWaiting {
                    holder: description,
                    waited: begin.elapsed(),
                });
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    fn held(cluster: &Cluster, object: LeaseObject) -> Self {
        Self {
            cluster: cluster.impatient(),
            object,
            renewed: Instant::now(),
        }
    }

    /// Renews it until that fails for good; returns why.
    pub async fn keep(&mut self) -> DeployError {
        let mut pause = RENEWAL;
        loop {
            sleep(pause).await;
            let mut next = self.object.clone();
            if let Some(spec) = &mut next.spec {
                spec.renew_time = Some(MicroTime(Timestamp::now()));
            }
            let lost = match write(&self.cluster, next, false).await {
                Ok(Some(object)) => {
                    self.object = object;
                    self.renewed = Instant::now();
                    pause = RENEWAL;
                    continue;
                }
                Ok(None) => self.reread().await,
                Err(error) if error.passes() => None,
                Err(error) => Some(error.to_string()),
            };
            if let Some(reason) = lost {
                return DeployError::LeaseLost { reason };
            }
            if self.renewed.elapsed() >= GIVE_UP {
                return DeployError::LeaseLost {
                    reason: format!(
                        "the API could not be reached for {} s",
                        self.renewed.elapsed().as_secs()
                    ),
                };
            }
            pause = Duration::from_secs(2);
        }
    }

    /// Somebody wrote it: still ours?
    async fn reread(&mut self) -> Option<String> {
        let name = self.object.metadata.name.clone().unwrap_or_default();
        match self.cluster.get_typed::<LeaseObject>(&name).await {
            Ok(Some(current)) if holder(&current) == holder(&self.object) => {
                self.object = current;
                None
            }
            Ok(Some(current)) => Some(format!("it was taken over by {}", describe(&current))),
            Ok(None) => Some("somebody deleted it".to_owned()),
            Err(_) => None,
        }
    }

    /// Gives it back. What fails here ends with the lease's time.
    pub async fn release(self) {
        let _ = timeout(Duration::from_secs(5), async {
            if self.cluster.delete_version(&self.object).await.is_ok() {
                return;
            }
            // Perhaps leases may be changed and not deleted.
            let mut free = self.object.clone();
            if let Some(spec) = &mut free.spec {
                spec.holder_identity = Some(String::new());
            }
            let _ = write(&self.cluster, free, false).await;
        })
        .await;
    }
}

/// `None` when somebody else was faster.
async fn write(
    cluster: &Cluster,
    lease: LeaseObject,
    is_new: bool,
) -> Result<Option<LeaseObject>, ApiError> {
    let name = lease.metadata.name.clone().unwrap_or_default();
    match cluster.put(&name, &lease, is_new).await {
        Ok(written) => Ok(Some(written)),
        Err(error)
            if matches!(
                error.kind,
                ApiErrorKind::Conflict | ApiErrorKind::AlreadyExists | ApiErrorKind::NotFound
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn new(name: &str, release: &str, holder: &str) -> LeaseObject {
    let labels = [(MANAGED_BY_LABEL, "forerun"), (RELEASE_LABEL, release)];
    let lease = LeaseObject {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(
                labels
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            ),
            ..ObjectMeta::default()
        },
        spec: None,
    };
    taken(&lease, release, holder)
}

fn taken(current: &LeaseObject, _release: &str, holder: &str) -> LeaseObject {
    let now = MicroTime(Timestamp::now());
    let former = current.spec.clone().unwrap_or_default();
    LeaseObject {
        metadata: current.metadata.clone(),
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_duration_seconds: Some(DURATION.as_secs() as i32),
            lease_transitions: Some(former.lease_transitions.unwrap_or(0).saturating_add(1)),
            ..LeaseSpec::default()
        }),
    }
}

fn holder(lease: &LeaseObject) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref()
}

fn duration(lease: &LeaseObject) -> Duration {
    let seconds = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_duration_seconds)
        .unwrap_or_default();
    u64::try_from(seconds).map_or(DURATION, Duration::from_secs)
}

fn looks_expired(lease: &LeaseObject, now: Timestamp) -> bool {
    let renewed = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.renew_time.as_ref());
    renewed.is_none_or(|renewed| {
        now.duration_since(renewed.0).as_secs() > duration(lease).as_secs().cast_signed()
    })
}

/// `alice@build-7, since 2026-11-21T10:00:00Z`.
fn describe(lease: &LeaseObject) -> String {
    let since = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.acquire_time.as_ref());
    let since = since
        .map(|since| format!(", since {:.0}", since.0))
        .unwrap_or_default();
    format!("{}{since}", holder(lease).unwrap_or("unknown"))
}

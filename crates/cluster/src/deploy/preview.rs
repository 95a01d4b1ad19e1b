//! What a deploy would do, asked of the API server without changing anything.

use serde::Serialize;

use super::check;
use super::progress::Progress;
use super::release::Release;
use crate::api::Cluster;
use crate::apply::{apply, replicas_left};
use crate::difference::{self, FieldChange};
use crate::error::{DeployError, Failure};
use crate::event::{Events, Wave};
use crate::object::Kind;
use crate::prune;

/// What a deploy would do to one object.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// Part of the deploy.
    pub wave: Wave,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// What would be done. A Job always runs anew.
    pub change: PreviewedChange,
    /// Field by field, where it would change.
    pub fields: Vec<FieldChange>,
}

/// What would be done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewedChange {
    /// It would be created.
    Create,
    /// It would be changed.
    Change,
    /// It is as it should be.
    Unchanged,
    /// The Job would run.
    Run,
    /// It would be deleted.
    Delete,
    /// It left the values and would stay.
    Keep,
}

/// What a deploy would do, as the API server says. Changes nothing.
///
/// # Errors
/// What a deploy would end with before it changes anything.
pub async fn preview(
    cluster: &Cluster,
    release: Release,
    force: bool,
    events: &dyn Events,
) -> Result<Vec<Preview>, Failure> {
    let release = release.marked();
    let progress = Progress::default();
    preview_of(cluster, &release, force, events)
        .await
        .map_err(|error| progress.failure(cluster, &release, error))
}

async fn preview_of(
    cluster: &Cluster,
    release: &Release,
    force: bool,
    events: &dyn Events,
) -> Result<Vec<Preview>, DeployError> {
    let objects = release.objects();
    let survey = check(cluster, release, &objects, force, events).await?;
    let mut previews = Vec::new();
    for (wave, object) in release.waves() {
        let (change, fields) = match survey.live(object) {
            _ if object.kind == Kind::JOB => (PreviewedChange::Run, Vec::new()),
            None => (PreviewedChange::Create, Vec::new()),
            Some(live) => {
                let applied = apply(cluster, object, Some(live), force, true).await?;
                if let Some(owner) = &applied.replicas_of {
                    events.emit(&replicas_left(object, owner));
                }
                let fields = difference::between(object.kind, live, &applied.value);
                let change = if fields.is_empty() {
                    PreviewedChange::Unchanged
                } else {
                    PreviewedChange::Change
                };
                (change, fields)
            }
        };
        previews.push(Preview {
            wave,
            kind: object.kind.kind.to_owned(),
            name: object.name.clone(),
            change,
            fields,
        });
    }
    let leftovers = prune::find(cluster, &release.name, &objects).await?;
    let delete = leftovers
        .delete
        .into_iter()
        .map(|leftover| (leftover, PreviewedChange::Delete));
    let keep = leftovers
        .keep
        .into_iter()
        .map(|(leftover, _)| (leftover, PreviewedChange::Keep));
    previews.extend(delete.chain(keep).map(|(leftover, change)| Preview {
        wave: Wave::Application,
        kind: leftover.kind.kind.to_owned(),
        name: leftover.name,
        change,
        fields: Vec::new(),
    }));
    Ok(previews)
}

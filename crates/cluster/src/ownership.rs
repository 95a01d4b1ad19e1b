//! What is in the cluster before anything is changed, and whose it is.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::api::Cluster;
use crate::api_error::ApiError;
use crate::object::{Kind, MANAGED_BY_LABEL, Object, RELEASE_LABEL, annotation, label};

/// Requests under way at once.
pub(crate) const PARALLEL: usize = 8;

/// An object that belongs to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// `Deployment shop`.
    pub object: String,
    /// `deployment/shop`.
    pub reference: String,
    /// Whose it is.
    pub owner: String,
    /// It is Helm's.
    pub helm: bool,
}

/// The objects of a release as they are now.
#[derive(Default)]
pub(crate) struct Survey(BTreeMap<String, Value>);

impl Survey {
    /// Reads all of them.
    pub async fn of(cluster: &Cluster, objects: &[&Object]) -> Result<Self, ApiError> {
        let found: Vec<Option<(String, Value)>> = stream::iter(objects)
            .map(|object| async move {
                let found = cluster.get(object.kind, &object.name).await?;
                Ok::<_, ApiError>(found.map(|found| (object.title(), found)))
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        Ok(Self(found.into_iter().flatten().collect()))
    }

    /// The object as it is.
    pub fn live(&self, object: &Object) -> Option<&Value> {
        self.0.get(&object.title())
    }

    /// Those that belong to others.
    pub fn foreign(&self, objects: &[&Object], release: &str) -> Vec<Foreign> {
        let owner = |object: &&Object| {
            let (owner, helm) = owner(self.live(object)?, release)?;
            Some(Foreign {
                object: object.title(),
                reference: object.reference(),
                owner,
                helm,
            })
        };
        objects.iter().filter_map(owner).collect()
    }

    /// Whether a version of the application is there already.
    pub fn has_application(&self) -> bool {
        let prefix = format!("{} ", Kind::DEPLOYMENT.kind);
        self.0.keys().any(|title| title.starts_with(&prefix))
    }
}

fn owner(live: &Value, release: &str) -> Option<(String, bool)> {
    if let Some(name) = annotation(live, "meta.helm.sh/release-name") {
        let namespace = annotation(live, "meta.helm.sh/release-namespace").unwrap_or("?");
        return Some((
            format!("Helm release {name} in namespace {namespace}"),
            true,
        ));
    }
    if annotation(live, "helm.sh/hook").is_some() || label(live, MANAGED_BY_LABEL) == Some("Helm") {
        return Some(("Helm".to_owned(), true));
    }
    match label(live, RELEASE_LABEL) {
        Some(other) if other != release => Some((format!("release `{other}` of forerun"), false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn helm_and_other_releases_own_what_they_made() {
        let helm = json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "prod"}}});
        assert_eq!(
            owner(&helm, "shop"),
            Some(("Helm release shop in namespace prod".to_owned(), true))
        );
        let hook = json!({"metadata": {"annotations": {"helm.sh/hook": "pre-upgrade"}}});
        assert_eq!(owner(&hook, "shop"), Some(("Helm".to_owned(), true)));
        let other = json!({"metadata": {"labels": {"forerun.dev/release": "blog"}}});
        assert_eq!(
            owner(&other, "shop"),
            Some(("release `blog` of forerun".to_owned(), false))
        );
        assert_eq!(owner(&other, "blog"), None);
        assert_eq!(owner(&json!({"metadata": {}}), "shop"), None);
    }
}

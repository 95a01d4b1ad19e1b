//! Objects as they are sent to the API: plain JSON, with what is needed to address them.

use kube::core::ApiResource;
use serde_json::{Map, Value};

/// The field manager of everything that is applied.
pub const FIELD_MANAGER: &str = "forerun";
/// Label with the name of the release that an object belongs to.
pub const RELEASE_LABEL: &str = "forerun.dev/release";
/// Label that says which tool looks after an object.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// One kind of object, as far as the API's addresses need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `apps/v1`.
    pub api_version: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// `deployments`.
    pub plural: &'static str,
}

macro_rules! kinds {
    ($($constant:ident = $api_version:literal, $kind:literal, $plural:literal;)*) => {
        impl Kind {
            $(#[doc = concat!("`", $kind, "` of `", $api_version, "`.")]
            pub const $constant: Self = Self { api_version: $api_version, kind: $kind, plural: $plural };)*
            /// All kinds that a release can have, in the order in which they are taken away.
            pub const ALL: &[Self] = &[$(Self::$constant),*];
        }
    };
}

kinds! {
    DEPLOYMENT = "apps/v1", "Deployment", "deployments";
    SERVICE = "v1", "Service", "services";
    JOB = "batch/v1", "Job", "jobs";
    NETWORK_POLICY = "networking.k8s.io/v1", "NetworkPolicy", "networkpolicies";
    SERVICE_ACCOUNT = "v1", "ServiceAccount", "serviceaccounts";
    CONFIG_MAP = "v1", "ConfigMap", "configmaps";
    SECRET = "v1", "Secret", "secrets";
    PERSISTENT_VOLUME_CLAIM = "v1", "PersistentVolumeClaim", "persistentvolumeclaims";
}

impl Kind {
    /// The kind with this name.
    pub fn named(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|known| known.api_version == api_version && known.kind == kind)
            .copied()
    }

    pub(crate) fn resource(self) -> ApiResource {
        let (group, version) = self
            .api_version
            .split_once('/')
            .unwrap_or(("", self.api_version));
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: self.api_version.to_owned(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}

/// One object of a release. It has no namespace: the deploy decides.
#[derive(Clone, PartialEq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// All of it.
    pub value: Value,
}

impl Object {
    /// From JSON; `None` when it is of a kind that no release has, or has no name.
    pub fn from_value(value: Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let kind = Kind::named(text("/apiVersion")?, text("/kind")?)?;
        let name = text("/metadata/name")?.to_owned();
        Some(Self { kind, name, value })
    }

    /// `Deployment shop`.
    pub fn title(&self) -> String {
        format!("{} {}", self.kind.kind, self.name)
    }

    /// `deployment/shop`, as kubectl takes it.
    pub fn reference(&self) -> String {
        reference(self.kind.kind, &self.name)
    }

    /// Sets a label of the object itself.
    pub(crate) fn label(&mut self, key: &str, value: &str) {
        set(&mut self.value, "labels", key, value);
    }

    /// Sets an annotation of the object itself.
    pub(crate) fn annotate(&mut self, key: &str, value: &str) {
        set(&mut self.value, "annotations", key, value);
    }
}

/// Values of Secrets must not end up in a log.
impl std::fmt::Debug for Object {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.title())
    }
}

fn set(object: &mut Value, map: &str, key: &str, value: &str) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let metadata = object
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    let entries = metadata
        .entry(map)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(entries) = entries.as_object_mut() {
        entries.insert(key.to_owned(), Value::String(value.to_owned()));
    }
}

/// `deployment/shop`, as kubectl takes it.
pub(crate) fn reference(kind: &str, name: &str) -> String {
    format!("{}/{name}", kind.to_lowercase())
}

/// A label of an object.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(key)?.as_str()
}

/// An annotation of an object.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}

/// A text of an object's metadata.
pub(crate) fn metadata<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get(key)?.as_str()
}

/// Whether we have applied or created it.
pub(crate) fn is_ours(object: &Value) -> bool {
    let managers = object
        .get("metadata")
        .and_then(|metadata| metadata.get("managedFields"));
    managers.and_then(Value::as_array).is_some_and(|managers| {
        managers
            .iter()
            .any(|entry| entry.get("manager").and_then(Value::as_str) == Some(FIELD_MANAGER))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_added_to_what_is_there_and_where_nothing_is() {
        let value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "cHc="}});
        let mut object = Object::from_value(value).unwrap();
        object.label("a", "1");
        object.label("b", "2");
        assert_eq!(
            object.value["metadata"]["labels"],
            json!({"a": "1", "b": "2"})
        );
        assert_eq!(format!("{object:?}"), "Secret s");
        assert_eq!(object.reference(), "secret/s");
    }

    #[test]
    fn unknown_kinds_are_not_taken() {
        assert!(
            Object::from_value(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}})
            )
            .is_none()
        );
        assert!(
            Object::from_value(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}}))
                .is_none()
        );
    }
}

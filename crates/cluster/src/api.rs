//! The calls of the Kubernetes API that a deploy makes, each with a time limit and with tries on what passes by itself.
//!
//! Objects are JSON here; who needs their meaning asks for a type.

use std::time::Duration;

use futures_util::io::AsyncBufRead;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Event as KubernetesEvent, Pod};
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams, PostParams,
    Preconditions, PropagationPolicy,
};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::api_error::{ApiError, ApiErrorKind};
use crate::logs::GONE;
use crate::object::{FIELD_MANAGER, Kind, Object};

/// Longest time for one answer: admission webhooks may take 10 s each.
const ANSWER: Duration = Duration::from_secs(30);
/// Pauses between tries: the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long an API server that restarts, or is busy, is waited for.
const PATIENCE: Duration = Duration::from_secs(40);

/// The same for the first question.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);

/// How dependents of a deleted object go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependents {
    /// Before it: it is gone when they are.
    First,
    /// After it.
    Later,
}

/// A namespace of a cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    /// The namespace of everything.
    pub namespace: String,
    /// Where the API is, for people.
    pub server: String,
    patience: Duration,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "namespace {} of {}", self.namespace, self.server)
    }
}

impl Cluster {
    /// With a client that is ready.
    pub fn new(client: Client, namespace: impl Into<String>, server: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
            server: server.into(),
            patience: PATIENCE,
        }
    }

    /// The same that does not try again.
    pub(crate) fn impatient(&self) -> Self {
        Self {
            patience: Duration::ZERO,
            ..self.clone()
        }
    }

    fn dynamic(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource())
    }

    fn typed<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The version of the cluster: `v1.34.4`.
    ///
    /// # Errors
    /// What the API says.
    pub async fn version(&self) -> Result<String, ApiError> {
        let client = self.client.clone();
        // The first question: that nothing is there shows soon.
        let first = Self {
            patience: self.patience.min(FIRST_PATIENCE),
            ..self.clone()
        };
        let action = "ask for the version of the cluster".to_owned();
        let version = first.call(action, || client.apiserver_version()).await?;
        Ok(version.git_version)
    }

    /// An object, or `None` when there is none.
    ///
    /// # Errors
    /// What the API says.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<Option<Value>, ApiError> {
        let api = self.dynamic(kind);
        let found = self
            .call(format!("read {} {name}", kind.kind), || api.get_opt(name))
            .await?;
        Ok(found.map(value))
    }

    /// The same with its meaning.
    pub(crate) async fn get_typed<K>(&self, name: &str) -> Result<Option<K>, ApiError>
    where
        K: Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Clone + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let api = self.typed::<K>();
        let action = format!("read {} {name}", K::kind(&K::DynamicType::default()));
        self.call(action, || api.get_opt(name)).await
    }

    /// All objects with a label.
    ///
    /// # Errors
    /// What the API says.
    pub async fn list(&self, kind: Kind, selector: &str) -> Result<Vec<Value>, ApiError> {
        let api = self.dynamic(kind);
        let parameters = ListParams::default().labels(selector);
        let list = self
            .call(format!("list {}", kind.plural), || api.list(&parameters))
            .await?;
        // The items of a list do not say what they are.
        let item = |mut item: DynamicObject| {
            item.types = Some(kube::core::TypeMeta {
                api_version: kind.api_version.to_owned(),
                kind: kind.kind.to_owned(),
            });
            value(item)
        };
        Ok(list.items.into_iter().map(item).collect())
    }

    /// The same with its meaning.
    pub(crate) async fn list_typed<K>(&self, selector: &str) -> Result<Vec<K>, ApiError>
    where
        K: Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Clone + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let api = self.typed::<K>();
        let parameters = ListParams::default().labels(selector);
        let action = format!("list {}", K::plural(&K::DynamicType::default()));
        Ok(self.call(action, || api.list(&parameters)).await?.items)
    }

    /// What the cluster has recorded about an object. Without the right to read events: nothing.
    pub(crate) async fn events_of(&self, uid: &str) -> Result<Vec<KubernetesEvent>, ApiError> {
        let api = self.typed::<KubernetesEvent>();
        let parameters = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
        match self
            .call("list events".to_owned(), || api.list(&parameters))
            .await
        {
            Ok(list) => Ok(list.items),
            Err(error) if error.kind == ApiErrorKind::Forbidden => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Server-side apply; the answer is the object as it is (or, in a dry run, would be) then.
    ///
    /// # Errors
    /// What the API says, conflicts with their owners.
    pub async fn apply(
        &self,
        object: &Object,
        force: bool,
        dry_run: bool,
    ) -> Result<Value, ApiError> {
        let api = self.dynamic(object.kind);
        let mut parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
        parameters.force = force;
        parameters.dry_run = dry_run;
        let patch = Patch::Apply(&object.value);
        let applied = self
            .call(format!("apply {}", object.title()), || {
                api.patch(&object.name, &parameters, &patch)
            })
            .await
            .map_err(|error| error.about(object))?;
        Ok(value(applied))
    }

    /// Creates an object.
    ///
    /// # Errors
    /// What the API says, also when there is one already.
    pub async fn create(&self, object: &Object, dry_run: bool) -> Result<Value, ApiError> {
        let api = self.dynamic(object.kind);
        let parameters = post(dry_run);
        let data = dynamic(&object.value)?;
        let created = self
            .call(format!("create {}", object.title()), || {
                api.create(&parameters, &data)
            })
            .await
            .map_err(|error| error.about(object))?;
        Ok(value(created))
    }

    /// Creates or replaces a typed object; with a resource version in it only that very version is replaced.
    pub(crate) async fn put<K>(&self, name: &str, object: &K, is_new: bool) -> Result<K, ApiError>
    where
        K: Resource<Scope = NamespaceResourceScope>
            + DeserializeOwned
            + serde::Serialize
            + Clone
            + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let api = self.typed::<K>();
        let parameters = post(false);
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        if is_new {
            self.call(format!("create {kind} {name}"), || {
                api.create(&parameters, object)
            })
            .await
        } else {
            self.call(format!("update {kind} {name}"), || {
                api.replace(name, &parameters, object)
            })
            .await
        }
    }

    /// Deletes the very object with this uid; one that is gone already is no error.
    ///
    /// # Errors
    /// What the API says.
    pub async fn delete(
        &self,
        kind: Kind,
        name: &str,
        uid: Option<&str>,
        dependents: Dependents,
    ) -> Result<(), ApiError> {
        let api = self.dynamic(kind);
        let parameters = deletion(uid, None, dependents);
        let deleted = self
            .call(format!("delete {} {name}", kind.kind), || {
                api.delete(name, &parameters)
            })
            .await;
        gone(deleted.map(drop))
    }

    /// Deletes a typed object in exactly the version that was read.
    pub(crate) async fn delete_version<K>(&self, object: &K) -> Result<(), ApiError>
    where
        K: Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Clone + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let api = self.typed::<K>();
        let meta = object.meta();
        let name = meta.name.clone().unwrap_or_default();
        let parameters = deletion(
            meta.uid.as_deref(),
            meta.resource_version.as_deref(),
            Dependents::Later,
        );
        let action = format!("delete {} {name}", K::kind(&K::DynamicType::default()));
        gone(
            self.call(action, || api.delete(&name, &parameters))
                .await
                .map(drop),
        )
    }

    /// The log of a container, as a stream.
    pub(crate) async fn log(
        &self,
        pod: &str,
        parameters: &LogParams,
    ) -> Result<impl AsyncBufRead + use<>, ApiError> {
        let api = self.typed::<Pod>();
        let action = format!("read the log of Pod {pod}");
        // Only the beginning has a time limit: a log may be silent for long.
        match timeout(ANSWER, api.log_stream(pod, parameters)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(ApiError::new(action, &error)),
            Err(_) => Err(ApiError::timed_out(action, ANSWER)),
        }
    }

    /// The last lines of a container's log; empty when they cannot be read.
    pub(crate) async fn last_lines(
        &self,
        pod: &str,
        container: &str,
        previous: bool,
        lines: i64,
    ) -> Vec<String> {
        let api = self.typed::<Pod>();
        let parameters = LogParams {
            container: Some(container.to_owned()),
            previous,
            tail_lines: Some(lines),
            limit_bytes: Some(16 * 1024),
            ..LogParams::default()
        };
        match timeout(ANSWER, api.logs(pod, &parameters)).await {
            // The kubelet says in this way that the container is gone already.
            Ok(Ok(text)) if !text.starts_with(GONE) => text.lines().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// One call, again after a pause while its error is one that passes.
    async fn call<T>(
        &self,
        action: String,
        mut request: impl AsyncFnMut() -> kube::Result<T>,
    ) -> Result<T, ApiError> {
        let end = Instant::now() + self.patience;
        let mut pause = PAUSES.0;
        loop {
            let error = match timeout(ANSWER, request()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => ApiError::new(action.clone(), &error),
                Err(_) => ApiError::timed_out(action.clone(), ANSWER),
            };
            if !error.passes() || Instant::now() + pause > end {
                return Err(error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

fn post(dry_run: bool) -> PostParams {
    PostParams {
        dry_run,
        field_manager: Some(FIELD_MANAGER.to_owned()),
    }
}

fn deletion(
    uid: Option<&str>,
    resource_version: Option<&str>,
    dependents: Dependents,
) -> DeleteParams {
    DeleteParams {
        propagation_policy: Some(match dependents {
            Dependents::First => PropagationPolicy::Foreground,
            Dependents::Later => PropagationPolicy::Background,
        }),
        preconditions: Some(Preconditions {
            uid: uid.map(str::to_owned),
            resource_version: resource_version.map(str::to_owned),
        }),
        ..DeleteParams::default()
    }
}

fn gone(result: Result<(), ApiError>) -> Result<(), ApiError> {
    match result {
        Err(error) if error.kind == ApiErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn value(object: DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or(Value::Null)
}

fn dynamic(value: &Value) -> Result<DynamicObject, ApiError> {
    serde_json::from_value(value.clone())
        .map_err(|error| ApiError::malformed("read a rendered object", &error.to_string()))
}

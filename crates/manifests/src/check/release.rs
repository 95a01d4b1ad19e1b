//! All objects of one rendering together: the migration Jobs, the application beside them, and who refers to what.

use std::collections::HashMap;

use super::field::{Field, Path};
use super::image::ImageReference;
use super::object::Object;
use super::{Options, selection};

/// What a pod refers to by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `Secret`, `ConfigMap`, `ServiceAccount` or `PersistentVolumeClaim`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// Where the name stands.
    pub path: Path,
}

/// The objects of one rendering.
#[derive(Debug)]
pub struct Release {
    /// In the order in which they were read.
    pub objects: Vec<Object>,
    /// Seconds that Helm waits for a hook.
    pub helm_timeout: i64,
    /// A second rendering of the same, when there is one.
    pub compared: Option<Box<Release>>,
    jobs: Vec<usize>,
    by_name: HashMap<(String, String), Vec<usize>>,
    /// Workloads that refer to an object, by its kind and name.
    users: HashMap<(&'static str, String), Vec<usize>>,
    /// RoleBindings and ClusterRoleBindings by the name of a service account.
    bindings: HashMap<String, Vec<usize>>,
    /// Containers of workloads by the repository of their image.
    images: HashMap<String, Vec<(usize, Path)>>,
}

impl Release {
    /// Sorts out what the objects are.
    pub fn new(mut objects: Vec<Object>, options: &Options) -> Self {
        for (index, object) in objects.iter_mut().enumerate() {
            object.index = index;
        }
        let mut release = Self {
            helm_timeout: options.helm_timeout,
            compared: None,
            jobs: Vec::new(),
            by_name: HashMap::new(),
            users: HashMap::new(),
            bindings: HashMap::new(),
            images: HashMap::new(),
            objects,
        };
        for (index, object) in release.objects.iter().enumerate() {
            let key = (object.kind.clone(), object.name.clone());
            release.by_name.entry(key).or_default().push(index);
            if selection::is_migration(object, options.all_jobs) {
                release.jobs.push(index);
            }
            if object.kind.ends_with("RoleBinding") {
                for subject in object.root().get("subjects").items() {
                    if let Some(name) = subject.get("name").text() {
                        release
                            .bindings
                            .entry(name.to_owned())
                            .or_default()
                            .push(index);
                    }
                }
            }
            if !is_workload(object) {
                continue;
            }
            let pod = object.pod_template().get("spec");
            for reference in references(&pod) {
                let key = (reference.kind, reference.name);
                release.users.entry(key).or_default().push(index);
            }
            for container in pod.get("containers").items() {
                if let Some(image) = container.get("image").text() {
                    let repository = ImageReference::parse(image).repository.to_owned();
                    let place = (index, container.path().clone());
                    release.images.entry(repository).or_default().push(place);
                }
            }
        }
        release
    }

    /// The migration Jobs.
    pub fn jobs(&self) -> impl Iterator<Item = MigrationJob<'_>> {
        self.jobs.iter().filter_map(|index| {
            let object = self.objects.get(*index)?;
            Some(MigrationJob::new(object, self))
        })
    }

    /// How many there are.
    pub fn job_count(&self) -> usize {
        self.jobs.len()
    }

    /// The pods of the application: Deployments and their like, no Jobs and no hooks.
    pub fn workloads(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| is_workload(object))
    }

    /// The object of a kind and name that `user` can refer to.
    pub fn find(&self, kind: &str, name: &str, user: &Object) -> Option<&Object> {
        let found = self.by_name.get(&(kind.to_owned(), name.to_owned()))?;
        found
            .iter()
            .filter_map(|index| self.objects.get(*index))
            .find(|object| object.may_share_namespace(user))
    }

    /// The first workload that refers to an object.
    pub fn user_of(
        &self,
        kind: &'static str,
        name: &str,
        namespace_of: &Object,
    ) -> Option<&Object> {
        let users = self.users.get(&(kind, name.to_owned()))?;
        users
            .iter()
            .filter_map(|index| self.objects.get(*index))
            .find(|user| user.may_share_namespace(namespace_of))
    }

    /// Containers of the application with an image of this repository.
    pub fn containers_of_image(
        &self,
        repository: &str,
    ) -> impl Iterator<Item = (&Object, Field<'_>)> {
        let found = self.images.get(repository);
        found.into_iter().flatten().filter_map(|(index, path)| {
            let object = self.objects.get(*index)?;
            Some((object, walk(object.root(), path)))
        })
    }

    /// Bindings that give rights to a service account.
    pub fn bindings_of(&self, account: &str) -> impl Iterator<Item = &Object> {
        let found = self.bindings.get(account);
        found
            .into_iter()
            .flatten()
            .filter_map(|index| self.objects.get(*index))
    }

    /// Objects of the release say something to Argo CD.
    pub fn mentions_argo(&self) -> bool {
        self.objects.iter().any(|object| {
            object
                .annotations()
                .entries()
                .any(|(name, _)| name.starts_with(super::hook::ARGO_PREFIX))
        })
    }
}

/// The field at a path below.
fn walk<'a>(top: Field<'a>, path: &Path) -> Field<'a> {
    use super::field::Step;
    path.steps().iter().fold(top, |field, step| match step {
        Step::Key(key) => field.get(key),
        Step::Index(index) => field.element(*index),
    })
}

/// It runs the application.
fn is_workload(object: &Object) -> bool {
    let kind = matches!(
        object.kind.as_str(),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Rollout" | "Pod"
    );
    kind && !object.is_hook()
}

/// Everything that a pod refers to by name and that must exist before it starts.
pub fn references(pod: &Field<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut add = |kind: &'static str, owner: &Field<'_>, key: &str| {
        let name = owner.get(key);
        let Some(text) = name.text().filter(|text| !text.is_empty()) else {
            return;
        };
        if !owner.get("optional").is_true() {
            found.push(Reference {
                kind,
                name: text.to_owned(),
                path: name.path().clone(),
            });
        }
    };
    add("ServiceAccount", pod, service_account_key(pod));
    for secret in pod.get("imagePullSecrets").items() {
        add("Secret", &secret, "name");
    }
    for container in containers(pod) {
        for variable in container.get("env").items() {
            let from = variable.get("valueFrom");
            add("Secret", &from.get("secretKeyRef"), "name");
            add("ConfigMap", &from.get("configMapKeyRef"), "name");
        }
        for from in container.get("envFrom").items() {
            add("Secret", &from.get("secretRef"), "name");
            add("ConfigMap", &from.get("configMapRef"), "name");
        }
    }
    for volume in pod.get("volumes").items() {
        add("Secret", &volume.get("secret"), "secretName");
        add("ConfigMap", &volume.get("configMap"), "name");
        add(
            "PersistentVolumeClaim",
            &volume.get("persistentVolumeClaim"),
            "claimName",
        );
        for source in volume.at("projected.sources").items() {
            add("Secret", &source.get("secret"), "name");
            add("ConfigMap", &source.get("configMap"), "name");
        }
    }
    found
}

/// `serviceAccount` is the old spelling.
fn service_account_key(pod: &Field<'_>) -> &'static str {
    if pod.get("serviceAccountName").exists() {
        "serviceAccountName"
    } else {
        "serviceAccount"
    }
}

/// All containers of a pod, init containers first.
pub fn containers<'a>(pod: &Field<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    pod.get("initContainers")
        .items()
        .chain(pod.get("containers").items())
}

/// A Job that migrates, with its parts at hand.
#[derive(Debug)]
pub struct MigrationJob<'a> {
    /// The Job.
    pub object: &'a Object,
    /// What it is rendered with.
    pub release: &'a Release,
    /// `spec`.
    pub spec: Field<'a>,
    /// `spec.template`.
    pub template: Field<'a>,
    /// `spec.template.spec`.
    pub pod: Field<'a>,
    /// Ordinary containers.
    pub containers: Vec<Field<'a>>,
    /// The one that migrates: by its name or command line, else the first that is no proxy or agent.
    pub main: Field<'a>,
}

impl<'a> MigrationJob<'a> {
    fn new(object: &'a Object, release: &'a Release) -> Self {
        let spec = object.root().get("spec");
        let template = spec.get("template");
        let pod = template.get("spec");
        let containers: Vec<Field<'a>> = pod.get("containers").items().collect();
        let own = |container: &&Field<'a>| {
            let image = container.get("image").text().unwrap_or_default();
            !ImageReference::parse(image).runs_until_stopped()
        };
        let main = containers
            .iter()
            .filter(own)
            .find(|container| selection::is_migrating(container))
            .or_else(|| containers.iter().find(own))
            .or_else(|| containers.first())
            .cloned()
            .unwrap_or_else(|| pod.get("containers"));
        Self {
            object,
            release,
            spec,
            template,
            pod,
            containers,
            main,
        }
    }

    /// Name of the service account; `default` when none is given.
    pub fn service_account(&self) -> &'a str {
        self.pod
            .get(service_account_key(&self.pod))
            .text()
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    /// A token for the API of the cluster is mounted into its pod.
    pub fn mounts_token(&self) -> bool {
        let own = self.pod.get("automountServiceAccountToken");
        if own.exists() {
            return !own.is_false();
        }
        let account = self
            .release
            .find("ServiceAccount", self.service_account(), self.object);
        !account.is_some_and(|account| {
            account
                .root()
                .get("automountServiceAccountToken")
                .is_false()
        })
    }

    /// Its pods run side by side on purpose, each with its own part of the work.
    pub fn is_indexed(&self) -> bool {
        self.spec.get("completionMode").text() == Some("Indexed")
    }

    /// How a container is called in a sentence.
    pub fn container_name(container: &Field<'a>) -> &'a str {
        container.get("name").text().unwrap_or("without a name")
    }
}

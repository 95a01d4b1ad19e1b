//! Labels and annotations: what every object has, and what it adds.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use crate::values::Values;

pub const NAME: &str = "app.kubernetes.io/name";
const INSTANCE: &str = "app.kubernetes.io/instance";
const PART_OF: &str = "app.kubernetes.io/part-of";
const COMPONENT: &str = "app.kubernetes.io/component";
/// Label of a Job that is one of several steps.
pub const STEP: &str = "forerun.dev/step";

/// Labels or annotations.
pub type Map = BTreeMap<String, String>;

/// What every object of a release has.
pub struct Metadata {
    labels: Map,
    annotations: Map,
    standard: Map,
    release: String,
}

impl Metadata {
    pub fn new(values: &Values, release: &str) -> Self {
        let mut standard = Map::from([(INSTANCE.to_owned(), release.to_owned())]);
        if let Some(name) = &values.name_override {
            standard.insert(PART_OF.to_owned(), name.clone());
        }
        Self {
            labels: merged(&values.common_labels, &values.generic.labels),
            annotations: merged(&values.common_annotations, &values.generic.annotations),
            standard,
            release: release.to_owned(),
        }
    }

    /// Labels of an object of no application.
    pub fn labels(&self, own: &Map) -> Map {
        merged(&merged(&self.labels, own), &self.standard)
    }

    /// Labels of an object of an application.
    pub fn labels_of(&self, app: &str, own: &Map) -> Map {
        let mut labels = self.labels(own);
        labels.insert(NAME.to_owned(), app.to_owned());
        labels
    }

    /// Labels of what migrations need.
    pub fn migration_labels(&self, own: &Map) -> Map {
        let mut labels = self.labels(own);
        labels.insert(COMPONENT.to_owned(), "migration".to_owned());
        labels
    }

    pub fn annotations(&self, own: &Map) -> Map {
        merged(&self.annotations, own)
    }

    /// The labels that tell the pods of an application from all others.
    pub fn selector(&self, app: &str) -> Map {
        Map::from([
            (NAME.to_owned(), app.to_owned()),
            (INSTANCE.to_owned(), self.release.clone()),
        ])
    }
}

/// Both; the second wins.
pub fn merged(first: &Map, second: &Map) -> Map {
    let mut all = first.clone();
    all.extend(
        second
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    all
}

/// A map, or nothing when it is empty.
pub fn some<K, V>(map: BTreeMap<K, V>) -> Option<BTreeMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

/// A list, or nothing when it is empty.
pub fn list<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Metadata of an object.
pub fn object(name: &str, labels: Map, annotations: Map) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: some(labels),
        annotations: some(annotations),
        ..ObjectMeta::default()
    }
}

/// Metadata of a pod.
pub fn pod(labels: Map, annotations: Map) -> ObjectMeta {
    ObjectMeta {
        labels: some(labels),
        annotations: some(annotations),
        ..ObjectMeta::default()
    }
}

/// A selector of these labels.
pub fn matching(labels: Map) -> LabelSelector {
    LabelSelector {
        match_labels: Some(labels),
        ..LabelSelector::default()
    }
}

//! Objects against the types of Kubernetes: unknown fields, and values of the wrong type.
//!
//! The schemas are those of k8s-openapi. Kinds that are not listed here are not looked at, so that custom resources
//! pass.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use k8s_openapi::api::{apps, batch, core, networking, policy, rbac};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use super::field::{Field, Path, Step};
use super::object::Object;
use super::secrets::kind_of;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is no such field.
    Unknown {
        /// The field.
        path: Path,
        /// `: it belongs to spec`, `; did you mean x?`, or nothing.
        advice: String,
    },
    /// A scalar that is no text, where text is needed.
    NotText {
        /// The field.
        path: Path,
        /// `a number`.
        kind: &'static str,
    },
    /// A value of another type than the field has.
    WrongType {
        /// The field.
        path: Path,
        /// `a whole number`.
        expected: &'static str,
        /// `text`.
        found: &'static str,
    },
    /// A field without which the object is refused.
    Missing {
        /// The field.
        path: Path,
    },
}

/// Problems of one object that are collected.
const MOST: usize = 50;

/// Required fields that are reported when they are missing: those that the API server does not set itself.
const NEEDED: [&str; 5] = ["name", "containers", "template", "mountPath", "key"];

/// Fields of Kubernetes 1.34 to 1.37, which the types built in here (1.33) do not have: the key above, and the field.
const NEWER: [(&str, &str); 22] = [
    ("spec", "scheduling"),
    ("spec", "schedulingGroup"),
    ("spec", "hostnameOverride"),
    ("spec", "evictionResponders"),
    ("containers", "restartPolicyRules"),
    ("initContainers", "restartPolicyRules"),
    ("containers", "restartPolicy"),
    ("valueFrom", "fileKeyRef"),
    ("sources", "podCertificate"),
    ("serviceAccountToken", "user"),
    ("clusterTrustBundle", "user"),
    ("items", "user"),
    ("secret", "defaultUser"),
    ("configMap", "defaultUser"),
    ("downwardAPI", "defaultUser"),
    ("projected", "defaultUser"),
    ("emptyDir", "mode"),
    ("volumeMounts", "bindMountOptions"),
    ("httpGet", "protocol"),
    ("grpc", "mode"),
    ("metadata", "shardInfo"),
    ("spec", "workloadRef"),
];

/// All problems of an object whose kind is known here.
pub fn problems(object: &Object) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(kind) = kind(&object.api_version, &object.kind) {
        kind.check(&kind.root, &object.root(), &mut problems);
    }
    problems
}

/// The schema of a kind with all that it refers to.
struct Kind {
    root: Value,
    definitions: serde_json::Map<String, Value>,
    /// Where a field of a name is, nearest to the top first. Made when the first unknown field is met.
    places: OnceLock<HashMap<String, Vec<Place>>>,
}

/// Keys from the top of an object, `[]` for a list.
type Place = Vec<String>;

/// Makes the schema of one kind.
type Make = fn(&mut SchemaGenerator) -> Schema;

fn maker(api_version: &str, kind: &str) -> Option<Make> {
    fn of<T: JsonSchema>() -> Make {
        T::json_schema
    }
    Some(match (api_version, kind) {
        ("batch/v1", "Job") => of::<batch::v1::Job>(),
        ("batch/v1", "CronJob") => of::<batch::v1::CronJob>(),
        ("v1", "Pod") => of::<core::v1::Pod>(),
        ("v1", "Secret") => of::<core::v1::Secret>(),
        ("v1", "ConfigMap") => of::<core::v1::ConfigMap>(),
        ("v1", "Service") => of::<core::v1::Service>(),
        ("v1", "ServiceAccount") => of::<core::v1::ServiceAccount>(),
        ("v1", "PersistentVolumeClaim") => of::<core::v1::PersistentVolumeClaim>(),
        ("v1", "Namespace") => of::<core::v1::Namespace>(),
        ("apps/v1", "Deployment") => of::<apps::v1::Deployment>(),
        ("apps/v1", "StatefulSet") => of::<apps::v1::StatefulSet>(),
        ("apps/v1", "DaemonSet") => of::<apps::v1::DaemonSet>(),
        ("networking.k8s.io/v1", "NetworkPolicy") => of::<networking::v1::NetworkPolicy>(),
        ("policy/v1", "PodDisruptionBudget") => of::<policy::v1::PodDisruptionBudget>(),
        ("rbac.authorization.k8s.io/v1", "Role") => of::<rbac::v1::Role>(),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => of::<rbac::v1::RoleBinding>(),
        _ => return None,
    })
}

/// Schemas are made when they are first needed, once.
fn kind(api_version: &str, name: &str) -> Option<Arc<Kind>> {
    static KINDS: OnceLock<Mutex<HashMap<String, Arc<Kind>>>> = OnceLock::new();
    let make = maker(api_version, name)?;
    let mut kinds = KINDS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let kind = kinds
        .entry(format!("{api_version} {name}"))
        .or_insert_with(|| {
            let mut generator = SchemaSettings::draft2020_12().into_generator();
            let root = make(&mut generator).to_value();
            Arc::new(Kind {
                root,
                definitions: generator.take_definitions(true),
                places: OnceLock::new(),
            })
        });
    Some(Arc::clone(kind))
}

impl Kind {
    /// Follows references.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        // A chain longer than this refers to itself.
        for _ in 0..8 {
            let first = schema.get("allOf").and_then(|all| all.get(0));
            let reference = schema.get("$ref").or_else(|| first?.get("$ref"));
            let Some(name) = reference
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix("#/$defs/"))
            else {
                break;
            };
            let Some(next) = self.definitions.get(name) else {
                break;
            };
            schema = next;
        }
        schema
    }

    fn check(&self, schema: &Value, field: &Field<'_>, problems: &mut Vec<Problem>) {
        let Some(value) = field.value() else {
            return;
        };
        if problems.len() >= MOST {
            return;
        }
        let schema = self.resolve(schema);
        let Some(expected) = schema.get("type").and_then(Value::as_str) else {
            return;
        };
        if !fits(expected, schema, value) {
            problems.push(mismatch(expected, field, value));
            return;
        }
        match expected {
            "array" => {
                if let Some(items) = schema.get("items") {
                    for item in field.items() {
                        self.check(items, &item, problems);
                    }
                }
            }
            "object" => self.check_object(schema, field, problems),
            _ => {}
        }
    }

    fn check_object(&self, schema: &Value, field: &Field<'_>, problems: &mut Vec<Problem>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|others| others.is_object());
        for (key, child) in field.entries() {
            match (
                properties.and_then(|properties| properties.get(key)),
                others,
            ) {
                (Some(own), _) => self.check(own, &child, problems),
                (None, Some(others)) => self.check(others, &child, problems),
                // Without properties anything goes.
                (None, None) if properties.is_none() || is_newer(field.path(), key) => {}
                (None, None) => problems.push(Problem::Unknown {
                    path: child.path().clone(),
                    advice: self.advice(properties, field.path(), key),
                }),
            }
            if problems.len() >= MOST {
                return;
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            let child = field.get(key);
            // A pull secret without a name has a rule of its own.
            if !child.exists()
                && NEEDED.contains(&key)
                && last_key(field.path()) != Some("imagePullSecrets")
            {
                problems.push(Problem::Missing {
                    path: child.path().clone(),
                });
            }
        }
    }

    fn advice(
        &self,
        properties: Option<&serde_json::Map<String, Value>>,
        at: &Path,
        key: &str,
    ) -> String {
        let near = properties
            .into_iter()
            .flat_map(serde_json::Map::keys)
            .map(|known| {
                (
                    strsim::damerau_levenshtein(&known.to_lowercase(), &key.to_lowercase()),
                    known,
                )
            })
            .filter(|(distance, known)| *distance <= 2 && known.len() > 3)
            .min_by_key(|(distance, _)| *distance);
        if let Some((_, known)) = near {
            return format!("; did you mean {known}?");
        }
        match self
            .places(key)
            .iter()
            .min_by_key(|place| distance(place, at))
        {
            Some(place) if place.is_empty() => ": it belongs to the top of the object".to_owned(),
            Some(place) => format!(": it belongs to {}", written(place)),
            None => String::new(),
        }
    }

    fn places(&self, key: &str) -> &[Place] {
        let places = self.places.get_or_init(|| self.find_places());
        places.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    fn find_places(&self) -> HashMap<String, Vec<Place>> {
        let mut places: HashMap<String, Vec<Place>> = HashMap::new();
        let mut seen = HashSet::new();
        let mut open = VecDeque::from([(&self.root, Vec::new())]);
        while let Some((schema, path)) = open.pop_front() {
            let schema = self.resolve(schema);
            let definition = std::ptr::from_ref(schema);
            // Containers of a pod are met first as such, before init and ephemeral ones.
            if !seen.insert(definition) {
                continue;
            }
            if let Some(items) = schema.get("items") {
                let mut path = path;
                path.push("[]".to_owned());
                open.push_back((items, path));
                continue;
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, child) in properties.into_iter().flatten() {
                places.entry(name.clone()).or_default().push(path.clone());
                if path.is_empty() && name == "status" {
                    continue;
                }
                let mut path = path.clone();
                path.push(name.clone());
                open.push_back((child, path));
            }
        }
        places
    }
}

fn is_newer(at: &Path, key: &str) -> bool {
    last_key(at).is_some_and(|above| NEWER.contains(&(above, key)))
}

fn last_key(path: &Path) -> Option<&str> {
    path.steps().iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    })
}

/// Steps from one place to the other.
fn distance(place: &Place, at: &Path) -> usize {
    let at: Vec<&str> = at
        .steps()
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Index(_) => "[]",
        })
        .collect();
    let common = place
        .iter()
        .zip(&at)
        .take_while(|(left, right)| left == *right)
        .count();
    place.len() + at.len() - 2 * common
}

fn written(place: &Place) -> String {
    let text = place.join(".");
    text.replace(".[]", "[]")
}

/// The value has the type, as the API server reads it.
fn fits(expected: &str, schema: &Value, value: &Value) -> bool {
    let int_or_string = schema.get("format").and_then(Value::as_str) == Some("int-or-string")
        || schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
    match (expected, value) {
        ("object", Value::Object(_))
        | ("array", Value::Array(_))
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_)) => true,
        ("integer", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("integer", Value::String(_)) | ("string", Value::Number(_)) => {
            int_or_string || is_quantity(schema)
        }
        _ => false,
    }
}

/// Quantities are written as `1`, `0.5` or `100m`.
fn is_quantity(schema: &Value) -> bool {
    let description = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    description.starts_with("Quantity is a fixed-point")
}

fn mismatch(expected: &str, field: &Field<'_>, value: &Value) -> Problem {
    let path = field.path().clone();
    let found = kind_of(value);
    if expected == "string" && (value.is_number() || value.is_boolean()) {
        return Problem::NotText { path, kind: found };
    }
    let expected = match expected {
        "object" => "a map",
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "text",
    };
    Problem::WrongType {
        path,
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::{Source, read};
    use super::*;
    use serde_json::json;

    fn of(value: &Value) -> Vec<Problem> {
        let source = Source {
            name: "-".into(),
            text: value.to_string(),
        };
        problems(&read(&source).unwrap()[0])
    }

    #[test]
    fn what_the_api_server_takes_is_no_problem() {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "creationTimestamp": null},
            "spec": {"ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}]}});
        assert_eq!(of(&service), []);
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a",
            "resources": {"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": 0.5}}}],
            "volumes": [{"name": "x", "image": {"reference": "a:1"}}]}, "status": {"phase": "Running"}});
        assert_eq!(of(&pod), []);
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ=="}, "immutable": true});
        assert_eq!(of(&secret), []);
    }

    #[test]
    fn problems_have_their_paths() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": {"name": "a"}, "hostNetwork": "yes"}});
        let texts: Vec<String> = of(&pod)
            .iter()
            .map(|problem| format!("{problem:?}"))
            .collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(
            of(&json!({"apiVersion": "v1", "kind": "Pod", "spec": 7}))[0]
                == Problem::WrongType {
                    path: Path::of("spec"),
                    expected: "a map",
                    found: "a number"
                }
        );
    }
}

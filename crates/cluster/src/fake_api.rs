//! A Kubernetes API in memory, under the real client: stores objects as the real one does where it matters here, and
//! lets a test play the controllers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Map, Value, json};

use crate::api::Cluster;
use crate::event::{Event, Events};

/// Plays a controller: called before every request, with the number of seconds that the test has lasted.
pub type Controller = Box<dyn FnMut(&mut Store, u64) + Send>;
/// Answers instead of the store: method, path with query.
pub type Interception = Box<dyn FnMut(&str, &str) -> Option<(u16, Value)> + Send>;

/// The objects, by `plural/name`.
#[derive(Default)]
pub struct Store {
    pub objects: BTreeMap<String, Value>,
    pub logs: BTreeMap<String, String>,
    version: u64,
}

impl Store {
    /// Puts an object in, with what a server adds.
    pub fn put(&mut self, plural: &str, mut object: Value) {
        self.version += 1;
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.insert(
            "resourceVersion".to_owned(),
            json!(self.version.to_string()),
        );
        metadata
            .entry("uid")
            .or_insert_with(|| json!(format!("uid-{}", self.version)));
        metadata
            .entry("creationTimestamp")
            .or_insert_with(|| json!(format!("{:.0}", jiff::Timestamp::now())));
        self.objects.insert(format!("{plural}/{name}"), object);
    }

    /// An object to look at.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.objects.get(key)
    }

    /// Sets a part of an object.
    pub fn set(&mut self, key: &str, part: &str, value: Value) {
        let Some(mut object) = self.objects.get(key).cloned() else {
            return;
        };
        object[part] = value;
        let plural = key.split('/').next().unwrap().to_owned();
        self.put(&plural, object);
    }
}

struct State {
    store: Store,
    controller: Controller,
    interception: Interception,
    /// Requests that change something, without the Lease's renewals.
    writes: Vec<String>,
    begin: tokio::time::Instant,
}

/// The API.
#[derive(Clone)]
pub struct FakeApi(Arc<Mutex<State>>);

impl FakeApi {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            store: Store::default(),
            controller: Box::new(|_, _| {}),
            interception: Box::new(|_, _| None),
            writes: Vec::new(),
            begin: tokio::time::Instant::now(),
        })))
    }

    pub fn with<T>(&self, action: impl FnOnce(&mut Store) -> T) -> T {
        action(&mut self.0.lock().unwrap().store)
    }

    pub fn controlled_by(&self, controller: impl FnMut(&mut Store, u64) + Send + 'static) {
        self.0.lock().unwrap().controller = Box::new(controller);
    }

    pub fn intercepted_by(
        &self,
        interception: impl FnMut(&str, &str) -> Option<(u16, Value)> + Send + 'static,
    ) {
        self.0.lock().unwrap().interception = Box::new(interception);
    }

    /// What was changed, in order.
    pub fn writes(&self) -> Vec<String> {
        self.0.lock().unwrap().writes.clone()
    }

    pub fn cluster(&self) -> Cluster {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                Ok::<_, Infallible>(api.answer(&parts.method, &parts.uri, &body))
            }
        });
        Cluster::new(Client::new(service, "shop"), "shop", "https://fake.invalid")
    }

    fn answer(&self, method: &Method, uri: &http::Uri, body: &Value) -> Response<Body> {
        let mut state = self.0.lock().unwrap();
        let state = &mut *state;
        let seconds = state.begin.elapsed().as_secs();
        (state.controller)(&mut state.store, seconds);
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        if let Some((code, value)) =
            (state.interception)(method.as_str(), &format!("{path}?{query}"))
        {
            return response(code, value.to_string());
        }
        let parts: Vec<&str> = path
            .split('/')
            .skip_while(|part| *part != "namespaces")
            .skip(2)
            .collect();
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), decoded(value)))
            .collect();
        let plural = parts.first().copied().unwrap_or_default();
        let name = parts.get(1).copied();
        if let (Some(pod), Some(&"log")) = (name, parts.get(2)) {
            return response(200, state.store.logs.get(pod).cloned().unwrap_or_default());
        }
        let dry_run = query.contains_key("dryRun");
        if *method != Method::GET && !dry_run && plural != "leases" {
            let name = name
                .or_else(|| body["metadata"]["name"].as_str())
                .unwrap_or_default();
            state.writes.push(format!("{method} {plural}/{name}"));
        }
        let (code, value) = state
            .store
            .handle(method, plural, name, &query, body, dry_run);
        response(code, value.to_string())
    }
}

impl Store {
    fn handle(
        &mut self,
        method: &Method,
        plural: &str,
        name: Option<&str>,
        query: &BTreeMap<String, String>,
        body: &Value,
        dry_run: bool,
    ) -> (u16, Value) {
        let named = name
            .or_else(|| body["metadata"]["name"].as_str())
            .unwrap_or_default();
        let key = format!("{plural}/{named}");
        let live = self.objects.get(&key).cloned();
        let manager = query.get("fieldManager").cloned().unwrap_or_default();
        match (method.as_str(), name, live) {
            ("GET", None, _) => (200, self.list(plural, query)),
            ("GET", Some(_), Some(live)) => (200, live),
            ("POST", None, Some(_)) => (409, status(409, "AlreadyExists", "already exists")),
            ("POST", None, None) => {
                let mut object = body.clone();
                object["metadata"]["managedFields"] = json!([{"manager": manager}]);
                self.write(plural, &key, object, dry_run)
            }
            ("PUT", Some(_), Some(live)) => {
                let wanted = &body["metadata"]["resourceVersion"];
                if wanted.is_string() && *wanted != live["metadata"]["resourceVersion"] {
                    return (409, status(409, "Conflict", "the object has been modified"));
                }
                self.write(plural, &key, body.clone(), dry_run)
            }
            ("PATCH", Some(_), live) => {
                let mut object = body.clone();
                if let Some(live) = &live {
                    for field in ["uid", "creationTimestamp", "resourceVersion"] {
                        object["metadata"][field] = live["metadata"][field].clone();
                    }
                    if !live["status"].is_null() {
                        object["status"] = live["status"].clone();
                    }
                }
                object["metadata"]["managedFields"] = json!([{"manager": manager}]);
                if live.as_ref() == Some(&object) {
                    return (200, object);
                }
                self.write(plural, &key, object, dry_run)
            }
            ("DELETE", Some(_), Some(live)) => {
                let uid = &body["preconditions"]["uid"];
                if uid.is_string() && *uid != live["metadata"]["uid"] {
                    return (409, status(409, "Conflict", "the uid does not match"));
                }
                self.objects.remove(&key);
                // Dependents go with their owner.
                self.objects.retain(|_, object| {
                    object["metadata"]["ownerReferences"][0]["uid"] != live["metadata"]["uid"]
                });
                (
                    200,
                    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
                )
            }
            _ => (404, status(404, "NotFound", "not found")),
        }
    }

    fn write(&mut self, plural: &str, key: &str, object: Value, dry_run: bool) -> (u16, Value) {
        if dry_run {
            return (200, object);
        }
        self.put(plural, object);
        (200, self.objects[key].clone())
    }

    fn list(&self, plural: &str, query: &BTreeMap<String, String>) -> Value {
        let prefix = format!("{plural}/");
        let labels = query.get("labelSelector").cloned().unwrap_or_default();
        let has_labels = |object: &Value| {
            labels
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .all(|(key, value)| object["metadata"]["labels"][key] == value)
        };
        let field = query
            .get("fieldSelector")
            .and_then(|selector| selector.split_once('='));
        let has_field =
            |object: &Value| field.is_none_or(|(_, uid)| object["involvedObject"]["uid"] == uid);
        let items: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(_, object)| object)
            .filter(|object| has_labels(object) && has_field(object))
            .collect();
        json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items})
    }
}

/// An answer of the API that says no.
pub fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason, "message": message})
}

fn response(code: u16, body: String) -> Response<Body> {
    Response::builder()
        .status(code)
        .body(Body::from(body.into_bytes()))
        .unwrap()
}

fn decoded(text: &str) -> String {
    text.replace("%2F", "/")
        .replace("%3D", "=")
        .replace("%2C", ",")
}

/// Keeps what happened.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<Value>>);

impl Events for Recorder {
    fn emit(&self, event: &Event) {
        self.0
            .lock()
            .unwrap()
            .push(serde_json::to_value(event).unwrap());
    }
}

impl Recorder {
    /// The events of one name.
    pub fn of(&self, name: &str) -> Vec<Value> {
        let events = self.0.lock().unwrap();
        events
            .iter()
            .filter(|event| event["event"] == name)
            .cloned()
            .collect()
    }

    /// One field of the events of one name.
    pub fn field(&self, name: &str, field: &str) -> Vec<String> {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        self.of(name)
            .iter()
            .map(|event| text(&event[field]))
            .collect()
    }
}

/// An object with a name and labels.
pub fn object(api_version: &str, kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    let map: &mut Map<String, Value> = object.as_object_mut().unwrap();
    map.extend(rest.as_object().unwrap().clone());
    object
}

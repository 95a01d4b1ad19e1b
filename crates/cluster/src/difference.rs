//! What an object is now and what it would be, field by field. Values of Secrets are not shown.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::object::Kind;

/// A field that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// `spec.template.spec.containers[main].image`.
    pub field: String,
    /// As it is; none when it is new.
    pub from: Option<String>,
    /// As it would be; none when it goes.
    pub to: Option<String>,
}

/// Fields of the metadata that the server writes.
const SERVERS: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
];

/// The fields in which two states of an object differ.
pub(crate) fn between(kind: Kind, from: &Value, to: &Value) -> Vec<FieldChange> {
    let (mut from, mut to) = (without_servers_fields(from), without_servers_fields(to));
    if kind == Kind::SECRET {
        hide(&mut from, &mut to);
    }
    let mut changes = Vec::new();
    walk(String::new(), Some(&from), Some(&to), &mut changes);
    changes
}

fn without_servers_fields(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in SERVERS {
            metadata.remove(field);
        }
    }
    object
}

/// Only whether a value is another is told. (A hash would let short passwords be guessed.)
fn hide(from: &mut Value, to: &mut Value) {
    for map in ["data", "stringData"] {
        let before = from
            .get(map)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        if let Some(values) = from.get_mut(map).and_then(Value::as_object_mut) {
            values
                .values_mut()
                .for_each(|value| *value = Value::from("(hidden)"));
        }
        if let Some(values) = to.get_mut(map).and_then(Value::as_object_mut) {
            for (key, value) in values {
                let same = before.get(key) == Some(value);
                let is_new = !before.contains_key(key);
                *value = Value::from(if same || is_new {
                    "(hidden)"
                } else {
                    "(hidden, another one)"
                });
            }
        }
    }
}

fn walk(path: String, from: Option<&Value>, to: Option<&Value>, changes: &mut Vec<FieldChange>) {
    match (from, to) {
        (Some(from), Some(to)) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => objects(&path, from, to, changes),
        (None, Some(Value::Object(to))) if !to.is_empty() => {
            objects(&path, &Map::new(), to, changes);
        }
        (Some(Value::Object(from)), None) if !from.is_empty() => {
            objects(&path, from, &Map::new(), changes);
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) => match (named(from), named(to)) {
            (Some(from), Some(to)) => {
                let names = from.iter().chain(&to).map(|(name, _)| *name);
                for name in unique(names) {
                    let find = |list: &[(&str, &Value)]| {
                        list.iter()
                            .find(|(other, _)| *other == name)
                            .map(|(_, value)| (*value).clone())
                    };
                    walk(
                        format!("{path}[{name}]"),
                        find(&from).as_ref(),
                        find(&to).as_ref(),
                        changes,
                    );
                }
            }
            _ => {
                for index in 0..from.len().max(to.len()) {
                    walk(
                        format!("{path}[{index}]"),
                        from.get(index),
                        to.get(index),
                        changes,
                    );
                }
            }
        },
        (from, to) => changes.push(FieldChange {
            field: path,
            from: from.map(text),
            to: to.map(text),
        }),
    }
}

fn objects(
    path: &str,
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    changes: &mut Vec<FieldChange>,
) {
    for key in unique(from.keys().chain(to.keys()).map(String::as_str)) {
        let separator = if path.is_empty() { "" } else { "." };
        walk(
            format!("{path}{separator}{key}"),
            from.get(key),
            to.get(key),
            changes,
        );
    }
}

/// The items of a list that all have a name of their own.
fn named(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let items: Option<Vec<(&str, &Value)>> = list
        .iter()
        .map(|item| Some((item.get("name")?.as_str()?, item)))
        .collect();
    items.filter(|items| unique(items.iter().map(|(name, _)| *name)).len() == items.len())
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(kind: Kind, from: &Value, to: &Value) -> Vec<String> {
        let show = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let line = |change: FieldChange| {
            format!(
                "{}: {} -> {}",
                change.field,
                show(change.from),
                show(change.to)
            )
        };
        between(kind, from, to).into_iter().map(line).collect()
    }

    #[test]
    fn items_are_compared_by_name_and_the_servers_fields_are_left_out() {
        let object = |image: &str, version: &str, env: Value| {
            json!({
                "metadata": {"name": "shop", "resourceVersion": version, "managedFields": [version]},
                "spec": {"containers": [{"name": "proxy", "image": "p"}, {"name": "main", "image": image, "env": env}]},
                "status": {"x": version},
            })
        };
        let from = object("shop:1", "1", json!([{"name": "A", "value": "1"}]));
        let to = object(
            "shop:2",
            "2",
            json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]),
        );
        assert_eq!(
            lines(Kind::DEPLOYMENT, &from, &to),
            [
                "spec.containers[main].env[B].name: - -> B",
                "spec.containers[main].env[B].value: - -> 2",
                "spec.containers[main].image: shop:1 -> shop:2",
            ]
        );
        assert!(lines(Kind::DEPLOYMENT, &from, &from).is_empty());
    }

    #[test]
    fn values_of_secrets_are_hidden_and_still_seen_to_change() {
        let secret = |value: &str| json!({"metadata": {"name": "db"}, "data": {"password": value, "user": "YXBw"}});
        let lines = lines(Kind::SECRET, &secret("b2xk"), &secret("bmV3"));
        assert_eq!(lines, ["data.password: (hidden) -> (hidden, another one)"]);
    }
}

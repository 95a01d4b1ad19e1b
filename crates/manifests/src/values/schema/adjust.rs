//! What is done to the generated schema before it is published.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::pattern;
use crate::values::Values;

type Object = Map<String, Value>;

/// Generates the schema and adjusts it.
pub(super) fn published() -> Value {
    let generated = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<Values>();
    let mut schema = generated.to_value();
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), json!("Values of forerun"));
        definitions(root);
        refuse_names(root);
        adjust(&mut schema);
        drop_unused(&mut schema);
    }
    schema
}

/// Kubernetes' definitions: stricter, and shorter where they are documented at length.
fn definitions(root: &mut Object) {
    let Some(Value::Object(definitions)) = root.get_mut("definitions") else {
        return;
    };
    for (name, definition) in definitions
        .iter_mut()
        .filter(|(name, _)| name.starts_with("io.k8s."))
    {
        match name.rsplit('.').next().unwrap_or_default() {
            "Quantity" => {
                *definition = json!({
                    "description": "A quantity, such as `500m`, `2`, `128Mi` or `1G`.",
                    "type": ["string", "number"],
                    "pattern": pattern::QUANTITY,
                });
            }
            "IntOrString" => {
                *definition = json!({
                    "description": "A number, or text such as a name or `25%`.",
                    "type": ["integer", "string"],
                    "format": "int32",
                });
            }
            // Only in templates of claims, where the API server refuses everything else.
            "ObjectMeta" => {
                *definition = json!({
                    "description": "Labels and annotations.",
                    "type": "object",
                    "properties": {
                        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
                        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "additionalProperties": false,
                });
            }
            _ => {
                shorten(definition);
                refuse_unknown_keys(definition);
            }
        }
    }
}

fn refuse_unknown_keys(definition: &mut Value) {
    if let Value::Object(object) = definition
        && object.contains_key("properties")
    {
        object.entry("additionalProperties").or_insert(json!(false));
    }
}

/// The first sentence of each description.
fn shorten(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                let line = text.lines().next().unwrap_or_default();
                let end = line.find(". ").map_or(line.len(), |dot| dot + 1);
                *text = line[..end].trim_end_matches(':').to_owned();
            }
            object.values_mut().for_each(shorten);
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        _ => {}
    }
}

/// Names that become names of objects, or of parts of them.
fn refuse_names(root: &mut Object) {
    let subdomain = json!({"pattern": pattern::SUBDOMAIN, "maxLength": 253});
    let label = json!({"pattern": pattern::LABEL});
    let service = json!({"pattern": pattern::SERVICE});
    let config_key = json!({"pattern": pattern::CONFIG_KEY});
    let port = json!({"pattern": pattern::PORT, "maxLength": 15});
    for (definition, property, names) in [
        ("", "configs", &subdomain),
        ("", "deployments", &label),
        ("", "services", &service),
        ("", "persistentVolumeClaims", &subdomain),
        ("", "serviceAccounts", &subdomain),
        ("Config", "data", &config_key),
        ("Config", "binaryData", &config_key),
        ("Deployment", "containers", &label),
        ("Container", "ports", &port),
    ] {
        let owner = match definition {
            "" => Some(&mut *root),
            name => root
                .get_mut("definitions")
                .and_then(|all| all.get_mut(name))
                .and_then(Value::as_object_mut),
        };
        let place = owner
            .and_then(|owner| owner.get_mut("properties"))
            .and_then(|all| all.get_mut(property));
        if let Some(Value::Object(place)) = place {
            place.insert("propertyNames".to_owned(), names.clone());
        }
    }
}

/// Every schema inside of a schema.
fn adjust(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    object.retain(|key, value| match key.as_str() {
        "default" => !matches!(value, Value::Null) && *value != json!({}) && *value != json!([]),
        key => !key.starts_with("x-kubernetes-"),
    });
    one_of_to_enum(object);
    for (key, value) in object.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "definitions", Value::Object(schemas)) => {
                schemas.values_mut().for_each(adjust);
            }
            ("anyOf" | "allOf", Value::Array(schemas)) => schemas.iter_mut().for_each(adjust),
            ("additionalProperties" | "items", value) => adjust(value),
            _ => {}
        }
    }
    allow_null(object);
}

/// A choice between described texts: as `enum`, which errors of Helm name in one line.
fn one_of_to_enum(object: &mut Object) {
    let Some(Value::Array(choices)) = object.get("oneOf") else {
        return;
    };
    let texts: Option<Vec<Value>> = choices
        .iter()
        .map(|choice| choice.get("const").cloned())
        .collect();
    let Some(texts) = texts else { return };
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(texts));
}

/// A key without a value is as good as no key, here and in Helm: what may be missing may be null.
fn allow_null(object: &mut Object) {
    let required: Vec<String> = match object.get("required") {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (_, schema) in properties
            .iter_mut()
            .filter(|(name, _)| !required.contains(name))
        {
            make_nullable(schema);
        }
    }
    if let Some(schema @ Value::Object(_)) = object.get_mut("additionalProperties") {
        make_nullable(schema);
    }
}

fn make_nullable(schema: &mut Value) {
    let nothing = json!({"type": "null"});
    let Value::Object(object) = schema else {
        return;
    };
    match object.get_mut("type") {
        Some(Value::String(kind)) if kind != "null" => {
            let kinds = json!([kind.as_str(), "null"]);
            object.insert("type".to_owned(), kinds);
            if let Some(Value::Array(choices)) = object.get_mut("enum") {
                choices.push(Value::Null);
            }
        }
        Some(Value::Array(kinds)) => {
            if !kinds.contains(&json!("null")) {
                kinds.push(json!("null"));
            }
        }
        Some(_) => {}
        None => {
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                if !choices.contains(&nothing) {
                    choices.push(nothing);
                }
                return;
            }
            let inner = match object.remove("allOf") {
                Some(Value::Array(mut only)) if only.len() == 1 => only.swap_remove(0),
                _ => match object.remove("$ref") {
                    Some(reference) => json!({"$ref": reference}),
                    None => return, // Anything is allowed, null too.
                },
            };
            object.insert("anyOf".to_owned(), json!([inner, nothing]));
        }
    }
}

/// Removes definitions that nothing refers to any more.
fn drop_unused(schema: &mut Value) {
    let mut used = std::collections::BTreeSet::new();
    let mut open = Vec::new();
    if let Value::Object(root) = &*schema {
        root.iter()
            .filter(|(key, _)| *key != "definitions")
            .for_each(|(_, value)| references(value, &mut open));
    }
    while let Some(name) = open.pop() {
        if let Some(definition) = schema.get("definitions").and_then(|all| all.get(&name)) {
            references(definition, &mut open);
        }
        used.insert(name);
        open.retain(|name| !used.contains(name));
    }
    if let Some(Value::Object(definitions)) = schema.get_mut("definitions") {
        definitions.retain(|name, _| used.contains(name));
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.extend(reference.rsplit('/').next().map(str::to_owned));
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

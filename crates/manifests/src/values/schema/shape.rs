//! The part of JSON Schema that our schema uses, as types. A keyword that is missing here fails a test.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::yaml::{Data, Node};

/// What a value must be.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::values) struct Shape {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "type")]
    kinds: Option<Kinds>,
    any_of: Vec<Shape>,
    all_of: Vec<Shape>,
    pub(in crate::values) properties: BTreeMap<String, Shape>,
    pub(in crate::values) required: Vec<String>,
    pub(in crate::values) additional_properties: Option<Additional>,
    pub(in crate::values) property_names: Option<Box<Shape>>,
    pub(in crate::values) items: Option<Box<Shape>>,
    #[serde(rename = "enum")]
    choices: Vec<Option<String>>,
    pub(in crate::values) pattern: Option<String>,
    pub(in crate::values) format: Option<String>,
    pub(in crate::values) minimum: Option<f64>,
    pub(in crate::values) maximum: Option<f64>,
    pub(in crate::values) min_length: Option<usize>,
    pub(in crate::values) max_length: Option<usize>,
    pub(in crate::values) description: Option<String>,
    default: Option<serde_json::Value>,
    pub(in crate::values) definitions: BTreeMap<String, Shape>,
    title: Option<String>,
    #[serde(rename = "$schema")]
    draft: Option<String>,
}

/// What keys without a name of their own may hold.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::values) enum Additional {
    /// Anything, or nothing.
    Allowed(bool),
    /// Values of one shape.
    Like(Box<Shape>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(Kind),
    Several(Vec<Kind>),
}

/// A kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::values) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Shape {
    /// The shapes that a value may have, with references followed. Null is not one: it means "not set".
    pub(in crate::values) fn alternatives<'a>(&'a self, root: &'a Shape) -> Vec<&'a Shape> {
        let mut found = Vec::new();
        self.collect(root, &mut found);
        found
    }

    fn collect<'a>(&'a self, root: &'a Shape, found: &mut Vec<&'a Shape>) {
        if let Some(reference) = &self.reference {
            let name = reference.rsplit('/').next().unwrap_or_default();
            if let Some(shape) = root.definitions.get(name) {
                shape.collect(root, found);
            }
        } else if !self.any_of.is_empty() || !self.all_of.is_empty() {
            // `allOf` holds one reference only: draft 7 ignores what stands beside a reference.
            self.any_of
                .iter()
                .chain(&self.all_of)
                .for_each(|shape| shape.collect(root, found));
        } else if self.kinds() != [Kind::Null] {
            found.push(self);
        }
    }

    /// The name of the definition that this is a reference to, where it is one and nothing else.
    pub(in crate::values) fn definition(&self) -> Option<&str> {
        if let Some(reference) = &self.reference {
            return reference.rsplit('/').next();
        }
        let mut inner = self
            .any_of
            .iter()
            .chain(&self.all_of)
            .filter(|shape| shape.kinds() != [Kind::Null]);
        match (inner.next(), inner.next()) {
            (Some(only), None) => only.definition(),
            _ => None,
        }
    }

    /// The shapes that this one stands for, where it is one of several.
    pub(in crate::values) fn parts(&self) -> impl Iterator<Item = &Shape> {
        self.any_of.iter().chain(&self.all_of)
    }

    /// The kinds, with null; empty is any.
    pub(in crate::values) fn kinds(&self) -> &[Kind] {
        match &self.kinds {
            None => &[],
            Some(Kinds::One(kind)) => std::slice::from_ref(kind),
            Some(Kinds::Several(kinds)) => kinds,
        }
    }

    /// The texts that are allowed, where only some are.
    pub(in crate::values) fn choices(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().flatten().map(String::as_str)
    }

    /// Whether the kind of a value fits.
    pub(in crate::values) fn fits(&self, node: &Node) -> bool {
        let kinds = self.kinds();
        if kinds.is_empty() {
            return true;
        }
        let has = |kind| kinds.contains(&kind);
        match &node.data {
            Data::Null => false,
            Data::Boolean(_) => has(Kind::Boolean),
            // A number without a fraction that is too large to be exact stays a float.
            Data::Number(number) if number.is_f64() => has(Kind::Number),
            Data::Number(_) => has(Kind::Integer) || has(Kind::Number),
            Data::Text(_) => has(Kind::String),
            Data::List(_) => has(Kind::Array),
            Data::Map(_) => has(Kind::Object),
        }
    }
}

//! The tree.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{At, Step};

/// A line and a column, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
}

/// A stretch of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The name of the source: a file's path, `-`, or the command-line option.
    pub source: Arc<str>,
    /// The first character.
    pub start: Point,
    /// The character behind the last one.
    pub end: Point,
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}",
            self.source, self.start.line, self.start.column
        )
    }
}

/// A part of a document.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// Where it was written. What an alias stands for was written at the anchor.
    pub span: Span,
    /// What it holds.
    pub data: Data,
    /// The text of a scalar without quotes that is not text by YAML's rules, such as `yes` or `0755`.
    pub written: Option<Box<str>>,
}

/// What a node holds.
#[derive(Clone, PartialEq)]
pub enum Data {
    /// Nothing: `null`, `~` or no value at all.
    Null,
    /// `true`, `false` and their YAML 1.1 spellings.
    Boolean(bool),
    /// A number; one without a fraction is kept as an integer, as in JSON.
    Number(serde_json::Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Map),
}

/// A map by key. Most maps are small, and a map has room for several entries from the start: hence the boxes.
pub type Map = BTreeMap<String, Box<Entry>>;

/// A value of a map, and its key's position.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The same tree as JSON, without positions.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.data {
            Data::Null => serde_json::Value::Null,
            Data::Boolean(value) => (*value).into(),
            Data::Number(value) => value.clone().into(),
            Data::Text(value) => value.as_str().into(),
            Data::List(items) => items.iter().map(Node::to_json).collect(),
            Data::Map(map) => map
                .iter()
                .map(|(key, entry)| (key.clone(), entry.value.to_json()))
                .collect(),
        }
    }

    /// The value of a key, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a key and the key's position, where this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(map) => map.get(key).map(Box::as_ref),
            _ => None,
        }
    }

    /// The text, where this is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, where this is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, where this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The node at a place below, where there is one.
    pub fn at(&self, at: &At<'_>) -> Option<&Node> {
        at.steps()
            .into_iter()
            .try_fold(self, |node, step| node.step(step))
    }

    /// The node one step below.
    pub fn step(&self, step: Step<'_>) -> Option<&Node> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.as_list()?.get(index),
        }
    }

    /// What kind of value this is, in words: "text", "a list", "nothing".
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "nothing",
            Data::Boolean(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }
}

/// Values may be secrets: only their kind and position are shown.
impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.kind(), self.span)
    }
}

/// As [`Node`]'s.
impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key at {}: {:?}", self.key_span, self.value)
    }
}

/// As [`Node`]'s.
impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::List(items) => formatter.debug_list().entries(items).finish(),
            Data::Map(map) => formatter.debug_map().entries(map.iter()).finish(),
            Data::Null => formatter.write_str("Null"),
            Data::Boolean(_) => formatter.write_str("Boolean"),
            Data::Number(_) => formatter.write_str("Number"),
            Data::Text(_) => formatter.write_str("Text"),
        }
    }
}

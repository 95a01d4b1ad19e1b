//! Master changelogs as a tree: XML, YAML and JSON look the same from here on.
//!
//! Attributes and elements of XML, and keys of YAML, are all children with a name. Texts know where they stand in the
//! file, so that SQL in a master runs from its own lines. XML is read with roxmltree: it is small, keeps the place of
//! everything, and refuses documents that expand without end. YAML is read event by event for the sake of the places;
//! JSON is YAML.

use std::ops::Range;

use granit_parser::{Event, Parser};

/// Levels of nesting: what is deeper is no changelog.
const MAXIMUM_DEPTH: usize = 64;

/// One element, attribute or key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub name: String,
    /// Where it begins.
    pub at: usize,
    /// Its texts, without those of its children.
    pub texts: Vec<Text>,
    pub children: Vec<Node>,
}

/// A text and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub range: Range<usize>,
    /// What it means, without escapes.
    pub value: String,
}

/// What is wrong with a document, and at which byte.
pub(super) type Fault = (usize, String);

impl Node {
    /// Its text, without blanks around it.
    pub fn text(&self) -> String {
        let whole: String = self.texts.iter().map(|text| text.value.as_str()).collect();
        whole.trim().to_owned()
    }

    /// A child.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child; empty is none.
    pub fn value(&self, name: &str) -> Option<String> {
        self.child(name)
            .map(Node::text)
            .filter(|text| !text.is_empty())
    }

    /// Whether a child says so.
    pub fn is(&self, name: &str, default: bool) -> bool {
        self.value(name)
            .map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

/// Reads a document; the node is its root, `databaseChangeLog`.
pub(super) fn read(name: &str, text: &str) -> Result<Node, Fault> {
    let root = if has_ending(name, ".xml") {
        xml(text)?
    } else {
        yaml(text)?
    };
    if root.name != "databaseChangeLog" {
        return Err((
            root.at,
            "this is no changelog of Liquibase: its root is not `databaseChangeLog`".to_owned(),
        ));
    }
    Ok(root)
}

/// Whether a file can be a master by its name.
pub(super) fn is_document(name: &str) -> bool {
    [".xml", ".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| has_ending(name, ending))
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.len() > ending.len()
        && name
            .get(name.len() - ending.len()..)
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

fn xml(text: &str) -> Result<Node, Fault> {
    let document = roxmltree::Document::parse(text).map_err(|error| {
        let place = error.pos();
        (
            byte_of(text, place.row, place.col),
            format!("the XML cannot be read: {}", in_words(&error)),
        )
    })?;
    element(text, document.root_element(), 0)
}

/// The message without the position, which is shown anyway.
fn in_words(error: &roxmltree::Error) -> String {
    let message = error.to_string();
    message.split(" at ").next().unwrap_or_default().to_owned()
}

fn byte_of(text: &str, row: u32, column: u32) -> usize {
    let row = usize::try_from(row).unwrap_or(1).saturating_sub(1);
    let start = match row {
        0 => 0,
        row => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(row - 1)
            .map_or(text.len(), |end| end + 1),
    };
    let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let line = text.get(start..).unwrap_or_default();
    start + line.char_indices().nth(column).map_or(0, |(at, _)| at)
}

fn element(text: &str, element: roxmltree::Node<'_, '_>, depth: usize) -> Result<Node, Fault> {
    let range = element.range();
    if depth > MAXIMUM_DEPTH {
        return Err((
            range.start,
            "this is nested deeper than any changelog".to_owned(),
        ));
    }
    let mut node = Node {
        name: element.tag_name().name().to_owned(),
        at: range.start,
        ..Node::default()
    };
    for attribute in element
        .attributes()
        .filter(|attribute| attribute.namespace().is_none())
    {
        node.children.push(Node {
            name: attribute.name().to_owned(),
            at: attribute.range().start,
            texts: vec![Text {
                range: attribute.range_value(),
                value: attribute.value().to_owned(),
            }],
            children: Vec::new(),
        });
    }
    for child in element.children() {
        if child.is_element() {
            node.children.push(self::element(text, child, depth + 1)?);
        } else if let (true, Some(value)) = (child.is_text(), child.text()) {
            // The place of a text ends with its first section; the whole of it ends where something else begins.
            let start = child.range().start;
            let end = match child.next_sibling() {
                Some(next) => next.range().start,
                None => {
                    range.start
                        + text
                            .get(range.clone())
                            .and_then(|whole| whole.rfind("</"))
                            .unwrap_or_default()
                }
            };
            node.texts.push(Text {
                range: start..end.max(start),
                value: value.to_owned(),
            });
        }
    }
    Ok(node)
}

/// A value of YAML.
enum Value {
    Scalar(Text),
    List(Vec<Value>),
    Map(Vec<(String, usize, Value)>),
}

fn yaml(text: &str) -> Result<Node, Fault> {
    let mut reader = YamlReader {
        parser: Parser::new_from_str(text),
        text,
    };
    let value = loop {
        let (event, range) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::StreamEnd | Event::DocumentEnd => {
                return Err((range.start, "the file is empty".to_owned()));
            }
            event => break reader.value(&event, range, 0)?,
        }
    };
    let Value::Map(entries) = value else {
        return Err((
            0,
            "this is no changelog of Liquibase: its root is not `databaseChangeLog`".to_owned(),
        ));
    };
    let root = entries
        .into_iter()
        .find(|(key, ..)| key == "databaseChangeLog");
    let (name, at, value) = root.ok_or_else(|| {
        (
            0,
            "this is no changelog of Liquibase: its root is not `databaseChangeLog`".to_owned(),
        )
    })?;
    Ok(node(name, at, value))
}

struct YamlReader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    text: &'a str,
}

impl<'a> YamlReader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Fault> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let start = span.start.byte_offset().unwrap_or_default();
                let end = span.end.byte_offset().unwrap_or(start);
                Ok((event, start..end.max(start)))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or_default();
                let message = error.to_string();
                let message = message.split(" at char ").next().unwrap_or_default();
                Err((at, format!("the YAML cannot be read: {message}")))
            }
            None => Err((self.text.len(), "the YAML ends too early".to_owned())),
        }
    }

    fn value(
        &mut self,
        event: &Event<'a>,
        range: Range<usize>,
        depth: usize,
    ) -> Result<Value, Fault> {
        if depth > MAXIMUM_DEPTH {
            return Err((
                range.start,
                "this is nested deeper than any changelog".to_owned(),
            ));
        }
        match event {
            Event::Scalar(value, ..) => {
                let source = self.text.get(range.clone()).unwrap_or_default().trim_end();
                Ok(Value::Scalar(Text {
                    range: range.start..range.start + source.len(),
                    value: value.to_string(),
                }))
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    let (event, range) = self.next()?;
                    if event == Event::SequenceEnd {
                        return Ok(Value::List(items));
                    }
                    items.push(self.value(&event, range, depth + 1)?);
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let (event, range) = self.next()?;
                    let key = match event {
                        Event::MappingEnd => return Ok(Value::Map(entries)),
                        Event::Scalar(key, ..) => key.into_owned(),
                        _ => return Err((range.start, "a key has to be a plain word".to_owned())),
                    };
                    let at = range.start;
                    let (event, range) = self.next()?;
                    let value = self.value(&event, range, depth + 1)?;
                    entries.push((key, at, value));
                }
            }
            _ => Err((
                range.start,
                "aliases and anchors of YAML cannot be carried over. Write out what they stand for"
                    .to_owned(),
            )),
        }
    }
}

/// A key and its value. The items of a list are children with the names of their keys.
fn node(name: String, at: usize, value: Value) -> Node {
    let mut node = Node {
        name,
        at,
        ..Node::default()
    };
    fill(&mut node, value);
    node
}

fn fill(parent: &mut Node, value: Value) {
    match value {
        Value::Scalar(text) => parent.texts.push(text),
        Value::List(items) => items.into_iter().for_each(|item| fill(parent, item)),
        Value::Map(entries) => {
            let children = entries
                .into_iter()
                .map(|(key, at, value)| node(key, at, value));
            parent.children.extend(children);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<?xml version=\"1.0\"?>\n<databaseChangeLog xmlns=\"http://x\" \
                       xmlns:y=\"http://y\" y:schemaLocation=\"z\">\n<changeSet id=\"1\" author=\"a &amp; b\">\
                       <sql splitStatements=\"false\">select 1 &lt; 2<![CDATA[ and\n3 < 4]]>;<comment>c</comment></sql>\
                       </changeSet></databaseChangeLog>";
    const YAML: &str = "databaseChangeLog:\n  - changeSet:\n      id: 1\n      author: a & b\n      changes:\n        - \
                        sql:\n            splitStatements: false\n            sql: |\n              select 1 < 2\n              \
                        and 3\n\n  - include: {file: x.sql}\n";

    #[test]
    fn xml_and_yaml_are_the_same_tree() {
        let xml = read("m.XML", XML).unwrap();
        let changeset = xml.child("changeSet").unwrap();
        assert_eq!(changeset.value("author").as_deref(), Some("a & b"));
        let sql = changeset.child("sql").unwrap();
        assert!(!sql.is("splitStatements", true));
        assert_eq!(sql.text(), "select 1 < 2 and\n3 < 4;");
        assert_eq!(
            &XML[sql.texts[0].range.clone()],
            "select 1 &lt; 2<![CDATA[ and\n3 < 4]]>;"
        );

        let yaml = read("m.yml", YAML).unwrap();
        let changeset = yaml.child("changeSet").unwrap();
        assert_eq!(changeset.value("author").as_deref(), Some("a & b"));
        let sql = changeset.child("changes").unwrap().child("sql").unwrap();
        assert!(!sql.is("splitStatements", true));
        let inner = sql.child("sql").unwrap();
        assert_eq!(inner.text(), "select 1 < 2\nand 3");
        assert_eq!(
            &YAML[inner.texts[0].range.clone()],
            "select 1 < 2\n              and 3"
        );
        assert_eq!(
            yaml.child("include").unwrap().value("file").as_deref(),
            Some("x.sql")
        );

        let json = r#"{"databaseChangeLog": [{"include": {"file": "x\u002esql"}}]}"#;
        let json = read("m.json", json).unwrap();
        assert_eq!(
            json.child("include").unwrap().value("file").as_deref(),
            Some("x.sql")
        );
    }

    #[test]
    fn what_cannot_be_read_has_a_place() {
        let place = |name, text| read(name, text).unwrap_err();
        let (at, message) = place("m.xml", "<a>\n<b></a>");
        assert!(at >= 4 && message.contains("XML"), "{at} {message}");
        let (at, message) = place("m.yaml", "databaseChangeLog:\n  - [");
        assert!(at >= 19 && message.contains("YAML"), "{at} {message}");
        assert!(place("m.yaml", "services: {}").1.contains("no changelog"));
        assert!(place("m.xml", "<project/>").1.contains("no changelog"));
        assert!(place("m.yaml", "").1.contains("empty"));
        assert!(
            place("m.yaml", "databaseChangeLog: &a []\nx: *a")
                .1
                .contains("aliases")
        );
        let deep = format!("databaseChangeLog: {}", "[".repeat(500));
        assert!(read("m.yaml", &deep).is_err());
    }
}

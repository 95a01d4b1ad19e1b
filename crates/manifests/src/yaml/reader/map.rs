//! Maps: keys, those that occur twice, and `<<`.

use std::collections::{BTreeMap, btree_map};

use serde_saphyr::granit_parser::{Event, ScalarStyle, Span as ParserSpan};

use super::super::{Data, Entry, Map, Node, scalar};
use super::{Built, Fatal, Reader, Strictness};

enum Key {
    Text(String),
    Merge,
    /// Reported already.
    Refused,
}

impl<'text> Reader<'text> {
    pub(super) fn map(&mut self, start: ParserSpan, depth: usize) -> Result<Built, Fatal> {
        let (mut map, mut deepest, mut weight) = (Map::new(), 0, 64);
        let mut merged: BTreeMap<String, ()> = BTreeMap::new();
        loop {
            let (event, span) = self.inside(start)?;
            if matches!(event, Event::MappingEnd) {
                let node = self.plain_node(self.between(start, span), Data::Map(map));
                return Ok(Built {
                    node,
                    depth: deepest + 1,
                    weight,
                });
            }
            let key_span = self.span(span);
            let key = self.key(event, span)?;
            let (event, value_span) = self.inside(span)?;
            let mut value = self.node(event, value_span, depth + 1)?;
            deepest = deepest.max(value.depth);
            weight += value.weight + 64;
            let key = match key {
                Key::Merge => {
                    self.merge(value.node, &mut map, &mut merged, span)?;
                    continue;
                }
                Key::Text(key) => key,
                Key::Refused => continue,
            };
            weight += key.len();
            if matches!(value.node.data, Data::Null) && value.node.span.start == value.node.span.end
            {
                value.node.span = key_span.clone(); // Nothing was written: the key is the best place to show.
            }
            let entry = Box::new(Entry {
                key_span,
                value: value.node,
            });
            match map.entry(key) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(entry);
                }
                btree_map::Entry::Occupied(mut place) if merged.remove(place.key()).is_some() => {
                    place.insert(entry);
                }
                btree_map::Entry::Occupied(place) => {
                    let first = place.get().key_span.start;
                    let message = format!("the key {:?} occurs twice in this map", place.key());
                    let help = format!(
                        "it is also in line {}, column {}: keep one",
                        first.line, first.column
                    );
                    self.report(span, message, Some(help))?;
                }
            }
        }
    }

    fn key(&mut self, event: Event<'text>, span: ParserSpan) -> Result<Key, Fatal> {
        let (text, style, tag) = match event {
            Event::Scalar(text, style, _, tag) => (text, style, tag),
            Event::MappingStart(..) if self.is_template(span) => {
                let message = "a template expression stands here, but values are not templates";
                let help = "write the value itself, or pass it with --set";
                return Err(self.fatal(span, message, Some(help)));
            }
            _ => return Err(self.fatal(span, "a key must be text", Some("put the key in quotes"))),
        };
        if style != ScalarStyle::Plain || tag.is_some() {
            return Ok(Key::Text(text.into_owned()));
        }
        if text == "<<" {
            return Ok(Key::Merge);
        }
        let (read, meaning) = match scalar::resolve(&text) {
            Ok(Data::Text(key)) => return Ok(Key::Text(key)),
            Ok(Data::Boolean(value)) => (value.to_string(), "the boolean"),
            Ok(Data::Number(value)) => (value.to_string(), "the number"),
            _ => {
                let help = Some("write a key, in quotes if it is to be null or empty".to_owned());
                self.report(span, "a key is empty".to_owned(), help)?;
                return Ok(Key::Refused);
            }
        };
        if read != text && self.strictness == Strictness::Strict {
            let message = format!("the key {text} is {meaning} {read} in YAML");
            self.report(
                span,
                message,
                Some(format!("put the key in quotes: \"{text}\"")),
            )?;
        }
        Ok(Key::Text(read))
    }

    /// `<<: *alias`. A list's earlier maps win over its later ones.
    fn merge(
        &mut self,
        value: Node,
        map: &mut Map,
        merged: &mut BTreeMap<String, ()>,
        span: ParserSpan,
    ) -> Result<(), Fatal> {
        let sources = match value.data {
            Data::Map(source) => vec![source],
            Data::List(items) => {
                let mut sources = Vec::new();
                for item in items.into_iter().rev() {
                    match item.data {
                        Data::Map(source) => sources.push(source),
                        _ => return Err(self.fatal(span, "`<<` merges maps only", None)),
                    }
                }
                sources
            }
            _ => return Err(self.fatal(span, "`<<` merges maps only", None)),
        };
        for (key, entry) in sources.into_iter().flatten() {
            // The library behind Helm lets the merged value win over a key further up, against YAML's own rule.
            if self.strictness == Strictness::Strict
                && map.contains_key(&key)
                && !merged.contains_key(&key)
            {
                let message =
                    format!("`<<` comes after the key {key:?} and would replace its value in Helm");
                let help =
                    "move `<<` to the top of the map, so that the map's own keys win".to_owned();
                self.report(span, message, Some(help))?;
            }
            merged.insert(key.clone(), ());
            map.insert(key, entry);
        }
        Ok(())
    }

    /// Whether the text at a place is `{{`, which YAML reads as a map whose key is a map.
    fn is_template(&self, span: ParserSpan) -> bool {
        let Some(offset) = span.start.byte_offset() else {
            return false;
        };
        self.text
            .get(..offset)
            .is_some_and(|before| before.ends_with('{'))
            && self
                .text
                .get(offset..)
                .is_some_and(|rest| rest.starts_with('{'))
    }
}

//! A tree against the schema, with all that is wrong in words.

use super::{
    pattern,
    shape::{Additional, Kind, Shape},
    suggest,
};
use crate::yaml::{At, Data, Entry, Map, Node, Span, Step};

/// Integers beyond are rounded by Helm, which reads them as floats (2^53).
const LARGEST_EXACT: i128 = 1 << 53;
/// Longest text that a message repeats, in characters.
const QUOTED: usize = 50;

/// One thing that does not fit the schema.
pub(in crate::values) struct Finding {
    /// The path, as it is shown.
    pub(in crate::values) path: String,
    /// The same as steps: what to leave out so that the rest fits.
    pub(in crate::values) steps: Vec<OwnedStep>,
    /// The key or value that is wrong.
    pub(in crate::values) span: Span,
    /// The value of an unknown key: nobody knows whether it is a secret.
    pub(in crate::values) hide: Option<Span>,
    pub(in crate::values) message: String,
    pub(in crate::values) help: Option<String>,
}

/// A step that outlives the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::values) enum OwnedStep {
    Key(String),
    Index(usize),
}

/// Finds all that does not fit. `is_hidden` says which values must not be repeated.
pub(in crate::values) fn validate(
    tree: &Node,
    root: &Shape,
    is_hidden: &dyn Fn(&Span) -> bool,
) -> Vec<Finding> {
    let mut validator = Validator {
        root,
        is_hidden,
        findings: Vec::new(),
    };
    validator.value(
        tree,
        root,
        &Place {
            at: At::ROOT,
            key: None,
            shape: root,
            up: None,
        },
    );
    validator.findings
}

struct Validator<'a> {
    root: &'a Shape,
    is_hidden: &'a dyn Fn(&Span) -> bool,
    findings: Vec<Finding>,
}

/// A node's place in the tree, with the maps around it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) at: At<'a>,
    /// Where the key was written.
    key: Option<&'a Span>,
    /// Of the map itself; set when its keys are looked at.
    pub(super) shape: &'a Shape,
    pub(super) up: Option<&'a Place<'a>>,
}

impl<'a> Validator<'a> {
    fn value(&mut self, node: &Node, shape: &'a Shape, place: &Place<'_>) {
        let alternatives = shape.alternatives(self.root);
        // The model has no two alternatives of one kind.
        let Some(fitting) = alternatives
            .iter()
            .find(|alternative| alternative.fits(node))
        else {
            return self.wrong_kind(node, &alternatives, place);
        };
        match &node.data {
            Data::Map(map) => self.map(node, map, fitting, place),
            Data::List(items) => {
                let Some(shape) = &fitting.items else { return };
                for (index, item) in items.iter().enumerate() {
                    let below = Place {
                        at: place.at.index(index),
                        key: None,
                        shape,
                        up: Some(place),
                    };
                    self.value(item, shape, &below);
                }
            }
            Data::Number(number) => self.number(node, number, fitting, place),
            Data::Text(text) => self.text(node, text, fitting, place),
            Data::Boolean(_) | Data::Null => {}
        }
    }

    fn map(&mut self, node: &Node, map: &Map, shape: &'a Shape, place: &Place<'_>) {
        let here = Place { shape, ..*place };
        for name in shape
            .required
            .iter()
            .filter(|name| !map.contains_key(*name))
        {
            let span = place.key.unwrap_or(&node.span).clone();
            self.add(&here.at, span, format!("`{name}` is missing"), None);
        }
        for (key, entry) in map {
            let Entry { key_span, value } = &**entry;
            let at = here.at.key(key);
            if let Some(names) = &shape.property_names {
                self.name(key, key_span, names, &at);
            }
            let below = match (shape.properties.get(key), &shape.additional_properties) {
                (Some(below), _) => below,
                (None, Some(Additional::Like(below))) => below,
                (None, Some(Additional::Allowed(true)) | None) => continue,
                (None, Some(Additional::Allowed(false))) => {
                    self.unknown_key(key, key_span, value, &here, &at);
                    continue;
                }
            };
            self.value(
                value,
                below,
                &Place {
                    at,
                    key: Some(key_span),
                    shape: below,
                    up: Some(&here),
                },
            );
        }
    }

    fn unknown_key(&mut self, key: &str, span: &Span, value: &Node, here: &Place<'_>, at: &At<'_>) {
        let help = suggest::for_unknown_key(key, here, self.root);
        self.add(
            at,
            span.clone(),
            format!("unknown key {}", quoted(key)),
            help,
        );
        if let Some(finding) = self.findings.last_mut() {
            finding.hide = Some(value.span.clone());
        }
    }

    fn name(&mut self, name: &str, span: &Span, shape: &Shape, at: &At<'_>) {
        let message = match shape.pattern.as_deref().and_then(pattern::find) {
            Some(pattern) if !(pattern.accepts)(name) => {
                let help = suggest::for_pattern(pattern, name);
                self.add(
                    at,
                    span.clone(),
                    format!("expected {}, found {}", pattern.expected, quoted(name)),
                    help,
                );
                return;
            }
            _ => shape.max_length.filter(|most| name.chars().count() > *most),
        };
        if let Some(most) = message {
            let length = name.chars().count();
            self.add(
                at,
                span.clone(),
                format!("a name of {length} characters; at most {most} are allowed"),
                None,
            );
        }
    }

    fn text(&mut self, node: &Node, text: &str, shape: &Shape, place: &Place<'_>) {
        let shown = || {
            if (self.is_hidden)(&node.span) {
                String::new()
            } else {
                format!(", found {}", quoted(text))
            }
        };
        let choices: Vec<&str> = shape.choices().collect();
        let length = text.chars().count();
        let (message, help) = if !choices.is_empty() && !choices.contains(&text) {
            (
                format!("expected {}{}", list(&choices), shown()),
                suggest::for_choice(text, &choices),
            )
        } else if shape.min_length.is_some_and(|least| length < least) {
            (
                format!("expected {}, found an empty text", words(&[shape])),
                None,
            )
        } else if let Some(most) = shape.max_length.filter(|most| length > *most) {
            (
                format!("a text of {length} characters; at most {most} are allowed"),
                None,
            )
        } else if let Some(pattern) = shape
            .pattern
            .as_deref()
            .and_then(pattern::find)
            .filter(|pattern| !(pattern.accepts)(text))
        {
            (
                format!("expected {}{}", pattern.expected, shown()),
                suggest::for_pattern(pattern, text),
            )
        } else {
            return;
        };
        self.add(&place.at, node.span.clone(), message, help);
    }

    fn number(
        &mut self,
        node: &Node,
        number: &serde_json::Number,
        shape: &Shape,
        place: &Place<'_>,
    ) {
        let Some(value) = number.as_i128().or_else(|| number.as_u64().map(i128::from)) else {
            return;
        };
        let (least, most) = bounds(shape);
        if (least..=most).contains(&value) {
            return;
        }
        let message = match (least, most) {
            _ if value.abs() > LARGEST_EXACT => {
                "this number is so large that Helm would round it".to_owned()
            }
            (least, _) if value < least && shape.maximum.is_none() => {
                format!("expected a number of {least} or more, found {value}")
            }
            (least, most) => format!("expected a number from {least} to {most}, found {value}"),
        };
        let help = shape
            .kinds()
            .contains(&Kind::String)
            .then(|| "put it in quotes: it is text then".to_owned());
        self.add(&place.at, node.span.clone(), message, help);
    }

    fn wrong_kind(&mut self, node: &Node, alternatives: &[&Shape], place: &Place<'_>) {
        let wants = |kind| {
            alternatives
                .iter()
                .any(|shape| shape.kinds().contains(&kind))
        };
        let hidden = (self.is_hidden)(&node.span);
        let expected = words(alternatives);
        let (without_quotes, help) = match &node.data {
            Data::Text(text) if wants(Kind::Boolean) && is_switch(text) => {
                (" without quotes", Some("remove the quotes".to_owned()))
            }
            Data::Text(text) if (wants(Kind::Integer) || wants(Kind::Number)) && text.parse::<i64>().is_ok() => {
                (" without quotes", Some("remove the quotes".to_owned()))
            }
            Data::Boolean(_) | Data::Number(_) if wants(Kind::String) => {
                let help = match &node.written {
                    Some(written) if !hidden => format!("put it in quotes: \"{written}\""),
                    _ => "put it in quotes".to_owned(),
                };
                ("", Some(help))
            }
            Data::Null => ("", Some("write a value behind the dash, or remove the dash".to_owned())),
            Data::List(_) if wants(Kind::Object) => {
                ("", Some("write `name:` and what belongs to it below, without dashes".to_owned()))
            }
            Data::Map(_) if wants(Kind::Array) => ("", Some(list_of_maps(alternatives, self.root))),
            Data::Text(_) | Data::Number(_) | Data::Boolean(_) if wants(Kind::Array) => {
                ("", Some("write a list: `[first, second]`, or each item in a line of its own behind `- `".to_owned()))
            }
            _ => ("", None),
        };
        let message = format!(
            "expected {expected}{without_quotes}, found {}",
            found(node, hidden)
        );
        self.add(&place.at, node.span.clone(), message, help);
    }

    fn add(&mut self, at: &At<'_>, span: Span, message: String, help: Option<String>) {
        let steps = at
            .steps()
            .iter()
            .map(|step| match step {
                Step::Key(key) => OwnedStep::Key((*key).to_owned()),
                Step::Index(index) => OwnedStep::Index(*index),
            })
            .collect();
        self.findings.push(Finding {
            path: at.to_string(),
            steps,
            span,
            hide: None,
            message,
            help,
        });
    }
}

/// The smallest and the largest number that fit.
#[allow(
    clippy::cast_possible_truncation,
    reason = "bounds in schemas are small whole numbers"
)]
fn bounds(shape: &Shape) -> (i128, i128) {
    let (least, most) = match shape.format.as_deref() {
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        Some("uint8") => (0, i128::from(u8::MAX)),
        Some("uint16") => (0, i128::from(u16::MAX)),
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint64" | "uint") => (0, LARGEST_EXACT),
        _ => (-LARGEST_EXACT, LARGEST_EXACT),
    };
    let least = shape
        .minimum
        .map_or(least, |minimum| least.max(minimum as i128));
    let most = shape
        .maximum
        .map_or(most, |maximum| most.min(maximum as i128));
    (least, most)
}

/// What is expected, in words.
fn words(alternatives: &[&Shape]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: String| {
        if !words.contains(&word) {
            words.push(word);
        }
    };
    for shape in alternatives {
        let has = |kind| shape.kinds().contains(&kind);
        let choices: Vec<&str> = shape.choices().collect();
        if !choices.is_empty() {
            add(list(&choices));
        } else if let Some(pattern) = shape.pattern.as_deref().and_then(pattern::find) {
            add(pattern.expected.to_owned());
        } else if has(Kind::String) && has(Kind::Boolean) {
            add("text".to_owned()); // Numbers and truth values are taken for their text.
        } else {
            for kind in shape.kinds() {
                match kind {
                    Kind::Null => {}
                    Kind::Boolean => add("true or false".to_owned()),
                    Kind::Integer => add("a whole number".to_owned()),
                    Kind::Number => add("a number".to_owned()),
                    Kind::String => add("text".to_owned()),
                    Kind::Array => add("a list".to_owned()),
                    Kind::Object => add("a map".to_owned()),
                }
            }
        }
    }
    words.join(" or ")
}

/// `a`, `b` or `c`
pub(super) fn list(choices: &[&str]) -> String {
    match choices {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|choice| format!("`{choice}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// What was written, in words.
fn found(node: &Node, hidden: bool) -> String {
    let read = match &node.data {
        Data::Text(text) if !hidden => return format!("the text {}", quoted(text)),
        Data::Boolean(value) if !hidden => value.to_string(),
        Data::Number(number) if !hidden => format!("the number {number}"),
        _ => return node.kind().to_owned(),
    };
    match &node.written {
        Some(written) if read != **written && read != format!("the number {written}") => {
            format!("`{written}`, which is {read} in YAML")
        }
        _ => read,
    }
}

/// In quotes, on one line, and not too long.
pub(super) fn quoted(text: &str) -> String {
    if text.chars().count() <= QUOTED {
        return format!("{text:?}");
    }
    let begin: String = text.chars().take(QUOTED).collect();
    format!("{:?}", format!("{begin}…"))
}

fn is_switch(text: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// How the items of a list are written.
fn list_of_maps(alternatives: &[&Shape], root: &Shape) -> String {
    let named = alternatives
        .iter()
        .filter_map(|shape| shape.items.as_ref())
        .flat_map(|items| items.alternatives(root))
        .any(|item| item.properties.contains_key("name"));
    match named {
        true => "write a list: each item begins with `- name: …`".to_owned(),
        false => "write a list: each item begins with a dash".to_owned(),
    }
}

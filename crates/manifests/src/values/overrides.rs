//! `--set a.b[0].c=value`, in Helm's syntax (its package `strvals`).
//!
//! Several settings are divided by commas; `{a,b}` is a list; a backslash takes the meaning from the character
//! behind it. Whole numbers, `true`, `false` and `null` are read as such, everything else is text.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use crate::yaml::{Data, Entry, Node, Point, Span};

/// As Helm's.
const MAX_INDEX: usize = 65_536;
/// As Helm's.
const MAX_DEPTH: usize = 30;

/// One `--set` or `--set-string`.
#[derive(Clone, PartialEq, Eq)]
pub enum Override {
    /// Numbers, truth values and null are read as such.
    Set(String),
    /// Every value is text.
    SetString(String),
}

/// Values may be secrets: not shown.
impl std::fmt::Debug for Override {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name())
    }
}

impl Override {
    /// The option as it is shown in a line of its own, with its value.
    pub(super) fn text(&self) -> String {
        let (option, text) = self.parts();
        format!("{option} {text}")
    }

    /// The option with its first key, without any value.
    pub(super) fn name(&self) -> String {
        let (option, text) = self.parts();
        match text.split_once('=') {
            Some((key, _)) if !key.contains(',') => format!("{option} {key}"),
            _ => option.to_owned(),
        }
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Override::Set(text) => ("--set", text),
            Override::SetString(text) => ("--set-string", text),
        }
    }
}

/// What is wrong with an option, and where in its text.
pub(super) struct Refused {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// A value and the way to it.
#[derive(Clone)]
pub(super) struct Assignment {
    path: Vec<Part>,
    value: Node,
}

#[derive(Clone)]
struct Part {
    step: PartStep,
    span: Span,
}

#[derive(Clone)]
enum PartStep {
    Key(String),
    Index(usize),
}

/// Reads an option's text, which is [`Override::text`].
pub(super) fn parse(
    option: &Override,
    text: &str,
    source: &Arc<str>,
) -> Result<Vec<Assignment>, Refused> {
    let characters: Vec<char> = text.chars().collect();
    let place = text.find(' ').map_or(0, |blank| blank + 1);
    let strings = matches!(option, Override::SetString(_));
    let mut parser = Parser {
        characters,
        place,
        source,
        strings,
    };
    let mut assignments = Vec::new();
    while parser.peek().is_some() {
        assignments.push(parser.assignment()?);
    }
    Ok(assignments)
}

struct Parser<'a> {
    characters: Vec<char>,
    place: usize,
    source: &'a Arc<str>,
    strings: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.place).copied()
    }

    fn span(&self, begin: usize) -> Span {
        let point = |place: usize| Point {
            line: 1,
            column: u32::try_from(place + 1).unwrap_or(u32::MAX),
        };
        Span {
            source: Arc::clone(self.source),
            start: point(begin),
            end: point(self.place.max(begin)),
        }
    }

    fn refused<T>(&self, begin: usize, message: &str, help: &'static str) -> Result<T, Refused> {
        Err(Refused {
            span: self.span(begin),
            message: message.to_owned(),
            help,
        })
    }

    /// Text up to one of the characters, which is not taken.
    fn until(&mut self, stop: &[char]) -> String {
        let mut text = String::new();
        while let Some(character) = self.peek() {
            if stop.contains(&character) {
                break;
            }
            self.place += 1;
            if character != '\\' {
                text.push(character);
            } else if let Some(escaped) = self.peek() {
                self.place += 1;
                text.push(escaped);
            }
        }
        text
    }

    fn assignment(&mut self) -> Result<Assignment, Refused> {
        const COMMA: &str = "write key=value; a comma inside of a value is written \\,";
        let mut path: Vec<Part> = Vec::new();
        loop {
            let begin = self.place;
            let key = self.until(&['=', '[', ',', '.']);
            let after_index = matches!(
                path.last(),
                Some(Part {
                    step: PartStep::Index(_),
                    ..
                })
            );
            if key.is_empty() && !(after_index && matches!(self.peek(), Some('=' | '['))) {
                return self.refused(begin, "a key is empty", COMMA);
            }
            if !key.is_empty() {
                path.push(Part {
                    step: PartStep::Key(key),
                    span: self.span(begin),
                });
            }
            if path.len() > MAX_DEPTH {
                return self.refused(
                    begin,
                    "the key goes deeper than 30 levels",
                    "use a values file",
                );
            }
            while self.peek() == Some('[') {
                path.push(self.index()?);
            }
            match self.peek() {
                Some('.') => self.place += 1,
                Some('=') => {
                    self.place += 1;
                    return Ok(Assignment {
                        path,
                        value: self.value()?,
                    });
                }
                Some(',') | None => return self.refused(begin, "a key has no value", COMMA),
                Some(_) => {
                    let help = "after an index comes `.`, `[` or `=`";
                    return self.refused(self.place, "something follows an index", help);
                }
            }
        }
    }

    fn index(&mut self) -> Result<Part, Refused> {
        let begin = self.place;
        self.place += 1;
        let text = self.until(&[']']);
        if self.peek().is_none() {
            return self.refused(begin, "a [ is not closed", "an index is written [0]");
        }
        self.place += 1;
        match text.parse::<usize>() {
            Ok(index) if index <= MAX_INDEX => Ok(Part {
                step: PartStep::Index(index),
                span: self.span(begin),
            }),
            _ => self.refused(
                begin,
                "this is no index of a list",
                "an index is a number from 0 to 65536",
            ),
        }
    }

    fn value(&mut self) -> Result<Node, Refused> {
        let begin = self.place;
        if self.peek() != Some('{') {
            let text = self.until(&[',']);
            let value = self.scalar(text, begin);
            self.comma();
            return Ok(value);
        }
        self.place += 1;
        let mut items = Vec::new();
        loop {
            let item = self.place;
            let text = self.until(&[',', '}']);
            let written = self.scalar(text, item);
            match self.peek() {
                None => return self.refused(begin, "a { is not closed", "a list is written {a,b}"),
                Some('}') => {
                    if items.is_empty() && self.place == item {
                        let help = "for an empty list, use a values file";
                        return self.refused(
                            begin,
                            "Helm reads {} as a list of one empty text",
                            help,
                        );
                    }
                    items.push(written);
                    self.place += 1;
                    let span = self.span(begin);
                    if self.peek().is_some_and(|next| next != ',') {
                        return self.refused(
                            self.place,
                            "something follows a list",
                            "a list is written {a,b}",
                        );
                    }
                    self.comma();
                    return Ok(Node {
                        span,
                        data: Data::List(items),
                        written: None,
                    });
                }
                Some(_) => {
                    items.push(written);
                    self.place += 1;
                }
            }
        }
    }

    fn comma(&mut self) {
        if self.peek() == Some(',') {
            self.place += 1;
        }
    }

    fn scalar(&self, text: String, begin: usize) -> Node {
        let data = if self.strings {
            Data::Text(text.clone())
        } else {
            typed(&text)
        };
        let written = (!matches!(data, Data::Text(_))).then(|| text.into_boxed_str());
        Node {
            span: self.span(begin),
            data,
            written,
        }
    }
}

/// Helm's reading of a value: fewer things are numbers than in YAML.
fn typed(text: &str) -> Data {
    if text.eq_ignore_ascii_case("true") {
        return Data::Boolean(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Data::Boolean(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Data::Null;
    }
    if (text == "0" || !text.starts_with('0'))
        && let Ok(number) = text.parse::<i64>()
    {
        return Data::Number(number.into());
    }
    Data::Text(text.to_owned())
}

/// Puts a value where an option says. Maps and lists on the way are made; what is there of another kind is
/// refused, as in Helm.
pub(super) fn apply(tree: &mut Node, assignment: Assignment) -> Result<(), Refused> {
    let Assignment { path, value } = assignment;
    let mut here = tree;
    let last = path.len().saturating_sub(1);
    for (number, part) in path.into_iter().enumerate() {
        let below = match &part.step {
            PartStep::Key(_) => Data::Map(BTreeMap::new()),
            PartStep::Index(_) => Data::List(Vec::new()),
        };
        if here.data == Data::Null {
            *here = Node {
                span: part.span.clone(),
                data: below,
                written: None,
            };
        }
        here = descend(here, part, number == last)?;
    }
    *here = value;
    Ok(())
}

fn descend(here: &mut Node, part: Part, last: bool) -> Result<&mut Node, Refused> {
    let kind = here.kind();
    let nothing = Node {
        span: part.span.clone(),
        data: Data::Null,
        written: None,
    };
    match (&mut here.data, part.step) {
        (Data::Map(map), PartStep::Key(key)) => Ok(match map.entry(key) {
            btree_map::Entry::Vacant(place) => {
                &mut place
                    .insert(Box::new(Entry {
                        key_span: part.span,
                        value: nothing,
                    }))
                    .value
            }
            btree_map::Entry::Occupied(place) => {
                let entry = place.into_mut();
                if last {
                    entry.key_span = part.span;
                }
                &mut entry.value
            }
        }),
        (Data::List(items), PartStep::Index(index)) => {
            if items.len() <= index {
                items.resize(index + 1, nothing);
            }
            Ok(&mut items[index])
        }
        (_, step) => {
            let wanted = match step {
                PartStep::Key(_) => "a map",
                PartStep::Index(_) => "a list",
            };
            let message = format!("this would need {wanted}, but what is there is {kind}");
            Err(Refused {
                span: part.span,
                message,
                help: "set the whole value, or the path of a key that exists",
            })
        }
    }
}

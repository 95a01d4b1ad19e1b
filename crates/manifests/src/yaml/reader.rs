//! Parser events into trees.

mod map;

use std::{collections::HashMap, sync::Arc};

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span as ParserSpan, Tag,
};

use super::{Data, Error, MAX_DEPTH, Node, Point, Span, scalar, syntax};

/// What all aliases of a stream may grow to, in about the bytes of their copies.
const MAX_ALIAS_WEIGHT: usize = 16 << 20;
/// More is reported by one line in the end.
const MAX_ERRORS: usize = 20;

/// How to take what kubectl and Helm read, but nobody means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// As they do: a key `on` is `"true"`.
    AsKubectl,
    /// As an error.
    Strict,
}

/// Reads all documents of a text, empty ones too. All errors that do not end the reading are collected.
pub(crate) fn read_all(
    name: &Arc<str>,
    text: &str,
    strictness: Strictness,
) -> Result<Vec<Node>, Vec<Error>> {
    let source = Arc::clone(name);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(error) = syntax::control_character(&source, text) {
        return Err(vec![error]);
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut reader = Reader {
        source,
        text,
        events: Parser::new_from_str_with_options(text, options),
        strictness,
        anchors: HashMap::new(),
        alias_weight: 0,
        errors: Vec::new(),
    };
    let documents = reader.stream();
    let mut errors = reader.errors;
    match documents {
        Ok(documents) if errors.is_empty() => Ok(documents),
        Ok(_) => Err(errors),
        Err(last) => {
            errors.push(*last);
            Err(errors)
        }
    }
}

/// As [`read_all`], with the first error only.
pub(super) fn read(name: &str, text: &str, strictness: Strictness) -> Result<Vec<Node>, Error> {
    read_all(&Arc::from(name), text, strictness).map_err(|mut errors| errors.swap_remove(0))
}

struct Reader<'text> {
    source: Arc<str>,
    text: &'text str,
    events: Parser<'text, serde_saphyr::granit_parser::StrInput<'text>>,
    strictness: Strictness,
    anchors: HashMap<usize, Anchored>,
    alias_weight: usize,
    errors: Vec<Error>,
}

#[derive(Clone)]
struct Anchored {
    node: Node,
    depth: usize,
    weight: usize,
}

/// A node with what its copies would cost.
struct Built {
    node: Node,
    depth: usize,
    weight: usize,
}

type Fatal = Box<Error>;
type Next<'text> = Option<(Event<'text>, ParserSpan)>;

impl<'text> Reader<'text> {
    fn stream(&mut self) -> Result<Vec<Node>, Fatal> {
        let mut documents = Vec::new();
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(..) => self.anchors.clear(),
                Event::StreamStart | Event::DocumentEnd | Event::StreamEnd => {}
                event => documents.push(self.node(event, span, 0)?.node),
            }
        }
        Ok(documents)
    }

    fn next(&mut self) -> Result<Next<'text>, Fatal> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok(next)) => Ok(Some(next)),
            Some(Err(error)) => Err(Box::new(self.syntax_error(&error))),
        }
    }

    /// The next event inside of a node; the parser itself reports a text that ends too early.
    fn inside(&mut self, span: ParserSpan) -> Result<(Event<'text>, ParserSpan), Fatal> {
        match self.next()? {
            Some(next) => Ok(next),
            None => Err(self.fatal(span, "the text ends too early", None)),
        }
    }

    fn node(
        &mut self,
        event: Event<'text>,
        span: ParserSpan,
        depth: usize,
    ) -> Result<Built, Fatal> {
        if depth > MAX_DEPTH {
            let message = "lists and maps are nested too deeply";
            return Err(self.fatal(span, message, Some("100 levels are read")));
        }
        let (built, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), span)?, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.no_foreign_tag(tag.as_deref(), "seq", span);
                (self.list(span, depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.no_foreign_tag(tag.as_deref(), "map", span);
                (self.map(span, depth)?, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            _ => return Err(self.fatal(span, "a value is missing", None)),
        };
        if anchor != 0 {
            let (node, depth, weight) = (built.node.clone(), built.depth, built.weight);
            self.anchors.insert(
                anchor,
                Anchored {
                    node,
                    depth,
                    weight,
                },
            );
        }
        Ok(built)
    }

    fn alias(&mut self, anchor: usize, span: ParserSpan, depth: usize) -> Result<Built, Fatal> {
        // An anchor is stored when its node is complete.
        let Some(anchored) = self.anchors.get(&anchor).cloned() else {
            return Err(self.fatal(span, "an alias stands inside of what it names", None));
        };
        let Anchored {
            node,
            depth: own_depth,
            weight,
        } = anchored;
        self.alias_weight += weight;
        if self.alias_weight > MAX_ALIAS_WEIGHT {
            let message = "the aliases of this text grow to more than 16 MiB";
            return Err(self.fatal(
                span,
                message,
                Some("write out what is meant, with fewer aliases of aliases"),
            ));
        }
        if depth + own_depth > MAX_DEPTH {
            let message = "lists and maps are nested too deeply";
            return Err(self.fatal(span, message, Some("100 levels are read")));
        }
        Ok(Built {
            node,
            depth: own_depth,
            weight,
        })
    }

    fn list(&mut self, start: ParserSpan, depth: usize) -> Result<Built, Fatal> {
        let (mut items, mut deepest, mut weight) = (Vec::new(), 0, 64);
        loop {
            let (event, span) = self.inside(start)?;
            if matches!(event, Event::SequenceEnd) {
                let node = self.plain_node(self.between(start, span), Data::List(items));
                return Ok(Built {
                    node,
                    depth: deepest + 1,
                    weight,
                });
            }
            let item = self.node(event, span, depth + 1)?;
            deepest = deepest.max(item.depth);
            weight += item.weight;
            items.push(item.node);
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: ParserSpan,
    ) -> Result<Built, Fatal> {
        let kind = tag.map(|tag| (tag.handle(), tag.suffix()));
        let (data, plain) = match kind {
            None if style == ScalarStyle::Plain => (self.resolve(text, span)?, true),
            None | Some(("", "!")) | Some(("tag:yaml.org,2002:", "str" | "timestamp")) => {
                (Data::Text(text.to_owned()), false)
            }
            Some(("tag:yaml.org,2002:", suffix @ ("int" | "float" | "bool" | "null"))) => {
                let data = self.resolve(text, span)?;
                let fits = match suffix {
                    "int" => matches!(&data, Data::Number(number) if !number.is_f64()),
                    "float" => matches!(data, Data::Number(_)),
                    "bool" => matches!(data, Data::Boolean(_)),
                    _ => matches!(data, Data::Null),
                };
                if !fits {
                    let message = format!("the value is not what its tag !!{suffix} says");
                    self.report(span, message, Some("remove the tag".to_owned()))?;
                }
                (data, false)
            }
            Some(_) => {
                let message = "a tag stands here that has no meaning in values and manifests";
                let help = "remove the tag, the word that begins with !; text that begins with ! needs quotes";
                self.report(span, message.to_owned(), Some(help.to_owned()))?;
                (Data::Text(text.to_owned()), false)
            }
        };
        let weight = 64 + text.len();
        let written =
            (plain && !matches!(data, Data::Text(_))).then(|| text.to_owned().into_boxed_str());
        Ok(Built {
            node: Node {
                span: self.span(span),
                data,
                written,
            },
            depth: 0,
            weight,
        })
    }

    fn resolve(&mut self, text: &str, span: ParserSpan) -> Result<Data, Fatal> {
        match scalar::resolve(text) {
            Ok(data) => Ok(data),
            Err(scalar::NotFinite) => {
                let message = format!("{text} is a number that JSON and Kubernetes cannot write");
                self.report(
                    span,
                    message,
                    Some(format!("for text, put it in quotes: \"{text}\"")),
                )?;
                Ok(Data::Text(text.to_owned()))
            }
        }
    }

    fn no_foreign_tag(&mut self, tag: Option<&Tag>, own: &str, span: ParserSpan) {
        let Some(tag) = tag else { return };
        if (tag.handle(), tag.suffix()) != ("tag:yaml.org,2002:", own) {
            let message = "a tag stands here that has no meaning in values and manifests";
            let help = Some("remove the tag, the word that begins with !".to_owned());
            // Too many errors end the reading at the next one.
            let _ = self.report(span, message.to_owned(), help);
        }
    }

    fn plain_node(&self, span: Span, data: Data) -> Node {
        Node {
            span,
            data,
            written: None,
        }
    }

    fn span(&self, span: ParserSpan) -> Span {
        self.between(span, span)
    }

    fn between(&self, start: ParserSpan, end: ParserSpan) -> Span {
        let start = point(start.start.line(), start.start.col());
        let end = point(end.end.line(), end.end.col());
        Span {
            source: Arc::clone(&self.source),
            start,
            end: end.max(start),
        }
    }

    /// Notes an error that reading can go on after.
    fn report(
        &mut self,
        span: ParserSpan,
        message: String,
        help: Option<String>,
    ) -> Result<(), Fatal> {
        let error = Error {
            span: self.span(span),
            message,
            help,
        };
        if self.errors.len() + 1 >= MAX_ERRORS {
            return Err(Box::new(error));
        }
        self.errors.push(error);
        Ok(())
    }

    fn fatal(&self, span: ParserSpan, message: &str, help: Option<&str>) -> Fatal {
        let help = help.map(str::to_owned);
        Box::new(Error {
            span: self.span(span),
            message: message.to_owned(),
            help,
        })
    }

    fn syntax_error(&self, error: &ScanError) -> Error {
        let end = point(error.marker().line(), error.marker().col());
        let mut start = match error.kind() {
            ErrorKind::UnclosedQuotedScalar
            | ErrorKind::InvalidQuotedScalarIndent
            | ErrorKind::DocumentIndicatorInQuotedScalar => syntax::open_quote(self.text, end),
            _ => end,
        };
        // A line of its own with `key: value` inside of brackets: one was forgotten further up.
        let kind = match (error.kind(), syntax::open_bracket(self.text, end)) {
            (
                ErrorKind::MappingValueNotAllowed
                | ErrorKind::InvalidColonPlacement
                | ErrorKind::InvalidSimpleKey
                | ErrorKind::ExpectedFlowMappingSeparator
                | ErrorKind::ExpectedFlowSequenceSeparator
                | ErrorKind::InvalidFlowScalarIndent,
                Some((bracket, open)),
            ) if bracket.line < end.line => {
                start = bracket;
                ErrorKind::UnclosedFlowCollection { open }
            }
            (kind, _) => kind.clone(),
        };
        let (message, help) = syntax::explain(&kind);
        let span = Span {
            source: Arc::clone(&self.source),
            start,
            end,
        };
        Error {
            span,
            message,
            help: help.map(str::to_owned),
        }
    }
}

pub(super) fn point(line: usize, column_from_0: usize) -> Point {
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Point {
        line: small(line.max(1)),
        column: small(column_from_0).saturating_add(1),
    }
}

//! The parser's errors in words that help, and where what they complain of began. None repeats text of the
//! document.

use std::sync::Arc;

use serde_saphyr::granit_parser::ErrorKind;

use super::{Error, Point, Span, lines, reader::point};

/// What is wrong, and what to do about it.
pub(super) fn explain(kind: &ErrorKind) -> (String, Option<&'static str>) {
    use ErrorKind as K;
    let (message, help) = match kind {
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => ("a tab stands where only spaces may", "indent with spaces"),
        K::UnclosedQuotedScalar
        | K::InvalidQuotedScalarIndent
        | K::DocumentIndicatorInQuotedScalar => (
            "a quote is not closed",
            "end the text with the same quote it began with",
        ),
        K::InvalidTrailingSingleQuotedScalar => (
            "something follows the closing quote",
            "write a quote inside of single quotes twice: 'it''s'",
        ),
        K::InvalidTrailingDoubleQuotedScalar => (
            "something follows the closing quote",
            "write a quote inside of double quotes as \\\"",
        ),
        K::UnknownQuotedScalarEscape
        | K::InvalidQuotedScalarHexEscape
        | K::InvalidUnicodeEscape => (
            "a backslash in double quotes begins no escape that YAML knows",
            "use single quotes, where a backslash is only a backslash, or write it twice",
        ),
        K::UnclosedFlowCollection { open: '{' } | K::UnexpectedEofFlowMapping => {
            ("a { is not closed", "add the missing }")
        }
        K::UnclosedFlowCollection { .. } | K::UnexpectedEofFlowSequence => {
            ("a [ is not closed", "add the missing ]")
        }
        K::ExpectedFlowMappingSeparator => (
            "a , or } is missing",
            "values that hold commas or braces need quotes",
        ),
        K::ExpectedFlowSequenceSeparator => (
            "a , or ] is missing",
            "values that hold commas or brackets need quotes",
        ),
        K::MismatchedFlowCollectionEnd { .. } | K::MisplacedFlowCollectionEnd => (
            "a closing bracket has no opening one",
            "brackets must match; text that begins with a bracket needs quotes",
        ),
        K::UnknownAnchor => (
            "the alias names an anchor that was not set before",
            "set it with &name further up",
        ),
        K::MappingValueNotAllowed | K::InvalidColonPlacement => (
            "a second \": \" stands in one line, or the line is indented too far",
            "put text that holds \": \" in quotes; keys of one map begin in the same column",
        ),
        K::SimpleKeyExpected | K::InvalidSimpleKey | K::ExpectedBlockMappingKey => (
            "a line is neither \"key: value\" nor the rest of the text above",
            "write a space behind the colon; keys of one map begin in the same column",
        ),
        K::BlockSequenceEntryNotAllowed | K::ExpectedBlockSequenceEntry => (
            "a list item stands where none may",
            "put the list on lines of its own below its key; its dashes begin in the same column",
        ),
        K::InvalidIndentation | K::InvalidBlockScalarIndent | K::InvalidFlowScalarIndent => (
            "the indentation does not match the lines above",
            "indent with the same spaces",
        ),
        K::RecursionLimitExceeded => (
            "lists and maps are nested too deeply",
            "100 levels are read",
        ),
        K::UnexpectedCharacter { character } => {
            let message = format!("text without quotes must not begin with {character:?}");
            return (message, Some("put the text in quotes"));
        }
        other => return (format!("not YAML: {other}"), None),
    };
    (message.to_owned(), Some(help))
}

/// Where the quote was opened that is not closed up to a place: in the nearest line above with an odd number of
/// quotes of one kind.
pub(super) fn open_quote(text: &str, end: Point) -> Point {
    let lines: Vec<&str> = lines(text).take(end.line as usize).collect();
    for (number, line) in lines.iter().enumerate().rev() {
        for quote in ['"', '\''] {
            let places = line.chars().enumerate().filter(|(_, c)| *c == quote);
            let places: Vec<usize> = places.map(|(place, _)| place).collect();
            let begins_text = |place: usize| {
                place == 0
                    || line
                        .chars()
                        .nth(place - 1)
                        .is_some_and(|c| matches!(c, ' ' | '[' | '{' | ','))
            };
            if places.len() % 2 == 1
                && let Some(place) = places.into_iter().rev().find(|place| begins_text(*place))
            {
                return point(number + 1, place);
            }
        }
    }
    end
}

/// The innermost bracket that begins a list or map in one line and is still open at a place.
pub(super) fn open_bracket(text: &str, end: Point) -> Option<(Point, char)> {
    let mut open: Vec<(Point, char)> = Vec::new();
    let mut quote: Option<char> = None;
    for (number, line) in lines(text).enumerate().take(end.line as usize) {
        let mut before = ' ';
        for (place, character) in line.chars().enumerate() {
            let here = point(number + 1, place);
            if here >= end {
                return open.pop();
            }
            match (quote, character) {
                (Some(kind), _) if character == kind => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') if matches!(before, ' ' | '[' | '{' | ',') => {
                    quote = Some(character);
                }
                (None, '#') if before == ' ' => break,
                (None, '[' | '{') if matches!(before, ' ' | '[' | '{' | ',') => {
                    open.push((here, character));
                }
                (None, ']' | '}') => {
                    open.pop();
                }
                _ => {}
            }
            before = character;
        }
    }
    open.pop()
}

/// The first character that no YAML text may hold.
pub(super) fn control_character(source: &Arc<str>, text: &str) -> Option<Error> {
    let bad = |c: char| {
        matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}'
            | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    };
    let (offset, character) = text.char_indices().find(|(_, c)| bad(*c))?;
    let before = &text[..offset];
    let line = lines(before).count();
    let column = before
        .chars()
        .rev()
        .take_while(|c| !matches!(c, '\n' | '\r'))
        .count();
    let start = point(line, column);
    let message = format!(
        "the character U+{:04X} must not stand in YAML",
        u32::from(character)
    );
    let help = Some(
        "in double quotes, write it as \\x and two digits; binary data goes into binaryData"
            .to_owned(),
    );
    Some(Error {
        span: Span {
            source: Arc::clone(source),
            start,
            end: start,
        },
        message,
        help,
    })
}

//! The parser's errors in words that help. None repeats text of the document.

use serde_saphyr::granit_parser::ErrorKind;

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

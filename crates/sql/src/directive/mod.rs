//! Directives: `-- forerun:…` comments that tell the engine how to run a migration.
//!
//! They are comments, so that any client can run the file. Since a directive that is overlooked
//! changes what a migration does, everything that was meant as one is either accepted or refused:
//! spacing and letter case do not matter (`--forerun:data`, `-- Forerun: Data`), and an unknown
//! name, wrong arguments, a missing colon or the wrong kind of comment is an error.

mod arguments;

use std::time::Duration;

use thiserror::Error;

use self::arguments::{directive_kind, shortened};
use crate::lexer::{TokenKind, Tokens};
use crate::{Dialect, Position, Statement};

/// One directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Where its comment begins.
    pub position: Position,
    /// What it says.
    pub kind: DirectiveKind,
}

/// What a directive says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectiveKind {
    /// `data`: this is a data migration.
    Data,
    /// `no-transaction`: run statement by statement, without a transaction around them.
    NoTransaction,
    /// `timeout statement=10m lock=2s`: at least one of the two; zero means no limit.
    Timeout {
        /// The longest that one statement may run.
        statement: Option<Duration>,
        /// The longest that one try may wait for a lock.
        lock: Option<Duration>,
    },
    /// `assert "message"`: the next statement must return no rows.
    Assert {
        /// What is wrong if it returns rows.
        message: String,
    },
    /// `contract after=0007 unused-since=2.5.0`: removes what releases before this one use.
    Contract(Contract),
    /// `backfill …`: reserved.
    Backfill {
        /// What follows the name, as written.
        arguments: String,
    },
    /// `allow drop-column "unused since 2.5.0"`: a finding of the linter that is meant to be.
    Allow {
        /// Name of the rule, in kebab-case; whether there is such a rule is not checked here.
        rule: String,
        /// Why it may be; never empty.
        reason: String,
    },
}

/// What must be true before a contract migration may run; without any condition, that everything before it was
/// deployed and completed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Contract {
    /// Versions whose deployment must be completed, as written; empty when it says nothing.
    pub after: Vec<String>,
    /// The first release that does not use what the migration removes, as written.
    pub unused_since: Option<String>,
}

/// A directive that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message} (at {position})")]
pub struct DirectiveError {
    /// Where its comment begins.
    pub position: Position,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// All names, in the order in which messages list them.
const NAMES: [&str; 7] = [
    "data",
    "no-transaction",
    "timeout",
    "assert",
    "contract",
    "backfill",
    "allow",
];

const PREFIX: &str = "forerun";

/// Finds the directives in the white space and comments before a statement (or at the end of a
/// script); `start` is where `leading` begins.
///
/// # Errors
/// The first comment that is meant as a directive but is not one, with what to write instead.
pub fn parse_directives(
    dialect: Dialect,
    leading: &str,
    start: Position,
) -> Result<Vec<Directive>, DirectiveError> {
    let mut directives = Vec::new();
    if !mentions_prefix(leading) {
        return Ok(directives);
    }
    let mut position = start;
    let mut tokens = leading;
    if start.offset == 0
        && let Some(rest) = leading.strip_prefix('\u{feff}')
    {
        position = position.after("\u{feff}".as_bytes());
        tokens = rest;
    }
    for (kind, token) in Tokens::new(dialect, tokens) {
        let fail = |message| DirectiveError { position, message };
        match kind {
            TokenKind::LineComment => {
                if let Some(kind) = line_comment(token).map_err(fail)? {
                    directives.push(Directive { position, kind });
                }
            }
            TokenKind::BlockComment if is_directive_block(token) => {
                return Err(fail(format!(
                    "a directive must be a line comment: write {}",
                    rewritten(token)
                )));
            }
            _ => {}
        }
        position = position.after(token.as_bytes());
    }
    Ok(directives)
}

/// Refuses a statement that holds a directive after its first word, where it would have no effect.
///
/// # Errors
/// Where that directive is, and to move it before the statement.
pub fn refuse_inner_directives(
    dialect: Dialect,
    statement: &Statement,
) -> Result<(), DirectiveError> {
    if !mentions_prefix(&statement.text) {
        return Ok(());
    }
    let mut position = statement.position;
    // MySQL does not take `--forerun:data` as a comment, so it reads as two minus signs.
    let mut minus_signs = 0;
    for (kind, token) in Tokens::new(dialect, &statement.text) {
        let found = match kind {
            TokenKind::LineComment => !matches!(line_comment(token), Ok(None)),
            TokenKind::BlockComment => is_directive_block(token),
            TokenKind::Word => minus_signs == 2 && token.eq_ignore_ascii_case(PREFIX),
            _ => false,
        };
        if found && minus_signs == 2 && kind == TokenKind::Word {
            return Err(DirectiveError {
                position,
                message: "MySQL needs a space after -- for a comment: write -- forerun:…"
                    .to_owned(),
            });
        }
        if found {
            return Err(DirectiveError {
                position,
                message: "a directive inside a statement has no effect: move it to a line before the statement".to_owned(),
            });
        }
        minus_signs = if kind == TokenKind::Symbol && token == "-" {
            minus_signs + 1
        } else {
            0
        };
        position = position.after(token.as_bytes());
    }
    Ok(())
}

/// The quick answer for nearly all texts.
fn mentions_prefix(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'f', b'F', bytes).any(|index| {
        bytes
            .get(index..index + PREFIX.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(PREFIX.as_bytes()))
    })
}

fn is_directive_block(comment: &str) -> bool {
    let inner = comment.trim_start_matches(['/', '*']).trim_start();
    after_prefix(inner).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// A directive in a block comment as the line comment it should be.
fn rewritten(comment: &str) -> String {
    let inner = comment.trim_start_matches(['/', '*']);
    let inner = inner.trim_end_matches(['/', '*']).trim();
    let line = inner.lines().next().unwrap_or_default().trim_end();
    format!("-- {line}")
}

/// What follows the word `forerun` at the start of a text.
fn after_prefix(text: &str) -> Option<&str> {
    let (word, rest) = text.split_at_checked(PREFIX.len())?;
    word.eq_ignore_ascii_case(PREFIX).then_some(rest)
}

/// Reads one line comment, with its `--` or `#`.
fn line_comment(comment: &str) -> Result<Option<DirectiveKind>, String> {
    let inner = comment.trim_start_matches(['-', '#']).trim();
    let Some(rest) = after_prefix(inner) else {
        return Ok(None);
    };
    let Some(directive) = rest.trim_start().strip_prefix(':') else {
        return missing_colon(rest);
    };
    let directive = directive.trim_start();
    let length = directive
        .find(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '='))
        .unwrap_or(directive.len());
    let (name, arguments) = directive
        .split_at_checked(length)
        .unwrap_or((directive, ""));
    directive_kind(&name.to_ascii_lowercase(), arguments.trim()).map(Some)
}

/// `-- forerun data` is meant as a directive; `-- forerun runs this file` is prose.
fn missing_colon(rest: &str) -> Result<Option<DirectiveKind>, String> {
    let mut words = rest.split_whitespace();
    let spaced = rest.starts_with(char::is_whitespace);
    let name = words.next().unwrap_or_default().to_ascii_lowercase();
    let mut arguments = words.take(2).peekable();
    let meant = spaced
        && match name.as_str() {
            "data" | "no-transaction" | "contract" if arguments.peek().is_none() => true,
            _ if NAMES.contains(&name.as_str()) => arguments
                .any(|argument| argument.starts_with(['"', '\'']) || argument.contains('=')),
            _ => false,
        };
    if meant {
        Err(format!(
            "the colon after \"forerun\" is missing: write -- forerun:{}",
            rest.trim()
        ))
    } else {
        Ok(None)
    }
}

fn unknown(name: &str) -> String {
    let list = NAMES.join(", ");
    if name.is_empty() {
        return format!(
            "the name of the directive is missing after \"forerun:\"; the directives are {list}"
        );
    }
    let name = shortened(name);
    let nearest = NAMES
        .iter()
        .map(|known| (edit_distance(&name, known), *known))
        .min()
        .filter(|(distance, known)| *distance * 2 <= known.len().max(2));
    match nearest {
        Some((_, known)) => format!(
            "unknown directive \"{name}\": did you mean \"{known}\"? The directives are {list}"
        ),
        None => format!("unknown directive \"{name}\"; the directives are {list}"),
    }
}

/// Insertions, deletions and replacements that turn one word into the other.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, from) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&other) {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;

//! What follows the name of a directive.

use std::time::Duration;

use super::{Contract, DirectiveKind};
use crate::parse_duration;

/// Name and arguments as what they say.
pub(super) fn directive_kind(name: &str, arguments: &str) -> Result<DirectiveKind, String> {
    match name {
        "data" | "no-transaction" if !arguments.is_empty() => Err(format!(
            "the directive \"{name}\" takes no arguments, but \"{}\" follows it: write -- forerun:{name} and put notes in a comment of their own",
            shortened(arguments)
        )),
        "data" => Ok(DirectiveKind::Data),
        "no-transaction" => Ok(DirectiveKind::NoTransaction),
        "timeout" => timeout(arguments),
        "assert" => assertion(arguments),
        "contract" => contract(arguments).map(DirectiveKind::Contract),
        "backfill" => Ok(DirectiveKind::Backfill {
            arguments: arguments.to_owned(),
        }),
        "allow" => allow(arguments),
        _ => Err(super::unknown(name)),
    }
}

fn timeout(arguments: &str) -> Result<DirectiveKind, String> {
    const FORM: &str = "the form is -- forerun:timeout statement=10m lock=2s (one or both)";
    let mut statement: Option<Duration> = None;
    let mut lock = None;
    for argument in arguments.split_whitespace() {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(format!(
                "\"{}\" is not a timeout: {FORM}",
                shortened(argument)
            ));
        };
        let duration = parse_duration(value)
            .map_err(|error| format!("timeout {}: {error}", shortened(key)))?;
        let slot = match key.to_ascii_lowercase().as_str() {
            "statement" => &mut statement,
            "lock" => &mut lock,
            _ => return Err(format!("unknown timeout \"{}\": {FORM}", shortened(key))),
        };
        if slot.replace(duration).is_some() {
            return Err(format!("timeout {key} is given twice: {FORM}"));
        }
    }
    if statement.is_none() && lock.is_none() {
        return Err(format!("the timeout is missing: {FORM}"));
    }
    Ok(DirectiveKind::Timeout { statement, lock })
}

/// `after=0007,0008 unused-since=2.5.0`, both optional.
fn contract(arguments: &str) -> Result<Contract, String> {
    const FORM: &str = "the form is -- forerun:contract after=0007 unused-since=2.5.0 (both optional; several versions \
                        after after= have a comma and no space between them)";
    let mut after: Option<Vec<String>> = None;
    let mut unused_since: Option<String> = None;
    for argument in arguments.split_whitespace() {
        let Some((key, value)) = argument.split_once('=') else {
            return Err(format!(
                "\"{}\" is not a condition of a contract migration: {FORM}",
                shortened(argument)
            ));
        };
        let twice = match key.to_ascii_lowercase().as_str() {
            "after" => {
                let versions: Vec<String> = value.split(',').map(str::to_owned).collect();
                if is_placeholder(value) {
                    return Err(format!(
                        "\"{}\" stands for a version: write the number of the migration that made unnecessary what this \
                         one takes away; {FORM}",
                        shortened(value)
                    ));
                }
                if versions.iter().any(String::is_empty) {
                    return Err(format!("a version is missing after after=: {FORM}"));
                }
                after.replace(versions).is_some()
            }
            "unused-since" => {
                if is_placeholder(value) {
                    return Err(format!(
                        "\"{}\" stands for the name of a release: write the first one that does not use what this \
                         migration takes away; {FORM}",
                        shortened(value)
                    ));
                }
                if value.is_empty() || value.contains(['"', '\'', ',']) {
                    return Err(format!(
                        "unused-since needs the name of one release, without quotes: {FORM}"
                    ));
                }
                unused_since.replace(value.to_owned()).is_some()
            }
            _ => {
                return Err(format!(
                    "unknown condition \"{}\" of a contract migration: {FORM}",
                    shortened(key)
                ));
            }
        };
        if twice {
            return Err(format!("{key} is given twice: {FORM}"));
        }
    }
    Ok(Contract {
        after: after.unwrap_or_default(),
        unused_since,
    })
}

/// `<release>`, as proposals and manuals have it.
fn is_placeholder(value: &str) -> bool {
    value.contains(['<', '>'])
}

fn assertion(arguments: &str) -> Result<DirectiveKind, String> {
    let message = quoted(
        arguments,
        "the message of the assertion",
        "the form is -- forerun:assert \"no duplicate e-mails\"",
    )?;
    Ok(DirectiveKind::Assert { message })
}

/// `drop-column "unused since 2.5.0"`: rule and reason.
fn allow(arguments: &str) -> Result<DirectiveKind, String> {
    const FORM: &str = "the form is -- forerun:allow bc-drop-column \"unused since 2.5.0\"";
    let length = arguments
        .find(|character: char| character.is_whitespace() || matches!(character, '"' | '\''))
        .unwrap_or(arguments.len());
    let (rule, reason) = arguments
        .split_at_checked(length)
        .unwrap_or((arguments, ""));
    let rule = rule.to_ascii_lowercase();
    if rule.is_empty() {
        return Err(format!("the rule to allow is missing: {FORM}"));
    }
    if !is_kebab_case(&rule) {
        return Err(format!(
            "\"{}\" is not the name of a rule, which is lower-case words with hyphens between them: {FORM}",
            shortened(&rule)
        ));
    }
    let reason = quoted(reason.trim_start(), "the reason", FORM)?;
    Ok(DirectiveKind::Allow { rule, reason })
}

fn is_kebab_case(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// A text in double or single quotes with nothing after it; a backslash keeps the quote after it.
fn quoted(arguments: &str, what: &str, form: &str) -> Result<String, String> {
    let mut characters = arguments.chars();
    let quote = match characters.next() {
        Some(quote @ ('"' | '\'')) => quote,
        None => return Err(format!("{what} is missing: {form}")),
        Some(_) => return Err(format!("{what} must be in quotes: {form}")),
    };
    let mut text = String::new();
    loop {
        match characters.next() {
            None => return Err(format!("the quote is not closed: {form}")),
            Some(character) if character == quote => break,
            Some('\\') => match characters.next() {
                Some(character) if character == quote || character == '\\' => text.push(character),
                Some(character) => text.extend(['\\', character]),
                None => return Err(format!("the quote is not closed: {form}")),
            },
            Some(character) => text.push(character),
        }
    }
    if !characters.as_str().trim().is_empty() {
        return Err(format!(
            "\"{}\" after the closing quote is not understood: {form}",
            shortened(characters.as_str().trim())
        ));
    }
    if text.trim().is_empty() {
        return Err(format!("{what} is empty: {form}"));
    }
    Ok(text)
}

/// As much of a text as fits in a message.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

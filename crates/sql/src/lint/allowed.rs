//! `forerun:allow RULE "reason"`: findings that are meant to be.

use super::finding::{Finding, Replaces};
use super::rule::{Needs, Rule};
use super::{rule, rules};
use crate::{Dialect, DirectiveKind, Position, Statement, parse_directives};

/// The exceptions of one file.
pub(super) struct Allowed {
    list: Vec<Exception>,
}

struct Exception {
    rule: String,
    reason: String,
    position: Position,
    end: Position,
    /// The statement it is for, from 0; `None` for the whole file.
    statement: Option<usize>,
    used: bool,
}

impl Allowed {
    /// Before the first statement one is for the whole file, before another for that statement.
    pub fn of(dialect: Dialect, statements: &[Statement]) -> Self {
        let mut list = Vec::new();
        for (place, statement) in statements.iter().enumerate() {
            // What is wrong with a directive is said where scripts are read.
            let directives =
                parse_directives(dialect, &statement.leading, statement.leading_position);
            for directive in directives.unwrap_or_default() {
                if let DirectiveKind::Allow { rule, reason } = directive.kind {
                    list.push(Exception {
                        rule,
                        reason,
                        end: end_of_line(statement, directive.position),
                        position: directive.position,
                        statement: (place > 0).then_some(place),
                        used: false,
                    });
                }
            }
        }
        Self { list }
    }

    /// The reason for which a finding of this rule at this statement is allowed.
    pub fn take(&mut self, rule: &str, statement: usize) -> Option<String> {
        let mut matching = self.list.iter_mut().filter(|exception| {
            exception.rule == rule && exception.statement.is_none_or(|own| own == statement)
        });
        let exception = matching.next()?;
        exception.used = true;
        Some(exception.reason.clone())
    }

    /// Exceptions for rules that do not exist, and those that nothing needs. Where statements find nothing to do in this
    /// database, they may need one for another.
    pub fn leftovers(self, heard: &[&'static Rule], finding_nothing: &[usize]) -> Vec<Finding> {
        let is_heard = |id: &str| heard.iter().any(|rule| rule.id == id);
        let unused = self.list.into_iter().filter(|exception| !exception.used);
        unused
            .filter_map(|exception| {
                let (rule, message) = match rule(&exception.rule) {
                    // One that is not heard here may still need its exception elsewhere.
                    Some(known)
                        if is_of_elsewhere(known)
                            || !is_heard(known.id)
                            || is_of_nothing(&exception, finding_nothing) =>
                    {
                        return None;
                    }
                    Some(_) => (
                        &rules::unused_allow::RULE,
                        format!(
                            "nothing here is found by `{}`: remove this line",
                            exception.rule
                        ),
                    ),
                    None => (&rules::unknown_rule::RULE, unknown(&exception.rule)),
                };
                is_heard(rule.id).then(|| Finding {
                    rule,
                    severity: rule.severity,
                    statement: 0,
                    start: exception.position,
                    end: exception.end,
                    message,
                    instead: Vec::new(),
                    replaces: Replaces::default(),
                    allowed: None,
                    rewrites: false,
                })
            })
            .collect()
    }
}

/// The end of the line on which a directive before a statement begins.
fn end_of_line(statement: &Statement, position: Position) -> Position {
    let skipped = position
        .offset
        .saturating_sub(statement.leading_position.offset);
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
    let line = statement
        .leading
        .get(skipped..)
        .unwrap_or_default()
        .lines()
        .next();
    position.after(line.unwrap_or_default().trim_end().as_bytes())
}

/// Whether an exception is for a statement that finds nothing to do here.
fn is_of_nothing(exception: &Exception, finding_nothing: &[usize]) -> bool {
    match exception.statement {
        Some(own) => finding_nothing.contains(&own),
        None => !finding_nothing.is_empty(),
    }
}

/// Says that there is no such rule, and which one was probably meant.
pub fn unknown(id: &str) -> String {
    format!("there is no rule `{id}`{}", nearest(id))
}

/// The rule that was probably meant: one that squawk or strong_migrations call so, or one that is written much the same.
fn nearest(id: &str) -> String {
    let is_peer = |rule: &&&Rule| {
        !id.is_empty() && [rule.peers.squawk, rule.peers.strong_migrations].contains(&id)
    };
    let alike = || {
        let rules = rules::ALL.iter().map(|rule| (unlike(rule.id, id), rule));
        let best = rules.min_by_key(|(unlike, _)| *unlike);
        best.filter(|((letters, _), _)| *letters * 3 < id.len() && id.len() > 3)
            .map(|(_, rule)| rule)
    };
    match rules::ALL.iter().find(is_peer).or_else(alike) {
        Some(rule) => format!("; did you mean `{}`?", rule.id),
        None => String::new(),
    }
}

/// How many letters of a rule's name are written otherwise, and then how many are left out at its end. Its family (`pg-`)
/// need not be written.
fn unlike(rule: &str, id: &str) -> (usize, usize) {
    let (_, bare) = rule.split_once('-').unwrap_or(("", rule));
    let of = |name: &str| {
        let distances = distances(id, name);
        let begins = distances.iter().min().copied();
        begins.zip(distances.last().copied()).unwrap_or_default()
    };
    of(rule).min(of(bare))
}

/// How many letters have to be added, left out or changed to make a word of each beginning of the other (Levenshtein).
fn distances(left: &str, right: &str) -> Vec<usize> {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, letter) in left.bytes().enumerate() {
        let mut diagonal = number;
        let mut before = number + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (old, other) in row.iter_mut().skip(1).zip(right.bytes()) {
            let change = diagonal + usize::from(letter != other);
            diagonal = *old;
            before = change.min(before + 1).min(*old + 1);
            *old = before;
        }
    }
    row
}

/// Whether what a rule finds depends on more than the files, so that an exception may be needed another time.
fn is_of_elsewhere(rule: &Rule) -> bool {
    matches!(rule.needs, Needs::Directory | Needs::Server)
}

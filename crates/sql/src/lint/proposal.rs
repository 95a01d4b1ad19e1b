//! What to write instead, and what every such proposal keeps, whichever rule it is of: the other actions of its statement,
//! the exceptions of its file, and the wish by which MySQL and MariaDB refuse what they cannot do at once.

use super::apart::other_actions;
use super::finding::Replaces;
use super::my_remedy::wished;
use super::remedy;
use super::rule::{At, Found, StatementAt};
use crate::operation::operations;
use crate::{Dialect, DirectiveKind, Piece, Splitter, Statement, parse_directives};

/// What to write instead: one migration after the other, in place of a statement or of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Their texts. Empty when there is no general answer.
    pub migrations: Vec<String>,
    /// What they are in place of.
    pub replaces: Replaces,
}

impl Proposal {
    /// In place of the whole file.
    pub fn of_file(migrations: Vec<String>) -> Self {
        Self {
            migrations,
            replaces: Replaces::File,
        }
    }
}

impl From<Vec<String>> for Proposal {
    /// In place of the statement.
    fn from(migrations: Vec<String>) -> Self {
        Self {
            migrations,
            replaces: Replaces::Statement,
        }
    }
}

/// What the statement does besides goes into a migration before, unless the proposal has it.
pub(super) fn keep_other_actions(at: &At<'_>, proposal: &mut Proposal) {
    let alone = at.statement.operations.list.len() < 2;
    if alone || proposal.migrations.is_empty() || proposal.replaces == Replaces::File {
        return;
    }
    let written = plain(&proposal.migrations.join("\n"));
    let is_lost = |action: &str| !written.contains(&plain(action));
    if let Some(others) = other_actions(at, is_lost) {
        proposal.migrations.insert(0, others);
    }
}

/// With single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// On MySQL and MariaDB a statement of a proposal says how it has to be done, where that depends on the table.
pub(super) fn ask_for_algorithm(at: &StatementAt<'_>, proposal: &mut Proposal) {
    let dialect = Dialect::Mysql;
    let alters = |migration: &String| migration.contains("ALTER TABLE");
    if at.schema.dialect() != dialect || !proposal.migrations.iter().any(alters) {
        return;
    }
    let mut schema = at.schema.clone();
    for migration in &mut proposal.migrations {
        let mut asked = Vec::new();
        for statement in statements(migration) {
            let own = operations(dialect, &statement.text);
            let seen = StatementAt {
                text: &statement.text,
                operations: &own,
                schema: &schema,
                ..*at
            };
            let end = statement.position.offset as usize + statement.text.trim_end().len();
            asked.extend(wished(&seen).map(|(_, wish)| (end, wish)));
            for operation in &own.list {
                schema.apply(operation, &statement.text);
            }
        }
        for (end, wish) in asked.into_iter().rev() {
            if migration.is_char_boundary(end) {
                migration.insert_str(end, &format!(", {wish}"));
            }
        }
    }
}

fn statements(text: &str) -> Vec<Statement> {
    let mut splitter = Splitter::new(text.as_bytes(), Dialect::Mysql);
    let mut statements = Vec::new();
    // What is proposed can be split; where a name of the file should be in the way the rest is left as it is.
    while let Ok(Some(piece)) = splitter.next_piece() {
        if let Piece::Statement(statement) = piece {
            statements.push(statement);
        }
    }
    statements
}

/// Each part of a file gets those of the exceptions of the whole file that its statements need.
pub(super) fn keep_exceptions(dialect: Dialect, statements: &[Statement], found: &mut [Found]) {
    let of_file = |found: &Found| found.instead.replaces == Replaces::File;
    let Some(first) = statements.first().filter(|_| found.iter().any(of_file)) else {
        return;
    };
    let directives = parse_directives(dialect, &first.leading, first.leading_position);
    let allowed = directives.unwrap_or_default().into_iter();
    let allowed: Vec<(String, String)> = allowed
        .filter_map(|directive| {
            let line = remedy::line_of(first, &directive)?.to_owned();
            match directive.kind {
                DirectiveKind::Allow { rule, .. } => Some((rule, line)),
                _ => None,
            }
        })
        .collect();
    if allowed.is_empty() {
        return;
    }
    let needed: Vec<(&str, Option<String>)> = found
        .iter()
        .map(|one| {
            let statement = statements.get(one.statement);
            let text = statement.map(|statement| remedy::ended(&statement.text));
            (one.rule.id, text)
        })
        .collect();
    for found in found.iter_mut().filter(|found| of_file(found)) {
        for (place, part) in found.instead.migrations.iter_mut().enumerate() {
            let needs = |rule: &str| {
                needed.iter().any(|(id, text)| {
                    let here = text
                        .as_ref()
                        .map_or(place == 0, |text| part.contains(text.as_str()));
                    *id == rule && here
                })
            };
            let lines: Vec<&str> = allowed
                .iter()
                .filter(|(rule, _)| needs(rule))
                .map(|(_, line)| line.as_str())
                .collect();
            if !lines.is_empty() {
                *part = format!("{}\n{part}", lines.join("\n"));
            }
        }
    }
}

use super::super::lt_remedy::{added, alter, filled_by_trigger, without_default};
use super::prelude::*;
use crate::lexer::{TokenKind, Tokens};

pub(super) static RULE: Rule = Rule {
    id: "lt-nonconstant-default",
    severity: Severity::Error,
    kind: Kind::Data,
    dialects: &[Dialect::Sqlite],
    needs: Needs::File,
    summary: "ADD COLUMN with a default that is computed",
    why: "A new column costs SQLite nothing because the rows that are there are not touched: they have the default that is \
          written once in the schema. So it must be one literal. `CURRENT_TIMESTAMP` and expressions in parentheses are \
          refused as soon as the table has rows: `Cannot add a column with non-constant default`. (In `CREATE TABLE` they \
          are fine.) Add the column without a default, fill the rows that are there, and let a trigger fill new ones, or \
          let the release write the value.",
    examples: &[
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                     INSERT INTO users (email) VALUES ('a@example.org');",
            found: "ALTER TABLE users ADD COLUMN created text DEFAULT CURRENT_TIMESTAMP;",
            instead: &[
                "ALTER TABLE users ADD COLUMN created text;\n\
                 CREATE TRIGGER users_created_default AFTER INSERT ON users WHEN NEW.created IS NULL BEGIN\n  \
                 UPDATE users SET created = CURRENT_TIMESTAMP WHERE rowid = NEW.rowid;\n\
                 END;",
                "-- forerun:data\n\
                 UPDATE users SET created = CURRENT_TIMESTAMP WHERE id BETWEEN 1 AND 10000 AND created IS NULL;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Sqlite,
            before: "CREATE TABLE users (id integer PRIMARY KEY, email text);\n\
                     INSERT INTO users (email) VALUES ('a@example.org');",
            found: "ALTER TABLE users ADD COLUMN days integer DEFAULT (7 * 4);",
            instead: &["ALTER TABLE users ADD COLUMN days integer DEFAULT 28;"],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let Some((table, column)) = added(at) else {
        return;
    };
    let Some(default) = column
        .default
        .as_ref()
        .filter(|default| is_computed(&default.text))
    else {
        return;
    };
    let message = format!(
        "SQLite refuses this when `{}` has rows: `{}` must be one literal to be the default of a new column",
        table.name, default.text
    );
    let instead = match without_default(at, column) {
        Some(text) if !column.not_null => {
            let [trigger, fill] = filled_by_trigger(at, table, &column.name, &default.text);
            vec![
                format!("{}\n{trigger}", alter(table, &format!("ADD COLUMN {text}"))),
                fill,
            ]
        }
        _ => Vec::new(),
    };
    report.add(default.span.clone(), message, instead);
}

/// Whether a default is anything but one literal, with a sign or in parentheses. A word without parentheses is text.
fn is_computed(text: &str) -> bool {
    let tokens = Tokens::new(Dialect::Sqlite, text).filter(|(kind, _)| !kind.is_trivia());
    let mut values = 0;
    let mut after_word = false;
    for (kind, token) in tokens {
        let is_word = kind == TokenKind::Word;
        match kind {
            TokenKind::Literal | TokenKind::Number => values += 1,
            TokenKind::Word => {
                let word = token.to_ascii_lowercase();
                if matches!(
                    word.as_str(),
                    "current_timestamp" | "current_date" | "current_time"
                ) {
                    return true;
                }
                // The letter before a blob.
                values += usize::from(word != "x");
            }
            // A function, when it follows a word.
            TokenKind::Symbol if token == "(" && !after_word => {}
            TokenKind::Symbol if ")+-.".contains(token) => {}
            _ => return true,
        }
        after_word = is_word;
    }
    values > 1
}

#[cfg(test)]
mod tests {
    use super::is_computed;

    #[test]
    fn a_literal_is_not_computed() {
        for text in [
            "1", "-1", "(-1)", "'x'", "('x')", "NULL", "TRUE", "x'00'", "1.5", "abc",
        ] {
            assert!(!is_computed(text), "{text}");
        }
        for text in [
            "CURRENT_TIMESTAMP",
            "(1 + 1)",
            "(random())",
            "(lower('A'))",
            "('a' || 'b')",
            "(date('now'))",
        ] {
            assert!(is_computed(text), "{text}");
        }
    }
}

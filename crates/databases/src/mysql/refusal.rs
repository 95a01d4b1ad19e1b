//! Which errors of a statement that commits by itself say for certain that nothing of it was run.
//!
//! The parser and the check of the user's rights come before anything else. But within a procedure, or a compound
//! statement, the same numbers can come from any statement in it, after others took effect.

use forerun_migrations::database::DatabaseError;
use forerun_sql::Classification;

use super::connection::Connection;
use super::{error, row};

/// Statements that run others.
const OPAQUE: &[&str] = &[
    "BEGIN", "CALL", "CASE", "DECLARE", "DO", "EXECUTE", "FOR", "IF", "LOOP", "REPEAT", "SELECT",
    "WHILE",
];
/// Syntax; no right to the database (`ER_DBACCESS_DENIED_ERROR`, `ER_ACCESS_DENIED_ERROR`), the table, the column, the
/// statement (`ER_SPECIFIC_ACCESS_DENIED_ERROR`), the routine.
const REFUSALS: &[u16] = &[
    error::PARSE_ERROR,
    1044,
    1045,
    error::TABLE_ACCESS_DENIED,
    1143,
    1227,
    error::ROUTINE_ACCESS_DENIED,
];

/// See the trait.
pub(super) async fn refused_unrun(
    connection: &mut Connection,
    statement: &Classification,
    sql: &str,
    error: &DatabaseError,
) -> bool {
    let Some(number) = error::number(error) else {
        return false;
    };
    let verb = statement.verb.to_ascii_uppercase();
    let first = verb.split_whitespace().next().unwrap_or_default();
    if !OPAQUE.contains(&first) {
        return REFUSALS.contains(&number);
    }
    let own = [error::NO_SUCH_ROUTINE, error::ROUTINE_ACCESS_DENIED];
    let Some(called) = called(sql).filter(|_| own.contains(&number)) else {
        return false;
    };
    if called.contains('.') {
        return is_about(&error.message, &called);
    }
    let Ok(Some(found)) = connection.first("SELECT DATABASE()").await else {
        return false;
    };
    is_about(
        &error.message,
        &format!("{}.{called}", row::text(&found, 0)),
    )
}

/// `name` or `schema.name` of the procedure that a `CALL` names, without quotes; `None` of anything else.
fn called(sql: &str) -> Option<String> {
    let rest = sql
        .get(..4)
        .filter(|verb| verb.eq_ignore_ascii_case("call"))
        .and_then(|_| sql.get(4..))?;
    if !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let name = rest.split(['(', ';']).next()?.trim().replace('`', "");
    let plain = |letter: char| letter.is_alphanumeric() || "_$-.".contains(letter);
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Whether the server speaks of this routine: `PROCEDURE shop.fill does not exist`, `execute command denied to user
/// 'ann'@'%' for routine 'shop.fill'`.
fn is_about(message: &str, routine: &str) -> bool {
    let message = message.to_lowercase();
    let routine = routine.to_lowercase();
    message.starts_with(&format!("procedure {routine} "))
        || message.ends_with(&format!("'{routine}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_called_procedure_is_told_from_one_that_it_calls() {
        let name = |sql| called(sql).unwrap_or_default();
        assert_eq!(name("CALL fill(1, 2)"), "fill");
        assert_eq!(name("call `shop`.`fill`"), "shop.fill");
        assert_eq!(name("CALLED fill()"), "");
        assert_eq!(name("/* x */ CALL fill()"), "");
        assert!(is_about("PROCEDURE shop.fill does not exist", "shop.Fill"));
        assert!(!is_about(
            "PROCEDURE shop.fill2 does not exist",
            "shop.fill"
        ));
        assert!(!is_about(
            "PROCEDURE other.fill does not exist",
            "shop.fill"
        ));
        let denied = "execute command denied to user 'a'@'%' for routine 'shop.fill'";
        assert!(is_about(denied, "shop.fill"));
        assert!(!is_about(denied, "fill"));
    }
}

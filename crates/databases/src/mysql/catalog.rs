//! Definitions of objects, to find out after a crash whether a statement took effect.
//!
//! Only what a definition shows can be told: a statement that leaves the definition as it is counts as not
//! done. Such a statement (`ALTER TABLE … FORCE`) can be run again, except where things change places,
//! which would be undone by it; of those nothing is told.

use forerun_migrations::database::{DatabaseError, ErrorKind, Fingerprint};
use forerun_sql::{Classification, LockClass, ObjectKind, ObjectName, TransactionUse};

use super::connect::digest;
use super::connection::Connection;
use super::settings::{NEUTRAL, NeutralGround};
use super::{error, literal, row};

/// Statements that may be run twice: they bring about a state, or change nothing that lasts. (`TRUNCATE`
/// only empties what is empty already; `GRANT` gives what is given already.)
const REPEATABLE: &[&str] = &[
    "ANALYZE",
    "CHECK",
    "CHECKSUM",
    "DEALLOCATE",
    "DESCRIBE",
    "DO",
    "EXPLAIN",
    "FLUSH",
    "GRANT",
    "KILL",
    "LOCK",
    "OPTIMIZE",
    "REPAIR",
    "SELECT",
    "SET",
    "SHOW",
    "TABLE",
    "TRUNCATE",
    "UNLOCK",
    "USE",
    "VALUES",
];
/// Statements whose effect is in the definition of the objects they name.
const DEFINING: &[&str] = &["ALTER", "CREATE", "DROP", "RENAME"];

/// Stands for the definition of an object that is not there.
const ABSENT: &str = "absent";
/// What the server says about an object that is not there: unknown database, table, routine, not a view,
/// trigger, event, not a sequence.
const ABSENT_NUMBERS: &[u16] = &[
    error::UNKNOWN_DATABASE,
    error::NO_SUCH_TABLE,
    error::NO_SUCH_ROUTINE,
    1347,
    1360,
    1539,
    4089,
    4091,
];

/// See the trait.
pub(super) async fn fingerprint(
    connection: &mut Connection,
    statement: &Classification,
    mariadb: bool,
) -> Result<Fingerprint, DatabaseError> {
    let verb = statement.verb.to_ascii_uppercase();
    let first = verb.split_whitespace().next().unwrap_or_default();
    let controls_transaction = !matches!(
        statement.transaction,
        TransactionUse::Inside | TransactionUse::Outside
    );
    if controls_transaction || statement.lock == LockClass::Query || REPEATABLE.contains(&first) {
        return Ok(Fingerprint::Repeatable);
    }
    if !DEFINING.contains(&first) {
        return Ok(Fingerprint::Unknown);
    }
    let Some(questions) = questions(&statement.objects) else {
        return Ok(Fingerprint::Unknown);
    };
    let answers = if mariadb {
        let questions: Vec<String> = questions
            .iter()
            .map(|question| format!("SET STATEMENT {NEUTRAL} FOR {question}"))
            .collect();
        answers(connection, &questions).await
    } else {
        let neutral = NeutralGround::enter(connection).await?;
        let answers = answers(connection, &questions).await;
        neutral.leave(connection).await?;
        answers
    };
    Ok(answers?.map_or(Fingerprint::Unknown, |answers| {
        judge(&verb, &statement.objects, &answers)
    }))
}

/// The fingerprint that the definitions make, one answer for each object but the indexes.
fn judge(verb: &str, objects: &[ObjectName], answers: &[String]) -> Fingerprint {
    let absent = |answer: &String| answer == ABSENT;
    let definition = |text: &str| Fingerprint::Definition(digest(text));
    match verb {
        // Several objects are not dropped at once everywhere: it is done when the last one is gone.
        _ if verb.starts_with("DROP") && answers.len() == objects.len() => {
            definition(if answers.iter().all(absent) {
                "none"
            } else {
                "some"
            })
        }
        // Two tables that change places may be alike.
        "RENAME TABLE" if repeats(objects) || answers.len() % 2 == 1 => Fingerprint::Unknown,
        "RENAME TABLE" => {
            let done = answers
                .chunks(2)
                .all(|pair| absent(&pair[0]) && !absent(&pair[1]));
            definition(if done { "renamed" } else { "not renamed" })
        }
        _ if verb.starts_with("CREATE") && objects.len() == 1 && answers.iter().all(absent) => {
            Fingerprint::Absent(digest(ABSENT))
        }
        // A new name is not taken before, so these are partitions that change places.
        "ALTER TABLE" if answers.len() > 1 && !answers.iter().any(absent) => Fingerprint::Unknown,
        _ => definition(&answers.join("\0")),
    }
}

fn repeats(objects: &[ObjectName]) -> bool {
    objects.iter().enumerate().any(|(index, object)| {
        objects[..index]
            .iter()
            .any(|earlier| earlier.name.eq_ignore_ascii_case(&object.name))
    })
}

/// What to ask the server; `None` when it cannot be asked about one of the objects, or there is none.
fn questions(objects: &[ObjectName]) -> Option<Vec<String>> {
    let has_table = objects
        .iter()
        .any(|object| object.kind == ObjectKind::Table);
    let mut questions = Vec::new();
    for object in objects {
        let what = match object.kind {
            ObjectKind::Table => "TABLE",
            ObjectKind::View => "VIEW",
            ObjectKind::Sequence => "SEQUENCE",
            ObjectKind::Trigger => "TRIGGER",
            ObjectKind::Procedure => "PROCEDURE",
            ObjectKind::Function => "FUNCTION",
            ObjectKind::Event => "EVENT",
            ObjectKind::Package => "PACKAGE",
            ObjectKind::Database | ObjectKind::Schema => "DATABASE",
            // An index is a part of its table's definition.
            ObjectKind::Index if has_table => continue,
            _ => return None,
        };
        let name = literal::identifier(&object.name);
        let qualified = match &object.schema {
            Some(schema) if what != "DATABASE" => format!("{}.{name}", literal::identifier(schema)),
            _ => name,
        };
        questions.push(format!("SHOW CREATE {what} {qualified}"));
    }
    (!questions.is_empty()).then_some(questions)
}

/// The answers; `None` when the server does not tell.
async fn answers(
    connection: &mut Connection,
    questions: &[String],
) -> Result<Option<Vec<String>>, DatabaseError> {
    let mut answers = Vec::new();
    for question in questions {
        let answer = match connection.first(question).await {
            Ok(Some(found)) => {
                // Without the privilege to see it, the definition of a routine is NULL.
                if row::optional_text(&found, 1).is_none() && question.contains("SHOW CREATE P") {
                    return Ok(None);
                }
                let columns: Vec<String> = (0..found.len())
                    .map(|index| row::text(&found, index))
                    .collect();
                without_counter(&columns.join("\n"))
            }
            Ok(None) => ABSENT.to_owned(),
            Err(error)
                if error::number(&error).is_some_and(|number| ABSENT_NUMBERS.contains(&number)) =>
            {
                ABSENT.to_owned()
            }
            Err(error) if error.kind == ErrorKind::Statement => return Ok(None),
            Err(error) => return Err(error),
        };
        answers.push(answer);
    }
    Ok(Some(answers))
}

/// A table definition without ` AUTO_INCREMENT=n`, which every inserted row changes.
fn without_counter(definition: &str) -> String {
    const COUNTER: &str = " AUTO_INCREMENT=";
    // The option stands behind the column list; a comment before it could contain the same words.
    let Some(start) = definition
        .rfind("\n)")
        .and_then(|end| Some(end + definition[end..].find(COUNTER)?))
    else {
        return definition.to_owned();
    };
    let (before, counter) = definition.split_at(start);
    let after =
        counter[COUNTER.len()..].trim_start_matches(|character: char| character.is_ascii_digit());
    format!("{before}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_not_part_of_a_definition() {
        let definition = "CREATE TABLE `t` (\n  `id` int AUTO_INCREMENT COMMENT ' AUTO_INCREMENT=5'\n) ENGINE=InnoDB \
                          AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4";
        assert_eq!(
            without_counter(definition),
            "CREATE TABLE `t` (\n  `id` int AUTO_INCREMENT COMMENT ' AUTO_INCREMENT=5'\n) ENGINE=InnoDB DEFAULT \
             CHARSET=utf8mb4"
        );
        assert_eq!(
            without_counter("CREATE VIEW v AS SELECT 1"),
            "CREATE VIEW v AS SELECT 1"
        );
    }
}

//! Preconditions as queries.
//!
//! Liquibase asks the driver whether a table or view exists, in any case of letters; the queries here ask the catalog
//! the same. With a query that fails, Liquibase does what `onError` says; forerun stops the run, whatever it says.

use forerun_sql::Dialect;

use super::super::super::{Condition, Otherwise};
use super::attributes::word;

/// What happens when a precondition does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaction(pub Otherwise);

impl Default for Reaction {
    fn default() -> Self {
        Self(Otherwise::Fail)
    }
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The first value of a query.
    Query { sql: String, expected: String },
    /// A table or view.
    Object {
        kind: Object,
        schema: Option<String>,
        name: String,
        /// Whether it must be there.
        exists: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    Table,
    View,
}

/// The reaction in `onFail:… onError:…`.
pub(super) fn reaction(text: &str) -> Result<Reaction, String> {
    if let Some(name) = word(text, "onError") {
        otherwise(name)?;
    }
    word(text, "onFail").map_or(Ok(Reaction::default()), otherwise)
}

/// A reaction by its name.
pub(super) fn otherwise(name: &str) -> Result<Reaction, String> {
    let otherwise = match name.to_ascii_uppercase().as_str() {
        "HALT" => Otherwise::Fail,
        "CONTINUE" => Otherwise::Skip,
        "MARK_RAN" => Otherwise::Record,
        "WARN" => Otherwise::Warn,
        _ => {
            return Err(format!(
                "`{name}` is no reaction to a precondition. Write HALT, CONTINUE, MARK_RAN or WARN"
            ));
        }
    };
    Ok(Reaction(otherwise))
}

/// What follows `--precondition-`.
pub(super) fn precondition(text: &str) -> Result<Precondition, String> {
    let (kind, body) = text.split_once(' ').unwrap_or((text.trim_end(), ""));
    let body = body.trim();
    match kind {
        "sql-check" => sql_check(body).ok_or_else(|| {
            "the precondition sql-check needs a result and a query. Write `--precondition-sql-check expectedResult:0 \
             SELECT count(*) FROM …`"
                .to_owned()
        }),
        "table-exists" | "view-exists" => {
            let (key, kind) = match kind {
                "table-exists" => ("table", Object::Table),
                _ => ("view", Object::View),
            };
            let name = name(body, key).ok_or_else(|| {
                format!("the precondition {key}-exists needs a name. Write `--precondition-{key}-exists {key}:<name>`")
            })?;
            Ok(Precondition::Object {
                kind,
                schema: self::name(body, "schema").map(str::to_owned),
                name: name.to_owned(),
                exists: true,
            })
        }
        _ => Err(format!(
            "Liquibase has no precondition `{kind}` for formatted SQL. Write sql-check, table-exists or view-exists"
        )),
    }
}

fn name<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    word(text, key)
}

/// `expectedResult:0 SELECT …`, where the name may be missing and the result be quoted.
fn sql_check(body: &str) -> Option<Precondition> {
    let label = "expectedResult:";
    let rest = match body.split_at_checked(label.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(label) => rest,
        _ => body,
    };
    let quote = rest
        .chars()
        .next()
        .filter(|first| *first == '\'' || *first == '"');
    let (expected, sql) = match quote {
        Some(quote) => {
            let (inside, sql) = rest.get(1..)?.split_once(quote)?;
            (inside, sql.strip_prefix(' ')?)
        }
        None => rest.split_once(' ').filter(|(word, _)| {
            word.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })?,
    };
    (!expected.is_empty()).then(|| Precondition::Query {
        sql: sql.to_owned(),
        expected: expected.to_owned(),
    })
}

impl Precondition {
    /// The query that answers it.
    pub fn condition(&self, dialect: Option<Dialect>, reaction: Reaction, line: u64) -> Condition {
        let (sql, expected) = match self {
            Self::Query { sql, expected } => (sql.clone(), expected.clone()),
            Self::Object {
                kind,
                schema,
                name,
                exists,
            } => (
                object_query(dialect, *kind, schema.as_deref(), name),
                if *exists { "1" } else { "0" }.to_owned(),
            ),
        };
        Condition {
            sql,
            expected,
            otherwise: reaction.0,
            line,
        }
    }
}

fn object_query(
    dialect: Option<Dialect>,
    kind: Object,
    schema: Option<&str>,
    name: &str,
) -> String {
    let name = literal(name);
    let from = if dialect == Some(Dialect::Sqlite) {
        let kind = match kind {
            Object::Table => "table",
            Object::View => "view",
        };
        // A name that is not one of a table here must be quoted as such: `"main".sqlite_master`.
        let schema = schema.map(|schema| format!("\"{}\".", schema.replace('"', "\"\"")));
        format!(
            "{}sqlite_master WHERE type = '{kind}' AND lower(name) = lower({name})",
            schema.unwrap_or_default()
        )
    } else {
        let kind = match kind {
            Object::Table => "tables WHERE table_type <> 'VIEW'",
            Object::View => "views WHERE 1 = 1",
        };
        let schema = match (schema, dialect) {
            (Some(schema), _) => format!("lower({})", literal(schema)),
            (None, Some(Dialect::Mysql)) => "lower(database())".to_owned(),
            (None, _) => "lower(current_schema())".to_owned(),
        };
        format!(
            "information_schema.{kind} AND lower(table_schema) = {schema} AND lower(table_name) = lower({name})"
        )
    };
    format!("SELECT CASE WHEN EXISTS (SELECT 1 FROM {from}) THEN 1 ELSE 0 END")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\\', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(sql: &str, expected: &str) -> Precondition {
        Precondition::Query {
            sql: sql.to_owned(),
            expected: expected.to_owned(),
        }
    }

    #[test]
    fn a_query_has_its_result_before_it() {
        for (text, expected) in [
            ("sql-check expectedResult:0 SELECT count(*) FROM a", "0"),
            (
                "sql-check EXPECTEDRESULT:'x y' SELECT count(*) FROM a",
                "x y",
            ),
            ("sql-check \"1\" SELECT count(*) FROM a", "1"),
            ("sql-check 0 SELECT count(*) FROM a", "0"),
        ] {
            assert_eq!(
                precondition(text),
                Ok(query("SELECT count(*) FROM a", expected)),
                "{text}"
            );
        }
        assert!(precondition("sql-check SELECT").is_err());
        assert!(precondition("sql-check -1 SELECT 1").is_err());
    }

    #[test]
    fn tables_and_views_are_looked_up_in_the_catalog() {
        let sql = |text: &str, dialect| {
            let found = precondition(text).unwrap();
            let condition = found.condition(Some(dialect), Reaction(Otherwise::Record), 7);
            assert_eq!((condition.expected.as_str(), condition.line), ("1", 7));
            assert_eq!(condition.otherwise, Otherwise::Record);
            condition.sql
        };
        let postgres = sql("table-exists table:people", Dialect::Postgres);
        assert!(
            postgres.contains("information_schema.tables") && postgres.contains("current_schema()")
        );
        let mysql = sql("view-exists view:v schema:shop", Dialect::Mysql);
        assert!(mysql.contains("information_schema.views") && mysql.contains("lower('shop')"));
        let sqlite = sql("table-exists table:people", Dialect::Sqlite);
        assert!(sqlite.contains("sqlite_master WHERE type = 'table'"));
        assert!(
            precondition("table-exists people")
                .unwrap_err()
                .contains("needs a name")
        );
    }

    #[test]
    fn reactions_have_names() {
        for (text, expected) in [
            (" onFail:MARK_RAN onError:HALT", Otherwise::Record),
            (" onfail:continue", Otherwise::Skip),
            (" onFail:WARN", Otherwise::Warn),
            ("", Otherwise::Fail),
        ] {
            assert_eq!(reaction(text), Ok(Reaction(expected)), "{text}");
        }
        assert!(reaction("onError:NEVER").unwrap_err().contains("NEVER"));
    }
}

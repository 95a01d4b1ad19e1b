//! Which changesets are meant: contexts, labels and databases, as Liquibase decides it.
//!
//! Contexts: the changeset has an expression, and the run names contexts. Labels: the changeset has labels, and the run
//! names an expression. Without any on the side of the run, all changesets are meant.

use forerun_sql::Dialect;

/// A parenthesis that is never closed, or closes nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Whether an `expression` of a changeset (`test and !slow, qa`) fits the contexts of the run.
pub(super) fn contexts_fit(expression: &str, contexts: &[String]) -> Result<bool, Unbalanced> {
    // A context such as `@test` asks for changesets that have a context.
    let required = contexts.iter().any(|context| context.starts_with('@'));
    let mut alternatives = list(expression).peekable();
    if alternatives.peek().is_none() {
        return Ok(!required);
    }
    any(alternatives, contexts)
}

/// Whether the `labels` of a changeset fit the expression that the run filters by.
pub(super) fn labels_fit(filter: &str, labels: &str) -> Result<bool, Unbalanced> {
    let labels: Vec<String> = list(labels).collect();
    let mut alternatives = list(filter).peekable();
    if alternatives.peek().is_none() {
        return Ok(true);
    }
    any(alternatives, &labels)
}

/// Whether a list of databases (`postgresql, !sqlite`) names that of the run.
///
/// Liquibase tells MySQL and MariaDB apart and forerun reads both as one: a list that means either is met. `Ok(false)`
/// and `Ok(true)` are for both; `Err` names the one of the two that is meant alone.
pub(super) fn dbms_fits(
    names: Option<&str>,
    dialect: Option<Dialect>,
) -> Result<bool, &'static str> {
    let Some(dialect) = dialect else {
        return Ok(true);
    };
    let names: Vec<String> = names.map(|names| list(names).collect()).unwrap_or_default();
    match dialect {
        Dialect::Postgres => Ok(names_fit(&names, "postgresql")),
        Dialect::Sqlite => Ok(names_fit(&names, "sqlite")),
        Dialect::Mysql => match (names_fit(&names, "mysql"), names_fit(&names, "mariadb")) {
            (true, false) => Err("mysql"),
            (false, true) => Err("mariadb"),
            (both, _) => Ok(both),
        },
    }
}

fn names_fit(names: &[String], own: &str) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if names.is_empty() || has("all") {
        return true;
    }
    if has("none") || names.iter().any(|name| name.strip_prefix('!') == Some(own)) {
        return false;
    }
    has(own) || names.iter().all(|name| name.starts_with('!'))
}

/// The parts between commas, in lower case.
pub(super) fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',')
        .map(|part| part.trim().to_lowercase())
        .filter(|part| !part.is_empty())
}

fn any(
    mut alternatives: impl Iterator<Item = String>,
    items: &[String],
) -> Result<bool, Unbalanced> {
    alternatives.try_fold(false, |met, alternative| {
        Ok(met | holds(&alternative, items)?)
    })
}

/// `and` before `or`, `!` or `not` before a name; parentheses from the inside out.
fn holds(expression: &str, items: &[String]) -> Result<bool, Unbalanced> {
    let mut text = expression.trim().to_owned();
    while let Some(close) = text.find(')') {
        let inside = text.get(..close).unwrap_or_default();
        let open = inside.rfind('(').ok_or(Unbalanced)?;
        let inner = inside.get(open + 1..).unwrap_or_default();
        if inner.trim().is_empty() {
            return Err(Unbalanced);
        }
        let value = if plain(inner, items) {
            " :true "
        } else {
            " :false "
        };
        text.replace_range(open..=close, value);
    }
    if text.contains('(') {
        return Err(Unbalanced);
    }
    Ok(plain(&text, items))
}

fn plain(expression: &str, items: &[String]) -> bool {
    words_between(expression, "or").iter().any(|part| {
        words_between(part, "and")
            .iter()
            .all(|name| one(name, items))
    })
}

/// What stands between occurrences of a word.
fn words_between(text: &str, word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for token in text.split_whitespace() {
        if token == word {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            if !part.is_empty() {
                part.push(' ');
            }
            part.push_str(token);
        }
    }
    parts
}

fn one(name: &str, items: &[String]) -> bool {
    let mut name = name.trim();
    match name {
        ":true" => return true,
        ":false" => return false,
        _ => {}
    }
    let mut required = false;
    if let Some(rest) = name.strip_prefix('@') {
        (required, name) = (true, rest.trim_start());
    }
    let negated = name.strip_prefix('!').or_else(|| name.strip_prefix("not "));
    if let Some(rest) = negated {
        name = rest.trim();
    }
    if let Some(rest) = name.strip_prefix('@') {
        (required, name) = (true, rest.trim());
    }
    if items.is_empty() && !required {
        return true;
    }
    let found = match name {
        ":true" => true,
        ":false" => false,
        name => items
            .iter()
            .any(|item| item.strip_prefix('@').map_or(item.as_str(), str::trim) == name),
    };
    found != negated.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(expression: &str, contexts: &str) -> bool {
        let contexts: Vec<String> = list(contexts).collect();
        contexts_fit(expression, &contexts).unwrap()
    }

    #[test]
    fn contexts_are_met_as_liquibase_meets_them() {
        // Each line was compared with Liquibase 4.33.
        for (expression, none, test, qa, prod_test, required) in [
            ("", true, true, true, true, false),
            ("test or qa", true, true, true, true, true),
            ("!test", true, false, true, false, false),
            ("test and (qa or prod)", true, false, false, true, false),
            ("@test", false, true, false, true, true),
            ("test,qa", true, true, true, true, true),
            ("not test", true, false, true, false, false),
        ] {
            assert_eq!(fit(expression, ""), none, "{expression} without contexts");
            assert_eq!(fit(expression, "test"), test, "{expression} with test");
            assert_eq!(fit(expression, "QA"), qa, "{expression} with qa");
            assert_eq!(
                fit(expression, "prod,test"),
                prod_test,
                "{expression} with prod,test"
            );
            assert_eq!(
                fit(expression, "@test"),
                required,
                "{expression} with @test"
            );
        }
    }

    #[test]
    fn labels_are_met_as_liquibase_meets_them() {
        let fit = |filter: &str, labels: &str| labels_fit(filter, labels).unwrap();
        for (filter, both, third, none) in [
            ("", true, true, true),
            ("v1", true, false, true),
            ("!v1", false, true, true),
            ("v1 and v2", true, false, true),
        ] {
            assert_eq!(fit(filter, "v1,v2"), both, "{filter}");
            assert_eq!(fit(filter, "v3"), third, "{filter}");
            assert_eq!(fit(filter, ""), none, "{filter}");
        }
    }

    #[test]
    fn parentheses_have_to_match() {
        for expression in ["(a", "a)", "()", "((a)"] {
            assert_eq!(
                contexts_fit(expression, &["a".to_owned()]),
                Err(Unbalanced),
                "{expression}"
            );
        }
    }

    #[test]
    fn databases_are_named_or_excluded() {
        let fits = |names: &str| dbms_fits(Some(names), Some(Dialect::Postgres));
        for names in ["postgresql", "PostgreSQL, mysql", "!sqlite", "all", ""] {
            assert_eq!(fits(names), Ok(true), "{names}");
        }
        for names in ["mysql", "!postgresql", "none", "!postgresql,mysql"] {
            assert_eq!(fits(names), Ok(false), "{names}");
        }
        assert_eq!(dbms_fits(Some("oracle"), None), Ok(true));
        assert_eq!(dbms_fits(None, Some(Dialect::Sqlite)), Ok(true));
    }

    #[test]
    fn mysql_and_mariadb_are_one_unless_one_is_meant_alone() {
        let fits = |names: &str| dbms_fits(Some(names), Some(Dialect::Mysql));
        assert_eq!(fits("mysql,mariadb"), Ok(true));
        assert_eq!(fits("!sqlite"), Ok(true));
        assert_eq!(fits("postgresql"), Ok(false));
        assert_eq!(fits("mysql"), Err("mysql"));
        assert_eq!(fits("!mysql"), Err("mariadb"));
    }
}

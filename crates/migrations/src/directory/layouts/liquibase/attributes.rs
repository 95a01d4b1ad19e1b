//! The attributes behind `--changeset author:id`, found as Liquibase finds them: the last `name:value` of a line, in
//! any case, wherever it stands.

/// What a changeset says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub run_on_change: bool,
    pub run_always: bool,
    pub outside_transaction: bool,
    pub go_on_after_error: bool,
    pub run_with: Option<String>,
    pub context: Option<String>,
    pub labels: Option<String>,
    pub logical_path: Option<String>,
    pub dbms: Option<String>,
    pub ignore: Option<String>,
    pub splitting: Splitting,
    pub rollback_splitting: Splitting,
}

/// How a text becomes statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splitting {
    /// Whether it does at all.
    pub split: bool,
    /// What ends a statement, where it is not the usual `;`, `GO` or `/`.
    pub delimiter: Option<String>,
    /// Whether comments are left out before that.
    pub strip_comments: bool,
}

impl Default for Splitting {
    fn default() -> Self {
        Self {
            split: true,
            delimiter: None,
            strip_comments: false,
        }
    }
}

/// The attributes in the line of a changeset.
pub(super) fn attributes(line: &str) -> Attributes {
    let is = |name, default| {
        word(line, name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    };
    let context = quoted(line, "contextFilter").filter(|value| !value.is_empty());
    Attributes {
        run_on_change: is("runOnChange", false),
        run_always: is("runAlways", false),
        outside_transaction: !is("runInTransaction", true),
        go_on_after_error: !is("failOnError", true),
        run_with: value(
            line,
            "runWith",
            |byte| is_word(byte) || b"${}".contains(&byte),
            1,
        )
        .map(str::to_owned),
        context: context.or_else(|| quoted(line, "context")),
        labels: quoted(line, "labels"),
        logical_path: logical_path(line),
        dbms: dbms(line).map(str::to_owned),
        ignore: value(line, "ignore", is_word, 0).map(str::to_owned),
        splitting: Splitting {
            // Also found at the end of `rollbackSplitStatements:`, as Liquibase does.
            split: is("splitStatements", true),
            delimiter: delimiter(line, "endDelimiter"),
            strip_comments: is("stripComments", true),
        },
        rollback_splitting: Splitting {
            split: is("rollbackSplitStatements", true),
            delimiter: delimiter(line, "rollbackEndDelimiter"),
            strip_comments: false,
        },
    }
}

/// `logicalFilePath:` in the line of a changeset, or the first one of a file.
pub(super) fn logical_path(line: &str) -> Option<String> {
    value(line, "logicalFilePath", is_visible, 0)
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
}

/// A value of letters, digits and underscores.
pub(super) fn word<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    value(line, name, is_word, 1)
}

/// A value without blanks, or one in double quotes, which are left out.
pub(super) fn quoted(line: &str, name: &str) -> Option<String> {
    let after = places(line, name).next()?;
    if let Some((inside, _)) = after
        .strip_prefix('"')
        .and_then(|rest| rest.split_once('"'))
    {
        return Some(inside.to_owned());
    }
    let end = after.bytes().take_while(|byte| is_visible(*byte)).count();
    after.get(..end).map(|text| without_quotes(text).to_owned())
}

/// `dbms:`, of at least two characters, the first of which may be anything.
pub(super) fn dbms(line: &str) -> Option<&str> {
    places(line, "dbms").find_map(|after| {
        let first = after.chars().next().filter(|first| *first != ',')?;
        let rest = after.get(first.len_utf8()..)?;
        let end = rest
            .bytes()
            .take_while(|byte| is_word(*byte) || b"!,".contains(byte))
            .count();
        (end > 0).then(|| after.get(..first.len_utf8() + end))?
    })
}

/// A value without blanks after a name and a colon that blanks may follow.
pub(super) fn spaced<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    places(line, name).find_map(|after| {
        let after = after.trim_start();
        let end = after.bytes().take_while(|byte| is_visible(*byte)).count();
        after.get(..end).filter(|text| !text.is_empty())
    })
}

/// Without the double quotes around it.
pub(super) fn without_quotes(text: &str) -> &str {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text)
}

fn delimiter(line: &str, name: &str) -> Option<String> {
    let found = places_with_start(line, name).find(|(start, _)| {
        let before = line
            .as_bytes()
            .get(..*start)
            .and_then(|before| before.last());
        !before.is_some_and(|byte| is_word(*byte))
    });
    let (_, after) = found?;
    let end = after.bytes().take_while(|byte| is_visible(*byte)).count();
    after.get(..end).map(str::to_owned)
}

fn value<'a>(
    line: &'a str,
    name: &str,
    belongs: impl Fn(u8) -> bool,
    minimum: usize,
) -> Option<&'a str> {
    places(line, name).find_map(|after| {
        let end = after.bytes().take_while(|byte| belongs(*byte)).count();
        after.get(..end).filter(|text| text.len() >= minimum)
    })
}

/// What stands behind each `name:`, from the last one to the first.
fn places<'a>(line: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    places_with_start(line, name).map(|(_, after)| after)
}

fn places_with_start<'a>(line: &'a str, name: &str) -> impl Iterator<Item = (usize, &'a str)> {
    let bytes = line.as_bytes();
    let colons = memchr::memrchr_iter(b':', bytes);
    colons.filter_map(move |colon| {
        let start = colon.checked_sub(name.len())?;
        let found = bytes.get(start..colon)?;
        found
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| line.get(colon + 1..).map(|after| (start, after)))?
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_visible(byte: u8) -> bool {
    !super::formatted::is_blank(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_wherever_they_stand() {
        let found = attributes(
            "--changeset a:1 RUNONCHANGE:true runAlways:TRUE runInTransaction:false context:\"a, b\" labels:x,y \
             dbms:!mysql,h2 endDelimiter:\\nGO stripComments:false failOnError:false ignore:true \
             logicalFilePath:x/y.sql runWith:psql",
        );
        assert!(found.run_on_change && found.run_always && found.outside_transaction);
        assert!(found.go_on_after_error);
        assert_eq!(found.context.as_deref(), Some("a, b"));
        assert_eq!(found.labels.as_deref(), Some("x,y"));
        assert_eq!(found.dbms.as_deref(), Some("!mysql,h2"));
        assert_eq!(found.ignore.as_deref(), Some("true"));
        assert_eq!(found.logical_path.as_deref(), Some("x/y.sql"));
        assert_eq!(found.run_with.as_deref(), Some("psql"));
        assert_eq!(found.splitting.delimiter.as_deref(), Some("\\nGO"));
        assert!(!found.splitting.strip_comments && found.splitting.split);
    }

    #[test]
    fn without_any_the_usual_ones_hold() {
        let usual = attributes("--changeset a:1");
        assert!(usual.splitting.split && usual.splitting.strip_comments);
        assert_eq!(usual.splitting.delimiter, None);
        assert!(!usual.outside_transaction && !usual.go_on_after_error);
    }

    #[test]
    fn an_attribute_of_the_rollback_is_told_apart_where_liquibase_does() {
        let found =
            attributes("--changeset a:1 rollbackSplitStatements:false rollbackEndDelimiter:@");
        assert!(!found.rollback_splitting.split);
        assert!(!found.splitting.split, "found at its end, as in Liquibase");
        assert_eq!(found.splitting.delimiter, None);
        assert_eq!(found.rollback_splitting.delimiter.as_deref(), Some("@"));
    }

    #[test]
    fn the_last_one_counts_and_a_filter_wins() {
        let found = attributes(
            "--changeset a:1 context:x contextFilter:y labels:a labels:b dbms:h2 dbms:,",
        );
        assert_eq!(found.context.as_deref(), Some("y"));
        assert_eq!(found.labels.as_deref(), Some("b"));
        assert_eq!(found.dbms.as_deref(), Some("h2"));
    }
}

//! Checksums of changesets as Liquibase records them: `9:` (since 4.22) or `8:` (3.5 to 4.21), and an MD5.
//!
//! Facts are of Liquibase 4.33, and the vectors in the tests were made by it. MD5 comes from RustCrypto's `md-5`, the
//! sibling of `sha2`: it is in the tree already, for PostgreSQL's old passwords. It tells whether a file was changed,
//! and protects nothing.

use md5::{Digest, Md5};

/// One SQL change of a changeset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlChange<'a> {
    /// Its SQL with the values of placeholders, without directives. Of a `sqlFile`, the file as it is.
    pub sql: &'a str,
    /// `endDelimiter`, where one is given.
    pub end_delimiter: Option<&'a str>,
    /// `splitStatements`, which is true unless given.
    pub split_statements: bool,
    /// `stripComments`: true in formatted SQL and false elsewhere unless given.
    pub strip_comments: bool,
}

/// What version 9 records for a changeset of these changes: those that are for this database.
pub(crate) fn version_9<'a>(changes: impl IntoIterator<Item = SqlChange<'a>>) -> String {
    changeset(9, changes, |change| {
        let mut hash = Md5::new();
        for part in change.sql.as_bytes().split(|byte| is_blank(*byte)) {
            hash.update(part);
        }
        hash
    })
}

/// What version 8 records for a changeset of these changes: all of them, whatever database they are for.
pub(crate) fn version_8<'a>(changes: impl IntoIterator<Item = SqlChange<'a>>) -> String {
    changeset(8, changes, |change| {
        let mut hash = Md5::new();
        let delimiter = change.end_delimiter.unwrap_or("null");
        let options = format!(
            "{delimiter}:{}:{}:",
            change.split_statements, change.strip_comments
        );
        hash.update(options.as_bytes());
        let words = change.sql.as_bytes().split(|byte| is_blank(*byte));
        for (count, word) in words.filter(|word| !word.is_empty()).enumerate() {
            if count > 0 {
                hash.update(b" ");
            }
            hash.update(word);
        }
        hash
    })
}

fn changeset<'a>(
    version: u8,
    changes: impl IntoIterator<Item = SqlChange<'a>>,
    inner: impl Fn(SqlChange<'a>) -> Md5,
) -> String {
    let mut all = Md5::new();
    for change in changes {
        // Liquibase trims all control characters from the ends of a text.
        let sql = change.sql.trim_matches(|char: char| char <= ' ');
        let sum = inner(SqlChange { sql, ..change });
        all.update(format!("{version}:{}:", crate::directory::hex(&sum.finalize())).as_bytes());
    }
    format!("{version}:{}", crate::directory::hex(&all.finalize()))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(sql: &str) -> SqlChange<'_> {
        SqlChange {
            sql,
            end_delimiter: None,
            split_statements: true,
            strip_comments: true,
        }
    }

    fn of_master(sql: &str) -> SqlChange<'_> {
        SqlChange {
            strip_comments: false,
            ..formatted(sql)
        }
    }

    #[test]
    fn one_tiny_changeset() {
        let changes = [formatted("CREATE TABLE t(a int);")];
        assert_eq!(version_9(changes), "9:ddafd2d6e4c83d819f33523fa0691d9c");
    }

    /// Made by Liquibase 4.33.0: the first by `update`, the second by asking it for version 8.
    #[test]
    fn checksums_are_those_of_liquibase() {
        let ninth = SqlChange {
            end_delimiter: Some("//"),
            strip_comments: false,
            ..formatted("create table people (a int)//\n")
        };
        let unsplit = SqlChange {
            split_statements: false,
            ..formatted("select 'ä'\n;\n")
        };
        let slash = SqlChange {
            end_delimiter: Some("\n/$"),
            ..formatted("select 1\n/\n")
        };
        let simple =
            formatted("create  table\tone (a int);\r\n-- c\ninsert into one values (1);\n");
        for (change, nine, eight) in [
            (
                simple,
                "9:ff113a53dec705b4a5ac369ac0bedafe",
                "8:5c793743bca37c63e650f9e434ea0570",
            ),
            (
                ninth,
                "9:d8f32b39d7929dda9189c8636620f301",
                "8:c761a6a46209a8c29283374bfe9856b0",
            ),
            (
                unsplit,
                "9:5379ef6c9a32d296981a07a3242aad4e",
                "8:30a8e95f6fcd821bab0f8b3d660b1cfb",
            ),
            (
                slash,
                "9:0f1475aa39d5d9c79549b35e24afec03",
                "8:5052c050d234b8725fed2b2ce19a02fd",
            ),
            (
                of_master("select 1;\nselect 2;\n"),
                "9:d0ac68cf3699decff59c77fea078a7a8",
                "8:eee5476b172051e0f61f5d71df8eb1b9",
            ),
        ] {
            assert_eq!(version_9([change]), nine, "{change:?}");
            assert_eq!(version_8([change]), eight, "{change:?}");
        }
    }

    #[test]
    fn version_9_leaves_out_changes_for_another_database() {
        let first = of_master("insert into people values (1);\ninsert into people values (2)");
        let other = of_master("nothing");
        let file = of_master("create table f_${t}(a int);\n");
        assert_eq!(
            version_9([first, file]),
            "9:058d17be7b87c92db813e7f30653299b"
        );
        assert_eq!(
            version_8([first, other, file]),
            "8:b62e8ff66090e648b0b2bcdd78bfedf2"
        );
        assert_eq!(version_9([]), "9:d41d8cd98f00b204e9800998ecf8427e");
    }
}

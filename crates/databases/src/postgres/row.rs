//! Reading the text columns of a row of our own queries.

use forerun_migrations::database::{DatabaseError, ErrorKind};
use tokio_postgres::SimpleQueryRow;

/// A row whose columns are read by position.
#[derive(Clone, Copy)]
pub(super) struct Row<'a>(pub(super) &'a SimpleQueryRow);

impl<'a> Row<'a> {
    /// The first of the rows; none is an error.
    pub(super) fn only(rows: &'a [SimpleQueryRow]) -> Result<Self, DatabaseError> {
        rows.first()
            .map(Self)
            .ok_or_else(|| unexpected("the server sent no row where one was expected"))
    }

    /// A column that may be NULL.
    pub(super) fn optional(self, column: usize) -> Result<Option<&'a str>, DatabaseError> {
        self.0
            .try_get(column)
            .map_err(|error| unexpected(&format!("column {} cannot be read: {error}", column + 1)))
    }

    /// A column that may not.
    pub(super) fn text(self, column: usize) -> Result<&'a str, DatabaseError> {
        self.optional(column)?
            .ok_or_else(|| unexpected(&format!("column `{}` is NULL", self.name(column))))
    }

    /// The same as a new string.
    pub(super) fn string(self, column: usize) -> Result<String, DatabaseError> {
        self.text(column).map(str::to_owned)
    }

    /// A number.
    pub(super) fn number(self, column: usize) -> Result<i64, DatabaseError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| {
            unexpected(&format!(
                "column `{}` is `{text}`, not a number",
                self.name(column)
            ))
        })
    }

    /// A number that may be NULL.
    pub(super) fn optional_number(self, column: usize) -> Result<Option<i64>, DatabaseError> {
        self.optional(column)?
            .map(|_| self.number(column))
            .transpose()
    }

    /// A truth value; NULL is false.
    pub(super) fn flag(self, column: usize) -> Result<bool, DatabaseError> {
        Ok(self.optional(column)? == Some("t"))
    }

    /// All columns.
    pub(super) fn all(self) -> Result<Vec<Option<String>>, DatabaseError> {
        (0..self.0.len())
            .map(|column| Ok(self.optional(column)?.map(str::to_owned)))
            .collect()
    }

    /// A word of a closed list.
    pub(super) fn word<T>(
        self,
        column: usize,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, DatabaseError> {
        let text = self.text(column)?;
        parse(text).ok_or_else(|| {
            unexpected(&format!(
                "column `{}` is `{text}`, a word this version does not know",
                self.name(column)
            ))
        })
    }

    fn name(self, column: usize) -> &'a str {
        self.0
            .columns()
            .get(column)
            .map_or("?", |column| column.name())
    }
}

fn unexpected(message: &str) -> DatabaseError {
    DatabaseError::new(ErrorKind::Unexpected, format!("bookkeeping: {message}"))
        .with_hint("a newer forerun may have written it, or somebody changed it by hand")
}

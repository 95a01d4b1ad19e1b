//! Values of a row. Everything is asked for in the text protocol, so everything arrives as bytes.

use forerun_migrations::database::{DatabaseError, ErrorKind};
use mysql_async::consts::ColumnType;
use mysql_async::{Row, Value};

/// `character_set` of a column that holds bytes and not text (collation `binary`).
const BINARY_COLLATION: u16 = 63;

/// Text of a column, `None` for `NULL`.
pub(super) fn optional_text(row: &Row, index: usize) -> Option<String> {
    match row.as_ref(index)? {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

/// Text of all columns.
pub(super) fn all(row: &Row) -> Vec<Option<String>> {
    (0..row.len())
        .map(|index| optional_text(row, index))
        .collect()
}

/// Text of a column; empty for `NULL`.
pub(super) fn text(row: &Row, index: usize) -> String {
    optional_text(row, index).unwrap_or_default()
}

/// A whole number, `None` for `NULL`.
pub(super) fn optional_number(row: &Row, index: usize) -> Result<Option<i64>, DatabaseError> {
    let Some(text) = optional_text(row, index) else {
        return Ok(None);
    };
    // Sums and time differences come as decimals.
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().map(Some).map_err(|_| {
        DatabaseError::new(
            ErrorKind::Unexpected,
            format!("the server sent `{text}` where a number was expected"),
        )
    })
}

/// A whole number; zero for `NULL`.
pub(super) fn number(row: &Row, index: usize) -> Result<i64, DatabaseError> {
    Ok(optional_number(row, index)?.unwrap_or_default())
}

/// A row as people read it: `id=7, name=x`.
pub(super) fn readable(row: &Row) -> String {
    let columns = row.columns_ref().iter().enumerate().map(|(index, column)| {
        let binary = column.character_set() == BINARY_COLLATION
            && matches!(
                column.column_type(),
                ColumnType::MYSQL_TYPE_STRING
                    | ColumnType::MYSQL_TYPE_VAR_STRING
                    | ColumnType::MYSQL_TYPE_VARCHAR
                    | ColumnType::MYSQL_TYPE_TINY_BLOB
                    | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
                    | ColumnType::MYSQL_TYPE_LONG_BLOB
                    | ColumnType::MYSQL_TYPE_BLOB
                    | ColumnType::MYSQL_TYPE_BIT
                    | ColumnType::MYSQL_TYPE_GEOMETRY
            );
        let value = match row.as_ref(index) {
            Some(Value::Bytes(bytes)) if binary => bytes
                .iter()
                .fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
            _ => optional_text(row, index).unwrap_or_else(|| "NULL".to_owned()),
        };
        format!("{}={value}", column.name_str())
    });
    columns.collect::<Vec<_>>().join(", ")
}

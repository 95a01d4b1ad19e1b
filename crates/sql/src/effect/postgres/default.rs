//! Which defaults differ from row to row.

use crate::operation::Expression;
use crate::schema::Schema;
use crate::{Dialect, ObjectKind, ObjectName};

/// Functions of PostgreSQL that are not volatile and stand in defaults (`pg_proc.provolatile`), and words before a
/// parenthesis that are no functions.
#[rustfmt::skip]
const STEADY: &[&str] = &[
    "abs", "and", "any", "array", "array_fill", "array_length", "ascii", "bit", "bpchar", "btrim", "case",
    "cast", "ceil", "ceiling", "char", "character", "chr", "coalesce", "concat", "concat_ws",
    "current_database", "current_date", "current_role", "current_schema", "current_setting", "current_time",
    "current_timestamp", "current_user", "date_part", "date_trunc", "decimal", "decode", "div", "encode", "exp",
    "extract", "float", "floor", "format", "greatest", "hstore", "in", "inet_client_addr", "interval",
    "json_build_array", "json_build_object", "jsonb_build_array", "jsonb_build_object", "least", "left",
    "length", "localtime", "localtimestamp", "lower", "lpad", "make_date", "make_interval", "make_timestamptz",
    "md5", "mod", "not", "now", "nullif", "numeric", "or", "overlay", "power", "repeat", "replace", "right",
    "round", "row", "rpad", "session_user", "sqrt", "statement_timestamp", "substring", "time", "timestamp",
    "timestamptz", "timetz", "timezone", "to_char", "to_jsonb", "to_timestamp", "transaction_timestamp", "trim",
    "txid_current", "upper", "varbit", "varchar",
];

/// The first function in a default whose result differs from call to call: the server writes the table anew, with a
/// value for each row. A function of one's own is volatile unless its definition says otherwise; one that nobody knows
/// is taken for volatile.
pub(crate) fn volatile_function(default: &Expression, schema: &Schema) -> Option<String> {
    if default.is_constant(Dialect::Postgres) {
        return None;
    }
    let functions = default.functions(Dialect::Postgres);
    functions.into_iter().find(|function| {
        let name = ObjectName {
            kind: ObjectKind::Function,
            schema: None,
            name: function.clone(),
        };
        match schema.definition(&name) {
            Some(definition) => {
                let text = Expression {
                    text: definition.text.clone(),
                    span: 0..0,
                };
                let says = |word| text.names(Dialect::Postgres, word);
                !says("immutable") && !says("stable")
            }
            None => !STEADY.contains(&function.as_str()),
        }
    })
}

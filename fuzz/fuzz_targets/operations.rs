//! Any text as a statement of any dialect: nothing fails, spans lie in the text between characters, and expressions are
//! the text that they span.
#![no_main]

use forerun_sql::Dialect;
use forerun_sql::operation::{ColumnDefinition, OperationKind, operations};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let dialect = match first % 3 {
        0 => Dialect::Postgres,
        1 => Dialect::Mysql,
        _ => Dialect::Sqlite,
    };
    let found = operations(dialect, text);
    for operation in &found.list {
        assert!(text.get(operation.span.clone()).is_some());
        match &operation.kind {
            OperationKind::CreateTable(create) => {
                for one in &create.columns {
                    column(text, one);
                }
            }
            OperationKind::AddColumn { column: one, .. } => column(text, one),
            OperationKind::ModifyColumn { definition, .. } => column(text, definition),
            OperationKind::AddConstraint { constraint, .. } => {
                assert!(text.get(constraint.span.clone()).is_some());
            }
            OperationKind::Opaque { reason } => assert!(!reason.is_empty()),
            _ => {}
        }
    }
    for (_, span) in found.algorithm.iter().chain(&found.lock) {
        assert!(text.get(span.clone()).is_some());
    }
});

fn column(text: &str, column: &ColumnDefinition) {
    assert!(text.get(column.span.clone()).is_some());
    if let Some(default) = &column.default {
        assert_eq!(text.get(default.span.clone()), Some(default.text.as_str()));
    }
    for constraint in &column.constraints {
        assert!(text.get(constraint.span.clone()).is_some());
    }
}

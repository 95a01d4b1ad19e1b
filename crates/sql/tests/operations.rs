//! Properties of operations that hold for every text: nothing panics, and every span lies in the text, between
//! characters, and is the text of the expression that it belongs to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ops::Range;

use forerun_sql::Dialect;
use forerun_sql::operation::{
    ColumnDefinition, Constraint, ConstraintKind, CreateIndex, Expression, OperationKind,
    operations,
};
use proptest::prelude::*;
use proptest::sample::select;

const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite];

/// Words that lead somewhere in one of the parsers, and what may stand between them.
const WORDS: &str = "CREATE ALTER DROP TABLE TABLE INDEX VIEW TYPE DOMAIN TRIGGER FUNCTION SCHEMA TEMP UNIQUE \
    CONCURRENTLY IF NOT EXISTS ON ONLY USING ADD ADD COLUMN COLUMN RENAME TO SET DEFAULT NULL NOT CONSTRAINT CHECK \
    PRIMARY KEY FOREIGN REFERENCES EXCLUDE LIKE INHERITS PARTITION OF BY AS GENERATED ALWAYS IDENTITY STORED COLLATE \
    VALID VALIDATE DATA OWNER ATTACH DETACH MODIFY CHANGE AFTER FIRST ENGINE ALGORITHM LOCK INSERT INTO VALUES UPDATE \
    DELETE FROM WHERE RETURNING MERGE WHEN MATCHED THEN WITH SELECT CASE END COPY TRUNCATE CASCADE VACUUM FULL REINDEX \
    EXPLAIN ANALYZE PRAGMA set_config VALUE ENUM int varchar timestamp double precision serial a b t 'x' 'it''s' \
    \"Q\" \"q\"\"r\" `m` [s] é 1 1.5 $$d$$ E'\\'' ( ( ( ) ) ) , , , . . = - * : ; [ ] { } @ /*c*/ /*!50000 */ -- #";

fn any_statement() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = WORDS.split_whitespace().collect();
    let word = prop_oneof![
        40 => select(words).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => Just("\n".to_owned()),
    ];
    let start = select(
        &[
            "",
            "CREATE TABLE t (",
            "ALTER TABLE t ",
            "CREATE INDEX ",
            "WITH a AS (",
            "ALTER ",
        ][..],
    );
    (start, prop::collection::vec(word, 0..40))
        .prop_map(|(start, words)| format!("{start}{}", words.join(" ")))
}

/// The places of a text.
struct Places<'a>(&'a str);

impl Places<'_> {
    fn span(&self, span: &Range<usize>) {
        assert!(
            self.0.get(span.clone()).is_some(),
            "{span:?} of {:?}",
            self.0
        );
    }

    fn expression(&self, expression: &Expression) {
        assert_eq!(
            self.0.get(expression.span.clone()),
            Some(expression.text.as_str())
        );
    }

    fn constraint(&self, constraint: &Constraint) {
        self.span(&constraint.span);
        if let ConstraintKind::Check { condition } = &constraint.kind {
            self.expression(condition);
        }
    }

    fn column(&self, column: &ColumnDefinition) {
        self.span(&column.span);
        if let Some(data_type) = &column.data_type {
            self.span(&data_type.span);
        }
        column.default.iter().for_each(|one| self.expression(one));
        column
            .generated
            .iter()
            .for_each(|one| self.expression(&one.expression));
        column
            .constraints
            .iter()
            .for_each(|one| self.constraint(one));
    }

    fn index(&self, index: &CreateIndex) {
        let expressions = index.expressions.iter();
        expressions
            .chain(&index.condition)
            .for_each(|one| self.expression(one));
    }

    fn kind(&self, kind: &OperationKind) {
        match kind {
            OperationKind::CreateTable(create) => {
                create.columns.iter().for_each(|one| self.column(one));
                create
                    .constraints
                    .iter()
                    .for_each(|one| self.constraint(one));
                create.indexes.iter().for_each(|one| self.index(one));
            }
            OperationKind::CreateIndex(index) => self.index(index),
            OperationKind::AddColumn { column, .. } => self.column(column),
            OperationKind::ModifyColumn { definition, .. } => self.column(definition),
            OperationKind::AddConstraint { constraint, .. } => self.constraint(constraint),
            OperationKind::ColumnType { to, using, .. } => {
                self.span(&to.span);
                using.iter().for_each(|one| self.expression(one));
            }
            OperationKind::ColumnDefault { default, .. } => {
                default.iter().for_each(|one| self.expression(one));
            }
            OperationKind::Update { condition, .. } | OperationKind::Delete { condition, .. } => {
                condition.iter().for_each(|one| self.expression(one));
            }
            _ => {}
        }
    }
}

fn check(dialect: Dialect, text: &str) {
    let places = Places(text);
    let found = operations(dialect, text);
    // What begins with a word is a statement, and one that is not understood is opaque.
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
    assert!(!begins || !found.list.is_empty(), "{text:?}");
    for operation in &found.list {
        places.span(&operation.span);
        places.kind(&operation.kind);
    }
    for (_, span) in found.algorithm.iter().chain(&found.lock) {
        places.span(span);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn spans_lie_in_the_statement(text in any_statement(), dialect in select(&DIALECTS[..])) {
        check(dialect, &text);
    }

    #[test]
    fn any_text_is_survived(text in any::<String>(), dialect in select(&DIALECTS[..])) {
        check(dialect, &text);
    }
}

/// What nests deeply, or goes on for long, does not overflow the stack.
#[test]
fn deep_and_long_statements_are_survived() {
    const TIMES: usize = 20_000;
    for part in [
        "(",
        "[",
        "CASE ",
        "WITH a AS (",
        "WITH a AS (DELETE FROM t WHERE (",
        "SELECT set_config('a', ",
        "EXPLAIN ANALYZE ",
        "CREATE TABLE t (",
        "CREATE TABLE t (a int DEFAULT (",
        "ALTER TABLE t ADD CHECK (",
        "DROP TABLE t, ",
        "CREATE INDEX i ON t (a, (",
        "MERGE INTO t USING s ON a WHEN MATCHED THEN ",
    ] {
        let (verb, rest) = part.split_once("t ").unwrap_or((part, part));
        for text in [
            part.repeat(TIMES),
            format!("{verb}t {}", rest.repeat(TIMES)),
        ] {
            for dialect in DIALECTS {
                check(dialect, &text);
            }
        }
    }
}

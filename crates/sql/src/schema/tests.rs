use super::*;

fn name(text: &str) -> ObjectName {
    let (schema, name) = match text.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name),
        None => (None, text),
    };
    ObjectName {
        kind: ObjectKind::Table,
        schema,
        name: name.to_owned(),
    }
}

fn folded(dialect: Dialect, statements: &[&str]) -> Schema {
    let mut schema = Schema::new(dialect);
    for (number, text) in statements.iter().enumerate() {
        schema.begin_file(number);
        for operation in &crate::operation::operations(dialect, text).list {
            schema.apply(operation, text);
        }
    }
    schema
}

#[test]
fn a_column_keeps_what_the_last_statement_said_of_it() {
    let schema = folded(
        Dialect::Postgres,
        &[
            "CREATE TABLE users (id bigint PRIMARY KEY, email text)",
            "ALTER TABLE users ADD COLUMN age integer DEFAULT 0, ALTER COLUMN email SET NOT NULL",
            "ALTER TABLE public.users RENAME COLUMN email TO address",
            "ALTER TABLE users ALTER COLUMN age TYPE bigint",
        ],
    );
    let users = schema.table(&name("public.users")).unwrap();
    assert_eq!(users.made_in, 0);
    let age = users.column(Dialect::Postgres, "age").unwrap();
    assert_eq!(
        (
            age.made_in,
            age.definition.data_type.as_ref().unwrap().name.as_str()
        ),
        (1, "bigint")
    );
    assert_eq!(users.is_nullable(Dialect::Postgres, "address"), Some(false));
    assert_eq!(users.is_nullable(Dialect::Postgres, "id"), Some(false));
    assert_eq!(users.is_nullable(Dialect::Postgres, "age"), Some(true));
    assert!(users.column(Dialect::Postgres, "email").is_none());
}

#[test]
fn indexes_and_constraints_go_with_their_columns() {
    let schema = folded(
        Dialect::Postgres,
        &[
            "CREATE TABLE t (a int, b int, CONSTRAINT b_positive CHECK (b > 0), CONSTRAINT b_once UNIQUE (b))",
            "CREATE INDEX t_a_b ON t (a, b)",
            "ALTER TABLE t RENAME CONSTRAINT b_once TO b_unique",
            "ALTER TABLE t DROP COLUMN b",
        ],
    );
    let table = schema.table(&name("t")).unwrap();
    assert!(table.indexes.is_empty());
    assert!(table.constraints.is_empty());
}

#[test]
fn names_are_compared_as_the_server_does() {
    let postgres = folded(Dialect::Postgres, &["CREATE TABLE \"Users\" (id int)"]);
    assert!(postgres.table(&name("users")).is_none());
    let sqlite = folded(Dialect::Sqlite, &["CREATE TABLE Users (Id integer)"]);
    assert!(sqlite.column(&name("main.users"), "ID").is_some());
}

#[test]
fn renaming_a_table_keeps_its_file() {
    let schema = folded(
        Dialect::Postgres,
        &[
            "CREATE TABLE a (id int)",
            "ALTER TABLE a RENAME TO b",
            "DROP TABLE IF EXISTS c",
        ],
    );
    assert_eq!(schema.table(&name("b")).unwrap().made_in, 0);
    assert!(schema.table(&name("a")).is_none());
}

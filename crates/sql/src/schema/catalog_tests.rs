use super::*;
use crate::operation::{ConstraintKind, operations};

fn name(text: &str) -> ObjectName {
    named(ObjectKind::Table, text)
}

fn named(kind: ObjectKind, text: &str) -> ObjectName {
    let (schema, name) = match text.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name),
        None => (None, text),
    };
    ObjectName {
        kind,
        schema,
        name: name.to_owned(),
    }
}

fn catalog(path: &[&str], complete: bool, objects: &[&str]) -> Catalog {
    Catalog {
        search_path: path.iter().map(|&schema| schema.to_owned()).collect(),
        objects: objects
            .iter()
            .map(|&text| CatalogObject::new(text).with_rows(Some(7)))
            .collect(),
        complete,
    }
}

fn apply(schema: &mut Schema, file: usize, statements: &[&str]) {
    schema.begin_file(file);
    for text in statements {
        for operation in operations(schema.dialect(), text).list {
            schema.apply(&operation, text);
        }
    }
}

fn replaced(dialect: Dialect, folded: &[&str], catalog: &Catalog) -> Schema {
    let mut schema = Schema::new(dialect);
    apply(&mut schema, 1, folded);
    schema.replace(catalog, |_, _| {});
    schema
}

#[test]
fn what_the_database_says_counts() {
    let schema = replaced(
        Dialect::Postgres,
        &[
            "CREATE TABLE t (a varchar(10), gone int)",
            "CREATE TABLE dropped (a int)",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'",
        ],
        &catalog(
            &["public"],
            true,
            &[
                "CREATE TABLE t (a character varying(100) DEFAULT 'x'::character varying NOT NULL, b integer, \
                 CONSTRAINT b_there CHECK ((b IS NOT NULL)) NOT VALID)",
                "CREATE INDEX t_b ON t (b)",
            ],
        ),
    );
    let table = schema.table(&name("t")).unwrap();
    let a = &table.column(Dialect::Postgres, "a").unwrap().definition;
    let data_type = a.data_type.as_ref().unwrap();
    assert_eq!(
        (data_type.name.as_str(), data_type.number(0)),
        ("varchar", Some(100))
    );
    assert_eq!(table.is_nullable(Dialect::Postgres, "a"), Some(false));
    assert!(table.column(Dialect::Postgres, "gone").is_none());
    assert!(table.has_index_on(Dialect::Postgres, &["b".to_owned()]));
    let check = table.constraint(Dialect::Postgres, "b_there").unwrap();
    assert!(check.not_valid && matches!(check.kind, ConstraintKind::Check { .. }));
    assert_eq!((table.made_in, table.rows), (0, Some(7)));
    assert!(schema.table(&name("dropped")).is_none());
    // The catalog says nothing of functions.
    let function = named(ObjectKind::Function, "f");
    assert!(schema.definition(&function).is_some());
}

#[test]
fn who_does_not_see_all_takes_nothing_away() {
    let schema = replaced(
        Dialect::Mysql,
        &["CREATE TABLE hidden (a int)", "CREATE TABLE t (a int)"],
        &catalog(&["Shop"], false, &["CREATE TABLE t (a bigint)"]),
    );
    assert!(schema.table(&name("hidden")).is_some());
    let of_t = schema.column(&name("SHOP.T"), "A").unwrap();
    assert_eq!(of_t.definition.data_type.as_ref().unwrap().name, "bigint");
}

#[test]
fn names_are_looked_for_along_the_search_path() {
    let objects = [
        "CREATE TABLE orders (a int)",
        "CREATE TABLE public.orders (b int)",
        "CREATE TABLE public.users (c int)",
        "CREATE TABLE audit.events (d int)",
        "CREATE TABLE one.tenant (e int)",
        "CREATE TABLE two.tenant (f int)",
    ];
    let folded = ["CREATE TABLE tenant (g int)"];
    let mut schema = replaced(
        Dialect::Postgres,
        &folded,
        &catalog(&["app", "public"], true, &objects),
    );
    let has =
        |schema: &Schema, table: &str, column: &str| schema.column(&name(table), column).is_some();
    for (table, column) in [
        ("orders", "a"),
        ("app.orders", "a"),
        ("public.orders", "b"),
        ("users", "c"),
        // A script may set the path itself: there is only one.
        ("events", "d"),
        ("one.tenant", "e"),
        // Which of the two it is nobody knows: what the files say counts.
        ("tenant", "g"),
    ] {
        assert!(has(&schema, table, column), "{table}.{column}");
    }
    assert!(schema.same_name(&name("users"), &name("public.users")));
    // What is made without a schema is made in the first.
    apply(&mut schema, 2, &["CREATE TABLE users (z int)"]);
    assert!(has(&schema, "app.users", "z") && has(&schema, "public.users", "c"));
}

#[test]
fn a_view_keeps_the_text_of_its_file() {
    let sketch = |text: &str| CatalogObject {
        sketch: true,
        ..CatalogObject::new(text)
    };
    let mut told = catalog(&["public"], true, &["CREATE TABLE t (a int)"]);
    told.objects
        .push(sketch("CREATE VIEW v AS SELECT a FROM t"));
    told.objects
        .push(sketch("CREATE VIEW w AS SELECT a FROM t"));
    let written = "CREATE VIEW v AS SELECT a + 1 AS b FROM t";
    let folded = [written, "CREATE VIEW gone AS SELECT 1"];
    let schema = replaced(Dialect::Postgres, &folded, &told);
    let view = |text: &str| schema.definition(&named(ObjectKind::View, text));
    assert_eq!(view("v").unwrap().text, written);
    assert!(!view("v").unwrap().sketch && view("w").unwrap().sketch);
    assert!(view("gone").is_none());
}

#[test]
fn partitions_count_for_their_table() {
    let mut told = catalog(
        &["public"],
        true,
        &[
            "CREATE TABLE p (a int) PARTITION BY LIST (a)",
            "CREATE TABLE p1 (a int)",
            "CREATE TABLE p2 (a int)",
            "CREATE TABLE empty (a int)",
            "CREATE TABLE p3 (a int) PARTITION BY LIST (a)",
            "CREATE TABLE p4 (a int)",
            "ALTER TABLE p ATTACH PARTITION p1 DEFAULT",
            "ALTER TABLE p ATTACH PARTITION p2 DEFAULT",
            "ALTER TABLE p ATTACH PARTITION p3 DEFAULT",
            "ALTER TABLE p3 ATTACH PARTITION p4 DEFAULT",
        ],
    );
    told.objects[0].rows = None;
    told.objects[4].rows = None;
    told.objects[3] = told.objects[3].clone().with_rows(Some(0));
    let mut schema = replaced(Dialect::Postgres, &[], &told);
    let rows = |schema: &Schema, table: &str| schema.estimated_rows(&name(table));
    assert_eq!(
        (rows(&schema, "p"), rows(&schema, "p1")),
        (Some(21), Some(7))
    );
    assert_eq!(rows(&schema, "p3"), Some(7));
    // That the server thinks of none is no proof.
    assert_eq!(
        (rows(&schema, "empty"), rows(&schema, "unknown")),
        (None, None)
    );
    // What no server takes is not followed without end.
    let nonsense = ["ALTER TABLE p3 ATTACH PARTITION p3 DEFAULT"];
    apply(&mut schema, 2, &nonsense);
    let _ = rows(&schema, "p3");
}

#[test]
fn what_files_alone_know_stays_with_its_table() {
    let schema = replaced(
        Dialect::Mysql,
        &["CREATE TABLE t (a int)", "ALTER TABLE t ADD COLUMN b int"],
        &catalog(&["x"], false, &["CREATE TABLE t (a int, b int)"]),
    );
    assert_eq!(schema.table(&name("t")).unwrap().column_changes, 1);
}

#[test]
fn an_index_is_in_the_schema_of_its_table() {
    let objects = [
        "CREATE TABLE t1.users (a text)",
        "CREATE TABLE t2.users (a text)",
        "CREATE TABLE public.orders (a text)",
        "CREATE TABLE logs (a text)",
        "CREATE INDEX i ON t1.users (a)",
        "CREATE INDEX i ON t2.users (a)",
        "CREATE INDEX i ON public.orders (a)",
        "CREATE INDEX j ON t1.users (a)",
        "CREATE INDEX j ON t2.users (a)",
        "CREATE INDEX k ON t2.users (a)",
    ];
    let told = catalog(&["app", "public"], true, &objects);
    let mut schema = replaced(Dialect::Postgres, &[], &told);
    let table_of = |schema: &Schema, index: &str| {
        let table = schema.table_of_index(&named(ObjectKind::Index, index))?;
        Some(format!(
            "{}.{}",
            table.schema.unwrap_or_default(),
            table.name
        ))
    };
    for (index, table) in [
        ("t1.i", Some("t1.users")),
        ("t2.i", Some("t2.users")),
        ("public.i", Some("public.orders")),
        ("i", Some("public.orders")),
        ("app.i", None),
        // Which of the two it is nobody knows.
        ("j", None),
        ("k", Some("t2.users")),
    ] {
        assert_eq!(table_of(&schema, index).as_deref(), table, "{index}");
    }
    apply(
        &mut schema,
        2,
        &["ALTER INDEX t2.j RENAME TO l", "DROP INDEX t2.i"],
    );
    assert_eq!(table_of(&schema, "t1.i").as_deref(), Some("t1.users"));
    assert_eq!(table_of(&schema, "j").as_deref(), Some("t1.users"));
    assert_eq!(table_of(&schema, "l").as_deref(), Some("t2.users"));
    assert_eq!(table_of(&schema, "t2.i"), None);
    // MySQL names the table.
    let made = [
        "CREATE TABLE t (a int, KEY i (a))",
        "CREATE TABLE u (a int, KEY i (a))",
    ];
    let mut schema = replaced(Dialect::Mysql, &[], &catalog(&["x"], true, &made));
    apply(&mut schema, 2, &["DROP INDEX i ON t"]);
    let has = |table: &str| {
        schema
            .table(&name(table))
            .unwrap()
            .index(Dialect::Mysql, "I")
            .is_some()
    };
    assert!(!has("t") && has("u"));
}

#[test]
fn a_type_is_one_of_its_schema() {
    let objects = [
        "CREATE TABLE a (m mood)",
        "CREATE TABLE b (m t1.mood)",
        "CREATE TABLE c (m t2.mood)",
    ];
    let told = catalog(&["public"], true, &objects);
    let schema = replaced(Dialect::Postgres, &[], &told);
    let tables = |text: &str| {
        let data_type = named(ObjectKind::Type, text);
        let columns = schema.columns_of_type(&data_type);
        columns.map(|(table, _)| table.name).collect::<String>()
    };
    for (data_type, found) in [("mood", "a"), ("public.mood", "a"), ("t1.mood", "b")] {
        assert_eq!(tables(data_type), found, "{data_type}");
    }
}

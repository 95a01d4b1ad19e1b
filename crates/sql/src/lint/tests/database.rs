//! Judged with what a database says of itself.

use super::{judge, script};
use crate::Dialect::{self, Mysql, Postgres, Sqlite};
use crate::lint::{Finding, Linter, Settings};
use crate::schema::{Catalog, CatalogObject};

fn linter(dialect: Dialect, objects: &[&str]) -> Linter {
    let mut linter = Linter::new(dialect, Settings::default());
    linter.look_at(&Catalog {
        search_path: Vec::new(),
        objects: objects
            .iter()
            .map(|&text| CatalogObject::new(text).with_rows(Some(12_345_678)))
            .collect(),
        complete: true,
    });
    linter
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.id).collect()
}

fn found(dialect: Dialect, objects: &[&str], text: &str) -> Vec<&'static str> {
    rules(&judge(&mut linter(dialect, objects), dialect, text))
}

const CUSTOMERS: &str = "CREATE TABLE customers (id bigint NOT NULL, name character varying(20), email text, \
     CONSTRAINT customers_pkey PRIMARY KEY (id), CONSTRAINT there CHECK ((email IS NOT NULL)))";

#[test]
fn the_types_of_the_database_decide() {
    let change = "ALTER TABLE customers ALTER COLUMN name TYPE varchar(50);";
    let narrow = [CUSTOMERS];
    let wide = CUSTOMERS.replace("(20)", "(100)");
    assert!(!found(Postgres, &narrow, change).contains(&"pg-alter-type"));
    assert!(found(Postgres, &[&wide], change).contains(&"pg-alter-type"));
    let numbers = ["CREATE TABLE `t` (`a` int(11), `b` varchar(20)) ENGINE=InnoDB"];
    assert!(!found(Mysql, &numbers, "ALTER TABLE t MODIFY b varchar(30);").contains(&"my-copy"));
    assert!(found(Mysql, &numbers, "ALTER TABLE t MODIFY a bigint;").contains(&"my-copy"));
}

#[test]
fn a_valid_check_of_the_database_spares_the_scan() {
    let change = "ALTER TABLE customers ALTER COLUMN email SET NOT NULL;";
    let open = CUSTOMERS.replace("NULL)))", "NULL)) NOT VALID)");
    assert!(!found(Postgres, &[CUSTOMERS], change).contains(&"pg-set-not-null"));
    assert!(found(Postgres, &[&open], change).contains(&"pg-set-not-null"));
}

/// The server spells what a script wrote; what a script wrote after that is as it is written.
#[test]
fn a_computed_default_of_the_database_is_not_compared() {
    let table = "CREATE TABLE t (a timestamp with time zone DEFAULT (now() + '1 day'::interval), \
                 b integer DEFAULT 1)";
    let mut linter = linter(Postgres, &[table]);
    let mut found = |text| rules(&judge(&mut linter, Postgres, text));
    let rule = "bc-change-default";
    assert!(!found("ALTER TABLE t ALTER a SET DEFAULT now() + '1 day';").contains(&rule));
    assert!(found("ALTER TABLE t ALTER a SET DEFAULT now();").contains(&rule));
    assert!(!found("ALTER TABLE t ALTER b SET DEFAULT 1;").contains(&rule));
    assert!(found("ALTER TABLE t ALTER b SET DEFAULT 2;").contains(&rule));
}

#[test]
fn findings_say_how_large_the_table_is() {
    let text = "CREATE INDEX i ON customers (name);\nUPDATE customers SET name = 'x';\n\
                ALTER TABLE customers DROP COLUMN name;";
    let findings = judge(&mut linter(Postgres, &[CUSTOMERS]), Postgres, text);
    for finding in findings {
        let expected = matches!(finding.rule.id, "pg-index-concurrently" | "pg-mass-dml");
        let size = "; `customers` has about 12 million rows by the server's estimate";
        assert!(!expected || finding.message.ends_with(size), "{finding:?}");
        assert!(
            finding.rule.id != "bc-drop-column" || !finding.message.contains("12 million"),
            "{finding:?}"
        );
    }
    // Nothing is said where the server knows nothing.
    let mut unknown = linter(Postgres, &[]);
    unknown.learn(&script(
        Postgres,
        "CREATE TABLE customers (id bigint, name text);",
    ));
    let findings = judge(&mut unknown, Postgres, text);
    assert!(findings.iter().all(|one| !one.message.contains("estimate")));
}

#[test]
fn the_size_is_that_of_the_table_that_is_changed() {
    let mut linter = Linter::new(Postgres, Settings::default());
    let sized = |text: &str, rows| CatalogObject::new(text).with_rows(Some(rows));
    linter.look_at(&Catalog {
        objects: vec![
            sized("CREATE TABLE customers (id bigint PRIMARY KEY)", 45_000),
            sized("CREATE TABLE orders (customer_id bigint)", 170),
        ],
        complete: true,
        ..Catalog::default()
    });
    let text = "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;";
    let findings = judge(&mut linter, Postgres, text);
    let mut keys = findings
        .iter()
        .filter(|one| one.rule.id == "pg-fk-not-valid");
    let message = &keys.next().unwrap().message;
    assert!(message.contains("`orders` has about 170 rows"), "{message}");
}

#[test]
fn what_the_database_does_not_have_is_dropped_in_peace() {
    let mut linter = linter(Sqlite, &["CREATE TABLE other (id integer)"]);
    linter.learn(&script(Sqlite, "SELECT 1;"));
    let drop = "DROP TABLE IF EXISTS gone;\nDROP TABLE IF EXISTS other;";
    let findings = judge(&mut linter, Sqlite, drop);
    assert!(rules(&findings).contains(&"bc-drop-table"));
    assert!(findings.iter().all(|finding| finding.statement == 2));
}

#[test]
fn what_the_database_may_have_is_not_dropped_in_peace() {
    let drops = |linter: &mut Linter, dialect, text: &str| {
        linter.learn(&script(dialect, "SELECT 1;"));
        let found = rules(&judge(linter, dialect, text));
        found.contains(&"bc-drop-table")
    };
    // Which of the two a search path means nobody knows.
    let two = [
        "CREATE TABLE a.users (id int)",
        "CREATE TABLE b.users (id int)",
    ];
    for (name, dropped) in [
        ("users", true),
        ("a.users", true),
        ("c.users", false),
        ("gone", false),
    ] {
        let text = format!("SET search_path TO a;\nDROP TABLE IF EXISTS {name};");
        let found = drops(&mut linter(Postgres, &two), Postgres, &text);
        assert_eq!(found, dropped, "{name}");
    }
    // Only one database was asked, and not all of it may have been shown.
    let shop = |complete| {
        let mut linter = Linter::new(Mysql, Settings::default());
        linter.look_at(&Catalog {
            search_path: vec!["shop".to_owned()],
            complete,
            ..Catalog::default()
        });
        linter
    };
    for (complete, name, dropped) in [
        (true, "other.t", true),
        (true, "shop.t", false),
        (true, "t", false),
        (false, "t", true),
    ] {
        let text = format!("DROP TABLE IF EXISTS {name};");
        assert_eq!(drops(&mut shop(complete), Mysql, &text), dropped, "{name}");
    }
}

#[test]
fn indexes_of_one_name_are_told_apart() {
    let live = [
        "CREATE TABLE t1.users (email text, name varchar(20))",
        "CREATE TABLE t2.users (email text, name varchar(20))",
        "CREATE TABLE orders (name text)",
        "CREATE INDEX users_name ON orders (name)",
        "CREATE INDEX users_name ON t1.users (name) WHERE name <> ''",
        "CREATE INDEX users_name ON t2.users (name) WHERE name <> ''",
    ];
    let findings = judge(
        &mut linter(Postgres, &live),
        Postgres,
        "DROP INDEX t1.users_name;",
    );
    assert!(
        findings.iter().any(|one| one.message.contains("`users`")),
        "{findings:?}"
    );
    let text = "DROP INDEX CONCURRENTLY t2.users_name;\nALTER TABLE t1.users ALTER COLUMN name TYPE varchar(50);";
    assert!(found(Postgres, &live, text).contains(&"pg-alter-type"));
}

#[test]
fn an_index_on_an_expression_is_one_of_its_columns() {
    let change = "ALTER TABLE customers ALTER COLUMN name TYPE varchar(50);";
    for (index, is_built) in [
        ("(lower(email))", false),
        ("((email))", false),
        ("(lower(name))", true),
        ("(id, (email || name))", true),
        ("(name, lower(email))", true),
        ("(name) WHERE id > 7", true),
        ("(name DESC)", false),
    ] {
        let index = format!("CREATE INDEX i ON customers {index}");
        let found = found(Postgres, &[CUSTOMERS, &index], change);
        assert_eq!(found.contains(&"pg-alter-type"), is_built, "{index}");
    }
}

#[test]
fn a_view_is_of_the_tables_of_its_schema() {
    let live = [
        "CREATE TABLE customers (id int, name varchar(20))",
        "CREATE TABLE app.customers (id int, name varchar(20))",
        "CREATE VIEW v AS SELECT name FROM customers",
        "CREATE VIEW app.v AS SELECT o.id, customers.name FROM public.customers, app.orders o",
    ];
    let views = |table: &str| {
        let text = format!("ALTER TABLE {table} ALTER COLUMN name TYPE varchar(50);");
        let findings = judge(&mut linter(Postgres, &live), Postgres, &text).into_iter();
        findings
            .filter(|one| one.rule.id == "pg-alter-type-dependents")
            .map(|one| (one.message, one.instead.join("\n")))
            .collect::<Vec<_>>()
    };
    assert_eq!(views("app.customers"), []);
    let of_public = views("customers");
    assert_eq!(of_public.len(), 2);
    let (message, instead) = &of_public[0];
    assert!(message.contains("`v`"), "{message}");
    assert!(
        instead.contains("DROP VIEW v;\nDROP VIEW app.v;"),
        "{instead}"
    );
    let (message, instead) = &of_public[1];
    assert!(
        message.contains("`app.v`") && instead.is_empty(),
        "{message} {instead}"
    );
    assert_eq!(views("public.customers").len(), 2);
}

#[test]
fn what_an_interrupted_file_made_is_new_to_its_rest() {
    let text = "CREATE TABLE IF NOT EXISTS items (id bigint PRIMARY KEY, name text);\n\
                ALTER TABLE customers ADD COLUMN IF NOT EXISTS note text;\n\
                CREATE INDEX CONCURRENTLY i ON customers (id);\n\
                CREATE INDEX j ON items (name);\n\
                ALTER TABLE customers DROP COLUMN note;";
    let now = CUSTOMERS.replace("email text,", "email text, note text,");
    let live = [
        now.as_str(),
        "CREATE TABLE items (id bigint PRIMARY KEY, name text)",
    ];
    let mut resumed = linter(Postgres, &live);
    resumed.next_is_begun(3);
    let resumed = rules(&judge(&mut resumed, Postgres, text));
    let fresh = found(Postgres, &[CUSTOMERS], text);
    assert_eq!(resumed, fresh);
    // Had somebody else made them, they would be old.
    let there = found(Postgres, &live, text);
    assert!(there.contains(&"pg-index-concurrently") && there.contains(&"bc-drop-column"));
}

#[test]
fn who_only_makes_tables_does_not_meet_the_database() {
    let mut linter = linter(Postgres, &[CUSTOMERS]);
    let own = "CREATE TABLE items (id bigint PRIMARY KEY);\nALTER TABLE items ADD COLUMN a int;";
    let _ = judge(&mut linter, Postgres, own);
    assert!(!linter.met_database());
    let _ = judge(
        &mut linter,
        Postgres,
        "ALTER TABLE customers ADD COLUMN a int;",
    );
    assert!(linter.met_database());
}

#[test]
fn a_default_that_stays_is_no_change() {
    let live = [
        "CREATE TABLE `t` (`a` int(11) NOT NULL DEFAULT 0, `b` timestamp NOT NULL DEFAULT current_timestamp())",
    ];
    let same = "ALTER TABLE t MODIFY a int NOT NULL DEFAULT '0';\n\
                ALTER TABLE t MODIFY b timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP;";
    assert!(!found(Mysql, &live, same).contains(&"bc-change-default"));
}

#[test]
fn how_a_view_is_made_again_is_not_invented() {
    let mut linter = Linter::new(Postgres, Settings::default());
    linter.look_at(&Catalog {
        objects: vec![
            CatalogObject::new(CUSTOMERS),
            CatalogObject {
                sketch: true,
                ..CatalogObject::new(
                    "CREATE VIEW names AS SELECT customers.id, customers.name FROM customers",
                )
            },
        ],
        complete: true,
        ..Catalog::default()
    });
    let change = "ALTER TABLE customers ALTER COLUMN name TYPE varchar(50);";
    let findings = judge(&mut linter, Postgres, change);
    let mut dependents = findings
        .iter()
        .filter(|finding| finding.rule.id == "pg-alter-type-dependents");
    let instead = dependents.next().unwrap().instead.join("\n");
    assert!(
        instead.contains("DROP VIEW names;") && !instead.contains("SELECT id"),
        "{instead}"
    );
}

#[test]
fn what_a_view_uses_the_database_knows_better_than_its_text() {
    let uses = |told: &str| {
        let mut linter = Linter::new(Postgres, Settings::default());
        let file = format!("{CUSTOMERS};\nCREATE VIEW v AS SELECT * FROM customers;");
        linter.learn(&script(Postgres, &file));
        linter.look_at(&Catalog {
            objects: vec![
                CatalogObject::new(CUSTOMERS),
                CatalogObject {
                    sketch: true,
                    ..CatalogObject::new(told)
                },
            ],
            complete: true,
            ..Catalog::default()
        });
        let change = "ALTER TABLE customers ALTER COLUMN name TYPE varchar(50);";
        let findings = judge(&mut linter, Postgres, change);
        let mut own = findings
            .into_iter()
            .filter(|finding| finding.rule.id == "pg-alter-type-dependents");
        own.next().map(|finding| finding.instead.join("\n"))
    };
    // Made when the table had fewer columns.
    assert_eq!(
        uses("CREATE VIEW v AS SELECT customers.id FROM customers"),
        None
    );
    assert_eq!(
        uses("CREATE VIEW v AS SELECT other.name FROM customers, other"),
        None
    );
    let instead =
        uses("CREATE VIEW v AS SELECT public.customers.name FROM public.customers").unwrap();
    assert!(
        instead.ends_with("CREATE VIEW v AS SELECT * FROM customers;"),
        "{instead}"
    );
}

#[test]
fn the_same_type_again_is_no_change() {
    // Written, and as MariaDB tells it.
    for (written, told) in [
        ("int", "int(11)"),
        ("integer", "int(11)"),
        ("bigint", "bigint(20)"),
        ("smallint", "smallint(6)"),
        ("tinyint", "tinyint(4)"),
        ("mediumint", "mediumint(9)"),
        ("int unsigned", "int(10) unsigned"),
        ("int zerofill", "int(10) unsigned zerofill"),
        ("int1", "tinyint(4)"),
        ("int8", "bigint(20)"),
        ("bool", "tinyint(1)"),
        ("bit", "bit(1)"),
        ("decimal", "decimal(10,0)"),
        ("numeric(8)", "decimal(8,0)"),
        ("fixed", "decimal(10,0)"),
        ("char", "char(1)"),
        ("binary", "binary(1)"),
        ("char byte", "binary(1)"),
        ("year", "year(4)"),
        ("datetime(0)", "datetime"),
        ("text(63)", "tinytext"),
        ("text(100)", "text"),
        ("text(20000)", "mediumtext"),
        ("blob(100)", "tinyblob"),
        ("blob(70000)", "mediumblob"),
        ("varchar(5) binary", "varchar(5) COLLATE utf8mb4_bin"),
    ] {
        let live =
            format!("CREATE TABLE `t` (`a` {told}) ENGINE=InnoDB COLLATE=utf8mb4_general_ci");
        let again = format!("ALTER TABLE t MODIFY a {written};");
        let rules = found(Mysql, &[&live], &again);
        let of_type = [
            "my-copy",
            "bc-result-type",
            "bc-narrow-type",
            "my-modify-loses-attributes",
        ];
        assert!(
            !rules.iter().any(|rule| of_type.contains(rule)),
            "{written}: {rules:?}"
        );
    }
    for (written, told) in [
        ("char", "character(1)"),
        ("bit", "bit(1)"),
        ("numeric(8)", "numeric(8,0)"),
        ("decimal", "numeric"),
        ("char[]", "character(1)[]"),
        ("float(10)", "real"),
        ("timestamptz(3)", "timestamp(3) with time zone"),
    ] {
        let live = format!("CREATE TABLE t (a {told})");
        let again = format!("ALTER TABLE t ALTER COLUMN a TYPE {written};");
        let rules = found(Postgres, &[&live], &again);
        let of_type = ["pg-alter-type", "bc-result-type", "bc-narrow-type"];
        assert!(
            !rules.iter().any(|rule| of_type.contains(rule)),
            "{written}: {rules:?}"
        );
    }
    // What really is another type is found.
    for (written, told) in [
        ("text(100)", "tinytext"),
        ("blob(300)", "tinyblob"),
        ("bit(2)", "bit(1)"),
        ("decimal", "decimal(8,0)"),
        ("char", "char(2)"),
    ] {
        let live =
            format!("CREATE TABLE `t` (`a` {told}) ENGINE=InnoDB COLLATE=utf8mb4_general_ci");
        let change = format!("ALTER TABLE t MODIFY a {written};");
        assert!(
            found(Mysql, &[&live], &change).contains(&"my-copy"),
            "{written}"
        );
    }
}

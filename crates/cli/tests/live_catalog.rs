//! Judged with the catalog of the target: databases that forerun did not make, and ones that it did.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

mod adopted;
mod defaults;
mod if_exists;

use std::path::{Path, PathBuf};
use std::time::Duration;

use adopted::{adopted, expect, found, json, lint, message};
use forerun_test_support::{
    CommandOutcome, MariadbServer, PostgresServer, ScratchProject, TestDatabase,
};
use serde_json::Value;

const HAND_MADE: &str = "
CREATE SCHEMA billing;
CREATE TABLE customers (id bigserial PRIMARY KEY, wide varchar(100), narrow varchar(20), checked text, open text,
  CONSTRAINT checked_there CHECK (checked IS NOT NULL));
ALTER TABLE customers ADD CONSTRAINT open_there CHECK (open IS NOT NULL) NOT VALID;
CREATE TABLE billing.invoices (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint REFERENCES customers);
CREATE VIEW wide_ones AS SELECT id, wide FROM customers;
INSERT INTO customers (wide, checked, open) SELECT 'x', 'y', 'z' FROM generate_series(1, 12345);
ANALYZE;
";

#[test]
fn a_database_made_by_hand_is_known() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(HAND_MADE);
    let project = adopted(
        &database.url,
        "ALTER TABLE customers ALTER COLUMN wide TYPE varchar(50);\n\
         ALTER TABLE customers ALTER COLUMN narrow TYPE varchar(50);\n\
         ALTER TABLE customers ALTER COLUMN checked SET NOT NULL;\n\
         ALTER TABLE customers ALTER COLUMN open SET NOT NULL;\n\
         ALTER TABLE billing.invoices RENAME COLUMN customer TO customer_id;\n\
         CREATE INDEX invoices_customer ON billing.invoices (customer_id);\n\
         CREATE TABLE fresh (id bigint PRIMARY KEY, name text);\n\
         CREATE INDEX fresh_name ON fresh (name);\n",
    );
    let before = database.dump(&[]);
    let outcome = lint(&project).expect_code(5);
    assert_eq!(database.dump(&[]), before);
    let document = json(&outcome);
    assert_eq!(document["schema_from"], "database");
    expect(
        &found(&document),
        &[
            "1 bc-narrow-type",
            "1 pg-alter-type",
            "1 pg-alter-type-dependents",
            "4 pg-set-not-null",
            "5 bc-rename-column",
            "6 pg-index-concurrently",
        ],
        &[
            "2 pg-alter-type",
            "2 bc-narrow-type",
            "2 pg-alter-type-dependents",
            "3 pg-set-not-null",
            "8 pg-index-concurrently",
        ],
    );
    let size = "; `customers` has about 12,000 rows by the server's estimate";
    assert!(message(&document, "pg-alter-type").ends_with(size));
    assert!(!message(&document, "pg-index-concurrently").contains("estimate"));
    // The same in a plan, and a run stops before anything of it.
    let plan = json(
        &project
            .run(&["--format", "json", "migrate", "plan"])
            .expect_code(0),
    );
    assert_eq!(plan["schema_from"], "database");
    assert_eq!(plan["steps"][0]["findings"], document["findings"]);
    let outcome = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(5);
    assert!(outcome.stderr.contains("pg-alter-type"), "{outcome:?}");
    // Without the database the types are not known.
    let blind = [
        "--format",
        "json",
        "migrate",
        "lint",
        "--dialect",
        "postgres",
    ];
    let blind = json(&project.run(&blind));
    assert_eq!(blind["schema_from"], "directory");
    expect(
        &found(&blind),
        &["2 pg-alter-type", "3 pg-set-not-null"],
        &[],
    );
}

#[test]
fn nobody_waits_for_a_table_that_is_locked() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(HAND_MADE);
    let project = adopted(
        &database.url,
        "ALTER TABLE customers ALTER COLUMN narrow TYPE varchar(50);\n\
         ALTER TABLE customers ALTER COLUMN wide TYPE varchar(50);\n",
    );
    let mut other = database.session();
    let _ = other.run("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE;");
    let document = json(&lint(&project));
    assert_eq!(document["schema_from"], "database", "{document:#}");
    expect(
        &found(&document),
        &["2 pg-alter-type"],
        &["1 pg-alter-type"],
    );
    // Nor is a check read, but that it refuses NULL is known.
    project.migration(
        "0002_pending.sql",
        "ALTER TABLE customers ALTER COLUMN checked SET NOT NULL;\n\
         ALTER TABLE customers ALTER COLUMN open SET NOT NULL;\n",
    );
    expect(
        &found(&json(&lint(&project))),
        &["2 pg-set-not-null"],
        &["1 pg-set-not-null"],
    );
    // Its default cannot be read now, so nothing is said of it.
    project.migration(
        "0002_pending.sql",
        "ALTER TABLE customers ALTER COLUMN wide SET DEFAULT 'x';\n",
    );
    expect(
        &found(&json(&lint(&project))),
        &[],
        &["1 bc-change-default"],
    );
    let _ = other.run("COMMIT;");
    database.execute("ALTER TABLE customers ALTER COLUMN wide SET DEFAULT 'y'");
    expect(
        &found(&json(&lint(&project))),
        &["1 bc-change-default"],
        &[],
    );
}

/// The condition of an index cannot be read then, but which columns it uses is known.
#[test]
fn an_index_with_a_condition_is_known_while_its_table_is_locked() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE t (id bigint, state varchar(20), unknown varchar(20), other varchar(20)); \
         CREATE INDEX ON t (id) WHERE state <> ''; CREATE INDEX ON t (other) WHERE true",
    );
    let project = adopted(
        &database.url,
        "ALTER TABLE t ALTER COLUMN state TYPE varchar(50);\n\
         ALTER TABLE t ALTER COLUMN unknown TYPE varchar(50);\n",
    );
    let mut session = database.session();
    for statement in ["BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE;", "COMMIT;"] {
        let _ = session.run(statement);
        let document = json(&lint(&project));
        assert_eq!(document["schema_from"], "database", "{document:#}");
        let absent = ["2 pg-alter-type"];
        expect(&found(&document), &["1 pg-alter-type"], &absent);
    }
}

#[test]
fn schemas_of_the_search_path_are_told_apart() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE SCHEMA app; CREATE TABLE app.t (a varchar(100)); CREATE TABLE public.t (a varchar(10)); \
         CREATE TABLE public.u (a varchar(10))",
    );
    let name = &database.name;
    database.execute(&format!(
        "ALTER DATABASE {name} SET search_path = app, public"
    ));
    let project = adopted(
        &database.url,
        "ALTER TABLE t ALTER COLUMN a TYPE varchar(50);\n\
         ALTER TABLE public.t ALTER COLUMN a TYPE varchar(50);\n\
         ALTER TABLE u ALTER COLUMN a TYPE varchar(50);\n",
    );
    let document = json(&lint(&project));
    let absent = ["2 pg-alter-type", "3 pg-alter-type"];
    expect(&found(&document), &["1 pg-alter-type"], &absent);
}

/// The page about lint shows what is really printed.
#[test]
fn the_manual_shows_real_output() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lint.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let shows = |command: &str, outcome: &CommandOutcome| {
        let example = format!("```console\n$ {command}\n{}```\n", outcome.stdout);
        assert!(manual.contains(&example), "{example}");
    };
    let database = server.fresh_database();
    database.execute("CREATE TABLE customers (id bigint PRIMARY KEY, name varchar(100))");
    // What ANALYZE would find.
    database.execute("UPDATE pg_class SET reltuples = 12034567 WHERE relname = 'customers'");
    let project = adopted(&database.url, "");
    project.migration(
        "0002_names.sql",
        "ALTER TABLE customers ALTER COLUMN name TYPE varchar(50);\n",
    );
    std::fs::remove_file(project.path().join("migrations/0002_pending.sql")).unwrap();
    let text = ["--format", "text", "migrate", "lint"];
    let outcome = project.run(&text).expect_code(5);
    shows("forerun migrate lint -u postgres://…", &outcome);

    let project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    let orders = "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n";
    project.migration("0001_orders.sql", orders);
    let index = "CREATE INDEX orders_customer ON orders (customer_id);\n";
    project.migration("0002_index.sql", index);
    let text = [&text[..], &["--dialect", "postgres"]].concat();
    let outcome = project.run(&text).expect_code(5);
    shows("forerun migrate lint --dialect postgres", &outcome);
}

#[test]
fn foreign_tables_are_known() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far; \
         CREATE FOREIGN TABLE ft (id int, name varchar(10) NOT NULL) SERVER far",
    );
    let project = adopted(
        &database.url,
        "ALTER FOREIGN TABLE ft ALTER COLUMN name TYPE varchar(20);\nDROP FOREIGN TABLE IF EXISTS ft;\n",
    );
    let document = json(&lint(&project));
    let absent = ["1 pg-alter-type"];
    expect(&found(&document), &["2 bc-drop-table"], &absent);
}

#[test]
fn a_role_without_rights_still_sees_the_catalog() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(HAND_MADE);
    let change = "ALTER TABLE customers ALTER COLUMN narrow TYPE varchar(50);\n\
                  ALTER TABLE customers ALTER COLUMN wide TYPE varchar(50);\n";
    let mut project = adopted(&database.url, change);
    let role = format!("reader_{}", database.name);
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'p'; GRANT SELECT ON forerun_history, forerun_lock, forerun_journal TO {role}"
    ));
    let place = database.url.split_once('@').unwrap().1;
    project.set_env("DATABASE_URL", &format!("postgres://{role}:p@{place}"));
    let document = json(&lint(&project));
    assert_eq!(document["schema_from"], "database", "{document:#}");
    expect(
        &found(&document),
        &["2 pg-alter-type"],
        &["1 pg-alter-type"],
    );
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn without_a_history_only_what_was_there_is_of_interest() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(HAND_MADE);
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", &database.url);
    project.migration(
        "0001_own.sql",
        "CREATE TABLE own (id int);\nALTER TABLE unknown_to_all DROP COLUMN a;\n",
    );
    project.migration(
        "0002_theirs.sql",
        "CREATE INDEX customers_wide ON customers (wide);\n",
    );
    let plan = json(
        &project
            .run(&["--format", "json", "migrate", "plan"])
            .expect_code(0),
    );
    assert_eq!(plan["steps"][0]["findings"].as_array().unwrap().len(), 0);
    assert_eq!(
        plan["steps"][1]["findings"][0]["rule"],
        "pg-index-concurrently"
    );
    // On a database with nothing in it nothing is judged.
    let fresh = server.fresh_database();
    project.set_env("DATABASE_URL", &fresh.url);
    let plan = json(
        &project
            .run(&["--format", "json", "migrate", "plan"])
            .expect_code(0),
    );
    assert_eq!(plan["schema_from"], Value::Null);
}

#[test]
fn thousands_of_tables_are_read_in_one_go() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, a varchar(20))', i); \
         END LOOP; END $$",
    );
    let project = adopted(
        &database.url,
        "ALTER TABLE t1500 ALTER COLUMN a TYPE varchar(50);\nALTER TABLE t1 ALTER COLUMN a TYPE varchar(5);\n",
    );
    let project = project.command(&["--format", "json", "migrate", "lint"]);
    let document = json(&project.patience(Duration::from_secs(60)).run());
    expect(
        &found(&document),
        &["2 pg-alter-type"],
        &["1 pg-alter-type"],
    );
}

#[test]
fn mariadb_tells_what_columns_are() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE customers (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(40) NOT NULL DEFAULT 'it''s' \
         COMMENT 'x', data json, total decimal(10,2) DEFAULT 0.00, changed timestamp NOT NULL DEFAULT current_timestamp \
         ON UPDATE current_timestamp, KEY by_total (total), KEY ignored (name), CHECK (total >= 0)) \
         CHARACTER SET utf8mb4; ALTER TABLE customers ALTER INDEX ignored IGNORED;",
    );
    let mut insert = "INSERT INTO customers (name) VALUES ('a')".to_owned();
    insert.push_str(&", ('a')".repeat(499));
    database.execute(&insert);
    let _ = database.query("ANALYZE TABLE customers");
    let project = adopted(
        &database.url,
        "ALTER TABLE customers MODIFY name varchar(60) NOT NULL DEFAULT 'it''s' COMMENT 'x';\n\
         ALTER TABLE customers MODIFY name varchar(70);\n\
         ALTER TABLE customers MODIFY data json;\n\
         ALTER TABLE customers MODIFY changed timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP;\n\
         ALTER TABLE customers MODIFY total decimal(12,2) DEFAULT 0;\n\
         DROP INDEX by_total ON customers;\n\
         DROP INDEX ignored ON customers;\n",
    );
    let before = database.dump(&[]);
    let document = json(&lint(&project));
    assert_eq!(database.dump(&[]), before);
    assert_eq!(document["schema_from"], "database");
    expect(
        &found(&document),
        &[
            "2 my-modify-loses-attributes",
            "5 my-copy",
            "6 my-invisible-first",
        ],
        &[
            "1 my-copy",
            "1 my-modify-loses-attributes",
            "3 my-copy",
            "4 my-copy",
            "4 bc-change-default",
            "5 bc-change-default",
            "7 my-invisible-first",
        ],
    );
    let copied = message(&document, "my-copy");
    assert!(
        copied.ends_with("0 rows by the server's estimate"),
        "{copied}"
    );
}

#[test]
fn what_mariadb_is_certain_to_do_at_once_is_not_told() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    database.execute(
        "CREATE TABLE plain (id int PRIMARY KEY, n int, s varchar(9), KEY (s));\
         CREATE TABLE packed (id int PRIMARY KEY, n int) ROW_FORMAT=COMPRESSED;",
    );
    let project = adopted(
        &database.url,
        "ALTER TABLE plain ADD COLUMN x int;\n\
         ALTER TABLE plain DROP COLUMN n, ADD COLUMN y int FIRST;\n\
         ALTER TABLE plain DROP COLUMN s;\n\
         ALTER TABLE packed ADD COLUMN x int;\n\
         ALTER TABLE plain ADD COLUMN z int NOT NULL;\n",
    );
    let document = json(&lint(&project));
    expect(
        &found(&document),
        &["3 my-assert-algorithm", "4 my-inplace-rebuild"],
        &[
            "1 my-assert-algorithm",
            "2 my-assert-algorithm",
            "5 my-assert-algorithm",
        ],
    );
    let findings = document["findings"].as_array().unwrap();
    let mut required = findings
        .iter()
        .filter(|one| one["rule"] == "bc-required-column");
    assert_eq!(
        required.next().unwrap()["instead"][0],
        "ALTER TABLE plain ADD COLUMN z int;"
    );
}

#[test]
fn what_mariadb_hides_from_a_user_is_known_from_the_files() {
    let Some(server) = MariadbServer::shared() else {
        return;
    };
    let database = server.fresh_database();
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", &database.url);
    project.migration(
        "0001_t.sql",
        "CREATE TABLE t (id int PRIMARY KEY, a varchar(20));\n",
    );
    let _ = project.run(&["migrate", "up"]).expect_code(0);
    let name = &database.name;
    database.execute(&format!(
        "CREATE USER reader_{name}@'%' IDENTIFIED BY 'p'; \
         GRANT SELECT ON {name}.forerun_history TO reader_{name}@'%'; \
         GRANT SELECT ON {name}.forerun_lock TO reader_{name}@'%'; \
         GRANT SELECT ON {name}.forerun_journal TO reader_{name}@'%'"
    ));
    project.migration("0002_a.sql", "ALTER TABLE t MODIFY a varchar(30);\n");
    let place = database.url.split_once('@').unwrap().1;
    project.set_env("DATABASE_URL", &format!("mysql://reader_{name}:p@{place}"));
    let document = json(&lint(&project));
    expect(&found(&document), &[], &["1 my-copy"]);
}

#[test]
fn sqlite_has_its_statements() {
    let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
    project.set_env("DATABASE_URL", "sqlite:app.db");
    project.migration(
        "0001_made_elsewhere.sql",
        "CREATE TABLE customers (id integer PRIMARY KEY, email text, name text);\n\
         CREATE INDEX customers_email ON customers (email);\n\
         CREATE VIEW names AS SELECT name FROM customers;\n\
         INSERT INTO customers (email) VALUES ('a'), ('b'), ('c');\nANALYZE;\n",
    );
    let _ = project.run(&["migrate", "up"]).expect_code(0);
    // The file says nothing of it any more.
    project.migration("0001_made_elsewhere.sql", "SELECT 1;\n");
    project.migration("0002_rows.sql", "UPDATE customers SET name = '';\n");
    project.migration(
        "0003_drop.sql",
        "-- forerun:contract unused-since=2.0.0\nALTER TABLE customers DROP COLUMN email;\n",
    );
    let document = json(&lint(&project));
    assert_eq!(document["schema_from"], "database");
    expect(&found(&document), &["2 lt-drop-used-column"], &[]);
    let long = message(&document, "lt-long-write");
    assert!(
        long.ends_with("; `customers` has about 3 rows by the last ANALYZE"),
        "{long}"
    );
}

// ------------------------------------------------------------------------------------------------- no new alarms

/// The examples, migration by migration: what is found with the database is what is found with the files that made it.
#[test]
fn a_database_that_its_files_made_is_judged_as_they_are() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for name in ["shop", "rename-column"] {
        let database: TestDatabase<'_> = server.fresh_database();
        let mut project = ScratchProject::new(env!("CARGO_BIN_EXE_forerun"));
        project.set_env("DATABASE_URL", &database.url);
        let mut compared = 0;
        for file in scripts(&examples.join(name).join("migrations")) {
            let file_name = file.file_name().unwrap().to_string_lossy().into_owned();
            project.migration(&file_name, std::fs::read(&file).unwrap());
            let with = json(&lint(&project));
            let words = [
                "--format",
                "json",
                "migrate",
                "lint",
                "--dialect",
                "postgres",
            ];
            let without = json(&project.run(&words));
            let of_file = |document: &Value| {
                let findings = document["findings"].as_array().unwrap().iter();
                let own = findings.filter(|one| one["script"] == file_name.as_str());
                own.map(|one| (one["line"].clone(), one["rule"].clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(of_file(&with), of_file(&without), "{file_name}");
            compared += 1;
            let up = [
                "migrate",
                "up",
                "--lint",
                "off",
                "--accept-downtime",
                "a test",
            ];
            let _ = project.run(&up).expect_code(0);
        }
        assert!(compared > 3);
    }
}

fn scripts(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    let mut scripts: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".sql"))
        .filter(|path| !path.to_string_lossy().ends_with(".down.sql"))
        .collect();
    scripts.sort();
    scripts
}

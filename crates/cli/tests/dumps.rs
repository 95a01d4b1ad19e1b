//! A dump of the database's own tool as the first migration: the commonest way to begin with migrations. Dumps
//! change the session in every way there is.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod answers;
mod story;

use story::{Target, empty_project_for};

/// Applies the dump of `from` to `to` with a migration after it, and compares the schemas.
fn apply(from: &Target<'_>, to: &Target<'_>, dump: &str) {
    let project = empty_project_for(to);
    project.migration("0001_dump.sql", dump);
    project.migration(
        "0002_next.sql",
        "CREATE TABLE next (id integer);\nDROP TABLE next;\n",
    );
    let _ = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(0);
    assert_eq!(to.applied(), [1, 2], "{to:?}");
    assert_eq!(to.dump_schema(), from.dump_schema(), "{to:?}");
    to.assert_left_clean();
    let _ = project
        .run(&["migrate", "status", "--exit-code"])
        .expect_code(0);
}

/// The dump that the story's target makes leaves rows out, so these are written as `pg_dump` writes them.
#[test]
fn of_pg_dump() {
    let (Some(from), Some(to)) = (Target::postgres(), Target::postgres()) else {
        return;
    };
    from.query(
        "CREATE SCHEMA app;
         CREATE TYPE app.mood AS ENUM ('sad', 'ok');
         CREATE TABLE app.users (id serial PRIMARY KEY, mood app.mood DEFAULT 'ok', note text);
         CREATE VIEW app.sad AS SELECT * FROM app.users WHERE mood = 'sad';
         CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $_$
         BEGIN
           NEW.note := 'a;b'; -- not the end;
           RETURN NEW;
         END $_$;
         CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch();
         COMMENT ON TABLE app.users IS 'it''s; here'",
    );
    let schema = from.dump_schema();
    assert!(schema.contains("set_config('search_path', ''"), "{schema}");
    let rows = "COPY app.users (id, mood, note) FROM stdin;\n1\tsad\ta\\tb;\n2\tok\t\\N\n\\.\n\n\
                SELECT pg_catalog.setval('app.users_id_seq', 2, true);\n";
    let dump = format!("\\restrict aBc123\n\n{schema}\n\n{rows}\n\\unrestrict aBc123\n\n");
    apply(&from, &to, &dump);
    assert_eq!(
        to.query("SELECT id, mood, note IS NULL FROM app.users ORDER BY id"),
        "1|sad|f\n2|ok|t"
    );
    assert_eq!(to.number("SELECT nextval('app.users_id_seq')"), 3);
    assert_eq!(to.query("SELECT table_schema FROM information_schema.tables WHERE table_name = 'forerun_history'"), "public");
}

#[test]
fn of_mariadb_dump() {
    let (Some(from), Some(to)) = (Target::mariadb(), Target::mariadb()) else {
        return;
    };
    from.query(
        "CREATE TABLE parents (id integer AUTO_INCREMENT PRIMARY KEY, note varchar(50) DEFAULT 'x');
         CREATE TABLE children (id integer PRIMARY KEY, parent integer, FOREIGN KEY (parent) REFERENCES parents (id));
         CREATE VIEW both_of_them AS SELECT c.id, p.note FROM children c JOIN parents p ON p.id = c.parent;
         DELIMITER //
         CREATE TRIGGER note BEFORE INSERT ON parents FOR EACH ROW BEGIN SET NEW.note = 'a;b'; END//
         CREATE PROCEDURE fill() BEGIN INSERT INTO parents () VALUES (); END//
         DELIMITER ;",
    );
    let schema = from.dump_schema();
    assert!(schema.contains("/*!"), "{schema}");
    // Rows as `mariadb-dump` writes them.
    let rows = "LOCK TABLES `parents` WRITE;\n/*!40000 ALTER TABLE `parents` DISABLE KEYS */;\n\
                INSERT INTO `parents` VALUES\n(1,'it\\'s; here'),\n(2,NULL);\n\
                /*!40000 ALTER TABLE `parents` ENABLE KEYS */;\nUNLOCK TABLES;\n\
                LOCK TABLES `children` WRITE;\nINSERT INTO `children` VALUES (1,2);\nUNLOCK TABLES;\n";
    // The next number of a table is part of its schema.
    from.query("INSERT INTO parents (id) VALUES (1), (2)");
    apply(&from, &to, &format!("{schema}\n{rows}"));
    assert_eq!(to.query("SELECT id FROM parents ORDER BY id"), "1\n2");
    assert_eq!(to.number("SELECT count(*) FROM both_of_them"), 1);
}

#[test]
fn of_phpmyadmin() {
    let Some(target) = Target::mariadb() else {
        return;
    };
    let project = empty_project_for(&target);
    project.migration(
        "0001_dump.sql",
        "-- phpMyAdmin SQL Dump\n\
         SET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";\n\
         SET AUTOCOMMIT = 0;\n\
         START TRANSACTION;\n\
         SET time_zone = \"+00:00\";\n\
         /*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n\
         /*!40101 SET NAMES utf8mb4 */;\n\
         CREATE TABLE `t` (`id` int(11) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n\
         INSERT INTO `t` (`id`) VALUES\n(1),\n(2);\n\
         ALTER TABLE `t` ADD PRIMARY KEY (`id`);\n\
         INSERT INTO `t` VALUES (3);\n\
         COMMIT;\n\
         /*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n",
    );
    project.migration("0002_rows.sql", "INSERT INTO t VALUES (4);\n");
    let _ = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(0);
    assert_eq!(target.query("SELECT id FROM t ORDER BY id"), "1\n2\n3\n4");
    assert_eq!(target.applied(), [1, 2]);
    target.assert_left_clean();
}

#[test]
fn of_sqlite() {
    let (Some(from), Some(to)) = (Target::sqlite(), Target::sqlite()) else {
        return;
    };
    from.query(
        "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, note text DEFAULT 'a;b');
         INSERT INTO users (note) VALUES ('it''s; here'), (NULL);
         CREATE TRIGGER t AFTER INSERT ON users BEGIN UPDATE users SET note = 'x' WHERE id = 0; END;
         CREATE VIEW v AS SELECT id FROM users",
    );
    let dump = from.file().query(".dump");
    assert!(
        dump.starts_with("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;"),
        "{dump}"
    );
    apply(&from, &to, &format!("{dump}\n"));
    assert_eq!(to.number("SELECT count(*) FROM users"), 2);
}

/// The owner of the tables is often another role than the one that logs in.
#[test]
fn a_script_that_changes_its_role() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let project = empty_project_for(&target);
    let role = format!("tables_{}", target.database().name.replace('-', "_"));
    target.query(&format!(
        "CREATE ROLE {role} NOLOGIN; GRANT ALL ON SCHEMA public TO {role}"
    ));
    project.migration(
        "0001_role.sql",
        format!("SET ROLE {role};\nCREATE TABLE a (id integer);\n"),
    );
    project.migration(
        "0002_session.sql",
        format!("SET SESSION AUTHORIZATION {role};\nCREATE TABLE b (id integer);\n"),
    );
    project.migration(
        "0003_local.sql",
        format!("SET LOCAL ROLE {role};\nCREATE TABLE c (id integer);\n"),
    );
    project.migration("0004_index.sql", format!("SET ROLE {role};\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD COLUMN note text;\n"));
    project.migration("0005_plain.sql", "CREATE TABLE d (id integer);\n");
    let _ = project
        .run(&["--format", "text", "migrate", "up"])
        .expect_code(0);
    let owners = target.query(
        "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'forerun%' ORDER BY 1",
    );
    assert_eq!(owners, format!("a|{role}\nb|{role}\nc|{role}\nd|postgres"));
    assert_eq!(target.applied(), [1, 2, 3, 4, 5]);
    target.assert_left_clean();
}

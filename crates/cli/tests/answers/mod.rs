//! What the tests of the commands share: the three databases in turn, accounts on the servers, a small shop that can be
//! reverted, commands run for people and for programs, everything that a database holds as one text, and the program's
//! answers read as JSON.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

use forerun_test_support::{
    CommandOutcome, MARIADB_PASSWORD, MariadbServer, POSTGRES_PASSWORD, PostgresServer,
    ScratchProject,
};
use serde_json::Value;

use crate::story::{Product, Target, empty_project_for};

/// A new database of each product that is installed here.
pub fn databases() -> Vec<Target<'static>> {
    [Target::sqlite, Target::postgres, Target::mariadb]
        .into_iter()
        .filter_map(|target| target())
        .collect()
}

/// A new database on each server that is installed here.
pub fn servers() -> Vec<Target<'static>> {
    [Target::postgres, Target::mariadb]
        .into_iter()
        .filter_map(|target| target())
        .collect()
}

/// No version is applied.
pub const NOTHING: [i64; 0] = [];

/// Three migrations that can be reverted; the second one changes rows.
pub fn shop(target: &Target<'_>) -> ScratchProject {
    let project = empty_project_for(target);
    for (name, sql) in [
        (
            "0001_users.sql",
            "CREATE TABLE users (id integer PRIMARY KEY);\n",
        ),
        ("0001_users.down.sql", "DROP TABLE users;\n"),
        (
            "0002_rows.sql",
            "-- forerun:data\nINSERT INTO users (id) VALUES (1);\n",
        ),
        ("0002_rows.down.sql", "DELETE FROM users;\n"),
        (
            "0003_orders.sql",
            "CREATE TABLE orders (id integer PRIMARY KEY);\n",
        ),
        ("0003_orders.down.sql", "DROP TABLE orders;\n"),
    ] {
        project.migration(name, sql);
    }
    project
}

/// Runs `forerun migrate` as people read it, and asserts the exit code.
pub fn text(project: &ScratchProject, arguments: &[&str], code: i32) -> CommandOutcome {
    migrate("text", project, arguments, code)
}

/// Runs `forerun migrate` as programs read it, and asserts the exit code.
pub fn json(project: &ScratchProject, arguments: &[&str], code: i32) -> CommandOutcome {
    migrate("json", project, arguments, code)
}

/// Runs `forerun migrate up` as people read it, and asserts the exit code.
pub fn up(project: &ScratchProject, code: i32) -> CommandOutcome {
    text(project, &["up"], code)
}

fn migrate(
    format: &str,
    project: &ScratchProject,
    arguments: &[&str],
    code: i32,
) -> CommandOutcome {
    let mut words = vec!["--format", format, "migrate"];
    words.extend(arguments);
    project.run(&words).expect_code(code)
}

/// The one document that a question is answered with.
pub fn document(outcome: &CommandOutcome) -> Value {
    let value: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("not one JSON document: {error}\n{outcome:?}"));
    assert_eq!(value["format"], 1, "{outcome:?}");
    value
}

/// JSON lines, each with the version of their form.
pub fn lines(text: &str) -> Vec<Value> {
    let parse = |line: &str| {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{text}"));
        assert_eq!(value["format"], 1, "{line}");
        assert!(
            value["at"].is_string() && value["event"].is_string(),
            "{line}"
        );
        value
    };
    text.lines().map(parse).collect()
}

/// The last line of a run, which says how it ended.
pub fn finished(outcome: &CommandOutcome) -> Value {
    let last = lines(&outcome.stdout).pop();
    let last = last.unwrap_or_else(|| panic!("no line on standard output\n{outcome:?}"));
    assert_eq!(last["event"], "run_finished", "{outcome:?}");
    assert_eq!(
        last["exit_code"].as_i64(),
        outcome.code().map(i64::from),
        "{outcome:?}"
    );
    last
}

/// Texts of the elements of an array that are called `name`.
pub fn texts(array: &Value, name: &str) -> Vec<String> {
    let array = array
        .as_array()
        .unwrap_or_else(|| panic!("{array} is no array"));
    array
        .iter()
        .map(|element| match &element[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect()
}

/// Everything that a database holds: its schema and the rows of all its tables, those of forerun too.
pub fn everything(target: &Target<'_>) -> String {
    if target.product == Product::Sqlite {
        let file = target.file();
        return if file.path().exists() {
            file.query(".dump")
        } else {
            "no file".to_owned()
        };
    }
    let tables = target.query(
        "SELECT concat(table_schema, '.', table_name) FROM information_schema.tables \
         WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'mysql', 'performance_schema', 'sys') \
         AND (table_schema = database_name() OR table_catalog = database_name()) ORDER BY 1"
            .replace(
                "database_name()",
                if target.product == Product::Postgres { "current_database()" } else { "database()" },
            )
            .as_str(),
    );
    let mut text = target.dump_schema();
    for table in tables.lines() {
        let rows = target.query(&format!("SELECT * FROM {table} ORDER BY 1"));
        text.push_str(&format!("{table}\n{rows}\n"));
    }
    text
}

/// What an application is told of its database.
pub struct Account {
    /// `postgres` or `mysql`.
    pub engine: &'static str,
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Name of the database.
    pub database: String,
    /// User.
    pub user: String,
    /// Password, as it is.
    pub password: String,
}

impl Account {
    /// The superuser.
    pub fn of_server(target: &Target<'_>) -> Self {
        let (engine, port, user, password) = match target.product {
            Product::Postgres => {
                let server = PostgresServer::shared().expect("the target is on it");
                ("postgres", server.port(), "postgres", POSTGRES_PASSWORD)
            }
            Product::Mariadb => {
                let server = MariadbServer::shared().expect("the target is on it");
                ("mysql", server.port(), "root", MARIADB_PASSWORD)
            }
            Product::Sqlite => panic!("SQLite has no accounts"),
        };
        Self {
            engine,
            port,
            database: target.database().name.clone(),
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    /// A new user that may do everything in this database.
    pub fn owner(target: &Target<'_>, password: &str) -> Self {
        let account = Self::new(target, "owner", password);
        target.query(&match target.product {
            Product::Postgres => format!(
                "GRANT ALL ON SCHEMA public TO {0}; GRANT ALL ON DATABASE \"{1}\" TO {0}",
                account.user, account.database
            ),
            _ => format!(
                "GRANT ALL ON `{}`.* TO '{}'@'%'",
                account.database, account.user
            ),
        });
        account
    }

    /// A new user that may only read what is there now.
    pub fn reader(target: &Target<'_>, password: &str) -> Self {
        let account = Self::new(target, "reader", password);
        target.query(&match target.product {
            Product::Postgres => {
                format!(
                    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}",
                    account.user
                )
            }
            _ => format!(
                "GRANT SELECT ON `{}`.* TO '{}'@'%'",
                account.database, account.user
            ),
        });
        account
    }

    fn new(target: &Target<'_>, name: &str, password: &str) -> Self {
        let server = Self::of_server(target);
        let user = format!("{name}_{}", server.database.replace('-', "_")).to_lowercase();
        let literal = password.replace('\'', "''");
        target.query(&match target.product {
            Product::Postgres => format!("CREATE ROLE {user} LOGIN PASSWORD '{literal}'"),
            _ => format!(
                "CREATE USER '{user}'@'%' IDENTIFIED BY '{}'",
                literal.replace('\\', "\\\\")
            ),
        });
        Self {
            user,
            password: password.to_owned(),
            ..server
        }
    }

    /// With the password percent-encoded.
    pub fn url(&self) -> String {
        self.url_at("127.0.0.1", self.port)
    }

    /// The same with another host name or port.
    pub fn url_at(&self, host: &str, port: u16) -> String {
        let password = percent_encoded(&self.password);
        format!(
            "{}://{}:{password}@{host}:{port}/{}",
            self.engine, self.user, self.database
        )
    }

    /// The variables `<prefix>HOST` and so on.
    pub fn variables(&self, prefix: &str) -> Vec<(String, String)> {
        let mut variables = vec![
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", self.port.to_string()),
            ("NAME", self.database.clone()),
            ("USER", self.user.clone()),
            ("PASSWORD", self.password.clone()),
        ];
        if self.engine == "mysql" {
            // Its port in these tests is not the one by which it is recognised.
            variables.push(("ENGINE", "mariadb".to_owned()));
        }
        variables
            .into_iter()
            .map(|(name, value)| (format!("{prefix}{name}"), value))
            .collect()
    }
}

/// Every byte but ASCII letters and digits as `%XX`.
pub fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

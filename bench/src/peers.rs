//! The other migration tools: where they are, in which layout each gets the same tables, how it is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::store::{Place, Product, clean};

/// A tool that is measured beside forerun.
#[derive(Debug, Clone)]
pub struct Peer {
    tool: Tool,
    program: PathBuf,
    /// Name and version.
    pub label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Dbmate,
    GolangMigrate,
    Goose,
    Atlas,
    Sqlx,
}

const ALL: [(Tool, &str, &str); 5] = [
    (Tool::Dbmate, "dbmate", "dbmate"),
    (Tool::GolangMigrate, "migrate", "golang-migrate"),
    (Tool::Goose, "goose", "goose"),
    (Tool::Atlas, "atlas", "Atlas (community)"),
    (Tool::Sqlx, "sqlx", "sqlx-cli"),
];

/// The peers that `scripts/peers` put into `directory`, and a sentence for each one that is not there.
pub fn find(directory: &Path) -> (Vec<Peer>, Vec<String>) {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for (tool, name, label) in ALL {
        let program = directory.join(name);
        if program.is_file() {
            let label = format!("{label} {}", version(tool, &program));
            found.push(Peer {
                tool,
                program,
                label,
            });
        } else {
            let reason = fs::read_to_string(directory.join(format!("{name}.failed")))
                .unwrap_or_else(|_| "not installed; scripts/peers tries to".to_owned());
            missing.push(format!("{label}: {}", reason.trim()));
        }
    }
    (found, missing)
}

fn version(tool: Tool, program: &Path) -> String {
    let output = |command: &mut Command| {
        command
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default()
    };
    match tool {
        Tool::Dbmate | Tool::Sqlx => {
            let text = output(clean(program).arg("--version"));
            text.split_whitespace()
                .last()
                .unwrap_or("of unknown version")
                .to_owned()
        }
        // The main module's line of what Go wrote into the binary; what a build of our own requires is `dep`.
        Tool::GolangMigrate | Tool::Goose | Tool::Atlas => {
            let text = output(clean("go").args(["version", "-m"]).arg(program));
            let wanted = match tool {
                Tool::GolangMigrate => "github.com/golang-migrate/migrate/v4",
                Tool::Goose => "github.com/pressly/goose/v3",
                _ => "ariga.io/atlas/cmd/atlas",
            };
            text.lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>())
                .find(|words| words.get(1) == Some(&wanted) && matches!(words[0], "mod" | "dep"))
                .and_then(|words| words.get(2).map(|version| (*version).to_owned()))
                .unwrap_or_else(|| "of unknown version".to_owned())
        }
    }
}

/// The statement of migration `number`: a table as applications have them, in SQL that all three databases know.
pub fn create_table(number: usize) -> String {
    format!(
        "CREATE TABLE item_{number:05} (\n    id BIGINT NOT NULL PRIMARY KEY,\n    name VARCHAR(200) NOT NULL,\n    \
         amount NUMERIC(12, 2),\n    created_at TIMESTAMP NULL\n);\n"
    )
}

/// Writes `count` migrations in forerun's native layout: `00001_create_item.sql`, ….
///
/// # Errors
/// The directory cannot be written.
pub fn write_native(directory: &Path, count: usize) -> Result<(), String> {
    write(directory, count, "sql", |sql| sql)
}

fn write(
    directory: &Path,
    count: usize,
    extension: &str,
    wrap: impl Fn(String) -> String,
) -> Result<(), String> {
    fs::create_dir_all(directory).map_err(|error| error.to_string())?;
    for number in 1..=count {
        let path = directory.join(format!("{number:05}_create_item.{extension}"));
        fs::write(path, wrap(create_table(number))).map_err(|error| error.to_string())?;
    }
    Ok(())
}

impl Peer {
    /// Writes `count` migrations in this tool's layout.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write_migrations(&self, directory: &Path, count: usize) -> Result<(), String> {
        match self.tool {
            Tool::Dbmate => write(directory, count, "sql", |sql| {
                format!("-- migrate:up\n{sql}\n-- migrate:down\n")
            }),
            Tool::GolangMigrate => write(directory, count, "up.sql", |sql| sql),
            Tool::Goose => write(directory, count, "sql", |sql| {
                format!("-- +goose Up\n{sql}")
            }),
            Tool::Sqlx => write_native(directory, count),
            Tool::Atlas => {
                write_native(directory, count)?;
                let mut hash = clean(&self.program);
                hash.args(["migrate", "hash", "--dir"])
                    .arg(format!("file://{}", directory.display()));
                crate::measure::run(&mut hash).map(|_| ())
            }
        }
    }

    /// The command that applies everything in `directory`.
    pub fn up(&self, place: &Place<'_>, directory: &Path) -> Command {
        let mut command = clean(&self.program);
        let product = place.store().product();
        match self.tool {
            Tool::Dbmate => {
                let url = match product {
                    Product::Sqlite => place.url().replacen("sqlite://", "sqlite:", 1),
                    _ => place.url(),
                };
                command
                    .args(["--no-dump-schema", "--url", &url, "--migrations-dir"])
                    .arg(directory)
                    .arg("migrate");
            }
            Tool::GolangMigrate => {
                let url = match product {
                    Product::Mariadb => format!("mysql://{}", place.go_source()),
                    _ => place.url(),
                };
                command
                    .arg("-path")
                    .arg(directory)
                    .args(["-database", &url, "up"]);
            }
            Tool::Goose => {
                let driver = match product {
                    Product::Postgres => "postgres",
                    Product::Mariadb => "mysql",
                    Product::Sqlite => "sqlite3",
                };
                command
                    .arg("-dir")
                    .arg(directory)
                    .args([driver, &place.go_source(), "up"]);
            }
            Tool::Atlas => {
                let url = match product {
                    Product::Mariadb => place.url().replacen("mysql://", "maria://", 1),
                    _ => place.url(),
                };
                let url = if product == Product::Postgres {
                    format!("{url}&search_path=public")
                } else {
                    url
                };
                command
                    .args(["migrate", "apply", "--url", &url, "--dir"])
                    .arg(format!("file://{}", directory.display()));
            }
            Tool::Sqlx => {
                let url = match product {
                    // It does not create a file that is not there unless told.
                    Product::Sqlite => format!("{}?mode=rwc", place.url()),
                    _ => place.url(),
                };
                command
                    .args(["migrate", "run", "--source"])
                    .arg(directory)
                    .args(["--database-url", &url]);
            }
        }
        command
    }
}

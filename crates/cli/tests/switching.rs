//! The pages of `docs/switching/`, done as they stand there: every `forerun` command, with the output that is shown.
//!
//! `switching/<tool>/` has what a page begins with: `migrations/`, the database as the tool itself has left it
//! (`shop.sql`), and files beside them. A block of kind `console` goes on where the one before it ended. `console fresh`
//! begins anew, `console fresh NAME` with `NAME/` in place of `migrations/` or `NAME.sql` in place of `shop.sql`.
//! Commands of other programs are not run; a command without output need only succeed. Times are not compared.
//!
//! `FORERUN_UPDATE_PAGES=1` writes the present output into the pages.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod markdown;
mod story;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use forerun_test_support::{ScratchProject, SqliteFile};
use story::{Target, empty_project_for, project};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/switching")
        .join(name)
}

fn fixture(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/switching")
        .join(tool)
}

/// Where a page stands.
struct Shop {
    project: ScratchProject,
    /// What the page shows in place of the name of the database.
    server: Option<(Target<'static>, &'static str)>,
}

impl Shop {
    /// As the tool has left it, or in the variant that is named. `None` where the server is not installed.
    fn begin(tool: &str, variant: &str) -> Option<Self> {
        let from = fixture(tool);
        let directory = match from.join(variant).is_dir() && !variant.is_empty() {
            true => from.join(variant),
            false => from.join("migrations"),
        };
        let sql = from.join(format!("{variant}.sql"));
        let sql = if sql.exists() {
            sql
        } else {
            from.join("shop.sql")
        };
        let sql = fs::read_to_string(sql).unwrap();
        let shop = if tool == "tern" {
            let target = Target::postgres()?;
            target.query(&sql);
            Self {
                project: empty_project_for(&target),
                server: Some((target, "db:5432/shop")),
            }
        } else {
            let mut project = project();
            project.set_env("DATABASE_URL", "sqlite:shop.db");
            SqliteFile::at(&project.path().join("shop.db"))?.execute(&sql);
            Self {
                project,
                server: None,
            }
        };
        copy(&directory, &shop.project.path().join("migrations"));
        for entry in fs::read_dir(&from).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_file() && entry.extension().is_none_or(|extension| extension != "sql") {
                let to = shop.project.path().join(entry.file_name().unwrap());
                fs::copy(&entry, to).unwrap();
            }
        }
        Some(shop)
    }

    /// What a person sees, on both outputs.
    fn run(&self, words: &[String]) -> (String, Option<i32>) {
        let mut arguments = vec!["--format", "text"];
        arguments.extend(words.iter().map(String::as_str));
        let outcome = self
            .project
            .command(&arguments)
            .wrapped_in(&["sh", "-c", "exec \"$@\" 2>&1", "sh"])
            .run();
        let root = self.project.path().display().to_string();
        let mut shown = outcome.stdout.replace(&format!("{root}/"), "");
        if let Some((target, name)) = &self.server {
            let url = target.url();
            let real = url.rsplit('@').next().unwrap_or_default();
            shown = shown.replace(real.split('?').next().unwrap_or_default(), name);
        }
        (shown, outcome.code())
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let to = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            fs::copy(&entry, &to).unwrap();
        }
    }
}

/// Text without what differs from run to run: times, durations, and the versions of databases.
fn timeless(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let bare = word.trim_matches(|char: char| char.is_whitespace() || ",;.".contains(char));
        let digits = |text: &str| {
            !text.is_empty() && text.chars().all(|char| "0123456789.-:".contains(char))
        };
        let duration = bare.strip_suffix("ms").or(bare.strip_suffix('s'));
        let time = digits(bare) && bare.matches([':', '-', '.']).count() == 2;
        match time || duration.is_some_and(digits) {
            true => word.replace(bare, "*"),
            false => word.to_owned(),
        }
    });
    words.collect::<String>().trim_end().to_owned()
}

/// The page with the output that its commands have now. `None` where it cannot be run here.
fn replayed(tool: &str, text: &str) -> Option<String> {
    let mut page = String::new();
    let mut shop: Option<Shop> = None;
    let mut lines = text.lines().peekable();
    let mut in_block = false;
    while let Some(line) = lines.next() {
        page.push_str(line);
        page.push('\n');
        if let Some(kind) = line.strip_prefix("```") {
            in_block = kind.starts_with("console");
            let variant = kind.strip_prefix("console fresh").map(str::trim);
            if in_block && (shop.is_none() || variant.is_some()) {
                shop = Some(Shop::begin(tool, variant.unwrap_or_default())?);
            }
            continue;
        }
        if let (true, Some(words), Some(shop)) = (in_block, line.strip_prefix("$ cp -r "), &shop) {
            let (from, to) = words.split_once(' ').unwrap();
            copy(
                &shop.project.path().join(from),
                &shop.project.path().join(to),
            );
            continue;
        }
        let words = markdown::commands(line, "forerun").into_iter().next();
        let (true, Some(words), Some(shop)) = (in_block && line.starts_with("$ "), words, &shop)
        else {
            continue;
        };
        let mut shown = String::new();
        while let Some(line) =
            lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```"))
        {
            shown.push_str(line);
            shown.push('\n');
        }
        let (present, code) = shop.run(&words);
        if shown.is_empty() && !updating() {
            assert_eq!(code, Some(0), "{tool}: {line}\n{present}");
        } else if timeless(&shown) == timeless(&present) {
            page.push_str(&shown);
        } else {
            page.push_str(present.trim_end());
            page.push('\n');
        }
    }
    Some(page)
}

fn updating() -> bool {
    env::var_os("FORERUN_UPDATE_PAGES").is_some()
}

/// That a page shows what happens.
fn check(tool: &str) {
    check_page(&format!("{tool}.md"), tool);
}

/// The same for any page that begins as that of a tool does.
fn check_page(name: &str, tool: &str) {
    let file = page(name);
    let text = fs::read_to_string(&file).unwrap();
    let Some(present) = replayed(tool, &text) else {
        return;
    };
    if updating() {
        fs::write(file, present).unwrap();
        return;
    }
    for (number, (shown, present)) in text.lines().zip(present.lines()).enumerate() {
        assert_eq!(
            shown,
            present,
            "{}:{}: the page shows the first; this is what happens now (FORERUN_UPDATE_PAGES=1 writes it)",
            file.display(),
            number + 1
        );
    }
    assert_eq!(
        text.lines().count(),
        present.lines().count(),
        "{}",
        file.display()
    );
}

macro_rules! pages {
    ($($name:ident: $tool:literal,)*) => {
        $(
            #[test]
            fn $name() {
                check($tool);
            }
        )*
        const TOOLS: &[&str] = &[$($tool),*];
    };
}

pages! {
    atlas: "atlas",
    dbmate: "dbmate",
    diesel: "diesel",
    flyway: "flyway",
    golang_migrate: "golang-migrate",
    goose: "goose",
    liquibase: "liquibase",
    refinery: "refinery",
    sqlx: "sqlx",
    tern: "tern",
}

#[test]
fn every_tool_that_adopt_knows_has_a_page_that_is_linked() {
    let overview = fs::read_to_string(page("README.md")).unwrap();
    for tool in TOOLS {
        assert!(overview.contains(&format!("({tool}.md)")), "{tool}");
    }
    let help = project()
        .run(&["migrate", "adopt", "--help"])
        .expect_code(0);
    let known = help.stdout.split_once("[possible values: ").unwrap().1;
    let known = known.split_once(']').unwrap().0;
    let known: Vec<&str> = known.split(',').map(str::trim).collect();
    assert_eq!(known, TOOLS);
}

#[test]
fn the_links_lead_somewhere() {
    for entry in fs::read_dir(page("")).unwrap() {
        let page = entry.unwrap().path();
        for link in markdown::links(&fs::read_to_string(&page).unwrap()) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let headings = markdown::headings(&fs::read_to_string(&target).unwrap());
                assert!(
                    headings.iter().any(|known| known == heading),
                    "{}: {link}",
                    page.display()
                );
            }
        }
    }
}

#[test]
fn the_overview() {
    check_page("README.md", "goose");
}

#[test]
fn the_values_of_the_overview_can_be_rendered() {
    let text = fs::read_to_string(page("README.md")).unwrap();
    let blocks = markdown::blocks(&text);
    let block = blocks.iter().find(|block| block.kind == "yaml migrations");
    let values = markdown::under_a_deployment(&block.unwrap().text);
    let outcome = project()
        .command(&[
            "--format", "text", "render", "--name", "shop", "--values", "-",
        ])
        .input(&values)
        .run()
        .expect_code(0);
    for job in [
        "name: my-app-migrations-adopt\n",
        "name: my-app-migrations-up\n",
    ] {
        assert!(outcome.stdout.contains(job), "{job}: {outcome:?}");
    }
}

#[test]
fn the_commands_of_the_overview_exist() {
    let text = fs::read_to_string(page("README.md")).unwrap();
    let mut known = 0;
    for block in markdown::blocks(&text) {
        for mut words in markdown::commands(&block.text, "forerun") {
            words.push("--help".to_owned());
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let _ = project().run(&words).expect_code(0);
            known += 1;
        }
    }
    assert!(known > 4, "{known}");
}

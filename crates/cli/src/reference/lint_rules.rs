//! `docs/lint.md` and a page for each rule of the linter.

use std::fmt::Write;

use forerun_sql::Dialect;
use forerun_sql::effect::{Blocks, Work};
use forerun_sql::lint::{ALL, Claim, Example, Kind, Needs, Peers, Rule, Severity};

use super::{GENERATED, cell};

/// What stands above the table.
const INTRODUCTION: &str = include_str!("lint_introduction.md");

/// `docs/lint.md`.
pub(super) fn index() -> String {
    let mut text = format!("{GENERATED}\n{INTRODUCTION}\n## Rules\n\n");
    let errors = ALL.iter().filter(|rule| rule.severity == Severity::Error);
    let _ = writeln!(
        text,
        "{} rules, {} of them errors. A rule of severity info is heard with `--enable RULE` only; a finding may matter less \
         than its rule. What a rule needs: the statement alone, the file and its transaction, the schema that the directory \
         has made so far, the directory as it is on another branch, or a scratch database to run on.",
        ALL.len(),
        errors.count()
    );
    for (kind, title, meaning) in KINDS {
        let rules: Vec<&&Rule> = ALL.iter().filter(|rule| rule.kind == kind).collect();
        if rules.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "\n### {title}\n\n{meaning}\n\n| Rule | What it finds | Severity | Databases | Needs | squawk | \
             strong_migrations | Atlas | Eugene |\n|---|---|---|---|---|---|---|---|---|\n"
        );
        for rule in rules {
            let Peers {
                squawk,
                strong_migrations,
                atlas,
                eugene,
            } = rule.peers;
            let _ = writeln!(
                text,
                "| [`{0}`](lint/{0}.md) | {1} | {2} | {3} | {4} | {5} |",
                rule.id,
                cell(rule.summary),
                severity(rule.severity),
                databases(rule),
                needs(rule.needs),
                [squawk, strong_migrations, atlas, eugene]
                    .map(cell)
                    .join(" | ")
            );
        }
    }
    text
}

const KINDS: [(Kind, &str, &str); 4] = [
    (
        Kind::Lock,
        "Locks: others wait",
        "What makes requests of the application wait for longer than a moment.",
    ),
    (
        Kind::Breaks,
        "Breaks: the release that runs stops working",
        "What the release before this one still uses. It belongs into a contract migration (`-- forerun:contract`), which \
         waits until a release that lives without it is all that runs: the one in `unused-since`, or else the one that \
         brings the file.",
    ),
    (
        Kind::Data,
        "Data: rows are lost, or refuse",
        "What loses rows or parts of them, or fails on a database that has other rows than the one it was tried on.",
    ),
    (
        Kind::Hygiene,
        "Hygiene",
        "What somebody trips over sooner or later, and what is wrong with the files themselves.",
    ),
];

/// Every page: path in the repository, and text.
pub(super) fn pages() -> impl Iterator<Item = (String, String)> {
    ALL.iter().map(|rule| {
        let path = format!("docs/lint/{}.md", rule.id);
        (
            path,
            format!("{GENERATED}\n{}\n[All rules](../lint.md)\n", text(rule)),
        )
    })
}

/// The page of a rule.
pub fn text(rule: &Rule) -> String {
    let mut text = format!("# {}\n\n**{}**\n\n", rule.id, rule.summary);
    let _ = writeln!(
        text,
        "{} · {} · {} · needs {}\n\n{}\n",
        severity(rule.severity),
        kind(rule.kind),
        databases(rule),
        needs(rule.needs),
        rule.why
    );
    text.push_str(&examples(rule));
    if rule.severity == Severity::Info {
        let _ = writeln!(
            text,
            "It is heard when it is asked for: `forerun migrate lint --enable {}`.\n",
            rule.id
        );
    }
    let named = [
        ("squawk", rule.peers.squawk),
        ("strong_migrations", rule.peers.strong_migrations),
        ("Atlas", rule.peers.atlas),
        ("Eugene", rule.peers.eugene),
    ];
    let named: Vec<String> = named
        .iter()
        .filter(|(_, name)| !name.is_empty())
        .map(|(tool, name)| format!("`{name}` in {tool}"))
        .collect();
    if !named.is_empty() {
        let _ = writeln!(text, "Elsewhere: {}.\n", named.join(", "));
    }
    let _ = write!(
        text,
        "Where it is meant to be, say so above the statement, or above the first one for the whole file:\n\n```sql\n-- \
         forerun:allow {} \"why it may be\"\n```\n",
        rule.id
    );
    text
}

/// The examples as Markdown.
pub fn examples(rule: &Rule) -> String {
    let mut text = String::new();
    let several = rule.examples.len() > 1;
    for example in rule.examples {
        if several {
            let _ = writeln!(text, "## {}\n", database(example.dialect));
        }
        let before = example.before.trim();
        let found = example.found.trim();
        let _ = match before.is_empty() {
            true => writeln!(text, "This is found:\n\n```sql\n{found}\n```\n"),
            false => writeln!(
                text,
                "With\n\n```sql\n{before}\n```\n\nthis is found:\n\n```sql\n{found}\n```\n"
            ),
        };
        for claim in example.claims {
            let _ = writeln!(text, "{}\n", claimed(example, claim));
        }
        match example.instead {
            [] => {}
            [only] => {
                let _ = writeln!(text, "Instead:\n\n```sql\n{}\n```\n", only.trim());
            }
            several => {
                let _ = writeln!(text, "Instead, one migration after the other:\n");
                for (number, file) in several.iter().enumerate() {
                    let _ = writeln!(text, "{}.\n\n```sql\n{}\n```\n", number + 1, file.trim());
                }
            }
        }
    }
    text
}

/// The first example as plain text.
pub fn example_text(rule: &Rule) -> String {
    let Some(example) = rule.examples.first() else {
        return rule.summary.to_owned();
    };
    let mut text = format!("Found: {}", example.found.trim());
    for file in example.instead {
        let _ = write!(text, "\n\nInstead: {}", file.trim());
    }
    text
}

/// What a server does, in words.
fn claimed(example: &Example, claim: &Claim) -> String {
    let lock = match example.dialect {
        Dialect::Postgres => format!("the lock `{}`", claim.lock),
        Dialect::Mysql => format!("`{}`", claim.lock),
        Dialect::Sqlite => format!("the {} is locked", claim.lock),
    };
    let waits = match claim.blocks {
        Blocks::Nobody => "nobody who reads or writes rows waits",
        Blocks::Writers => "who writes waits, who reads does not",
        Blocks::Everybody => "everybody who reads or writes waits",
    };
    let work = match claim.work {
        Work::Metadata => "for a moment",
        Work::Rows => "for as long as its rows take",
        Work::Scan => "while the whole table is read",
        Work::IndexBuild => "while the whole table is read and an index is built",
        Work::Rewrite => "while the whole table is written anew",
    };
    format!("On `{}`: {lock} {work}; {waits}.", claim.table)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Lock => "lock",
        Kind::Breaks => "breaks",
        Kind::Data => "data",
        Kind::Hygiene => "hygiene",
    }
}

fn needs(needs: Needs) -> &'static str {
    match needs {
        Needs::Statement => "statement",
        Needs::File => "file",
        Needs::Schema => "schema",
        Needs::Directory => "directory",
        Needs::Server => "scratch database",
    }
}

fn databases(rule: &Rule) -> String {
    let names: Vec<&str> = rule.dialects.iter().copied().map(database).collect();
    match names.len() {
        3 => "all".to_owned(),
        _ => names.join(", "),
    }
}

fn database(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "PostgreSQL",
        Dialect::Mysql => "MySQL, MariaDB",
        Dialect::Sqlite => "SQLite",
    }
}

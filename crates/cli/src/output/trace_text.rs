//! What a server did, for people: statement by statement.

use std::fmt::Write;

use forerun_migrations::trace::{Source, Trace, TracedMigration, TracedStatement};
use forerun_sql::Dialect;
use forerun_sql::effect::{Blocks, Effect, Work};

use super::style::{DIM, STRONG, WARNING, count, one_line, paint};

/// Statements up to which all of a migration are shown; of more, those that others notice.
const SHOWN: usize = 50;
/// Characters of a statement that are shown.
const PREVIEW: usize = 90;

/// Several lines, ending in one sentence. `has_target`: a database was named that the migrations are for.
pub fn render(trace: &Trace, dialect: Dialect, verbose: bool, has_target: bool) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} {}, after {}",
        paint(STRONG, "What the server did:"),
        one_line(&trace.server.product),
        count(trace.earlier, "earlier migration")
    );
    if dialect == Dialect::Sqlite {
        text.push_str(
            "SQLite locks the file as a whole, for the time that a transaction writes.\n",
        );
    }
    text.push('\n');
    for migration in &trace.migrations {
        one_migration(&mut text, migration, dialect, verbose);
    }
    let statements = trace.migrations.iter().flat_map(|one| &one.statements);
    let long = statements
        .filter(|one| one.long_blocking().next().is_some())
        .count();
    let verdict = match long {
        0 => "No statement makes others wait for longer the larger a table is".to_owned(),
        1 => "1 statement makes others wait for longer the larger its table is".to_owned(),
        more => {
            format!("{more} statements make others wait for longer the larger their tables are")
        }
    };
    let untouched = match has_target {
        true => "; nothing ran on the target",
        false => "",
    };
    let _ = writeln!(
        text,
        "{verdict}. The scratch database is empty again{untouched}."
    );
    text
}

fn one_migration(text: &mut String, migration: &TracedMigration, dialect: Dialect, verbose: bool) {
    let _ = writeln!(text, "{}", paint(STRONG, one_line(&migration.script)));
    if let Some(reason) = &migration.left_out {
        let _ = writeln!(text, "  not run here: {}", one_line(reason));
    }
    let all = verbose || migration.statements.len() <= SHOWN;
    let noticed = |statement: &&TracedStatement| {
        let mut effects = statement.effects.iter().chain(&statement.held);
        all || statement.source == Source::NotRun
            || effects.any(|effect| effect.blocks > Blocks::Nobody)
    };
    let shown: Vec<&TracedStatement> = migration.statements.iter().filter(noticed).collect();
    for statement in &shown {
        one_statement(text, statement, dialect);
    }
    let rest = migration.statements.len() - shown.len();
    if rest > 0 {
        let rest = format!(
            "    … and {}, for which nobody waits",
            count(rest, "more statement")
        );
        let _ = writeln!(text, "  {}", paint(DIM, rest));
    }
    text.push('\n');
}

fn one_statement(text: &mut String, statement: &TracedStatement, dialect: Dialect) {
    let preview = one_line(&statement.preview);
    let preview = match preview.char_indices().nth(PREVIEW) {
        Some((end, _)) => format!("{}…", preview.get(..end).unwrap_or_default()),
        None => preview,
    };
    let line = paint(DIM, format!("{:>4}", statement.position.line));
    let _ = writeln!(text, "  {line}  {preview}");
    let documented = match statement.source {
        Source::Observed => "",
        Source::Documented | Source::NotRun => ", as documented",
    };
    for effect in &statement.effects {
        let words = format!("{}{documented}", words(effect));
        let _ = writeln!(text, "        {}", marked(effect, words));
    }
    for effect in &statement.held {
        let words = format!(
            "{} on {} is still held meanwhile ({})",
            effect.lock,
            named(effect),
            waits(effect)
        );
        let _ = writeln!(text, "        {}", marked(effect, words));
    }
    match &statement.note {
        // What the manual says needs no reason where it is all there is.
        Some(_) if dialect == Dialect::Sqlite && statement.source == Source::Documented => {}
        Some(note) => {
            let _ = writeln!(text, "        {}", paint(DIM, one_line(note)));
        }
        None => {}
    }
}

/// `ACCESS EXCLUSIVE on orders, table rewritten (readers and writers wait)`
fn words(effect: &Effect) -> String {
    let work = match effect.work {
        Work::Metadata => "catalog only",
        Work::Rows => "rows of the statement",
        Work::Scan => "table read as a whole",
        Work::IndexBuild => "index built",
        Work::Rewrite => "table rewritten",
    };
    format!(
        "{} on {}, {work} ({})",
        effect.lock,
        named(effect),
        waits(effect)
    )
}

fn waits(effect: &Effect) -> String {
    let who = match effect.blocks {
        Blocks::Nobody => return "nobody waits".to_owned(),
        Blocks::Writers => "writers wait",
        Blocks::Everybody => "readers and writers wait",
    };
    match effect.work {
        Work::Metadata => format!("{who}, for a moment"),
        _ => who.to_owned(),
    }
}

fn named(effect: &Effect) -> String {
    let name = match &effect.table.schema {
        Some(schema) => format!("{schema}.{}", effect.table.name),
        None => effect.table.name.clone(),
    };
    one_line(&name)
}

fn marked(effect: &Effect, words: String) -> String {
    match effect.is_long_blocking() {
        true => paint(WARNING, words),
        false => paint(DIM, words),
    }
}

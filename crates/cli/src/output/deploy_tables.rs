//! What a deploy would do, as text.

use std::fmt::Write;

use forerun_cluster::{Preview, PreviewedChange, Wave};

use super::style::{BAD, DIM, GOOD, STRONG, WARNING, count, one_line, paint};

/// Longest value that is shown of a field.
const VALUE: usize = 120;

/// What is applied, in order.
pub fn order(objects: impl Iterator<Item = (Wave, String)>) -> String {
    let mut text = String::new();
    let mut current = None;
    for (wave, object) in objects {
        if current != Some(wave) {
            current = Some(wave);
            let _ = writeln!(text, "{}", paint(STRONG, title(wave)));
        }
        let _ = writeln!(text, "  {}", one_line(&object));
    }
    let _ = writeln!(
        text,
        "{}",
        paint(
            DIM,
            "`forerun render --delivery plain` shows the objects themselves."
        )
    );
    text
}

/// What would change, with the fields.
pub fn previews(previews: &[Preview]) -> String {
    let mut text = String::new();
    for preview in previews {
        let (mark, style, word) = match preview.change {
            PreviewedChange::Create => ("+", GOOD, "would be created"),
            PreviewedChange::Change => ("~", WARNING, "would be changed"),
            PreviewedChange::Unchanged => (" ", DIM, "unchanged"),
            PreviewedChange::Run => ("▸", STRONG, "would run"),
            PreviewedChange::Delete => ("−", BAD, "would be deleted: it left the values"),
            PreviewedChange::Keep => (" ", WARNING, "left the values and would stay"),
        };
        let object = format!("{} {}", preview.kind, preview.name);
        let _ = writeln!(
            text,
            "{} {} {}",
            paint(style, mark),
            one_line(&object),
            paint(DIM, word)
        );
        for field in &preview.fields {
            let _ = writeln!(text, "    {}", one_line(&field.field));
            if let Some(from) = &field.from {
                let _ = writeln!(text, "      {}", paint(BAD, format!("− {}", value(from))));
            }
            if let Some(to) = &field.to {
                let _ = writeln!(text, "      {}", paint(GOOD, format!("+ {}", value(to))));
            }
        }
    }
    let number = |change: PreviewedChange| {
        previews
            .iter()
            .filter(|preview| preview.change == change)
            .count()
    };
    let _ = writeln!(
        text,
        "Nothing was changed. It would run {}, create {}, change {} and delete {}.",
        count(number(PreviewedChange::Run), "Job"),
        number(PreviewedChange::Create),
        number(PreviewedChange::Change),
        number(PreviewedChange::Delete)
    );
    text
}

fn title(wave: Wave) -> &'static str {
    match wave {
        Wave::Migration => "migration",
        Wave::Configuration => "configuration, when every step has succeeded",
        Wave::Application => "application",
        Wave::Ledger => "ledger, when all of that is rolled out",
    }
}

fn value(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

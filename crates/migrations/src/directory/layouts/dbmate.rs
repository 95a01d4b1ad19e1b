//! The layout of dbmate: `<version>_<description>.sql` with `-- migrate:up` and `-- migrate:down` in one file.
//!
//! Source: dbmate 2.37, <https://github.com/amacneil/dbmate#creating-migrations> and the behaviour of its command.
//! - The version is the digits at the start of the name; other files are no migrations. dbmate runs files in the order of
//!   their names, which must be the order of their numbers too.
//! - Directives stand at the start of a line. Of their options only `transaction:false` has a meaning.
//! - Comments before the first `-- migrate:up` belong to it; anything else there is an error. Each `-- migrate:up` needs a
//!   `-- migrate:down`, also an empty one.
//! - Of several pairs in a file each has its own transaction, and they are reverted last pair first. Such a file becomes a
//!   script without a transaction around it, with BEGIN and COMMIT around the statements of each pair. Where its down script is wrong, the
//!   line that is named is one of that script, not of the file.
//!
//! What differs on purpose: a byte order mark is no error, and a failed file with several pairs goes on where it stopped.

use std::ops::Range;

use super::super::error::DirectoryError;
use super::super::folder::{FileText, Folder};
use super::super::layout::{Claim, Found, Rules, Strength, marker_place};
use super::super::script::{Edit, Script};
use super::super::{DirectoryWarning, Migration, ReadOptions};
use super::numbered::{is_near_miss, up_text};
use super::problems::Problems;
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Dbmate;

const MARKER: &str = "migrate:up";

impl Rules for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
    }

    fn form(&self) -> &'static str {
        "<version>_<description>.sql with `-- migrate:up`, such as 20260131120000_add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let marked = marker_place(&folder.sample()?, MARKER).is_some();
        Ok(marked.then(|| Claim {
            strength: Strength::Certain,
            because: "its first file has a `-- migrate:up` comment".to_owned(),
        }))
    }

    fn marker(&self) -> Option<&'static str> {
        Some(MARKER)
    }

    fn read(&self, folder: &mut Folder, _: &ReadOptions) -> Result<Found, DirectoryError> {
        let mut found = Found::default();
        let mut problems = Problems::new(folder, self.name());
        for name in folder.files().to_vec() {
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            let (version_text, rest) = name.split_at_checked(digits).unwrap_or_default();
            let Some(words) = rest.strip_suffix(".sql").filter(|_| digits > 0) else {
                if !name.ends_with(".sql") && is_near_miss(&name) {
                    found
                        .warnings
                        .push(DirectoryWarning::NearMiss { file: name });
                }
                continue;
            };
            let Some(version) = Version::parse(version_text) else {
                problems.file(
                    &name,
                    "its version is longer than 255 digits. Give it a smaller number",
                );
                continue;
            };
            let text = folder.text(&name)?;
            match pairs(text.text()) {
                Ok(pairs) => {
                    let description = words.trim_start_matches('_').replace('_', " ");
                    let up = up_script(&text, &pairs);
                    let mut migration = Migration::new(version, version_text, description, up);
                    migration.down = Some(down_script(&text, &pairs));
                    found.migrations.push(migration);
                }
                Err((offset, message)) => problems.place(&text, offset, message),
            }
        }
        problems.order(&found.migrations, "the file names");
        problems.finish()?;
        Ok(found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        let up = up_text(slug, kind);
        let text = format!("-- migrate:up\n{up}-- migrate:down\n\n");
        Some(vec![(format!("{version}_{slug}.sql"), text)])
    }
}

/// A directive and what it is about, as bytes of the text.
struct Block {
    /// Its line without the line end.
    directive: Range<usize>,
    /// Where the next block begins.
    end: usize,
    transaction: bool,
}

impl Block {
    /// What follows the line of the directive.
    fn body(&self, text: &str) -> Range<usize> {
        let line_end = text
            .get(self.directive.end..self.end)
            .is_some_and(|rest| rest.starts_with('\n'));
        self.directive.end + usize::from(line_end)..self.end
    }

    fn words(&self, text: &str) -> Option<String> {
        let directive = text.get(self.directive.clone()).unwrap_or_default();
        (!self.transaction).then(|| directive.trim_end().to_owned())
    }
}

struct Pair {
    up: Block,
    down: Block,
}

/// Takes a file apart, or says what is wrong, and at which byte.
fn pairs(text: &str) -> Result<Vec<Pair>, (usize, &'static str)> {
    let mut pairs: Vec<Pair> = Vec::new();
    // An up block that waits for its down block.
    let mut open: Option<Block> = None;
    for (direction, block) in blocks(text) {
        match (direction, open.take()) {
            (Direction::Up, None) => open = Some(block),
            (Direction::Up, Some(up)) => return Err((up.directive.start, NO_DOWN)),
            (Direction::Down, Some(up)) => pairs.push(Pair { up, down: block }),
            // Before the first up block it is a comment like any other.
            (Direction::Down, None) if pairs.is_empty() => {}
            (Direction::Down, None) => {
                let problem = "there are two `-- migrate:down` for one `-- migrate:up`. Remove one of them, or add the \
                               `-- migrate:up` that is missing";
                return Err((block.directive.start, problem));
            }
        }
    }
    if let Some(up) = open {
        return Err((up.directive.start, NO_DOWN));
    }
    let Some(first) = pairs.first_mut() else {
        let problem = "there is no `-- migrate:up`. Add it at the start of a line, above what is to be run, and \
                       `-- migrate:down` below";
        return Err((0, problem));
    };
    let mut start = 0;
    let foreword = text.get(..first.up.directive.start).unwrap_or_default();
    for line in foreword.split_inclusive('\n') {
        let content = line.trim_ascii_start();
        if !content.is_empty() && !content.starts_with("--") {
            let problem =
                "dbmate accepts nothing but line comments before `-- migrate:up`. Move it below";
            return Err((start, problem));
        }
        start += line.len();
    }
    Ok(pairs)
}

const NO_DOWN: &str = "there is no `-- migrate:down` for this `-- migrate:up`. Add it, also when nothing can be reverted";

/// All directives with what follows them, in order.
fn blocks(text: &str) -> Vec<(Direction, Block)> {
    let mut blocks: Vec<(Direction, Block)> = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), "migrate:") {
        let before = text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let dashes = text.get(start..at).unwrap_or_default();
        if dashes.trim_ascii_end() != "--" {
            continue;
        }
        let rest = text.get(at + "migrate:".len()..).unwrap_or_default();
        let (direction, options) = match (rest.strip_prefix("up"), rest.strip_prefix("down")) {
            (Some(options), _) => (Direction::Up, options),
            (_, Some(options)) => (Direction::Down, options),
            _ => continue,
        };
        if options
            .bytes()
            .next()
            .is_some_and(|next| !next.is_ascii_whitespace())
        {
            continue;
        }
        let options = options.split('\n').next().unwrap_or_default();
        let line = text.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len());
        if let Some((_, previous)) = blocks.last_mut() {
            previous.end = start;
        }
        let block = Block {
            directive: start..start + length,
            end: text.len(),
            transaction: transaction(options),
        };
        blocks.push((direction, block));
    }
    blocks
}

/// The last `transaction:` counts; whatever else stands there means nothing to dbmate.
fn transaction(options: &str) -> bool {
    let pairs = options
        .split_ascii_whitespace()
        .filter_map(|option| option.split_once(':'));
    let mut values = pairs.filter(|(key, value)| *key == "transaction" && !value.contains(':'));
    values.next_back().is_none_or(|(_, value)| value != "false")
}

fn up_script(text: &FileText, pairs: &[Pair]) -> Script {
    let foreword = pairs
        .first()
        .map_or(0..0, |pair| 0..pair.up.directive.start);
    script(
        text,
        Direction::Up,
        foreword,
        pairs.iter().map(|pair| &pair.up).collect(),
    )
}

fn down_script(text: &FileText, pairs: &[Pair]) -> Script {
    script(
        text,
        Direction::Down,
        0..0,
        pairs.iter().rev().map(|pair| &pair.down).collect(),
    )
}

fn script(
    text: &FileText,
    direction: Direction,
    foreword: Range<usize>,
    blocks: Vec<&Block>,
) -> Script {
    let mut keep = vec![foreword];
    let mut edits = Vec::new();
    let no_transaction = if let [block] = blocks.as_slice() {
        keep.push(block.body(text.text()));
        block.words(text.text())
    } else {
        for block in blocks {
            keep.push(block.directive.start..block.end);
            enclose(block, text.text(), &mut edits);
        }
        Some("several pairs of `-- migrate:up` and `-- migrate:down`".to_owned())
    };
    keep.retain(|range| !range.is_empty());
    let mut script = text.part(direction, keep, edits);
    script.no_transaction = no_transaction;
    script
}

/// Gives a block its own transaction, and an end even where its last statement has none.
fn enclose(block: &Block, text: &str, edits: &mut Vec<Edit>) {
    let body = text.get(block.body(text)).unwrap_or_default();
    let (first, rest) = body.split_once(';').unwrap_or((body, ""));
    let (begin, end) = match (is_idle(first), is_idle(rest)) {
        (true, true) => ("", ""),
        (_, false) if block.transaction => ("BEGIN;", ";COMMIT;"),
        // One statement is a transaction by itself, also where it must not stand in another one.
        _ => ("", ";"),
    };
    // The last line may be a comment, which must not swallow it.
    let line_end = if end.is_empty() || body.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    edits.push(Edit {
        range: block.directive.clone(),
        with: begin.to_owned(),
    });
    edits.push(Edit {
        range: block.end..block.end,
        with: format!("{line_end}{end}"),
    });
}

/// Nothing but white space and line comments.
fn is_idle(text: &str) -> bool {
    text.lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"))
}

#[cfg(test)]
#[path = "dbmate_tests.rs"]
mod tests;

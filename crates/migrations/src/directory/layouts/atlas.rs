//! The layout of Atlas: `<version>_<description>.sql` in the order of their names, and an `atlas.sum` over them.
//!
//! Where there is an `atlas.sum`, it must fit, as Atlas demands. Directives stand at the top of a file, with an empty
//! line below them. Of a file with sections (`-- atlas:txtar`), `migration.sql` and `down.sql` are read; assertions in
//! `checks.sql` are refused, since nobody but Atlas's own service evaluates them.

use std::ops::Range;

use super::super::error::DirectoryError;
use super::super::folder::{FileText, Folder};
use super::super::layout::{Claim, Found, Layout, Rules, Strength};
use super::super::script::Script;
use super::super::{Migration, ReadOptions};
use super::atlas_delimiter;
use super::numbered::{sql_files, up_text};
use super::problems::Problems;
use crate::history::foreign::checksum_atlas::{Files, directive, is_left_out};
use crate::history::{Direction, Kind, Version};

pub(in super::super) struct Atlas;

const NAME: &str = "atlas";

const SUM: &str = "atlas.sum";

impl Rules for Atlas {
    fn name(&self) -> &'static str {
        NAME
    }

    fn form(&self) -> &'static str {
        "<version>_<description>.sql, such as 20240131120000_add_email.sql"
    }

    fn claim(&self, folder: &mut Folder) -> Result<Option<Claim>, DirectoryError> {
        let because = if folder.has(SUM) {
            "there is an atlas.sum"
        } else if folder
            .sample()?
            .lines()
            .take_while(|line| is_comment(line))
            .any(has_directive)
        {
            "its first script has a directive of it"
        } else {
            return Ok(None);
        };
        // Atlas also reads directories of other tools and writes its sum there. Those that are known by directives claim
        // the directory themselves; these two are known by names.
        let other = folder
            .files()
            .iter()
            .find_map(|name| other_layout(name).map(|layout| (layout, name)));
        if let Some((second, name)) = other {
            return Err(DirectoryError::TwoLayouts {
                path: folder.path().to_owned(),
                first: NAME,
                first_because: because.to_owned(),
                second,
                second_because: format!("`{name}` is named like one"),
            });
        }
        Ok(Some(Claim {
            strength: Strength::Certain,
            because: because.to_owned(),
        }))
    }

    fn marker(&self) -> Option<&'static str> {
        Some("atlas:")
    }

    fn read(&self, folder: &mut Folder, options: &ReadOptions) -> Result<Found, DirectoryError> {
        let mut reader = Reader {
            problems: Problems::new(folder, NAME),
            options,
            found: Found::default(),
        };
        let names = sql_files(folder, &mut reader.found.warnings)?;
        let (mut files, mut sums) = (Files::default(), Vec::with_capacity(names.len()));
        let has_sum = folder.has(SUM);
        for name in &names {
            let file = folder.text(name)?;
            if has_sum {
                let bytes = (!is_left_out(file.text())).then(|| file.bytes());
                let sum = files.next(name, bytes);
                sums.extend(sum.map(|sum| (name.as_str(), sum)));
            }
            if options.layout.is_none()
                && let Some((found, line)) =
                    Layout::named(NAME).and_then(|own| own.foreign_marker(file.text()))
            {
                return Err(DirectoryError::ForeignDirective {
                    path: file.path().to_owned(),
                    line,
                    found: found.name(),
                    layout: NAME,
                });
            }
            reader.file(name, &file);
        }
        if has_sum {
            let file = folder.text(SUM)?;
            if let Err(message) = fits(file.text(), &sums, &files.header()) {
                reader.problems.file(SUM, message);
            }
        }
        reader
            .problems
            .order(&reader.found.migrations, "file names");
        reader.problems.finish()?;
        Ok(reader.found)
    }

    fn new_files(&self, version: &str, slug: &str, kind: Kind) -> Option<Vec<(String, String)>> {
        Some(vec![(format!("{version}_{slug}.sql"), up_text(slug, kind))])
    }
}

/// The layout whose names a directory with a sum of Atlas may have.
fn other_layout(name: &str) -> Option<&'static str> {
    if name.ends_with(".up.sql") || name.ends_with(".down.sql") {
        return Some("golang-migrate");
    }
    let rest = name.strip_suffix(".sql")?;
    let versioned = rest
        .strip_prefix(['V', 'U', 'B'])
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    ((versioned || rest.starts_with("R__")) && rest.contains("__")).then_some("flyway")
}

fn is_comment(line: &str) -> bool {
    line.starts_with("--") || line.starts_with('#')
}

fn has_directive(line: &str) -> bool {
    directive(line).is_some_and(|(before, ..)| matches!(before.trim_end(), "--" | "#"))
}

struct Reader<'a> {
    problems: Problems,
    options: &'a ReadOptions,
    found: Found,
}

impl Reader<'_> {
    fn file(&mut self, name: &str, file: &FileText) {
        let stem = name.strip_suffix(".sql").unwrap_or(name);
        let (text, description) = stem.split_once('_').unwrap_or((stem, ""));
        let Some(version) = Version::parse(text).or_else(|| Version::named(text)) else {
            return self.problems.file(
                name,
                format!(
                    "its version `{text}` begins with a digit and is no number. Give it a name that begins with a number \
                     or a letter"
                ),
            );
        };
        if let Some(offset) = template(file.text()) {
            self.problems.place(
                file,
                offset,
                "this is a template, which Atlas fills in before it runs. Write the SQL that it makes into the file",
            );
        }
        let Some(directives) = self.directives(file) else {
            return;
        };
        let (up, down) = if directives.sections {
            match self.sections(file) {
                Some(sections) => sections,
                None => return,
            }
        } else {
            (0..file.text().len(), None)
        };
        let mut migration =
            match self.script(file, Direction::Up, up, directives.delimiter.as_deref()) {
                Some(up) => Migration::new(version, text, description.replace('_', " "), up),
                None => return,
            };
        if let Some(down) = down {
            migration.down = self.script(file, Direction::Down, down, None);
        }
        migration.up.no_transaction = directives
            .no_transaction
            .then(|| "-- atlas:txmode none".to_owned());
        if let Some(down) = &mut migration.down {
            down.no_transaction.clone_from(&migration.up.no_transaction);
        }
        // There is nothing else of its version.
        migration.checkpoint = directives.checkpoint.then(|| migration.up.clone());
        self.found.migrations.push(migration);
    }

    fn script(
        &mut self,
        file: &FileText,
        direction: Direction,
        range: Range<usize>,
        delimiter: Option<&str>,
    ) -> Option<Script> {
        let text = file.text().get(range.clone()).unwrap_or_default();
        match atlas_delimiter::edits(text, delimiter, self.options.dialect) {
            Ok(edits) if edits.is_empty() && text.len() == file.text().len() => {
                Some(file.whole(direction))
            }
            Ok(mut edits) => {
                for edit in &mut edits {
                    edit.range = edit.range.start + range.start..edit.range.end + range.start;
                }
                Some(file.part(direction, vec![range], edits))
            }
            Err(message) => {
                self.problems.place(file, range.start, message);
                None
            }
        }
    }

    /// What the comments at the top of a file say; `None` after a problem.
    fn directives(&mut self, file: &FileText) -> Option<Directives> {
        let text = file.text();
        let mut found = Directives::default();
        let first = text.lines().next().unwrap_or_default();
        // Only here in the very first line, and only written so.
        if let Some(("-- ", "delimiter", value)) = directive(first) {
            found.delimiter = Some(value.trim_end_matches('\r').to_owned());
            if !text.contains('\n') {
                self.problems
                    .place(file, 0, "there is no statement below the delimiter");
                return None;
            }
        }
        let mut fine = true;
        let mut modes = 0;
        for (offset, line) in top(text) {
            let Some((_, name, value)) = directive(line) else {
                continue;
            };
            let message = match (name, value.trim()) {
                ("txmode", mode) => {
                    modes += 1;
                    match mode {
                        _ if modes > 1 => {
                            Some("there is more than one txmode. Leave one".to_owned())
                        }
                        "none" => {
                            found.no_transaction = true;
                            None
                        }
                        "file" => None,
                        "all" => Some(
                            "a file cannot ask for txmode all. Write `-- atlas:txmode file`"
                                .to_owned(),
                        ),
                        other => Some(format!("there is no txmode `{other}`. Write none or file")),
                    }
                }
                ("checkpoint", _) => {
                    found.checkpoint = true;
                    None
                }
                ("txtar", _) => {
                    found.sections = true;
                    None
                }
                ("import", what) => Some(format!(
                    "atlas:import cannot be carried over. Write what it brings in from `{what}` into the file"
                )),
                // Known and of no meaning here.
                ("delimiter" | "sum" | "nolint", _) => None,
                (other, _) => Some(format!(
                    "forerun does not know the directive atlas:{other}. Remove it, or write what it does as SQL"
                )),
            };
            if let Some(message) = message {
                fine = false;
                self.problems.place(file, offset, message);
            }
        }
        fine.then_some(found)
    }

    /// The parts of a file with sections that apply and revert it.
    fn sections(&mut self, file: &FileText) -> Option<(Range<usize>, Option<Range<usize>>)> {
        let text = file.text();
        let (mut up, mut down, mut fine) = (None, None, true);
        let mut sections: Vec<(&str, usize, Range<usize>)> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let end = at + line.len();
            let name = line
                .trim_end()
                .strip_prefix("-- ")
                .and_then(|rest| rest.strip_suffix(" --"));
            if let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) {
                sections.push((name, at, end..text.len()));
            }
            at = end;
        }
        let starts: Vec<usize> = sections
            .iter()
            .skip(1)
            .map(|(_, start, _)| *start)
            .collect();
        for ((_, _, range), next) in sections.iter_mut().zip(starts) {
            range.end = next;
        }
        for (name, start, range) in sections {
            match name {
                "migration.sql" => up = Some(range),
                "down.sql" => down = Some(range),
                name => {
                    fine = false;
                    let message = if name.starts_with("checks") {
                        format!(
                            "the assertions in `{name}` cannot be carried over. Write them into migration.sql, each as \
                             `-- forerun:assert \"what must hold\"` and a query for the rows that must not be there"
                        )
                    } else {
                        format!("there is no section `{name}`. Write migration.sql or down.sql")
                    };
                    self.problems.place(file, start, message);
                }
            }
        }
        if up.is_none() && fine {
            fine = false;
            self.problems
                .place(file, 0, "the section `-- migration.sql --` is missing");
        }
        up.filter(|_| fine).map(|up| (up, down))
    }
}

#[derive(Default)]
struct Directives {
    no_transaction: bool,
    checkpoint: bool,
    sections: bool,
    delimiter: Option<String>,
}

/// The comments at the top of a file, if an empty line or nothing follows.
fn top(text: &str) -> Vec<(usize, &str)> {
    let (mut lines, mut at) = (Vec::new(), 0);
    let mut rest = text;
    while is_comment(rest) {
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        lines.push((at, line.trim()));
        at += line.len();
        rest = text.get(at..).unwrap_or_default();
    }
    let detached = rest.is_empty() || rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n');
    if detached { lines } else { Vec::new() }
}

/// Where a line begins with an action of a template.
fn template(text: &str) -> Option<usize> {
    memchr::memmem::find_iter(text.as_bytes(), b"{{").find(|at| {
        let before = text.get(..*at).unwrap_or_default();
        before
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim().is_empty())
    })
}

/// Whether the sum is that of the files.
fn fits(sum: &str, files: &[(&str, String)], header: &str) -> Result<(), String> {
    const ADVICE: &str = "If that was meant, run `atlas migrate hash`; else restore the file";
    let mut lines = sum.lines();
    let first = lines.next().unwrap_or_default().trim();
    let mut entries = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let Some((name, hash)) = line.split_once("h1:") else {
            return Err(format!(
                "the line `{}` is none of a sum, perhaps after a merge. Run `atlas migrate hash`",
                line.chars().take(60).collect::<String>()
            ));
        };
        entries.push((name.trim(), hash.trim()));
    }
    for (place, (name, hash)) in entries.iter().enumerate() {
        match files.get(place) {
            Some((file, sum)) if file == name && sum == hash => continue,
            Some((file, _)) if file == name => {
                return Err(format!("`{name}` was edited. {ADVICE}"));
            }
            _ => {}
        }
        if !files.iter().any(|(file, _)| file == name) {
            return Err(format!("`{name}` was removed. {ADVICE}"));
        }
        let added = files.get(place).map_or("", |(file, _)| file);
        return Err(format!(
            "`{added}` was added, before files that were there already. If that was meant, run `atlas migrate hash`; \
             else give it a version after them"
        ));
    }
    if let Some((added, _)) = files.get(entries.len()) {
        return Err(format!(
            "`{added}` was added. Run `atlas migrate hash`, or remove it"
        ));
    }
    if first.strip_prefix("h1:") != Some(header) {
        return Err("its first line does not fit the others. Run `atlas migrate hash`".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[path = "atlas_tests.rs"]
mod tests;

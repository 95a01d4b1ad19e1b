//! Reads the files of a directory, in Flyway's order, and collects what is wrong with them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use forerun_sql::Position;

use super::super::super::digest::Hashers;
use super::super::super::error::{DirectoryError, DirectoryWarning, LayoutProblem};
use super::super::super::folder::{FileText, Folder};
use super::super::super::layout::{Layout, Rules};
use super::super::super::script::{Edit, Script};
use super::super::super::{Migration, Repeat};
use super::names::{Moment, Name, Named, Sort, Stage, version_of};
use super::placeholders::Placeholders;
use super::properties::properties;
use super::settings::is_utf_8;
use super::{Flyway, base_name, parse};
use crate::history::{Direction, Version};

/// Bytes of a file that are searched for directives of other layouts.
const SEARCHED_BYTES: usize = 256 * 1024;

/// A file that is read.
pub(super) struct File<'a> {
    path: &'a str,
    named: Named<'a>,
    /// What identifies it.
    version: Version,
    /// The version as it is written, or what there is instead.
    version_text: String,
    description: String,
    stage: Stage,
}

impl File<'_> {
    fn order(&self, other: &Self) -> Ordering {
        let stage = self.stage.cmp(&other.stage);
        let is_baseline = |file: &Self| file.named.sort == Sort::Baseline;
        stage.then_with(|| match self.stage {
            Stage::Versioned => {
                let order = self.version.cmp(&other.version);
                order.then_with(|| is_baseline(self).cmp(&is_baseline(other)))
            }
            // As Java compares text.
            _ => self
                .description
                .encode_utf16()
                .cmp(other.description.encode_utf16()),
        })
    }
}

pub(super) struct Reading<'a> {
    pub placeholders: Placeholders<'a>,
    /// Directives of other layouts are looked for.
    pub marked: bool,
    /// It may as well be a directory of refinery, if there is no placeholder.
    pub undecided: bool,
    /// Files with the settings of one script, by their paths in lower case.
    pub settings: BTreeMap<String, &'a str>,
    pub problems: Vec<LayoutProblem>,
    pub warnings: Vec<DirectoryWarning>,
    pub migrations: Vec<Migration>,
}

/// What `<file>.conf` says.
#[derive(Default)]
struct ScriptSettings {
    transaction: Option<bool>,
    replacement: Option<bool>,
}

impl Reading<'_> {
    /// All files that are migrations, callbacks or undo migrations, in order.
    pub fn files<'f>(&mut self, folder: &mut Folder, tree: &'f [String]) -> Vec<File<'f>> {
        let configuration = self.placeholders.configuration;
        let mut files = Vec::with_capacity(tree.len());
        let mut conditional = Vec::new();
        for path in tree {
            let migrations = configuration.locations.hold(path);
            let own = configuration.callback_locations.as_ref();
            let callbacks =
                !configuration.skip_callbacks && own.map_or(migrations, |own| own.hold(path));
            match parse(configuration, path) {
                Name::Named(named) => match named.sort {
                    Sort::Callback(_) if !callbacks => {}
                    Sort::Callback(event) => match event.moment {
                        Moment::Run(stage) => files.extend(self.file(folder, path, named, stage)),
                        Moment::BeforeRepeatables | Moment::Changed => {
                            conditional.push((path, named, event.moment));
                        }
                        Moment::Elsewhere => {
                            self.left_out(path, "Flyway does not run it in a migration");
                        }
                        refused => self.problem(folder, path, None, refusal(refused)),
                    },
                    _ if !migrations => {}
                    Sort::Repeatable => {
                        files.extend(self.file(folder, path, named, Stage::Repeatable));
                    }
                    _ => files.extend(self.file(folder, path, named, Stage::Versioned)),
                },
                Name::Invalid(reason) if configuration.validate_naming && migrations => {
                    let message = format!(
                        "{reason}, and flyway.validateMigrationNaming refuses that: rename it"
                    );
                    self.problem(folder, path, None, &message);
                }
                Name::Invalid(reason) if migrations => self.left_out(path, &reason),
                Name::Refused(message) if migrations => self.problem(folder, path, None, &message),
                _ => {}
            }
        }
        self.conditional(folder, &mut files, conditional);
        files.sort_by(File::order);
        self.refuse_twins(folder, &files);
        for directory in &configuration.jar_directories {
            self.left_out(
                directory,
                "Flyway looks for migrations of code there (jarDirs), and forerun runs SQL",
            );
        }
        files
    }

    /// Callbacks that run when something else does.
    fn conditional<'f>(
        &mut self,
        folder: &mut Folder,
        files: &mut Vec<File<'f>>,
        callbacks: Vec<(&'f String, Named<'f>, Moment)>,
    ) {
        if callbacks.is_empty() {
            return;
        }
        let repeatable = files.iter().filter(|file| file.stage == Stage::Repeatable);
        let always: Vec<bool> = repeatable
            .map(|file| self.runs_always(folder, file.path))
            .collect();
        for (path, named, moment) in callbacks {
            let before = moment == Moment::BeforeRepeatables;
            if always.contains(&true) {
                let stage = if before {
                    Stage::BeforeRepeatables
                } else {
                    Stage::AfterMigrateApplied
                };
                files.extend(self.file(folder, path, named, stage));
            } else if before && always.is_empty() {
                self.left_out(
                    path,
                    "there is no repeatable migration that it could run before",
                );
            } else if before {
                self.problem(
                    folder,
                    path,
                    None,
                    "Flyway runs this only when a repeatable migration is going to run, and forerun has no such \
                     moment. Rename it to afterVersioned__… if it may run in every run, or put what it does into the \
                     repeatable migrations",
                );
            } else {
                self.problem(
                    folder,
                    path,
                    None,
                    "Flyway runs this only when a migration was run, and forerun has no such moment. Rename it to \
                     afterMigrate__… if it may run in every run, or remove it",
                );
            }
        }
    }

    /// Whether a repeatable migration asks to be run in every run. Errors wait for when it is read as a script.
    fn runs_always(&self, folder: &mut Folder, path: &str) -> bool {
        let replaced = folder
            .text(path)
            .map(|text| self.placeholders.replace(text.text(), base_name(path)));
        self.placeholders.configuration.placeholder_replacement
            && replaced.is_ok_and(|replaced| replaced.changing)
    }

    fn file<'f>(
        &mut self,
        folder: &Folder,
        path: &'f str,
        named: Named<'f>,
        stage: Stage,
    ) -> Option<File<'f>> {
        let description = named.words.replace('_', " ");
        let (version, version_text) = match named.sort {
            Sort::Versioned | Sort::Baseline | Sort::Undo => {
                (version_of(named.version).ok(), named.version.to_owned())
            }
            Sort::Repeatable => {
                let text = format!("R__{}", named.words);
                (Version::named(&text), text)
            }
            Sort::Callback(event) => {
                let separator = if named.words.is_empty() { "" } else { "__" };
                let text = format!("{}{separator}{}", event.id, named.words);
                (Version::named(&text), text)
            }
        };
        let Some(version) = version else {
            self.problem(
                folder,
                path,
                None,
                "its name is longer than 255 characters: shorten it",
            );
            return None;
        };
        Some(File {
            path,
            named,
            version,
            version_text,
            description,
            stage,
        })
    }

    /// Two files of the same sort with the same version or description; neighbours in the order.
    fn refuse_twins(&mut self, folder: &Folder, files: &[File<'_>]) {
        for sort in [Sort::Versioned, Sort::Baseline, Sort::Undo] {
            let same: Vec<&File<'_>> = files
                .iter()
                .filter(|file| file.named.sort == sort)
                .collect();
            for pair in same.windows(2) {
                if let [first, second] = pair
                    && first.version == second.version
                {
                    let message = format!(
                        "`{}` has the same version. Give one of them a new number; if one is applied somewhere \
                         already, it must be the other one",
                        first.path
                    );
                    self.problem(folder, second.path, None, &message);
                }
            }
        }
        for pair in files.windows(2) {
            if let [first, second] = pair
                && first.stage == second.stage
                && first.stage != Stage::Versioned
                && first.description == second.description
            {
                let message = format!(
                    "`{}` has the same description: rename one of them",
                    first.path
                );
                self.problem(folder, second.path, None, &message);
            }
        }
    }

    /// Reads the files.
    pub fn migrations(
        &mut self,
        folder: &mut Folder,
        files: Vec<File<'_>>,
    ) -> Result<(), DirectoryError> {
        let configuration = self.placeholders.configuration;
        let mut down = BTreeMap::new();
        for file in files.iter().filter(|file| file.named.sort == Sort::Undo) {
            down.insert(file.version.clone(), file.path);
        }
        for file in files {
            if file.named.sort == Sort::Undo {
                continue;
            }
            let (up, changing) = self.script(folder, file.path, Direction::Up, file.named.sort)?;
            let sort = file.named.sort;
            let before = self
                .migrations
                .last_mut()
                .filter(|before| before.version == file.version);
            if let (Sort::Baseline, Some(before)) = (sort, before) {
                before.checkpoint = Some(up);
                continue;
            }
            let undo = match sort {
                Sort::Versioned => down.remove(&file.version),
                _ => None,
            };
            let mut migration =
                Migration::new(file.version, file.version_text, file.description, up);
            migration.repeat = match sort {
                Sort::Versioned | Sort::Baseline | Sort::Undo => Repeat::Never,
                Sort::Repeatable if changing => Repeat::Always,
                Sort::Repeatable => Repeat::WhenChanged,
                Sort::Callback(_) => Repeat::Always,
            };
            migration.any_order = configuration.out_of_order && sort == Sort::Versioned;
            if sort == Sort::Baseline {
                migration.checkpoint = Some(migration.up.clone());
            }
            if let Some(path) = undo {
                migration.down = Some(self.script(folder, path, Direction::Down, Sort::Undo)?.0);
            }
            self.migrations.push(migration);
        }
        for path in down.into_values() {
            self.left_out(
                path,
                "there is no migration of this version that it could undo",
            );
        }
        Ok(())
    }

    /// One file as a script, and whether it asks to be run in every run.
    fn script(
        &mut self,
        folder: &mut Folder,
        path: &str,
        direction: Direction,
        sort: Sort,
    ) -> Result<(Script, bool), DirectoryError> {
        let configuration = self.placeholders.configuration;
        let settings = self.script_settings(folder, path)?;
        let own = Layout::named(Flyway.name()).unwrap_or(Layout::NATIVE);
        let (mut script, mut changing) = if settings
            .replacement
            .unwrap_or(configuration.placeholder_replacement)
        {
            let text = folder.text(path)?;
            if self.marked {
                let end = text.text().floor_char_boundary(SEARCHED_BYTES);
                let foreign = own.foreign_marker(text.text().get(..end).unwrap_or_default());
                if let Some((found, line)) = foreign {
                    return Err(DirectoryError::ForeignDirective {
                        path: text.path().to_owned(),
                        line,
                        found: found.name(),
                        layout: own.name(),
                    });
                }
            }
            let replaced = self.placeholders.replace(text.text(), base_name(path));
            let placeholders =
                !replaced.edits.is_empty() || !replaced.problems.is_empty() || replaced.changing;
            if self.undecided && placeholders {
                return Err(two_layouts(folder, path));
            }
            for (position, message) in replaced.problems {
                self.problem(folder, path, Some(position), &message);
            }
            if replaced.edits.is_empty() {
                (text.whole(direction), replaced.changing)
            } else {
                let normalized = (sort == Sort::Repeatable).then(|| digest(&text, &replaced.edits));
                let whole = std::iter::once(0..text.text().len()).collect();
                let mut script = text.part(direction, whole, replaced.edits);
                if let Some(normalized) = normalized {
                    // A repeatable migration runs again when a value in it has changed.
                    script.normalized = normalized;
                }
                (script, replaced.changing)
            }
        } else if self.marked {
            (folder.whole_unmarked(path, direction, own)?, false)
        } else {
            (folder.whole(path, direction)?, false)
        };
        changing &= sort == Sort::Repeatable;
        script.no_transaction = match settings.transaction {
            Some(true) => None,
            Some(false) => Some("executeInTransaction=false".to_owned()),
            None if configuration.execute_in_transaction => None,
            None => Some("flyway.executeInTransaction=false".to_owned()),
        };
        Ok((script, changing))
    }

    /// What `<file>.conf` says, if it is there.
    fn script_settings(
        &mut self,
        folder: &mut Folder,
        path: &str,
    ) -> Result<ScriptSettings, DirectoryError> {
        let mut settings = ScriptSettings::default();
        let Some(name) = self
            .settings
            .get(&format!("{path}.conf").to_lowercase())
            .copied()
        else {
            return Ok(settings);
        };
        let text = folder.text(name)?;
        let replaced = self.placeholders.replace(text.text(), base_name(path));
        for (position, message) in replaced.problems {
            self.problem(folder, name, Some(position), &message);
        }
        let mut values = String::with_capacity(text.text().len());
        pieces(&text, &replaced.edits).for_each(|piece| values.push_str(piece));
        for property in properties(&values) {
            let value = property.value.trim();
            let flag = match value {
                value if value.eq_ignore_ascii_case("true") => Some(true),
                value if value.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            };
            let message = match property.key.as_str() {
                "executeInTransaction" | "placeholderReplacement" if flag.is_none() => {
                    format!("{} is either true or false", property.key)
                }
                "executeInTransaction" => {
                    settings.transaction = flag;
                    continue;
                }
                "placeholderReplacement" => {
                    settings.replacement = flag;
                    continue;
                }
                "encoding" if is_utf_8(value) => continue,
                "encoding" => "forerun reads UTF-8: save the script as UTF-8, and take this line away".to_owned(),
                "shouldExecute" if flag == Some(true) => continue,
                "shouldExecute" => {
                    "forerun runs every migration: take this line away, or move the script to a directory of its own"
                        .to_owned()
                }
                key => format!("`{key}` is not a setting of a script. There are executeInTransaction, encoding and \
                                placeholderReplacement"),
            };
            let position = Position {
                line: property.line,
                ..Position::START
            };
            self.problem(folder, name, Some(position), &message);
        }
        Ok(settings)
    }

    fn problem(&mut self, folder: &Folder, file: &str, position: Option<Position>, message: &str) {
        self.problems.push(LayoutProblem {
            path: folder.path().join(file),
            position,
            message: message.to_owned(),
        });
    }

    fn left_out(&mut self, file: &str, reason: &str) {
        self.warnings.push(DirectoryWarning::Layout {
            file: file.to_owned(),
            line: None,
            message: format!("not read: {reason}"),
        });
    }
}

/// The text after the edits, piece by piece.
fn pieces<'a>(text: &'a FileText, edits: &'a [Edit]) -> impl Iterator<Item = &'a str> {
    let starts = std::iter::once(0).chain(edits.iter().map(|edit| edit.range.end));
    let ends = edits
        .iter()
        .map(|edit| edit.range.start)
        .chain(std::iter::once(text.text().len()));
    let kept = starts
        .zip(ends)
        .map(|(start, end)| text.text().get(start..end).unwrap_or_default());
    let values = edits
        .iter()
        .map(|edit| edit.with.as_str())
        .chain(std::iter::once(""));
    kept.zip(values).flat_map(|(kept, value)| [kept, value])
}

/// The digest of the text after the edits.
fn digest(text: &FileText, edits: &[Edit]) -> String {
    let mut hashers = Hashers::default();
    pieces(text, edits).for_each(|piece| hashers.update(piece.as_bytes()));
    hashers.finish().0
}

/// Why a callback is not read, and what to do.
fn refusal(moment: Moment) -> &'static str {
    match moment {
        Moment::Failure => {
            "Flyway runs this after a failure, and forerun runs nothing then: act on its exit code or its events, and \
             move this file out of the directory"
        }
        Moment::Validate => {
            "Flyway runs this around its validation, and forerun has no SQL for that: rename it to beforeMigrate__… if it \
             is to run before the migrations of every run, or move it out of the directory"
        }
        Moment::Undo => {
            "Flyway runs this around undo migrations, and forerun runs the undo migrations alone: put what it does into \
             them, and move this file out of the directory"
        }
        _ => {
            "Flyway runs this around each migration, and forerun runs migrations alone: put what it does into those that \
             need it, or into the database URL if it is a setting of the session, and move this file out of the directory"
        }
    }
}

fn two_layouts(folder: &Folder, file: &str) -> DirectoryError {
    DirectoryError::TwoLayouts {
        path: folder.path().to_owned(),
        first: "flyway",
        first_because: format!("`{file}` has a placeholder, which Flyway would replace"),
        second: "refinery",
        second_because:
            "its files are named so too, and refinery would leave the placeholder as it is"
                .to_owned(),
    }
}

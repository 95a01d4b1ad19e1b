//! What the name of a file says: a migration, a callback, or nothing that Flyway runs.

use super::configuration::Configuration;
use crate::history::Version;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// `V1__words.sql`.
    Versioned,
    /// `B1__words.sql`.
    Baseline,
    /// `U1__words.sql`.
    Undo,
    /// `R__words.sql`.
    Repeatable,
    /// `beforeMigrate__words.sql`.
    Callback(&'static Event),
}

/// A callback.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name.
    pub id: &'static str,
    /// When Flyway runs it.
    pub moment: Moment,
}

/// When Flyway runs a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Once in every run, at this place.
    Run(Stage),
    /// Before repeatable migrations, if one of them is going to run.
    BeforeRepeatables,
    /// After a run that has changed something.
    Changed,
    /// Around each migration or statement.
    Each,
    /// After something failed.
    Failure,
    /// Around the validation.
    Validate,
    /// With undo migrations.
    Undo,
    /// In commands that forerun does not have, or does not call so.
    Elsewhere,
}

/// Places in a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    AfterConnect,
    CreateSchema,
    BeforeCreateSchema,
    BeforeMigrate,
    Versioned,
    AfterVersioned,
    BeforeRepeatables,
    Repeatable,
    AfterMigrateApplied,
    AfterMigrate,
}

const fn event(id: &'static str, moment: Moment) -> Event {
    Event { id, moment }
}

/// All events of Flyway.
static EVENTS: [Event; 44] = [
    event("afterConnect", Moment::Run(Stage::AfterConnect)),
    event("createSchema", Moment::Run(Stage::CreateSchema)),
    event("beforeCreateSchema", Moment::Run(Stage::BeforeCreateSchema)),
    event("beforeMigrate", Moment::Run(Stage::BeforeMigrate)),
    event("afterVersioned", Moment::Run(Stage::AfterVersioned)),
    event("beforeRepeatables", Moment::BeforeRepeatables),
    event("afterMigrateApplied", Moment::Changed),
    event("afterMigrate", Moment::Run(Stage::AfterMigrate)),
    event("beforeEachMigrate", Moment::Each),
    event("beforeEachMigrateStatement", Moment::Each),
    event("afterEachMigrateStatement", Moment::Each),
    event("afterEachMigrate", Moment::Each),
    event("afterMigrateOperationFinish", Moment::Each),
    event("afterEachMigrateStatementError", Moment::Failure),
    event("afterEachMigrateError", Moment::Failure),
    event("afterMigrateError", Moment::Failure),
    event("afterValidateError", Moment::Failure),
    event("beforeValidate", Moment::Validate),
    event("afterValidate", Moment::Validate),
    event("afterValidateOperationFinish", Moment::Validate),
    event("beforeUndo", Moment::Undo),
    event("beforeEachUndo", Moment::Undo),
    event("beforeEachUndoStatement", Moment::Undo),
    event("afterEachUndoStatement", Moment::Undo),
    event("afterEachUndoStatementError", Moment::Undo),
    event("afterEachUndo", Moment::Undo),
    event("afterEachUndoError", Moment::Undo),
    event("afterUndo", Moment::Undo),
    event("afterUndoError", Moment::Undo),
    event("afterUndoOperationFinish", Moment::Undo),
    event("beforeConnect", Moment::Elsewhere),
    event("beforeClean", Moment::Elsewhere),
    event("afterClean", Moment::Elsewhere),
    event("afterCleanError", Moment::Elsewhere),
    event("beforeBaseline", Moment::Elsewhere),
    event("afterBaseline", Moment::Elsewhere),
    event("afterBaselineError", Moment::Elsewhere),
    event("beforeRepair", Moment::Elsewhere),
    event("afterRepair", Moment::Elsewhere),
    event("afterRepairError", Moment::Elsewhere),
    event("beforeInfo", Moment::Elsewhere),
    event("afterInfo", Moment::Elsewhere),
    event("afterInfoError", Moment::Elsewhere),
    event("afterInfoOperationFinish", Moment::Elsewhere),
];

/// A name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub sort: Sort,
    /// The version as it is written; empty where there is none.
    pub version: &'a str,
    /// What follows the separator.
    pub words: &'a str,
}

/// What can become of a file name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// Flyway runs it, or would in another command.
    Named(Named<'a>),
    /// It ends like a migration, and Flyway leaves it out because of its name.
    Invalid(String),
    /// Flyway runs it and forerun cannot.
    Refused(String),
    /// Something else.
    Other,
}

/// Endings of scripts that Flyway starts as programs.
const PROGRAMS: [&str; 6] = [".cmd", ".bat", ".ps1", ".py", ".sh", ".bash"];
/// Endings of migrations that are classes, as source or compiled.
const CLASSES: [&str; 6] = [".java", ".class", ".jar", ".kt", ".groovy", ".scala"];

/// Takes a file name, without directories, apart.
pub(super) fn parse<'a>(configuration: &Configuration, file_name: &'a str) -> Name<'a> {
    let suffixes = configuration.suffixes.iter();
    let stem = suffixes
        .filter(|suffix| !suffix.is_empty())
        .find_map(|suffix| without(file_name, suffix));
    if let Some(stem) = stem {
        return stem_name(configuration, stem);
    }
    let ending = |endings: &[&str]| endings.iter().find_map(|ending| without(file_name, ending));
    let (stem, reason) = if let Some(stem) = ending(&PROGRAMS) {
        (
            stem,
            "Flyway starts this file as a program, and forerun runs SQL",
        )
    } else if let Some(stem) = ending(&CLASSES) {
        (stem, "this is a migration of code, and forerun runs SQL")
    } else {
        return Name::Other;
    };
    match stem_name(configuration, stem) {
        Name::Named(named)
            if matches!(named.sort, Sort::Callback(_))
                || stem.contains(&configuration.separator) =>
        {
            Name::Refused(format!(
                "{reason}: write what it does as SQL, or run it outside of the migrations and move it out of the \
                 directory"
            ))
        }
        _ => Name::Other,
    }
}

/// Endings count in any case, as they do for Flyway.
fn without<'a>(file_name: &'a str, ending: &str) -> Option<&'a str> {
    let (stem, found) = file_name.split_at_checked(file_name.len().checked_sub(ending.len())?)?;
    found.eq_ignore_ascii_case(ending).then_some(stem)
}

/// What a name can begin with.
fn beginnings(configuration: &Configuration) -> impl Iterator<Item = (&str, Sort)> {
    let own = [
        (configuration.versioned_prefix.as_str(), Sort::Versioned),
        (configuration.repeatable_prefix.as_str(), Sort::Repeatable),
        (configuration.baseline_prefix.as_str(), Sort::Baseline),
        (configuration.undo_prefix.as_str(), Sort::Undo),
    ];
    let events = EVENTS.iter().map(|event| (event.id, Sort::Callback(event)));
    own.into_iter().chain(events)
}

/// Whether a file name begins like one of Flyway's: a quick no for the names of others.
pub(super) fn begins_like_one(configuration: &Configuration, file_name: &str) -> bool {
    beginnings(configuration).any(|(prefix, _)| file_name.starts_with(prefix))
}

fn stem_name<'a>(configuration: &Configuration, stem: &'a str) -> Name<'a> {
    let mut longest: Option<(&str, Sort)> = None;
    for (prefix, sort) in beginnings(configuration) {
        let longer = longest.is_none_or(|(other, _)| other.len() < prefix.len());
        if longer && stem.starts_with(prefix) {
            longest = Some((prefix, sort));
        }
    }
    let Some((prefix, sort)) = longest else {
        return Name::Invalid(format!(
            "its name has none of the prefixes {}",
            prefixes(configuration)
        ));
    };
    let rest = stem.get(prefix.len()..).unwrap_or_default();
    let (version, words) = rest
        .split_once(configuration.separator.as_str())
        .unwrap_or((rest, ""));
    let separator = &configuration.separator;
    match sort {
        Sort::Repeatable if rest.is_empty() => Name::Invalid(format!(
            "its name should look like {prefix}{separator}words"
        )),
        Sort::Repeatable | Sort::Callback(_) if !version.is_empty() => Name::Invalid(format!(
            "`{version}` stands before the separator `{separator}`, and there is no version in such a name"
        )),
        Sort::Repeatable | Sort::Callback(_) => Name::Named(Named {
            sort,
            version,
            words,
        }),
        _ => match version_of(version) {
            Ok(_) => Name::Named(Named {
                sort,
                version,
                words,
            }),
            Err(name) => name,
        },
    }
}

fn prefixes(configuration: &Configuration) -> String {
    let all = [
        &configuration.versioned_prefix,
        &configuration.repeatable_prefix,
        &configuration.undo_prefix,
        &configuration.baseline_prefix,
    ];
    all.map(|prefix| format!("`{prefix}`")).join(", ")
}

/// The version of a text such as `1.2` or `1_2`.
pub(super) fn version_of(text: &str) -> Result<Version, Name<'static>> {
    if let Some(version) = Version::parse(&text.replace('_', ".")) {
        return Ok(version);
    }
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let too_long = text.split(['.', '_']).all(part);
    // What Flyway takes for a number and nobody means as one.
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = |character: char| character.is_numeric() || matches!(character, '.' | '_');
    let strange = !unsigned.is_empty()
        && unsigned.chars().all(numeric)
        && unsigned.split(['.', '_']).all(|part| !part.is_empty());
    let keyword = ["current", "next", "latest"]
        .into_iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    Err(if too_long {
        Name::Refused("its version is longer than 255 digits: give it a smaller number".to_owned())
    } else if strange || keyword {
        Name::Refused(format!(
            "`{text}` is no version for forerun: use the digits 0 to 9, with dots between numbers"
        ))
    } else if text.is_empty() {
        Name::Invalid("its name has no version".to_owned())
    } else {
        Name::Invalid(format!("`{text}` is no version"))
    })
}

//! Changesets of formatted SQL, and those of masters once their scripts are made, become migrations.

use sha2::{Digest, Sha256};

use super::super::super::folder::FileText;
use super::super::super::script::Script;
use super::super::super::{Migration, Repeat, hex};
use super::attributes::{self, Attributes, Splitting};
use super::changes::{self, Failure};
use super::conditions::{Precondition, Reaction};
use super::formatted::{self, Changeset, Item};
use super::paths::Place;
use super::reader::{Filters, Inherited, PeerChangeset, Reader, Seen, recorded_path};
use crate::history::foreign::checksum_liquibase::{SqlChange, version_8, version_9};
use crate::history::{Direction, VERSION_CHARACTERS, Version};

/// What makes a migration, wherever it was written.
pub(super) struct Lowered {
    pub at: usize,
    pub author: String,
    pub id: String,
    pub path: String,
    pub comment: Option<String>,
    pub repeat: Repeat,
    pub outside_transaction: bool,
    pub up: Script,
    pub down: Option<Script>,
    pub reaction: Reaction,
    pub preconditions: Vec<(usize, Precondition)>,
    pub valid_checksums: Vec<String>,
    /// Checksums of version 9 and 8, where they are known and anybody asked.
    pub checksums: [Option<String>; 2],
}

/// The version of a changeset: readable, and never like a number. Longer ones end in a hash.
pub(crate) fn version(path: &str, id: &str, author: &str) -> Option<Version> {
    let mut name = format!("{path}::{id}::{author}");
    // Recorded paths never begin so: it cannot be that of another changeset.
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, "./");
    }
    if name.chars().count() > VERSION_CHARACTERS {
        let hash = hex(&Sha256::digest(name.as_bytes()));
        let hash = hash.get(..HASH_CHARACTERS).unwrap_or_default();
        let kept: String = name
            .chars()
            .take(VERSION_CHARACTERS - HASH_CHARACTERS - 1)
            .collect();
        name = format!("{kept}~{hash}");
    }
    Version::named(&name)
}

const HASH_CHARACTERS: usize = 16;

impl Reader<'_> {
    /// Reads formatted SQL.
    pub fn formatted(&mut self, file: &FileText, place: &Place, inherited: &Inherited) {
        let changelog = formatted::parse(file.text());
        for (at, message) in changelog.problems {
            self.problem(file, at, message);
        }
        let logical = changelog
            .logical_path
            .or_else(|| inherited.logical_path.clone());
        let path = recorded_path(place, logical.as_deref());
        for item in changelog.items {
            match item {
                Item::Property { at, line } => self.property_line(file, at, &line, &path),
                Item::Changeset(changeset) => {
                    let at = changeset.at;
                    self.note(file, at, |reader| {
                        reader.changeset(file, place, &path, *changeset, inherited)
                    });
                }
            }
        }
    }

    /// A plain SQL file that a master includes: one changeset, sent as it is.
    pub fn plain(&mut self, file: &FileText, place: &Place, inherited: &Inherited) {
        if !self.is_meant(file, 0, &Filters::default(), inherited) || inherited.ignore {
            return;
        }
        let change = || SqlChange {
            sql: file.text(),
            end_delimiter: None,
            split_statements: false,
            strip_comments: false,
        };
        let asked = self.peers.is_some();
        let checksums = [
            asked.then(|| version_9([change()])),
            asked.then(|| version_8([change()])),
        ];
        let lowered = Lowered {
            at: 0,
            author: "includeAll".to_owned(),
            id: "raw".to_owned(),
            path: recorded_path(place, None),
            comment: Some(place.name.clone()),
            repeat: Repeat::Never,
            outside_transaction: false,
            up: file.whole(Direction::Up),
            down: None,
            reaction: Reaction::default(),
            preconditions: Vec::new(),
            valid_checksums: Vec::new(),
            checksums,
        };
        self.add(file, place, lowered);
    }

    /// Does something; what cannot be read later is noted at `at`.
    pub fn note(
        &mut self,
        file: &FileText,
        at: usize,
        action: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) {
        match action(self) {
            Ok(()) => {}
            Err(Failure::Problem(message)) => self.problem(file, at, message),
            Err(Failure::Read(error)) => self.problem(file, at, error.to_string()),
        }
    }

    fn property_line(&mut self, file: &FileText, at: usize, line: &str, path: &str) {
        self.note(file, at, |reader| {
            let (Some(name), Some(value)) = (attributes::spaced(line, "name"), attributes::spaced(line, "value"))
            else {
                return Err("a property needs a name and a value. Write `--property name:<name> value:<value>`"
                    .to_owned()
                    .into());
            };
            let expand = |text: &str| reader.properties.expand(text, path);
            let context = attributes::quoted(line, "contextFilter").filter(|text| !text.is_empty());
            let context = context.or_else(|| attributes::quoted(line, "context"));
            let context = context.map(|text| expand(&text)).transpose()?;
            let labels = attributes::quoted(line, "labels").map(|text| expand(&text)).transpose()?;
            let dbms = attributes::dbms(line).map(expand).transpose()?;
            let (name, value) = (expand(name)?, expand(value)?);
            let filters = Filters {
                context: context.as_deref(),
                labels: labels.as_deref(),
                dbms: dbms.as_deref(),
            };
            let global = attributes::word(line, "global").is_none_or(|word| word.eq_ignore_ascii_case("true"));
            if reader.fits(&filters, &Inherited::default()).unwrap_or(true) {
                reader.properties.add(&name, &value, (!global).then_some(path));
            }
            Ok(())
        });
    }

    fn changeset(
        &mut self,
        file: &FileText,
        place: &Place,
        path: &str,
        changeset: Changeset,
        inherited: &Inherited,
    ) -> Result<(), Failure> {
        let expand = |text: &String| self.properties.expand(text, path);
        let optional = |text: &Option<String>| text.as_ref().map(expand).transpose();
        let own = &changeset.attributes;
        let (author, id) = (expand(&changeset.author)?, expand(&changeset.id)?);
        let (context, labels) = (optional(&own.context)?, optional(&own.labels)?);
        let (dbms, ignore) = (optional(&own.dbms)?, optional(&own.ignore)?);
        let path = match optional(&own.logical_path)? {
            Some(logical) => recorded_path(place, Some(&logical)),
            None => path.to_owned(),
        };
        let filters = Filters {
            context: context.as_deref(),
            labels: labels.as_deref(),
            dbms: dbms.as_deref(),
        };
        let ignored =
            inherited.ignore || ignore.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if ignored || !self.is_meant(file, changeset.at, &filters, inherited) {
            return Ok(());
        }
        refuse(own)?;
        let up = changes::verbatim(
            file,
            Direction::Up,
            &changeset.up,
            &own.splitting,
            &self.properties,
            &path,
        )?;
        let down = self.rollback(file, place, &changeset, &path)?;
        let checksums = match self.peers {
            Some(_) => self.checksums(file, &changeset, &path)?.map(Some),
            None => [None, None],
        };
        let mut preconditions = changeset.preconditions;
        for (_, precondition) in &mut preconditions {
            if let Precondition::Query { sql, expected } = precondition {
                *sql = self.properties.expand(sql, &path)?;
                *expected = self.properties.expand(expected, &path)?;
            }
        }
        let lowered = Lowered {
            at: changeset.at,
            author,
            id,
            path,
            comment: changeset.comment,
            repeat: repeat(own.run_always, own.run_on_change),
            outside_transaction: own.outside_transaction,
            up,
            down,
            reaction: changeset.reaction,
            preconditions,
            valid_checksums: changeset.valid_checksums,
            checksums,
        };
        self.add(file, place, lowered);
        Ok(())
    }

    fn checksums(
        &self,
        file: &FileText,
        changeset: &Changeset,
        path: &str,
    ) -> Result<[String; 2], Failure> {
        let sql = changes::expanded(file.text(), &changeset.up, &self.properties, path)?;
        let splitting = &changeset.attributes.splitting;
        // The last changeset of a file that ends in a `/` of its own.
        let ends_in_slash = sql.trim_end().replace('\r', "").ends_with("\n/") && {
            let end = changeset.up.last().map_or(0, |range| range.end);
            !has_changeset(file.text().get(end..).unwrap_or_default())
        };
        let end_delimiter = splitting
            .delimiter
            .as_deref()
            .or(ends_in_slash.then_some("\n/$"));
        let change = || SqlChange {
            sql: &sql,
            end_delimiter,
            split_statements: splitting.split,
            strip_comments: splitting.strip_comments,
        };
        Ok([version_9([change()]), version_8([change()])])
    }

    fn rollback(
        &mut self,
        file: &FileText,
        place: &Place,
        changeset: &Changeset,
        path: &str,
    ) -> Result<Option<Script>, Failure> {
        let text = changes::expanded(file.text(), &changeset.rollback, &self.properties, path)?;
        let words = text.trim();
        if words.is_empty() {
            return Ok(None);
        }
        let begins = |with: &str| {
            let start = words.get(..with.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        if begins("not required") || begins("empty") {
            return Ok(Some(file.part(Direction::Down, Vec::new(), Vec::new())));
        }
        let mut every = words.as_bytes().windows("changesetid".len());
        if every.any(|part| part.eq_ignore_ascii_case(b"changesetid")) {
            let line = text.replace(['\n', '\r'], " ");
            let id = attributes::spaced(&line, "changeSetId");
            let author = attributes::spaced(&line, "changesetAuthor");
            let (Some(id), Some(author)) = (id, author) else {
                return Err(
                    "a rollback to another changeset needs changesetId and changesetAuthor"
                        .to_owned()
                        .into(),
                );
            };
            let other = attributes::spaced(&line, "changesetPath").unwrap_or(&place.logical);
            return self.other_changeset(other, id, author).map(Some);
        }
        let splitting: &Splitting = &changeset.attributes.rollback_splitting;
        let script = changes::verbatim(
            file,
            Direction::Down,
            &changeset.rollback,
            splitting,
            &self.properties,
            path,
        )?;
        Ok(Some(script))
    }

    /// The up script of another changeset, to revert this one.
    pub fn other_changeset(&self, path: &str, id: &str, author: &str) -> Result<Script, Failure> {
        let path = super::paths::normalize(path).unwrap_or_else(|| path.to_owned());
        let version = version(&path, id, author);
        let found = version.and_then(|version| self.seen.get(&version));
        let migration = found.and_then(|seen| self.found.migrations.get(seen.migration));
        let Some(migration) = migration else {
            return Err(format!(
                "there is no changeset {path}::{id}::{author} before this one, which its rollback is to run"
            )
            .into());
        };
        let mut script = migration.up.clone();
        script.direction = Direction::Down;
        Ok(script)
    }

    /// `file:line` of a changeset that was found before.
    fn line_of(&self, seen: &Seen) -> String {
        let Some(migration) = self.found.migrations.get(seen.migration) else {
            return String::new();
        };
        let path = &migration.up.path;
        let text = std::fs::read(path).unwrap_or_default();
        let before = text.get(..seen.at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}", path.display())
    }

    /// Adds a migration, or notes that there is one of the same name.
    pub fn add(&mut self, file: &FileText, place: &Place, lowered: Lowered) {
        let (id, author, path) = (&lowered.id, &lowered.author, &lowered.path);
        let Some(version) = version(path, id, author) else {
            return self.problem(file, lowered.at, "the changeset has no name");
        };
        if let Some(seen) = self.seen.get(&version) {
            // Of changesets for several databases, and none given, the first stands for all.
            if self.dialect.is_some() {
                let first = self.line_of(seen);
                let message = format!(
                    "the changeset {id} of {author} is there twice, here and at {first}. Give one of them another id; \
                     if one is applied somewhere already, it must be the other one"
                );
                self.problem(file, lowered.at, message);
            }
            return;
        }
        let seen = Seen {
            migration: self.found.migrations.len(),
            at: lowered.at,
        };
        self.seen.insert(version.clone(), seen);
        if let Some(peers) = &mut self.peers {
            let [checksum_9, checksum_8] = lowered.checksums;
            peers.push(PeerChangeset {
                version: version.clone(),
                file: path.clone(),
                id: id.clone(),
                author: author.clone(),
                checksum_9,
                checksum_8,
                valid_checksums: lowered.valid_checksums,
            });
        }
        let file_name = format!("{}::{id}::{author}", place.name);
        let description = lowered
            .comment
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| id.clone());
        let mut up = lowered.up;
        up.file_name.clone_from(&file_name);
        up.no_transaction = lowered
            .outside_transaction
            .then(|| "runInTransaction:false".to_owned());
        let mut migration = Migration::new(version.clone(), version.as_str(), description, up);
        migration.down = lowered.down.map(|mut down| {
            down.file_name = file_name;
            down.no_transaction.clone_from(&migration.up.no_transaction);
            down
        });
        migration.repeat = lowered.repeat;
        migration.any_order = true;
        migration.conditions = lowered
            .preconditions
            .iter()
            .map(|(at, precondition)| {
                let line = self.position(file, *at).line;
                precondition.condition(self.dialect, lowered.reaction, line)
            })
            .collect();
        self.found.migrations.push(migration);
    }
}

/// When a changeset runs again.
pub(super) fn repeat(always: bool, on_change: bool) -> Repeat {
    match (always, on_change) {
        (true, _) => Repeat::Always,
        (false, true) => Repeat::WhenChanged,
        (false, false) => Repeat::Never,
    }
}

/// What of a changeset cannot be carried over.
pub(super) fn refuse(attributes: &Attributes) -> Result<(), String> {
    if attributes.go_on_after_error {
        return Err(
            "failOnError:false cannot be carried over: forerun stops at the first statement that fails. Remove it, or \
             write the statements so that they cannot fail (`IF NOT EXISTS`)"
                .to_owned(),
        );
    }
    match &attributes.run_with {
        Some(client) if !client.is_empty() && !client.eq_ignore_ascii_case("jdbc") => Err(format!(
            "runWith:{client} cannot be carried over: forerun runs no other client. Write the changeset as plain SQL and \
             remove runWith"
        )),
        _ => Ok(()),
    }
}

fn has_changeset(rest: &str) -> bool {
    formatted::parse(&format!("--liquibase formatted sql\n{rest}"))
        .items
        .iter()
        .any(|item| matches!(item, Item::Changeset(_)))
}

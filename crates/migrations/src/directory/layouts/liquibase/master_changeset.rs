//! Changesets of master changelogs: their SQL, files of SQL, rollbacks and preconditions.

use super::super::super::folder::FileText;
use super::super::super::script::Script;
use super::attributes::{Attributes, Splitting};
use super::changes::{self, Failure, Sql};
use super::conditions::{Object, Precondition, Reaction, otherwise};
use super::documents::Node;
use super::expression;
use super::lower::{Lowered, refuse, repeat};
use super::paths::Place;
use super::reader::{Filters, Inherited, Reader, recorded_path};
use crate::history::Direction;
use crate::history::foreign::checksum_liquibase::{SqlChange, version_8, version_9};

/// What a changeset has besides its changes.
const ATTRIBUTES: [&str; 22] = [
    "id",
    "author",
    "context",
    "contextFilter",
    "labels",
    "dbms",
    "runOnChange",
    "runAlways",
    "runInTransaction",
    "failOnError",
    "ignore",
    "logicalFilePath",
    "runWith",
    "comment",
    "validCheckSum",
    "preConditions",
    "rollback",
    "changes",
    "created",
    "objectQuotingStrategy",
    "onValidationFail",
    // A mark in Liquibase's own table.
    "tagDatabase",
];

/// One change of a changeset.
enum Change {
    Inline(Sql),
    /// A file, by its name from the directory on.
    File(String, Splitting),
}

impl Reader<'_> {
    /// Reads a changeset.
    pub fn changeset_node(
        &mut self,
        file: &FileText,
        place: &Place,
        path: &str,
        node: &Node,
        inherited: &Inherited,
    ) -> Result<(), Failure> {
        let expand = |name: &str| {
            let text = node.value(name);
            text.map(|text| self.properties.expand(&text, path))
                .transpose()
        };
        let (Some(id), Some(author)) = (expand("id")?, expand("author")?) else {
            return Err("a changeSet needs an id and an author".to_owned().into());
        };
        let context = expand("contextFilter")?.or(expand("context")?);
        let (labels, dbms) = (expand("labels")?, expand("dbms")?);
        let recorded = match expand("logicalFilePath")? {
            Some(logical) => recorded_path(place, Some(&logical)),
            None => path.to_owned(),
        };
        let (comment, run_with) = (expand("comment")?, expand("runWith")?);
        let filters = Filters {
            context: context.as_deref(),
            labels: labels.as_deref(),
            dbms: dbms.as_deref(),
        };
        if inherited.ignore
            || node.is("ignore", false)
            || !self.is_meant(file, node.at, &filters, inherited)
        {
            return Ok(());
        }
        refuse(&Attributes {
            go_on_after_error: !node.is("failOnError", true),
            run_with,
            ..Attributes::default()
        })?;
        let problems_before = self.problems.len();
        let (changes, left_out) = self.changes(file, place, path, node);
        let down = self.rollback_node(file, place, path, node)?;
        let (reaction, preconditions) = self.preconditions(file, path, node);
        if self.problems.len() > problems_before {
            return Ok(());
        }
        if changes.is_empty() && left_out {
            return Ok(());
        }
        if changes.is_empty() && node.child("tagDatabase").is_none() && !has_change(node, "empty") {
            return Err(format!("the changeset {id} of {author} has no change. Remove it").into());
        }
        let mut checksums = [None, None];
        if self.peers.is_some() && node.child("tagDatabase").is_none() && !has_change(node, "empty")
        {
            checksums = self.node_checksums(&changes, path)?.map(Some);
        }
        if left_out {
            // It goes over changes for other databases as well.
            checksums[1] = None;
        }
        let up = self.script(file, Direction::Up, &changes, path)?;
        let lowered = Lowered {
            at: node.at,
            author,
            id,
            path: recorded,
            comment,
            repeat: repeat(node.is("runAlways", false), node.is("runOnChange", false)),
            outside_transaction: !node.is("runInTransaction", true),
            up,
            down,
            reaction,
            preconditions,
            valid_checksums: node
                .children
                .iter()
                .filter(|child| child.name == "validCheckSum")
                .map(Node::text)
                .collect(),
            checksums,
        };
        self.add(file, place, lowered);
        Ok(())
    }

    /// The SQL changes of a changeset, and whether one was left out that is for another database.
    fn changes(
        &mut self,
        file: &FileText,
        place: &Place,
        path: &str,
        node: &Node,
    ) -> (Vec<Change>, bool) {
        let (mut changes, mut left_out) = (Vec::new(), false);
        let of_list = node.child("changes").map(|list| list.children.as_slice());
        let own = node
            .children
            .iter()
            .filter(|child| !ATTRIBUTES.contains(&child.name.as_str()));
        for change in own.chain(of_list.unwrap_or_default()) {
            if let Some(dbms) = change.value("dbms")
                && expression::dbms_fits(Some(&dbms), self.dialect) == Ok(false)
            {
                left_out = true;
                continue;
            }
            match change.name.as_str() {
                "sql" => changes.push(Change::Inline(sql(change))),
                "sqlFile" => {
                    let Some(target) = self.expanded(file, change, "path", path) else {
                        continue;
                    };
                    let relative = change.is("relativeToChangelogFile", false).then_some(place);
                    match self.files.find(&target, relative) {
                        Some(found) => changes.push(Change::File(found.name, splitting(change))),
                        None => {
                            let message = format!(
                                "there is no `{target}` in the directory. Add it, or correct the path"
                            );
                            self.problem(file, change.at, message);
                        }
                    }
                }
                // A change that does nothing, a mark in Liquibase's own table, and a message.
                "empty" | "tagDatabase" | "output" => {}
                name => self.problem(file, change.at, no_sql(name)),
            }
        }
        (changes, left_out)
    }

    fn script(
        &mut self,
        file: &FileText,
        direction: Direction,
        changes: &[Change],
        path: &str,
    ) -> Result<Script, Failure> {
        let files = changes
            .iter()
            .filter(|change| matches!(change, Change::File(..)))
            .count();
        // Without a database, files for several are read: the first stands for all.
        if files > 0 && changes.len() > 1 && self.dialect.is_some() {
            return Err(
                "SQL of more than one file in one changeset cannot be carried over. Make a changeset of each `sqlFile`"
                    .to_owned()
                    .into(),
            );
        }
        let first = changes.iter().find_map(|change| match change {
            Change::File(name, splitting) => Some((name, splitting)),
            Change::Inline(_) => None,
        });
        if let Some((name, splitting)) = first {
            let other = self.folder.text(name)?;
            let all = 0..other.text().len();
            let keep = std::slice::from_ref(&all);
            return changes::verbatim(&other, direction, keep, splitting, &self.properties, path);
        }
        let inline: Vec<Sql> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Inline(sql) => Some(sql.clone()),
                Change::File(..) => None,
            })
            .collect();
        changes::inline(file, direction, &inline, &self.properties, path)
    }

    fn rollback_node(
        &mut self,
        file: &FileText,
        place: &Place,
        path: &str,
        node: &Node,
    ) -> Result<Option<Script>, Failure> {
        let mut changes = Vec::new();
        let mut any = false;
        for rollback in node
            .children
            .iter()
            .filter(|child| child.name == "rollback")
        {
            any = true;
            if let Some(id) = rollback.value("changeSetId") {
                let author = rollback.value("changeSetAuthor").unwrap_or_default();
                let other = rollback
                    .value("changeSetPath")
                    .unwrap_or_else(|| path.to_owned());
                return self.other_changeset(&other, &id, &author).map(Some);
            }
            let words = rollback.text().to_lowercase();
            if !words.is_empty() && words != "empty" && words != "not required" {
                changes.push(Change::Inline(Sql {
                    texts: rollback.texts.clone(),
                    splitting: Splitting::default(),
                }));
            }
            changes.extend(self.changes(file, place, path, rollback).0);
        }
        if !any {
            return Ok(None);
        }
        self.script(file, Direction::Down, &changes, path).map(Some)
    }

    fn preconditions(
        &mut self,
        file: &FileText,
        path: &str,
        node: &Node,
    ) -> (Reaction, Vec<(usize, Precondition)>) {
        let (mut reaction, mut found) = (Reaction::default(), Vec::new());
        for list in node
            .children
            .iter()
            .filter(|child| child.name == "preConditions")
        {
            if let Some(name) = list.value("onFail") {
                match otherwise(&name) {
                    Ok(named) => reaction = named,
                    Err(message) => self.problem(file, list.at, message),
                }
            }
            self.conditions_in(file, path, list, false, &mut found);
        }
        (reaction, found)
    }

    fn conditions_in(
        &mut self,
        file: &FileText,
        path: &str,
        list: &Node,
        negated: bool,
        found: &mut Vec<(usize, Precondition)>,
    ) {
        for node in &list.children {
            let value = |name: &str| {
                let text = node.value(name)?;
                Some(self.properties.expand(&text, path).unwrap_or(text))
            };
            let object = |kind, key: &str| {
                Some(Precondition::Object {
                    kind,
                    schema: value("schemaName").or_else(|| value("catalogName")),
                    name: value(key)?,
                    exists: !negated,
                })
            };
            let precondition = match node.name.as_str() {
                "onFail" | "onError" | "onFailMessage" | "onErrorMessage" | "onSqlOutput"
                | "onUpdateSQL" => continue,
                "and" => {
                    self.conditions_in(file, path, node, negated, found);
                    continue;
                }
                "not" if !negated => {
                    self.conditions_in(file, path, node, true, found);
                    continue;
                }
                "dbms" => {
                    let names = value("type");
                    let fits =
                        expression::dbms_fits(names.as_deref(), self.dialect).unwrap_or(true);
                    if fits != negated || self.dialect.is_none() {
                        continue;
                    }
                    Some(Precondition::Query {
                        sql: "SELECT 0".to_owned(),
                        expected: "1".to_owned(),
                    })
                }
                "tableExists" => object(Object::Table, "tableName"),
                "viewExists" => object(Object::View, "viewName"),
                "sqlCheck" if !negated => {
                    let text = value("sql").unwrap_or_else(|| node.text());
                    let sql = self.properties.expand(&text, path).unwrap_or(text);
                    value("expectedResult").map(|expected| Precondition::Query { sql, expected })
                }
                _ => None,
            };
            match precondition {
                Some(precondition) => found.push((node.at, precondition)),
                None => {
                    let message = format!(
                        "the precondition `{}` cannot be carried over. Write it as a sqlCheck with expectedResult",
                        node.name
                    );
                    self.problem(file, node.at, message);
                }
            }
        }
    }

    fn node_checksums(&mut self, changes: &[Change], path: &str) -> Result<[String; 2], Failure> {
        let mut texts = Vec::new();
        for change in changes {
            texts.push(match change {
                Change::Inline(sql) => {
                    let text: String = sql.texts.iter().map(|text| text.value.as_str()).collect();
                    (self.properties.expand(&text, path)?, &sql.splitting)
                }
                Change::File(name, splitting) => {
                    (self.folder.text(name)?.text().to_owned(), splitting)
                }
            });
        }
        let changes = || {
            texts.iter().map(|(sql, splitting)| SqlChange {
                sql,
                end_delimiter: splitting.delimiter.as_deref(),
                split_statements: splitting.split,
                strip_comments: splitting.strip_comments,
            })
        };
        Ok([version_9(changes()), version_8(changes())])
    }
}

/// A `sql` change: in YAML its text is a key of its own.
fn sql(node: &Node) -> Sql {
    let inner = node.child("sql").unwrap_or(node);
    Sql {
        texts: inner.texts.clone(),
        splitting: splitting(node),
    }
}

/// Why a change cannot be carried over, and what to do.
fn no_sql(change: &str) -> String {
    match change {
        "customChange" => format!(
            "`{change}` is Java code, and forerun runs SQL only. Write what it does as a `sql` change, or do it in a \
             program of its own"
        ),
        "executeCommand" => format!(
            "`{change}` starts a program, and forerun runs SQL only. Start it outside of the migrations"
        ),
        _ => format!(
            "`{change}` is a change that Liquibase makes SQL of, and forerun runs SQL only. Write it as a `sql` change \
             (`liquibase update-sql` shows it)"
        ),
    }
}

fn splitting(node: &Node) -> Splitting {
    let delimiter = node.child("endDelimiter").map(|child| {
        let whole: String = child.texts.iter().map(|text| text.value.as_str()).collect();
        whole.trim_matches(' ').to_owned()
    });
    Splitting {
        split: node.is("splitStatements", true),
        delimiter: delimiter.filter(|text| !text.is_empty()),
        strip_comments: node.is("stripComments", false),
    }
}

fn has_change(node: &Node, name: &str) -> bool {
    let list = node.child("changes");
    node.child(name)
        .or_else(|| list.and_then(|list| list.child(name)))
        .is_some()
        || list.is_some_and(|list| {
            list.child("tagDatabase").is_some() || list.child("output").is_some()
        })
        || node.child("output").is_some()
}

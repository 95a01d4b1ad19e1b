//! The examples of all rules: lint finds nothing in what is proposed for them that was not there before.

use super::{after, judge};
use crate::lint::{ALL, Example, Rule, Severity};

/// What is found in proposals and not in what they replace: by which rule, in proposals of which, and why that is meant.
const FOUND_IN_PROPOSALS: &[(&str, &str, &str)] = &[
    (
        "bc-add-enum-value",
        "bc-rename-enum-value",
        "the new label has to be there before rows can have it; readers come first, as the other rule says",
    ),
    (
        "bc-drop-constraint",
        "pg-attach-scan",
        "what goes is the copy of the bounds, which the partition has by then",
    ),
    (
        "bc-new-restriction",
        "my-inline-references",
        "the server made no key from the statement: that it makes one now is what was wanted",
    ),
    ("bc-new-restriction", "my-inplace-rebuild", NEW_COLUMN),
    (
        "bc-new-restriction",
        "pg-alter-type-dependents",
        "the check is made again as it was",
    ),
    (
        "bc-new-restriction",
        "pg-attach-scan",
        "the rows of the partition must be within its bounds in any case",
    ),
    ("bc-new-restriction", "pg-check-not-valid", NEW_COLUMN),
    (
        "bc-new-restriction",
        "pg-create-table-fk",
        "the table is one migration old",
    ),
    ("bc-new-restriction", "pg-fk-index", NEW_COLUMN),
    ("bc-new-restriction", "pg-unique-constraint", NEW_COLUMN),
    (
        "bc-replace-view",
        "lt-rebuild",
        "the view is made again as it was",
    ),
    (
        "bc-replace-view",
        "pg-alter-type-dependents",
        "the view is made again as it was",
    ),
    (
        "bc-set-not-null",
        "pg-pk-using-index-nullable",
        "a key refuses NULL in any case",
    ),
    (
        "bc-set-not-null",
        "pg-primary-key",
        "a key refuses NULL in any case",
    ),
    ("dd-check-violations", "bc-narrow-type", VALIDATED),
    ("dd-check-violations", "bc-new-restriction", VALIDATED),
    ("dd-check-violations", "bc-remove-enum-value", VALIDATED),
    ("dd-check-violations", "pg-alter-type-dependents", VALIDATED),
    ("dd-check-violations", "pg-attach-scan", VALIDATED),
    ("dd-check-violations", "pg-check-not-valid", VALIDATED),
    ("dd-fk-orphans", "my-inline-references", NEW_COLUMN),
    ("dd-fk-orphans", "pg-create-table-fk", VALIDATED),
    ("dd-fk-orphans", "pg-fk-index", VALIDATED),
    ("dd-not-null-has-nulls", "bc-required-column", VALIDATED),
    (
        "dd-not-null-has-nulls",
        "pg-pk-using-index-nullable",
        VALIDATED,
    ),
    ("dd-not-null-has-nulls", "pg-primary-key", VALIDATED),
    ("dd-unique-duplicates", "my-inplace-rebuild", NEW_COLUMN),
    ("dd-unique-duplicates", "pg-unique-constraint", NEW_COLUMN),
    (
        "lt-long-write",
        "bc-rename-column",
        "SQLite drops a column only so",
    ),
    ("lt-long-write", "lt-rebuild", "SQLite changes it only so"),
    (
        "lt-long-write",
        "lt-version",
        "older versions of SQLite change it only so",
    ),
    (
        "my-assert-algorithm",
        "bc-rename-column",
        "its page shows the columns; what the tool writes asks",
    ),
    (
        "my-inplace-rebuild",
        "my-row-versions",
        "to write the table anew at a time of one's own choice is the point",
    ),
    (
        "pg-fk-index",
        "pg-create-table-fk",
        "the example is about the locks, and the statement has no index either",
    ),
];

const NEW_COLUMN: &str =
    "the column is new: it comes in the migration before, and nobody writes it yet";
const VALIDATED: &str = "it is the statement that looks: where it fails nothing has changed";

/// Errors and warnings in migrations that come one after the other, but for those that the example has as well: each of them
/// has a proposal of its own.
fn found_anew(rule: &Rule, example: &Example, files: &[&str]) -> Vec<String> {
    let mut linter = after(example.dialect, example.before, rule);
    let before = judge(&mut linter, example.dialect, example.found);
    let was_there = |id: &str| {
        let stays = id.starts_with("x-") || id == "my-assert-algorithm" || id == rule.id;
        !stays && before.iter().any(|found| found.rule.id == id)
    };
    let is_meant = |id: &str| {
        let mut meant = FOUND_IN_PROPOSALS.iter();
        meant.any(|(found, of, _)| *found == id && *of == rule.id)
    };
    let mut linter = after(example.dialect, example.before, rule);
    let mut wrong = Vec::new();
    for file in files {
        for found in judge(&mut linter, example.dialect, file) {
            let id = found.rule.id;
            if found.severity >= Severity::Warning && !was_there(id) && !is_meant(id) {
                wrong.push(format!("{}: {file:?}: {id}: {}", rule.id, found.message));
            }
        }
    }
    wrong
}

#[test]
fn nothing_more_is_found_in_what_is_proposed() {
    let mut wrong = Vec::new();
    for rule in ALL {
        for example in rule.examples {
            wrong.extend(found_anew(rule, example, example.instead));
            let mut linter = after(example.dialect, example.before, rule);
            let findings = judge(&mut linter, example.dialect, example.found);
            for finding in findings.iter().filter(|finding| finding.rule.id == rule.id) {
                let files: Vec<&str> = finding.instead.iter().map(String::as_str).collect();
                wrong.extend(found_anew(rule, example, &files));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

//! The examples of all rules, and what rules have in common.

mod mysql;
mod sqlite;

use super::*;
use crate::{Dialect, Piece, Splitter};

mod compatibility;
mod database;
mod found_in_proposals;
mod nothing;
mod proposals;
mod teams;

pub(super) fn script(dialect: Dialect, text: &str) -> Script {
    let mut splitter = Splitter::new(text.as_bytes(), dialect);
    let mut statements = Vec::new();
    while let Some(piece) = splitter.next_piece().unwrap() {
        if let Piece::Statement(statement) = piece {
            statements.push(statement);
        }
    }
    Script { statements }
}

/// Whether forerun would run it in one transaction.
fn in_transaction(dialect: Dialect, script: &Script) -> bool {
    let outside =
        |text: &str| crate::classify(dialect, text).transaction == crate::TransactionUse::Outside;
    dialect != Dialect::Mysql
        && !script
            .statements
            .iter()
            .any(|statement| outside(&statement.text))
}

pub(super) fn judge(linter: &mut Linter, dialect: Dialect, text: &str) -> Vec<Finding> {
    let script = script(dialect, text);
    linter.judge(&File {
        name: "0002_x.sql",
        script: &script,
        contract: text.contains("forerun:contract"),
        transaction: in_transaction(dialect, &script),
    })
}

pub(super) fn after(dialect: Dialect, before: &str, rule: &Rule) -> Linter {
    let version = match rule.id {
        "pg-14-cic-corruption" => Some((14, 2)),
        _ => None,
    };
    let settings = Settings {
        enabled: vec![rule.id.to_owned()],
        server: Server {
            version,
            ..Server::default()
        },
        ..Settings::default()
    };
    let mut linter = Linter::new(dialect, settings);
    linter.learn(&script(dialect, before));
    linter
}

#[test]
fn every_rule_finds_its_examples_and_nothing_bad_in_what_to_do_instead() {
    let mut wrong = Vec::new();
    for rule in ALL {
        let id = rule.id;
        // What others find is tested where they do.
        if rule.examples.is_empty() && !matches!(rule.check, Check::Built) {
            wrong.push(format!("{id}: a rule without an example"));
        }
        for example in rule.examples {
            let mut linter = after(example.dialect, example.before, rule);
            let findings = judge(&mut linter, example.dialect, example.found);
            let found: Vec<&str> = findings.iter().map(|finding| finding.rule.id).collect();
            if !found.contains(&id) {
                wrong.push(format!(
                    "{id} does not find {:?}, found {found:?}",
                    example.found
                ));
            }
            let mut linter = after(example.dialect, example.before, rule);
            for file in example.instead {
                let errors = judge(&mut linter, example.dialect, file);
                let errors = errors
                    .iter()
                    .filter(|finding| finding.is_error() || finding.rule.id == id);
                wrong.extend(errors.map(|finding| {
                    format!(
                        "{id}: {file:?} instead: {}: {}",
                        finding.rule.id, finding.message
                    )
                }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_finding_proposes_has_no_error_either() {
    let mut wrong = Vec::new();
    for rule in ALL {
        for example in rule.examples {
            let mut linter = after(example.dialect, example.before, rule);
            let findings = judge(&mut linter, example.dialect, example.found);
            for finding in findings.iter().filter(|finding| finding.rule.id == rule.id) {
                let mut linter = after(example.dialect, example.before, rule);
                for file in &finding.instead {
                    // As it has to be filled in.
                    let file = &file.replace("unused-since=<release>", "unused-since=2.5.0");
                    let errors = judge(&mut linter, example.dialect, file);
                    let errors = errors.iter().filter(|found| {
                        found.is_error() || found.rule.id == rule.id || found.rule.id == "x-opaque"
                    });
                    wrong.extend(errors.map(|found| {
                        format!(
                            "{}: {file:?}: {}: {}",
                            rule.id, found.rule.id, found.message
                        )
                    }));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_claimed_of_a_lock_is_what_the_effects_say() {
    for rule in ALL {
        for example in rule.examples {
            for claim in example.claims {
                let mut linter = after(example.dialect, example.before, rule);
                let script = script(example.dialect, example.found);
                let mut effects = Vec::new();
                for statement in &script.statements {
                    for operation in
                        crate::operation::operations(example.dialect, &statement.text).list
                    {
                        effects.extend(crate::effect::effects(&operation, linter.schema()));
                    }
                }
                linter.learn(&script);
                let found = effects.iter().any(|effect| {
                    effect.table.name == claim.table
                        && (effect.lock, effect.blocks, effect.work)
                            == (claim.lock, claim.blocks, claim.work)
                });
                assert!(
                    found,
                    "{} claims {claim:?}; the effects are {effects:?}",
                    rule.id
                );
            }
        }
    }
}

#[test]
fn rules_have_names_of_their_own() {
    let mut names: Vec<&str> = ALL.iter().map(|rule| rule.id).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for rule in ALL {
        let plain =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        assert!(rule.id.chars().all(plain), "{}", rule.id);
        assert!(
            !rule.summary.ends_with('.') && !rule.why.is_empty(),
            "{}",
            rule.id
        );
    }
}

#[test]
fn an_exception_covers_its_statement_and_keeps_the_reason() {
    let mut linter = Linter::new(Dialect::Postgres, Settings::default());
    linter.learn(&script(Dialect::Postgres, "CREATE TABLE t (a int, b int);"));
    let findings = judge(
        &mut linter,
        Dialect::Postgres,
        "SELECT 1;\n-- forerun:allow pg-index-concurrently \"forty rows\"\nCREATE INDEX t_a ON t (a);\nCREATE INDEX t_b ON t (b);",
    );
    let allowed: Vec<(u64, Option<&str>)> = findings
        .iter()
        .filter(|finding| finding.rule.id == "pg-index-concurrently")
        .map(|finding| (finding.start.line, finding.allowed.as_deref()))
        .collect();
    assert_eq!(allowed, [(3, Some("forty rows")), (4, None)]);
}

#[test]
fn what_others_find_of_a_file_can_be_allowed() {
    let also = || {
        let rule = rule("x-out-of-order").unwrap();
        let message = "is older than 0003_c.sql".to_owned();
        vec![Also {
            rule,
            message,
            statement: None,
        }]
    };
    let mut linter = Linter::new(Dialect::Sqlite, Settings::default());
    let allowed = |linter: &mut Linter, text: &str| {
        let script = script(Dialect::Sqlite, text);
        let file = File {
            name: "0002_x.sql",
            script: &script,
            contract: false,
            transaction: true,
        };
        let findings = linter.judge_with(&file, also());
        let list: Vec<_> = findings
            .iter()
            .map(|finding| (finding.rule.id, finding.allowed.clone()))
            .collect();
        list
    };
    assert_eq!(
        allowed(&mut linter, "SELECT 1;"),
        [("x-out-of-order", None)]
    );
    let text = "-- forerun:allow x-out-of-order \"nothing depends on it\"\nSELECT 1;";
    let reason = Some("nothing depends on it".to_owned());
    assert_eq!(allowed(&mut linter, text), [("x-out-of-order", reason)]);
}

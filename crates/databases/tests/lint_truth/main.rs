//! The rules of the linter against the truth: what they say of locks, scans and rewrites is looked for on real servers, in
//! the examples that they are documented with; and what they offer instead is run and does none of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs
)]

mod mariadb;
mod proposals;
mod rows;
mod scratch;

use std::collections::BTreeSet;

use forerun_migrations::trace::{Source, TracedStatement};
use forerun_sql::effect::{Effect, Work};
use forerun_sql::lint::{ALL, Check, Claim, Example, File, Kind, Linter, Rule, Settings};
use forerun_sql::operation::operations;
use forerun_sql::schema::Schema;
use forerun_sql::{Dialect, ObjectKind};

use scratch::{Scratch, in_transaction, script};

/// What a server shows of a rule about locks that claims none by itself.
enum Shown {
    /// It refuses the statement.
    Refused,
    /// This table, lock and work, of the statement or of a lock that an earlier one has left.
    Seen(&'static str, &'static str, Work),
    /// Nothing: why.
    Nothing(#[expect(dead_code, reason = "for those who read it")] &'static str),
}

/// Rules about locks that claim none by themselves.
const WITHOUT_CLAIM: &[(&str, Shown)] = &[
    (
        "my-assert-algorithm",
        Shown::Nothing("about what the statement does not say"),
    ),
    (
        "my-explicit-lock",
        Shown::Seen("orders", "LOCK=SHARED", Work::Rewrite),
    ),
    (
        "my-mass-dml",
        Shown::Nothing("rows are locked one by one, which no wish of ALTER shows"),
    ),
    (
        "my-mixed-instant",
        Shown::Seen("orders", "LOCK=NONE", Work::Rewrite),
    ),
    ("my-row-versions", Shown::Nothing("only MySQL counts")),
    ("pg-concurrently-in-tx", Shown::Refused),
    ("pg-concurrently-partitioned", Shown::Refused),
    (
        "pg-fk-index",
        Shown::Nothing("about statements of the application that come later"),
    ),
    (
        "pg-hold-access-exclusive",
        Shown::Seen("orders", "ACCESS EXCLUSIVE", Work::Rows),
    ),
    (
        "pg-timeout-override",
        Shown::Nothing("about waiting for a lock, not about holding one"),
    ),
    (
        "pg-validate-same-tx",
        Shown::Seen("users", "ACCESS EXCLUSIVE", Work::Scan),
    ),
];

fn examples(dialect: Dialect) -> impl Iterator<Item = (&'static Rule, &'static Example)> {
    let all = ALL.iter().copied();
    let all = all.flat_map(|rule| rule.examples.iter().map(move |example| (rule, example)));
    all.filter(move |(_, example)| example.dialect == dialect)
}

/// What is wrong with the claims of one example.
async fn claims(scratch: &Scratch, rule: &Rule, example: &Example) -> Vec<String> {
    let mut wrong = Vec::new();
    if example.claims.is_empty() {
        return wrong;
    }
    let traced = match scratch.trace(example.before, &[example.found]).await {
        Ok(traced) => traced,
        Err(error) => return vec![format!("{}: {error}", rule.id)],
    };
    for claim in example.claims {
        let observed = traced.iter().filter(|one| one.source == Source::Observed);
        let mut effects = observed.flat_map(|one| &one.effects);
        if !effects.any(|effect| is_claimed(effect, claim)) {
            let seen = described(&traced);
            wrong.push(format!(
                "{} claims {claim:?}\n  of {:?}\n  but the server: {seen}",
                rule.id, example.found
            ));
        }
    }
    wrong
}

fn is_claimed(effect: &Effect, claim: &Claim) -> bool {
    effect.table.name == claim.table
        && (effect.lock, effect.blocks, effect.work) == (claim.lock, claim.blocks, claim.work)
}

fn described(traced: &[TracedStatement]) -> String {
    let one = |statement: &TracedStatement| {
        let effects: Vec<String> = statement
            .effects
            .iter()
            .chain(&statement.held)
            .map(|effect| {
                format!(
                    "{} on {}, {:?}, {:?} wait",
                    effect.lock, effect.table.name, effect.work, effect.blocks
                )
            })
            .collect();
        format!(
            "{} {:?} {}",
            statement.preview,
            statement.source,
            effects.join("; ")
        )
    };
    traced.iter().map(one).collect::<Vec<_>>().join(" | ")
}

/// What is wrong with what one example offers instead.
async fn instead(scratch: &Scratch, rule: &Rule, example: &Example, files: &[&str]) -> Vec<String> {
    let traced = match scratch.trace(example.before, files).await {
        Ok(traced) => traced,
        Err(error) => return vec![format!("{}: instead: {error}\n  of {files:?}", rule.id)],
    };
    // What was not observed is the manual's word, which the rules know already. SQLite has only that.
    let observed = traced.iter().filter(|one| one.source == Source::Observed);
    let long = observed.filter(|one| one.long_blocking().next().is_some());
    let long: Vec<TracedStatement> = long.cloned().collect();
    // What others wait for is found by rules of its own: those about rows keep the statement, and look at the rows first.
    let by_others = rule.kind != Kind::Lock && files != example.instead;
    if long.is_empty() || by_others {
        return Vec::new();
    }
    vec![format!(
        "{}: what it offers instead makes others wait\n  {}",
        rule.id,
        described(&long)
    )]
}

/// What the rule itself writes for its example: one list of files for each finding.
fn offered(rule: &Rule, example: &Example) -> Vec<Vec<String>> {
    let settings = Settings {
        enabled: vec![rule.id.to_owned()],
        ..Settings::default()
    };
    let mut linter = Linter::new(example.dialect, settings);
    linter.learn(&script(example.dialect, example.before));
    let found = script(example.dialect, example.found);
    let findings = linter.judge(&File {
        name: "0002_x.sql",
        script: &found,
        contract: example.found.contains("forerun:contract"),
        transaction: in_transaction(example.dialect, example.found),
    });
    let own = findings.into_iter().filter(|one| one.rule.id == rule.id);
    let files = own.map(|one| one.instead);
    let runs = |files: &Vec<String>| {
        let complete = files.iter().all(|file| !has_gaps(file));
        !files.is_empty() && complete
    };
    files.filter(runs).collect()
}

/// Whether a person has to fill something in: `<the bounds>`, but not in a comment.
fn has_gaps(file: &str) -> bool {
    let mut lines = file.lines().filter(|line| !line.starts_with("--"));
    lines.any(|line| {
        let mut opened = line.split('<').skip(1);
        opened.any(|rest| rest.starts_with(char::is_alphabetic) && rest.contains('>'))
    })
}

async fn all_claims(dialect: Dialect) {
    let Some(scratch) = Scratch::of(dialect) else {
        return;
    };
    let mut wrong = Vec::new();
    for (rule, example) in examples(dialect) {
        wrong.extend(claims(&scratch, rule, example).await);
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn all_instead(dialect: Dialect) {
    let Some(scratch) = Scratch::of(dialect) else {
        return;
    };
    let mut wrong = Vec::new();
    for (rule, example) in examples(dialect) {
        wrong.extend(instead(&scratch, rule, example, example.instead).await);
        for files in offered(rule, example) {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            wrong.extend(instead(&scratch, rule, example, &files).await);
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn postgres_does_what_the_rules_claim() {
    all_claims(Dialect::Postgres).await;
}

#[tokio::test]
async fn mariadb_does_what_the_rules_claim() {
    all_claims(Dialect::Mysql).await;
}

#[tokio::test]
async fn on_postgres_nobody_waits_for_what_is_offered_instead() {
    all_instead(Dialect::Postgres).await;
}

#[tokio::test]
async fn on_mariadb_nobody_waits_for_what_is_offered_instead() {
    all_instead(Dialect::Mysql).await;
}

#[tokio::test]
async fn sqlite_runs_what_is_offered_instead() {
    all_instead(Dialect::Sqlite).await;
}

#[tokio::test]
async fn sqlite_refuses_what_the_rules_say_it_refuses() {
    let Some(scratch) = Scratch::of(Dialect::Sqlite) else {
        return;
    };
    let mut wrong = Vec::new();
    for (rule, example) in examples(Dialect::Sqlite) {
        let says_so = rule.dialects == [Dialect::Sqlite] && rule.why.contains("refuse");
        let refused = scratch
            .trace(example.before, &[example.found])
            .await
            .is_err();
        if says_so && !refused {
            wrong.push(format!("{}: SQLite runs {:?}", rule.id, example.found));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a server refuses it must refuse for the reason that the rule says.
#[tokio::test]
async fn servers_refuse_what_the_rules_say_they_refuse() {
    let mut wrong = Vec::new();
    for (dialect, refused) in [
        (
            Dialect::Postgres,
            &[
                ("pg-concurrently-partitioned", "partitioned table"),
                ("pg-drop-used-column", "other objects depend on it"),
            ][..],
        ),
        (
            Dialect::Mysql,
            &[("my-drop-indexed-column", "doesn't exist in table")],
        ),
    ] {
        let Some(scratch) = Scratch::of(dialect) else {
            continue;
        };
        for (id, reason) in refused {
            let mut refusals = 0;
            for (_, example) in examples(dialect).filter(|(rule, _)| rule.id == *id) {
                // An index of one column goes with it.
                if *id == "my-drop-indexed-column" && !example.before.contains("UNIQUE") {
                    continue;
                }
                refusals += 1;
                match scratch.trace(example.before, &[example.found]).await {
                    Err(error) if error.contains(reason) => {}
                    other => wrong.push(format!("{id}: {:?}: {other:?}", example.found)),
                }
            }
            assert_ne!(refusals, 0, "{id}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the effects that rules go by are not those that the server was seen having, on whether others wait for long.
async fn effects(scratch: &Scratch, example: &Example, files: &[&str]) -> Vec<String> {
    let Ok(traced) = scratch.trace(example.before, files).await else {
        return Vec::new();
    };
    let mut schema = Schema::new(example.dialect);
    let statements = |text: &str| script(example.dialect, text).statements;
    schema.begin_file(1);
    for statement in statements(example.before) {
        for operation in operations(example.dialect, &statement.text).list {
            schema.apply(&operation, &statement.text);
        }
    }
    schema.begin_file(2);
    let mut traced = traced.iter();
    let mut wrong = Vec::new();
    for statement in files.iter().flat_map(|file| statements(file)) {
        let mut expected = Vec::new();
        for operation in operations(example.dialect, &statement.text).list {
            expected.extend(forerun_sql::effect::effects(&operation, &schema));
            schema.apply(&operation, &statement.text);
        }
        let Some(seen) = traced.next() else { break };
        // With a wish of its own a statement is done in that way or not at all.
        let wishes = operations(example.dialect, &statement.text);
        let wished = wishes.algorithm.is_some() || wishes.lock.is_some();
        if seen.source != Source::Observed || wished {
            continue;
        }
        expected.retain(|effect| {
            schema
                .table(&effect.table)
                .is_none_or(|table| table.made_in == 1)
        });
        let long = |effects: &[Effect]| -> BTreeSet<String> {
            let tables = effects
                .iter()
                .filter(|effect| effect.table.kind != ObjectKind::Index);
            let long = tables.filter(|effect| effect.is_long_blocking());
            long.map(|effect| format!("{} {:?} wait", effect.table.name, effect.blocks))
                .collect()
        };
        if long(&expected) != long(&seen.effects) {
            wrong.push(format!(
                "{}: expected {expected:?}, seen {:?}",
                seen.preview, seen.effects
            ));
        }
    }
    wrong
}

#[tokio::test]
async fn effects_are_those_that_servers_have() {
    let mut wrong = BTreeSet::new();
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let Some(scratch) = Scratch::of(dialect) else {
            continue;
        };
        for (_, example) in examples(dialect) {
            wrong.extend(effects(&scratch, example, &[example.found]).await);
            wrong.extend(effects(&scratch, example, example.instead).await);
        }
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Rules about locks that claim none in their examples.
fn without_claim() -> impl Iterator<Item = &'static Rule> {
    let rules = ALL.iter().copied();
    rules.filter(|rule| {
        let claims = rule
            .examples
            .iter()
            .any(|example| !example.claims.is_empty());
        rule.kind == Kind::Lock && !claims && !matches!(rule.check, Check::Built)
    })
}

#[test]
fn rules_about_locks_claim_one_or_say_why_not() {
    let mut found: Vec<&str> = without_claim().map(|rule| rule.id).collect();
    found.sort_unstable();
    let expected: Vec<&str> = WITHOUT_CLAIM.iter().map(|(id, _)| *id).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_such_rules_say_is_shown_in_another_way() {
    let mut wrong = Vec::new();
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let Some(scratch) = Scratch::of(dialect) else {
            continue;
        };
        for (id, shown) in WITHOUT_CLAIM {
            let mut rules = without_claim().filter(|rule| rule.id == *id);
            let example = rules.next().and_then(|rule| rule.examples.first());
            let Some(example) = example.filter(|example| example.dialect == dialect) else {
                continue;
            };
            let traced = scratch.trace(example.before, &[example.found]).await;
            let as_said = match (shown, &traced) {
                (Shown::Nothing(_), traced) => traced.is_ok(),
                (Shown::Refused, traced) => traced.is_err(),
                (Shown::Seen(table, lock, work), Ok(traced)) => {
                    let mut all = traced
                        .iter()
                        .flat_map(|one| one.effects.iter().chain(&one.held));
                    all.any(|effect| {
                        effect.table.name == *table && (effect.lock, effect.work) == (*lock, *work)
                    })
                }
                (Shown::Seen(..), Err(_)) => false,
            };
            if !as_said {
                let found = traced.map(|traced| described(&traced));
                wrong.push(format!("{id}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

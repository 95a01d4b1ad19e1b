//! What others waited for, as findings of the linter.

use std::collections::HashMap;

use forerun_sql::effect::{Blocks, Effect, Work};
use forerun_sql::lint::{self, Also};

use super::{Trace, TracedStatement};
use crate::history::Version;

/// The rule of these findings.
const RULE: &str = "x-observed-lock";

/// One for each statement that was seen making others wait, by version. The linter drops those that another rule knows.
pub fn findings(trace: &Trace) -> HashMap<Version, Vec<Also>> {
    let mut found: HashMap<Version, Vec<Also>> = HashMap::new();
    let Some(rule) = lint::rule(RULE) else {
        return found;
    };
    for migration in &trace.migrations {
        for statement in &migration.statements {
            let Some(message) = message(statement) else {
                continue;
            };
            let also = Also {
                rule,
                message,
                statement: usize::try_from(statement.statement.saturating_sub(1)).ok(),
            };
            let version = migration.version.clone();
            found.entry(version).or_default().push(also);
        }
    }
    found
}

fn message(statement: &TracedStatement) -> Option<String> {
    if !statement.watched {
        return None;
    }
    let worst = statement
        .long_blocking()
        .max_by_key(|effect| (effect.blocks, effect.work))?;
    let Effect {
        table,
        lock,
        blocks,
        work,
    } = worst;
    let who = match blocks {
        Blocks::Everybody => "readers and writers",
        Blocks::Writers | Blocks::Nobody => "writers",
    };
    let what = match work {
        Work::Rewrite => "wrote a whole table anew",
        Work::IndexBuild => "built an index",
        Work::Scan | Work::Rows | Work::Metadata => "read a whole table",
    };
    Some(format!(
        "{who} of `{}` waited on the scratch database: its server held {lock} while it {what}",
        table.name
    ))
}

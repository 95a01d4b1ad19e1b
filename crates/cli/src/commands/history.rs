//! `forerun migrate history`.

use forerun_migrations::history::{AuditRow, HistoryRow};
use serde::Serialize;

use super::context::Context;
use crate::arguments::{History, LimitArguments};
use crate::command_error::CommandError;
use crate::output::{Done, tables};

pub fn run(context: &Context, arguments: &History) -> Result<Done, CommandError> {
    #[derive(Serialize)]
    struct Document<'a> {
        history: &'a [HistoryRow],
        #[serde(skip_serializing_if = "Option::is_none")]
        audit: Option<&'a [AuditRow]>,
    }
    let runner = context.runner(&arguments.database, &LimitArguments::default())?;
    let (history, audit) = context.block_on(&runner, runner.history(arguments.version.clone()))?;
    let one = arguments.version.is_some();
    let document = Document {
        history: &history,
        audit: one.then_some(&audit),
    };
    context.output.result(&document, || {
        let mut text = match &arguments.version {
            Some(version) if history.is_empty() => format!("Version {version} is not applied.\n"),
            _ => tables::history(&history),
        };
        if one && !audit.is_empty() {
            text.push('\n');
            text.push_str(&tables::audit(&audit));
        }
        text
    });
    Ok(Done::new("done", ""))
}

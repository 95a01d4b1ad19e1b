//! `exit-codes.md`.

use std::fmt::Write;

use super::{GENERATED, cell};
use crate::exit_code::TABLE;

pub(super) fn page() -> String {
    let mut text = format!("{GENERATED}\n# Exit codes\n\n");
    text.push_str(
        "A contract with scripts and with the `podFailurePolicy` of a Kubernetes Job: 2 to 5 end the Job, 75 is tried again. \
         `forerun exec` passes on the exit code of its command.\n\n| Code | Meaning | What to do |\n|---|---|---|\n",
    );
    for entry in &TABLE {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            entry.code,
            cell(entry.meaning),
            cell(entry.action)
        );
    }
    text
}

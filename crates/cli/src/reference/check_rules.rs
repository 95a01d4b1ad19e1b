//! `check-rules.md`: every rule of `forerun check`.

use std::fmt::Write;

use forerun_manifests::check;

use super::{GENERATED, cell};

pub(super) fn page() -> String {
    let mut text = format!("{GENERATED}\n# Rules of `forerun check`\n\n");
    text.push_str(
        "An error is a deployment that fails, hangs or migrates wrongly; a warning works until something goes wrong; a note \
         is worth knowing. A finding may matter less than its rule, never more. How to use the command: \
         [check.md](../guide/check.md).\n\n| Rule | Severity | What it finds |\n|---|---|---|\n",
    );
    for rule in check::all() {
        let _ = writeln!(
            text,
            "| [{0}](#{0}) | {1} | {2} |",
            rule.id,
            rule.severity.name(),
            cell(rule.title)
        );
    }
    for rule in check::all() {
        let _ = write!(
            text,
            "\n## {}\n\n**{}** ({})\n\n{}\n\n{}\n\n```yaml\n{}\n```\n",
            rule.id,
            rule.title,
            rule.severity.name(),
            rule.why,
            rule.fix,
            rule.yaml
        );
    }
    text
}

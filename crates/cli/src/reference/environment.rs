//! `environment.md`: every variable.

use std::fmt::Write;

use super::{GENERATED, cell};
use crate::settings::environment::ALL;

pub(super) fn page() -> String {
    let mut text = format!("{GENERATED}\n# Environment variables\n\n");
    text.push_str(
        "An option wins over its variable. A variable that is empty counts as not set. A variable wins over the one with \
         `_FILE` at its end, whose file may end in a newline.\n\nThe database is looked for in this order, and two sources \
         are never mixed: `--url`, `DATABASE_URL`, `DATABASE_URL_FILE`, the `DATABASE_` parts, the `DB_` parts. There is no \
         default database.\n\nFor PostgreSQL, what the URL does not say comes from libpq's `PG*` variables, `PGSERVICE` and \
         `.pgpass`; for MySQL the password may come from `MYSQL_PWD`.\n\n| Variable | Option | Meaning | Since |\n\
         |---|---|---|---|\n",
    );
    for variable in ALL {
        let option = variable
            .option
            .map(|option| format!("`{option}`"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{}` | {option} | {} | {} |",
            variable.name,
            cell(variable.meaning),
            variable.since
        );
    }
    text
}

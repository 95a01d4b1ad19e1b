//! `layouts.md`: the layouts that directories can have, and how one is told from the other.

use std::fmt::Write;

use forerun_migrations::directory::Layout;

use super::{GENERATED, cell};

/// What stands below the table.
const RECOGNISED: &str = "\
## How a directory is recognised

Without `--layout` (or with `--layout auto`) forerun looks at the directory each time:

1. Something that only one tool has decides: its configuration or sum file (`atlas.sum`, `flyway.toml`, `refinery.toml`,
   `tern.conf`, `liquibase.properties`), one of its directives in the first file (`-- +goose`, `-- migrate:up`, …), or files
   that only it knows (`2026-01-31-120000_x/up.sql`, `R__views.sql`, `V3__x.rs`).
2. Else the names decide: `0001_x.sql` is forerun's own, `0001_x.up.sql` golang-migrate's, `V1__x.sql` Flyway's. Where
   several tools use the same names the first one of the table is taken; plain files mean the same in all of them.
3. A directory in which nothing is a migration is forerun's own.

`forerun migrate adopt` knows the tool from its table. Where the names fit more than one, it takes that tool's layout, and
says which `--layout` to give from then on.

Two things end in an error (exit code 2) before anything runs:

- Two tools have each left something that is theirs alone:

  ```text
  `migrations` can be of the goose layout (its first file has a `-- +goose` comment) and of the atlas layout (there is an atlas.sum). Say which with --layout goose or --layout atlas
  ```

- A file has a directive of another tool than the one that the directory is read as. It would run as a whole, its down
  script too:

  ```text
  migrations/0002_b.sql:1: this is a directive of goose, and the directory is read as native, which would run the file as a whole. If the directory is one of goose, say so with --layout goose; else remove the comment, or give --layout native to read it all the same
  ```

`--layout NAME` or `FORERUN_LAYOUT=NAME` says which one it is; nothing is guessed then. Say it in every run, and for every
command that takes `--dir`.

## What is common to all

- The database runs what it would get from forerun's own layout: statements are split by its grammar, and what has a
  meaning only for the other tool (directives, placeholders, delimiters) is replaced by what it stands for.
- What cannot be carried over (migrations in Go, Java or Rust, templates, changes without SQL) is named, all at once, file
  by file. Nothing that the other tool would run is left out in silence.
- What the other tool leaves out is left out, with a warning where it may be a mistake.
- The files can be used by the other tool at any time: nothing is written into the directory.
- `forerun migrate new` writes the next file in the layout of the directory, `forerun migrate convert --to native DIRECTORY`
  all of them in forerun's own.

Which directives and settings of each are honoured: [coming from another tool](../switching/README.md).
";

pub(super) fn page() -> String {
    let mut text = format!("{GENERATED}\n# Layouts\n\n");
    let layouts: Vec<Layout> = Layout::all().collect();
    let _ = write!(
        text,
        "A layout is how a directory of migrations is named and written. forerun reads {} of them as they are; `native` is \
         its own ([writing migrations](../guide/writing-migrations.md)).\n\n| `--layout` | Files |\n|---|---|\n",
        layouts.len()
    );
    for layout in layouts {
        let _ = writeln!(
            text,
            "| `{}` | {} |",
            layout.name(),
            literal(&cell(layout.form()))
        );
    }
    text.push('\n');
    text.push_str(RECOGNISED);
    text
}

/// Text as Markdown shows it as it stands, but for what is in backticks.
fn literal(text: &str) -> String {
    let parts = text
        .split('`')
        .enumerate()
        .map(|(place, part)| match place % 2 {
            0 => part.replace('<', "\\<").replace('_', "\\_"),
            _ => format!("`{part}`"),
        });
    parts.collect()
}

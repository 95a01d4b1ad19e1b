//! Judges migrations before they run.
//!
//! Data flows one way: a file is parsed into typed operations, each is shown to the rules together with the schema as
//! it is before it, then folded into that schema. One rule is one file in `rules/`, with what it looks for, why, examples
//! that are tests, and the words of its page. Pure: files are read, and a server is asked, by others.

mod allowed;
mod apart;
mod batches;
mod compatibility;
mod contract;
mod finding;
mod linter;
mod locks;
mod lt_remedy;
mod mass_change;
mod my_remedy;
mod names;
mod nothing;
mod pg_conversion;
mod pg_partitions;
mod pg_remedy;
#[cfg(test)]
mod pg_tests;
mod proposal;
mod remedy;
mod rule;
mod rules;
mod second_column;
mod size;
mod surroundings;
#[cfg(test)]
mod tests;
mod view_indexes;

pub use allowed::unknown;
pub use finding::{Finding, Kind, Replaces, Severity};
pub use linter::{Also, File, Linter, Script, Server, Settings};
pub use rule::{Check, Claim, Example, Needs, Peers, Rule};
pub use rules::ALL;

/// The rule of this name.
pub fn rule(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}

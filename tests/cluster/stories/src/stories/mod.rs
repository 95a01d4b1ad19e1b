//! The stories, one file for what belongs together.

mod at_once;
mod atomic;
mod crashes;
mod deploy;
mod diagnosis;
mod examples;
mod guide;
mod ledger;
mod other_ways;
mod release;
mod temporary;
mod values;

use crate::runner::Story;

/// All stories. Those that wait for something come first: others happen meanwhile.
pub fn all() -> Vec<Story> {
    let files = [
        diagnosis::stories(),
        temporary::stories(),
        at_once::stories(),
        atomic::stories(),
        ledger::stories(),
        release::stories(),
        deploy::stories(),
        examples::stories(),
        other_ways::stories(),
        guide::stories(),
        values::stories(),
        crashes::stories(),
    ];
    files.into_iter().flatten().collect()
}

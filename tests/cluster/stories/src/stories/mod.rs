//! The stories, one file for what belongs together.

mod release;

use crate::runner::Story;

/// All stories. Long ones first: they decide when everything is done.
pub fn all() -> Vec<Story> {
    [release::stories()].into_iter().flatten().collect()
}

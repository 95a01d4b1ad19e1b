//! The JSON Schema of values, made from the types of the model: for Helm, for editors, and for our own check.
//!
//! Draft 7, which every Helm 3 and 4 understands. What the generator cannot know is added here: unknown keys are
//! refused in Kubernetes' types too, names that Kubernetes would refuse are refused here, and null is "not set".

mod adjust;
mod pattern;
mod shape;
mod suggest;
mod validate;

use std::sync::LazyLock;

pub(super) use shape::{Additional, Kind, Shape};
pub(super) use suggest::nearest;
pub(super) use validate::{Finding, OwnedStep, validate};

/// The schema as it is published.
static PUBLISHED: LazyLock<serde_json::Value> = LazyLock::new(adjust::published);

/// The same as types, for our own check. Text that the types do not know would make it empty, and everything
/// would pass: a test sees to it that there is none.
static TYPED: LazyLock<Shape> =
    LazyLock::new(|| serde_json::from_value(PUBLISHED.clone()).unwrap_or_default());

/// The JSON Schema of values (draft 7), for `values.schema.json`.
pub fn schema() -> serde_json::Value {
    PUBLISHED.clone()
}

/// The schema as types.
pub(super) fn typed() -> &'static Shape {
    &TYPED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_check_knows_every_keyword_of_the_schema() {
        let schema: Shape = serde_json::from_value(schema()).expect("a keyword that `Shape` lacks");
        assert!(schema.definitions.len() > 50);
    }
}

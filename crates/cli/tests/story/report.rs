//! What a run with `--format json` reports at its end.

use forerun_test_support::CommandOutcome;
use serde_json::Value;

/// The result document: the last JSON value on standard output that has an `outcome`.
fn result(outcome: &CommandOutcome) -> Value {
    let values = serde_json::Deserializer::from_str(&outcome.stdout).into_iter::<Value>();
    values
        .map(|value| {
            value
                .unwrap_or_else(|error| panic!("standard output is not JSON: {error}\n{outcome:?}"))
        })
        .filter(|value| value.get("outcome").is_some())
        .last()
        .unwrap_or_else(|| panic!("no outcome on standard output\n{outcome:?}"))
}

/// The stable word for how the run ended: `applied`, `done_by_another`, `up_to_date`.
pub fn outcome(outcome: &CommandOutcome) -> String {
    result(outcome)["outcome"]
        .as_str()
        .expect("a word")
        .to_owned()
}

/// How many migrations this run has applied itself.
pub fn migrations_done(outcome: &CommandOutcome) -> usize {
    let result = result(outcome);
    match &result["migrations"] {
        Value::Array(migrations) => migrations.len(),
        Value::Number(number) => {
            usize::try_from(number.as_u64().expect("a count")).expect("a count")
        }
        other => panic!("`migrations` is {other}\n{outcome:?}"),
    }
}

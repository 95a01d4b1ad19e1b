//! What differs between two renderings, field by field.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Objects;

/// One line for each field that differs: where it is, and what either side has.
pub fn of_objects(chart: &Objects, forerun: &Objects) -> Vec<String> {
    let names: BTreeSet<&String> = chart.keys().chain(forerun.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        match (chart.get(name), forerun.get(name)) {
            (Some(chart), Some(forerun)) => of_values(name, chart, forerun, &mut found),
            (Some(_), None) => found.push(format!("- {name} is rendered by the chart alone")),
            _ => found.push(format!("+ {name} is rendered by forerun alone")),
        }
    }
    found
}

fn of_values(path: &str, chart: &Value, forerun: &Value, found: &mut Vec<String>) {
    match (chart, forerun) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let path = format!("{path} .{key}");
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => of_values(&path, left, right, found),
                    (left, right) => found.push(line(&path, left, right)),
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                of_values(&format!("{path}[{index}]"), left, right, found);
            }
        }
        (left, right) if left == right => {}
        (left, right) => found.push(line(path, Some(left), Some(right))),
    }
}

fn line(path: &str, chart: Option<&Value>, forerun: Option<&Value>) -> String {
    let text =
        |value: Option<&Value>| value.map_or_else(|| "(absent)".to_owned(), Value::to_string);
    format!("{path}\n  - {}\n  + {}", text(chart), text(forerun))
}

#[test]
fn a_difference_is_found_at_any_depth() {
    let one =
        serde_json::json!({"spec": {"containers": [{"name": "a", "args": ["x"]}], "same": 1}});
    let two = serde_json::json!({"spec": {"containers": [{"name": "b"}], "same": 1}});
    let mut found = Vec::new();
    of_values("Job", &one, &two, &mut found);
    assert_eq!(
        found,
        [
            "Job .spec .containers[0] .args\n  - [\"x\"]\n  + (absent)",
            "Job .spec .containers[0] .name\n  - \"a\"\n  + \"b\"",
        ]
    );
}

//! What passes the schema can be read into the model, whatever it is.

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::{
    Values,
    schema::{Additional, Kind, Shape, typed, validate},
};
use crate::yaml::{Strictness, read_all};
use serde::Deserialize;

/// Random values in the shape of the schema, with a mistake here and there.
struct Generator {
    random: TestRng,
}

impl Generator {
    fn below(&mut self, limit: u32) -> u32 {
        self.random.next_u32() % limit
    }

    fn value(&mut self, shape: &Shape, depth: usize) -> Value {
        if self.below(60) == 0 {
            let mistakes = [
                json!(null),
                json!("text"),
                json!(-7),
                json!(1.5),
                json!([1]),
                json!({"x": 1}),
                json!(true),
            ];
            return mistakes[self.below(7) as usize].clone();
        }
        let alternatives = shape.alternatives(typed());
        let Some(shape) = alternatives.get(self.below(alternatives.len().max(1) as u32) as usize)
        else {
            return json!("anything");
        };
        let kinds: Vec<Kind> = shape
            .kinds()
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::Null)
            .collect();
        match kinds.get(self.below(kinds.len().max(1) as u32) as usize) {
            None => json!({"a": 1}),
            Some(Kind::Null) => Value::Null,
            Some(Kind::Boolean) => json!(self.below(2) == 0),
            Some(Kind::Integer) => {
                let numbers = [
                    0_i64,
                    1,
                    5432,
                    65536,
                    -1,
                    2_147_483_648,
                    4_294_967_296,
                    9_007_199_254_740_993,
                ];
                json!(numbers[self.below(8) as usize])
            }
            Some(Kind::Number) => json!(f64::from(self.below(100)) / 4.0),
            Some(Kind::String) => self.text(shape),
            Some(Kind::Array) => {
                let length = if depth > 12 { 0 } else { self.below(3) };
                let Some(items) = &shape.items else {
                    return json!([]);
                };
                (0..length).map(|_| self.value(items, depth + 1)).collect()
            }
            Some(Kind::Object) => self.map(shape, depth),
        }
    }

    fn text(&mut self, shape: &Shape) -> Value {
        let choices: Vec<&str> = shape.choices().collect();
        if !choices.is_empty() {
            return json!(choices[self.below(choices.len() as u32) as usize]);
        }
        match &shape.pattern {
            Some(pattern) => {
                let inner = pattern.trim_start_matches('^').trim_end_matches('$');
                let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[self.below(256) as u8; 32]);
                let mut runner = TestRunner::new_with_rng(Config::default(), random);
                let tree = proptest::string::string_regex(inner)
                    .unwrap()
                    .new_tree(&mut runner)
                    .unwrap();
                json!(proptest::strategy::ValueTree::current(&tree))
            }
            None => json!(["", "main", "a b", "5m", "ü"][self.below(5) as usize]),
        }
    }

    fn map(&mut self, shape: &Shape, depth: usize) -> Value {
        let mut map = serde_json::Map::new();
        let often = if depth < 3 { 2 } else { 8 };
        for (key, below) in &shape.properties {
            if shape.required.contains(key) || (depth < 12 && self.below(often) == 0) {
                map.insert(key.clone(), self.value(below, depth + 1));
            }
        }
        if let Some(Additional::Like(each)) = &shape.additional_properties {
            for name in ["main", "web-1"].iter().take(self.below(3) as usize) {
                map.insert((*name).to_owned(), self.value(each, depth + 1));
            }
        }
        if self.below(200) == 0 {
            map.insert("unknown".to_owned(), json!(1));
        }
        Value::Object(map)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_passes_the_schema_can_be_read(seed in any::<[u8; 32]>()) {
        let mut generator = Generator { random: TestRng::from_seed(RngAlgorithm::ChaCha, &seed) };
        let value = generator.value(typed(), 0);
        let text = value.to_string();
        // JSON is YAML.
        let documents = read_all(&"json".into(), &text, Strictness::Strict).unwrap();
        let mut tree = documents.into_iter().next().unwrap();
        super::merge::without_nulls(&mut tree);
        let read = Values::deserialize(tree.to_json());
        if validate(&tree, typed(), &|_| false).is_empty() {
            prop_assert!(read.is_ok(), "{}: {}", read.unwrap_err(), tree.to_json());
        }
    }

    /// The same through the front door: whatever the values, they are read or refused with a place.
    #[test]
    fn whatever_is_wrong_has_a_place(seed in any::<[u8; 32]>()) {
        let mut generator = Generator { random: TestRng::from_seed(RngAlgorithm::ChaCha, &seed) };
        let text = generator.value(typed(), 0).to_string();
        let source = super::Source { name: "values.yaml".to_owned(), text };
        if let Err(problems) = super::read(&[source], &[]) {
            for problem in problems.0 {
                prop_assert!(problem.place.is_some(), "{problem}");
                prop_assert!(!problem.message.starts_with("the values cannot be read"), "{problem}");
            }
        }
    }
}

/// The generator makes values that pass, or the test above would say nothing.
#[test]
fn many_generated_values_pass() {
    let passed = (0..200_u8)
        .filter(|seed| {
            let mut generator = Generator {
                random: TestRng::from_seed(RngAlgorithm::ChaCha, &[*seed; 32]),
            };
            let text = generator.value(typed(), 0).to_string();
            let mut tree = read_all(&"json".into(), &text, Strictness::Strict)
                .unwrap()
                .remove(0);
            super::merge::without_nulls(&mut tree);
            validate(&tree, typed(), &|_| false).is_empty()
        })
        .count();
    assert!(passed >= 20, "{passed} of 200");
}

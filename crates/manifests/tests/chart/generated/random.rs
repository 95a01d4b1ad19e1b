//! Chance: the same from the same seed, on every machine.

use serde_json::{Map, Value};

/// SplitMix64: small, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn one_of<'v, T>(&mut self, all: &'v [T]) -> &'v T {
        &all[self.below(all.len())]
    }

    pub fn some_of<T: Clone>(&mut self, percent: usize, all: &[T]) -> Vec<T> {
        all.iter()
            .filter(|_| self.chance(percent))
            .cloned()
            .collect()
    }
}

/// A map under construction.
pub struct Keys<'r> {
    pub random: &'r mut Random,
    pub map: Map<String, Value>,
}

impl<'r> Keys<'r> {
    pub fn new(random: &'r mut Random) -> Self {
        Self {
            random,
            map: Map::new(),
        }
    }

    /// Gives `key` one of the values, in `percent` of all cases.
    pub fn maybe(&mut self, percent: usize, key: &str, values: &[Value]) {
        if self.random.chance(percent) {
            let value = self.random.one_of(values).clone();
            self.map.insert(key.to_owned(), value);
        }
    }

    pub fn with(&mut self, percent: usize, key: &str, value: impl FnOnce(&mut Random) -> Value) {
        if self.random.chance(percent) {
            let value = value(self.random);
            self.map.insert(key.to_owned(), value);
        }
    }
}

//! A map that is copied in no time: copies share what was there before, and each has its own changes.
//!
//! Rules try out what a file does on a copy of the schema, and a directory may have made thousands of tables.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The map.
#[derive(Clone, Debug)]
pub(super) struct Layered<K, V> {
    shared: Arc<BTreeMap<K, V>>,
    /// What is different from what is shared; `None` where something is gone.
    changes: BTreeMap<K, Option<V>>,
}

impl<K: Ord + Clone, V: Clone> Layered<K, V> {
    pub fn new() -> Self {
        Self {
            shared: Arc::new(BTreeMap::new()),
            changes: BTreeMap::new(),
        }
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        match self.changes.get(key) {
            Some(changed) => changed.as_ref(),
            None => self.shared.get(key),
        }
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// In no particular order, but in the same one each time.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let same = self.shared.iter();
        let same = same.filter(|(key, _)| !self.changes.contains_key(key));
        let changed = self.changes.iter();
        same.chain(changed.filter_map(|(key, value)| Some((key, value.as_ref()?))))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if !self.changes.contains_key(key) {
            let own = self.shared.get(key)?.clone();
            self.changes.insert(key.clone(), Some(own));
        }
        self.changes.get_mut(key)?.as_mut()
    }

    pub fn insert(&mut self, key: K, value: V) {
        self.changes.insert(key, Some(value));
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let present = self.get(key)?.clone();
        self.changes.insert(key.clone(), None);
        Some(present)
    }

    /// Removes all for which something is true.
    pub fn remove_all(&mut self, which: impl Fn(&K, &V) -> bool) {
        let wanted = self.iter().filter(|(key, value)| which(key, value));
        let keys: Vec<K> = wanted.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.changes.insert(key, None);
        }
    }

    /// Gives the changes to what copies made from now on share; not while there are copies.
    pub fn settle(&mut self) {
        let Some(shared) = Arc::get_mut(&mut self.shared) else {
            return;
        };
        for (key, value) in std::mem::take(&mut self.changes) {
            match value {
                Some(value) => shared.insert(key, value),
                None => shared.remove(&key),
            };
        }
    }
}

impl<K: Ord + Clone, V: Clone + Default> Layered<K, V> {
    /// The value of a key, made if it is not there.
    pub fn get_or_default(&mut self, key: K) -> &mut V {
        if !self.contains_key(&key) {
            self.insert(key.clone(), V::default());
        } else if !self.changes.contains_key(&key) {
            let own = self.shared.get(&key).cloned();
            self.changes.insert(key.clone(), own);
        }
        let value = self.changes.entry(key).or_default();
        value.get_or_insert_with(V::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(map: &Layered<u8, u8>) -> Vec<(u8, u8)> {
        let mut all: Vec<(u8, u8)> = map.iter().map(|(key, value)| (*key, *value)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn a_copy_has_changes_of_its_own() {
        let mut map = Layered::new();
        for number in 1..=4 {
            map.insert(number, number);
        }
        map.settle();
        let mut copy = map.clone();
        *copy.get_mut(&2).unwrap() = 20;
        assert_eq!(copy.remove(&3), Some(3));
        *copy.get_mut(&4).unwrap() = 40;
        *copy.get_or_default(5) += 50;
        *copy.get_or_default(1) += 9;
        copy.settle();
        assert_eq!(of(&copy), [(1, 10), (2, 20), (4, 40), (5, 50)]);
        assert_eq!(of(&map), [(1, 1), (2, 2), (3, 3), (4, 4)]);
        assert!(!copy.contains_key(&3) && copy.get_mut(&3).is_none());
        drop(map);
        copy.remove_all(|key, _| *key > 2);
        copy.settle();
        assert_eq!(of(&copy), [(1, 10), (2, 20)]);
    }
}

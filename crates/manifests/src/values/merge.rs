//! Several trees into one, as Helm does: maps are merged, everything else is replaced, null deletes a key.

use std::collections::btree_map;

use crate::yaml::{Data, Map, Node};

/// Puts a later tree over an earlier one. Nulls stay until [`without_nulls`], so that a third tree that sets a
/// deleted key begins anew.
pub(super) fn overlay(below: &mut Node, above: Node) {
    let map = match (&mut below.data, above.data) {
        (Data::Map(map), Data::Map(over)) => {
            merge_maps(map, over);
            return;
        }
        (_, data) => data,
    };
    *below = Node {
        span: above.span,
        data: map,
        written: above.written,
    };
}

fn merge_maps(below: &mut Map, above: Map) {
    for (key, entry) in above {
        match below.entry(key) {
            btree_map::Entry::Vacant(place) => {
                place.insert(entry);
            }
            btree_map::Entry::Occupied(mut place) => {
                let under = place.get_mut();
                let both_maps = under.value.as_map().is_some() && entry.value.as_map().is_some();
                if !both_maps {
                    under.key_span = entry.key_span;
                }
                overlay(&mut under.value, entry.value);
            }
        }
    }
}

/// Removes keys without a value. `global` belongs to Helm and stays as it is. Items of lists are kept, so that
/// their numbers stay true.
pub(super) fn without_nulls(tree: &mut Node) {
    if let Data::Map(map) = &mut tree.data {
        map.retain(|_, entry| entry.value.data != Data::Null);
        map.iter_mut()
            .filter(|(key, _)| *key != "global")
            .for_each(|(_, entry)| prune(&mut entry.value));
    }
}

fn prune(node: &mut Node) {
    match &mut node.data {
        Data::Map(map) => {
            map.retain(|_, entry| entry.value.data != Data::Null);
            map.values_mut().for_each(|entry| prune(&mut entry.value));
        }
        Data::List(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

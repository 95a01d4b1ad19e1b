//! Objects as YAML.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Object;

/// A document for each object, in their order. Any YAML reader, of version 1.1 or 1.2, reads the same values from
/// it.
///
/// # Errors
/// When an object cannot be written; a bug.
pub fn yaml<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
) -> Result<String, serde_saphyr::ser::Error> {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&HeadFirst(object))?);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}

/// An object with what it is before what it holds.
struct HeadFirst<'a>(&'a Object);

impl Serialize for HeadFirst<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const HEAD: [&str; 3] = ["apiVersion", "kind", "metadata"];
        let Some(fields) = self.0.value.as_object() else {
            return self.0.value.serialize(serializer);
        };
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        let head = HEAD.iter().filter_map(|key| fields.get_key_value(*key));
        let rest = fields
            .iter()
            .filter(|(key, _)| !HEAD.contains(&key.as_str()));
        for (key, value) in head.chain(rest) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

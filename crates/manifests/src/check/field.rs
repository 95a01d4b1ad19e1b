//! A value inside a manifest together with its path, so that whatever a rule finds can be shown where it stands.

use std::fmt::{self, Display, Write};

use serde_json::Value;

/// One step down into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// Where something stands inside an object: `spec.template.spec.containers[0].image`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Keys from the object downwards, with dots between them. For keys that hold no dots.
    pub fn of(dotted: &str) -> Self {
        Self(
            dotted
                .split('.')
                .filter(|key| !key.is_empty())
                .map(|key| Step::Key(key.to_owned()))
                .collect(),
        )
    }

    /// The entry of a map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The element of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// From the top down.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What is below `self` when it stands below `base`.
    pub(super) fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Key(key) if is_plain(key) => {
                    if number > 0 {
                        formatter.write_char('.')?;
                    }
                    formatter.write_str(key)?;
                }
                Step::Key(key) => write!(formatter, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// It needs no quotes between dots.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A value and its path. What is `null` counts as not there, as it does for Kubernetes.
#[derive(Clone)]
pub struct Field<'a> {
    value: Option<&'a Value>,
    path: Path,
}

/// The value may be secret: not shown.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Field({})", self.path)
    }
}

impl<'a> Field<'a> {
    /// The top of an object.
    pub fn root(value: &'a Value) -> Self {
        Self::new(Some(value), Path::root())
    }

    fn new(value: Option<&'a Value>, path: Path) -> Self {
        Self {
            value: value.filter(|value| !value.is_null()),
            path,
        }
    }

    /// Where it stands, or would stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands there.
    pub fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// Something stands there.
    pub fn exists(&self) -> bool {
        self.value.is_some()
    }

    /// The entry of a map; one that is not there for everything else.
    pub fn get(&self, key: &str) -> Self {
        let value = self.value.and_then(|value| value.get(key));
        Self::new(value, self.path.key(key))
    }

    /// The same several times: `spec.template.spec`.
    pub fn at(&self, dotted: &str) -> Self {
        dotted
            .split('.')
            .fold(self.clone(), |field, key| field.get(key))
    }

    /// One element of a list, from 0.
    pub fn element(&self, index: usize) -> Self {
        let value = self.value.and_then(|value| value.get(index));
        Self::new(value, self.path.index(index))
    }

    /// Elements of a list.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let path = self.path.clone();
        let list = self.value.and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .enumerate()
            .map(move |(index, value)| Self::new(Some(value), path.index(index)))
    }

    /// Entries of a map, those that are `null` too.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let path = self.path.clone();
        let map = self.value.and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .map(move |(key, value)| (key.as_str(), Self::new(Some(value), path.key(key))))
    }

    /// A text.
    pub fn text(&self) -> Option<&'a str> {
        self.value.and_then(Value::as_str)
    }

    /// A whole number.
    pub fn integer(&self) -> Option<i64> {
        self.value.and_then(Value::as_i64)
    }

    /// It says `true`.
    pub fn is_true(&self) -> bool {
        self.value == Some(&Value::Bool(true))
    }

    /// It says `false`.
    pub fn is_false(&self) -> bool {
        self.value == Some(&Value::Bool(false))
    }

    /// Texts of a list.
    pub fn texts(&self) -> Vec<&'a str> {
        let list = self.value.and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_reads_like_the_question_to_a_cluster() {
        let path = Path::of("metadata.annotations").key("helm.sh/hook");
        assert_eq!(path.to_string(), r#"metadata.annotations["helm.sh/hook"]"#);
        let path = Path::of("spec.containers").index(2).key("image");
        assert_eq!(path.to_string(), "spec.containers[2].image");
    }

    #[test]
    fn null_and_other_types_are_not_there() {
        let value = json!({"a": null, "b": {"c": [1, "x"]}});
        let root = Field::root(&value);
        assert!(!root.get("a").exists());
        assert!(!root.at("a.b.c").exists());
        assert_eq!(root.at("b.c").texts(), ["x"]);
        assert_eq!(
            root.at("b.c")
                .items()
                .map(|item| item.path().to_string())
                .collect::<Vec<_>>(),
            ["b.c[0]", "b.c[1]"]
        );
        assert_eq!(root.get("b").items().count(), 0);
    }
}

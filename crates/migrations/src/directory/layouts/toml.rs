//! The few values that layouts need from TOML files of their tools, as a flat list.

/// A value and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Tables and key, joined by dots: `migrate.table-name`.
    pub name: String,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Boolean(bool),
    Text(String),
    List(Vec<Self>),
    /// A number or a date.
    Other,
}

/// What is no TOML.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotToml {
    /// Byte of the text.
    pub offset: usize,
    pub message: String,
}

/// The value of a name.
pub(super) fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Value> {
    let entry = entries.iter().find(|entry| entry.name == name);
    entry.map(|entry| &entry.value)
}

/// All values of a file, ordered by name.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, NotToml> {
    let table: ::toml::Table = ::toml::from_str(text).map_err(|error| NotToml {
        offset: error.span().map_or(0, |span| span.start),
        message: error.message().to_owned(),
    })?;
    let mut entries = Vec::new();
    for (name, value) in table {
        flatten(name, value, &mut entries);
    }
    Ok(entries)
}

fn flatten(name: String, value: ::toml::Value, entries: &mut Vec<Entry>) {
    if let ::toml::Value::Table(table) = value {
        for (key, value) in table {
            flatten(format!("{name}.{key}"), value, entries);
        }
        return;
    }
    entries.push(Entry {
        name,
        value: of(value),
    });
}

fn of(value: ::toml::Value) -> Value {
    match value {
        ::toml::Value::Boolean(flag) => Value::Boolean(flag),
        ::toml::Value::String(text) => Value::Text(text),
        ::toml::Value::Array(items) => Value::List(items.into_iter().map(of).collect()),
        _ => Value::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_their_tables() {
        let entries = entries(
            "a = true\n[migrate]\ntable-name = 'x\\y'\nnumber = 1_000\n[migrate.defaults]\nlist = [\"\\t\", 'b']\nt = { u = \"v\" }",
        )
        .unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(find(&entries, "a"), Some(&Value::Boolean(true)));
        assert_eq!(find(&entries, "migrate.table-name"), Some(&text("x\\y")));
        assert_eq!(find(&entries, "migrate.number"), Some(&Value::Other));
        let list = Value::List(vec![text("\t"), text("b")]);
        assert_eq!(find(&entries, "migrate.defaults.list"), Some(&list));
        assert_eq!(find(&entries, "migrate.defaults.t.u"), Some(&text("v")));
        assert_eq!(find(&entries, "migrate"), None);
    }

    #[test]
    fn what_is_no_toml_says_where() {
        let error = entries("x = 1\na = yes").unwrap_err();
        assert_eq!(error.offset, 10);
        assert!(!error.message.is_empty());
        assert!(entries(&"a=[".repeat(100_000)).is_err());
    }
}

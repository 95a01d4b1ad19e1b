//! One table, put together from rows of `information_schema`.

use std::collections::BTreeMap;

use forerun_sql::schema::CatalogObject;

/// What is known of a table.
#[derive(Default)]
pub(super) struct Table {
    pub engine: Option<String>,
    pub collation: Option<String>,
    pub compressed: bool,
    pub partitioned: bool,
    /// It was not asked for its foreign keys.
    pub sketch: bool,
    /// As InnoDB estimates them.
    rows: Option<u64>,
    columns: BTreeMap<u64, Column>,
    indexes: BTreeMap<String, Index>,
    references: BTreeMap<String, Reference>,
    /// Name, condition, whether it is enforced.
    checks: Vec<(String, String, bool)>,
}

struct Column {
    name: String,
    data_type: String,
    /// What stands after the type, but for the character set.
    attributes: String,
    character_set: Option<String>,
    collation: Option<String>,
}

#[derive(Default)]
struct Index {
    unique: bool,
    method: String,
    parts: BTreeMap<u64, String>,
    hidden: bool,
}

#[derive(Default)]
struct Reference {
    columns: BTreeMap<u64, (String, String)>,
    table: String,
}

/// The values of a row, in their order.
struct Values(std::vec::IntoIter<Option<String>>);

impl Values {
    fn next(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    fn text(&mut self) -> String {
        self.next().unwrap_or_default()
    }
}

impl Table {
    /// Takes in a row about a part of it: name, place, and what else the query gives for this kind.
    pub fn add(&mut self, kind: &str, values: Vec<Option<String>>, mariadb: bool) {
        let mut values = Values(values.into_iter());
        let name = values.text();
        let place = values.text().parse().unwrap_or_default();
        match kind {
            "table" => self.rows = values.next().and_then(|rows| rows.parse().ok()),
            "column" => {
                let column = column(name, &mut values, mariadb);
                self.columns.insert(place, column);
            }
            "index" => {
                let column = values.next();
                let index = self.indexes.entry(name).or_default();
                index.unique = values.text() == "0";
                index.method = values.text();
                let length = values.next();
                index.hidden = values.text() == "YES";
                let part = match (column, length) {
                    (Some(column), Some(length)) => format!("{}({length})", quoted(&column)),
                    (Some(column), None) => quoted(&column),
                    (None, _) => "(expression)".to_owned(),
                };
                index.parts.insert(place, part);
            }
            "reference" => {
                let column = values.text();
                let database = values.next();
                let table = quoted(&values.text());
                let reference = self.references.entry(name).or_default();
                reference.table = match database {
                    Some(database) => format!("{}.{table}", quoted(&database)),
                    None => table,
                };
                reference.columns.insert(place, (column, values.text()));
            }
            "check" => {
                let condition = values.text();
                let enforced = values.text() != "NO";
                self.checks.push((name, condition, enforced));
            }
            _ => {}
        }
    }

    /// The statements that would make it.
    pub fn definition(&self, name: &str) -> Vec<CatalogObject> {
        let mut elements: Vec<String> = self
            .columns
            .values()
            .map(|column| self.column(column))
            .collect();
        for (index, known) in &self.indexes {
            elements.push(known.definition(index));
        }
        for (key, reference) in &self.references {
            let (own, referred): (Vec<_>, Vec<_>) = reference
                .columns
                .values()
                .map(|(own, referred)| (quoted(own), quoted(referred)))
                .unzip();
            elements.push(format!(
                "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
                quoted(key),
                own.join(", "),
                reference.table,
                referred.join(", ")
            ));
        }
        for (check, condition, enforced) in &self.checks {
            if self.is_json(check, condition) {
                continue;
            }
            let enforced = if *enforced { "" } else { " NOT ENFORCED" };
            elements.push(format!(
                "CONSTRAINT {} CHECK ({condition}){enforced}",
                quoted(check)
            ));
        }
        let name = quoted(name);
        let mut text = format!("CREATE TABLE {name} ({})", elements.join(", "));
        if let Some(engine) = &self.engine {
            text.push_str(&format!(" ENGINE={engine}"));
        }
        if let Some(collation) = &self.collation {
            let set = character_set(collation);
            text.push_str(&format!(" DEFAULT CHARSET={set} COLLATE={collation}"));
        }
        // Any other format is as good as the default one.
        if self.compressed {
            text.push_str(" ROW_FORMAT=COMPRESSED");
        }
        if self.partitioned {
            text.push_str(" PARTITION BY KEY ()");
        }
        let table = CatalogObject {
            sketch: self.sketch,
            ..CatalogObject::new(text).with_rows(self.rows)
        };
        let hidden = self.indexes.iter().filter(|(_, index)| index.hidden);
        let hidden = hidden.map(|(index, _)| {
            let index = quoted(index);
            CatalogObject::new(format!("ALTER TABLE {name} ALTER INDEX {index} IGNORED"))
        });
        std::iter::once(table).chain(hidden).collect()
    }

    /// A column with its character set where that is not the table's.
    fn column(&self, column: &Column) -> String {
        let mut text = format!("{} {}", quoted(&column.name), column.data_type);
        let mut checks = self.checks.iter();
        if checks.any(|(name, condition, _)| *name == column.name && self.is_json(name, condition))
        {
            text = format!("{} json", quoted(&column.name));
        } else if let (Some(set), Some(collation)) = (&column.character_set, &column.collation)
            && self.collation.as_ref() != Some(collation)
        {
            let of_table = self.collation.as_deref().map(character_set);
            if of_table != Some(set) {
                text.push_str(&format!(" CHARACTER SET {set}"));
            }
            text.push_str(&format!(" COLLATE {collation}"));
        }
        text + &column.attributes
    }

    /// MariaDB keeps `JSON` as text with a check that has the name of the column.
    fn is_json(&self, check: &str, condition: &str) -> bool {
        let of_text = |column: &Column| column.name == check && column.data_type == "longtext";
        condition.eq_ignore_ascii_case(&format!("json_valid({})", quoted(check)))
            && self.columns.values().any(of_text)
    }
}

impl Index {
    fn definition(&self, name: &str) -> String {
        let parts: Vec<&str> = self.parts.values().map(String::as_str).collect();
        let parts = parts.join(", ");
        let words = match self.method.as_str() {
            _ if name == "PRIMARY" => return format!("PRIMARY KEY ({parts})"),
            method @ ("FULLTEXT" | "SPATIAL") => method,
            _ if self.unique => "UNIQUE",
            _ => "",
        };
        format!("{words} KEY {} ({parts})", quoted(name))
            .trim_start()
            .to_owned()
    }
}

/// The values that follow: type, whether it is nullable, default, further words, character set, collation, whether there is
/// a comment, and from what it is generated.
fn column(name: String, values: &mut Values, mariadb: bool) -> Column {
    let data_type = values.text();
    let nullable = values.text() != "NO";
    let default = values.next();
    let extra = values.text();
    let (character_set, collation) = (values.next(), values.next());
    let comment = values.text() == "1";
    let generated = values.next().filter(|text| !text.is_empty());
    let words = extra.to_ascii_uppercase();
    let mut attributes = String::new();
    if let Some(expression) = generated {
        let stored = match words.contains("STORED") || words.contains("PERSISTENT") {
            true => "STORED",
            false => "VIRTUAL",
        };
        attributes.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {stored}"));
    }
    if !nullable {
        attributes.push_str(" NOT NULL");
    }
    if let Some(default) = default.and_then(|default| written(default, &words, mariadb)) {
        attributes.push_str(&format!(" DEFAULT {default}"));
    }
    for (found, word) in [
        ("ON UPDATE", "ON UPDATE CURRENT_TIMESTAMP"),
        ("AUTO_INCREMENT", "AUTO_INCREMENT"),
        ("INVISIBLE", "INVISIBLE"),
    ] {
        if words.contains(found) {
            attributes.push_str(&format!(" {word}"));
        }
    }
    if comment {
        attributes.push_str(" COMMENT ''");
    }
    Column {
        name,
        data_type,
        attributes,
        character_set,
        collation,
    }
}

/// A default as it is written in SQL. MariaDB gives it so, with `NULL` for none; MySQL gives the value.
fn written(default: String, extra: &str, mariadb: bool) -> Option<String> {
    if mariadb {
        return (default != "NULL").then_some(default);
    }
    if default
        .to_ascii_uppercase()
        .starts_with("CURRENT_TIMESTAMP")
        || default.starts_with("b'")
    {
        return Some(default);
    }
    Some(match extra.contains("DEFAULT_GENERATED") {
        true => format!("({default})"),
        false => format!("'{}'", default.replace('\\', "\\\\").replace('\'', "''")),
    })
}

/// The character set that a collation is of.
fn character_set(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// A quoted name.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

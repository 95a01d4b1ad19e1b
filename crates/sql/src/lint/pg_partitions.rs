//! An index or a key of a partitioned table on PostgreSQL, partition by partition.

use super::pg_remedy::MOST_SHOWN;
use super::remedy::{name, object};
use crate::lexer::{TokenKind, Tokens};
use crate::operation::CreateIndex;
use crate::schema::Schema;
use crate::{Dialect, ObjectKind, ObjectName};

const POSTGRES: Dialect = Dialect::Postgres;
/// How deep partitions of partitions are looked at: scripts could make a table one of itself.
const DEEPEST: usize = 8;

/// The index on the table alone, then that of each partition while writes go on; each is attached. One statement per file.
/// Where the partitions are not known, or are many, one stands for all.
pub(super) fn index_by_partition(
    schema: &Schema,
    text: &str,
    index: &CreateIndex,
    table: &ObjectName,
) -> Vec<String> {
    let Some(definition) = after_table(text) else {
        return Vec::new();
    };
    let own = match &index.name {
        Some(name) => name.name.clone(),
        None => {
            let columns: Vec<&str> = index
                .columns
                .iter()
                .map(|column| column.as_deref().unwrap_or("expr"))
                .collect();
            format!("{}_{}_idx", table.name, columns.join("_"))
        }
    };
    let mut steps = Steps {
        schema,
        unique: if index.unique { "UNIQUE " } else { "" },
        own,
        definition,
        files: Vec::new(),
    };
    // An index is in the schema of its table.
    let whole = index_in(table, steps.own.clone());
    steps.alone(&whole, table);
    steps.parts(&whole, table, DEEPEST);
    if steps.files.len() > 1 && steps.files.len() <= 2 * MOST_SHOWN + 1 {
        return steps.files;
    }
    steps.files.truncate(1);
    let Steps {
        unique,
        own,
        definition,
        mut files,
        ..
    } = steps;
    files.push(format!(
        "-- one such migration for each partition\n\
         CREATE {unique}INDEX CONCURRENTLY <partition>_{own} ON <partition> {definition};"
    ));
    files.push(format!(
        "-- one such statement for each partition\n\
         ALTER INDEX {} ATTACH PARTITION <partition>_{own};",
        object(POSTGRES, &whole)
    ));
    files
}

struct Steps<'a> {
    schema: &'a Schema,
    unique: &'static str,
    /// The name of the index.
    own: String,
    /// What follows the table: method, columns, condition.
    definition: &'a str,
    files: Vec<String>,
}

impl Steps<'_> {
    fn alone(&mut self, index: &ObjectName, table: &ObjectName) {
        self.files.push(format!(
            "CREATE {}INDEX {} ON ONLY {} {};",
            self.unique,
            name(POSTGRES, &index.name),
            object(POSTGRES, table),
            self.definition
        ));
    }

    fn parts(&mut self, whole: &ObjectName, table: &ObjectName, depth: usize) {
        for (partition, known) in self.schema.partitions(table) {
            let part = index_in(&partition, format!("{}_{}", partition.name, self.own));
            if known.partitioned && depth > 0 {
                self.alone(&part, &partition);
                self.parts(&part, &partition, depth - 1);
            } else {
                self.files.push(format!(
                    "CREATE {}INDEX CONCURRENTLY {} ON {} {};",
                    self.unique,
                    name(POSTGRES, &part.name),
                    object(POSTGRES, &partition),
                    self.definition
                ));
            }
            self.files.push(format!(
                "ALTER INDEX {} ATTACH PARTITION {};",
                object(POSTGRES, whole),
                object(POSTGRES, &part)
            ));
        }
    }
}

/// A unique or primary key that a partitioned table gets.
pub(super) struct Key<'a> {
    /// Its name.
    pub own: String,
    /// What follows its name: `UNIQUE (a, b) …`.
    pub definition: &'a str,
    /// `UNIQUE` or `PRIMARY KEY`.
    pub words: &'a str,
    /// The columns, as they are written in SQL.
    pub columns: String,
    /// What `CREATE INDEX` says of it besides, with a space before it.
    pub of_index: String,
    /// What is left to the constraint, likewise.
    pub of_constraint: String,
}

/// The key on the table alone, then that of each partition, from an index that is built while writes go on; each is
/// attached. Where the partitions are not known, or are many, one stands for all.
pub(super) fn key_by_partition(schema: &Schema, table: &ObjectName, key: &Key<'_>) -> Vec<String> {
    let whole = index_in(table, key.own.clone());
    let alone = key_alone(&whole, table, key);
    let mut files = vec![alone.clone()];
    key_of_parts(schema, (&whole, table), key, DEEPEST, &mut files);
    if files.len() > 1 && files.len() <= 2 * MOST_SHOWN + 1 {
        return files;
    }
    let Key {
        own,
        words,
        columns,
        of_index,
        of_constraint,
        ..
    } = key;
    vec![
        alone,
        format!(
            "-- one such migration for each partition\n\
             CREATE UNIQUE INDEX CONCURRENTLY <partition>_{own} ON <partition> ({columns}){of_index};"
        ),
        format!(
            "-- two such statements for each partition\n\
             ALTER TABLE <partition> ADD CONSTRAINT <partition>_{own} {words} USING INDEX <partition>_{own}{of_constraint};\n\
             ALTER INDEX {} ATTACH PARTITION <partition>_{own};",
            object(POSTGRES, &whole)
        ),
    ]
}

fn key_alone(own: &ObjectName, table: &ObjectName, key: &Key<'_>) -> String {
    format!(
        "ALTER TABLE ONLY {} ADD CONSTRAINT {} {};",
        object(POSTGRES, table),
        name(POSTGRES, &own.name),
        key.definition
    )
}

fn key_of_parts(
    schema: &Schema,
    (whole, table): (&ObjectName, &ObjectName),
    key: &Key<'_>,
    depth: usize,
    files: &mut Vec<String>,
) {
    let Key {
        words,
        columns,
        of_index,
        of_constraint,
        ..
    } = key;
    for (partition, known) in schema.partitions(table) {
        let part = index_in(&partition, format!("{}_{}", partition.name, key.own));
        let attach = format!(
            "ALTER INDEX {} ATTACH PARTITION {};",
            object(POSTGRES, whole),
            object(POSTGRES, &part)
        );
        if known.partitioned && depth > 0 {
            files.push(key_alone(&part, &partition, key));
            key_of_parts(schema, (&part, &partition), key, depth - 1, files);
            files.push(attach);
            continue;
        }
        let (named, on) = (name(POSTGRES, &part.name), object(POSTGRES, &partition));
        files.push(format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {named} ON {on} ({columns}){of_index};"
        ));
        files.push(format!(
            "ALTER TABLE {on} ADD CONSTRAINT {named} {words} USING INDEX {named}{of_constraint};\n{attach}"
        ));
    }
}

fn index_in(table: &ObjectName, name: String) -> ObjectName {
    ObjectName {
        kind: ObjectKind::Index,
        schema: table.schema.clone(),
        name,
    }
}

/// What follows the name of the table in a `CREATE INDEX`.
fn after_table(text: &str) -> Option<&str> {
    let mut end = 0;
    let mut on = false;
    let mut named = false;
    let mut place = 0;
    for (kind, token) in Tokens::new(POSTGRES, text) {
        let start = place;
        place += token.len();
        let is_name = matches!(kind, TokenKind::Word | TokenKind::QuotedName);
        match kind {
            kind if kind.is_trivia() => {}
            TokenKind::Word if !on => on = token.eq_ignore_ascii_case("ON"),
            _ if !on => {}
            TokenKind::Word if token.eq_ignore_ascii_case("ONLY") => {}
            _ if is_name && !named => (named, end) = (true, place),
            TokenKind::Symbol if token == "." => named = false,
            _ => return text.get(start.max(end)..).map(str::trim_end),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_table_is_kept() {
        for (text, rest) in [
            ("CREATE INDEX i ON t (a)", "(a)"),
            (
                "CREATE INDEX ON ONLY s.t USING gin (a) WHERE b",
                "USING gin (a) WHERE b",
            ),
            (
                "CREATE INDEX \"on (\" ON \"T\" . \"u\"(lower(a)) ",
                "(lower(a))",
            ),
        ] {
            assert_eq!(after_table(text), Some(rest), "{text}");
        }
    }
}

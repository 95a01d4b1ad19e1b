//! Partitions in `ALTER TABLE` of MySQL and MariaDB. What is about them comes last in a statement.

use super::mysql_alter::{other, push, rewrite};
use super::mysql_type::take_character_set;
use super::reader::Reader;
use super::{OperationKind, Operations};
use crate::{ObjectKind, ObjectName};

/// Words that go with `PARTITION`, and whether they write rows anew.
const PARTITION_WORK: &[(&str, bool)] = &[
    ("ANALYZE", false),
    ("CHECK", false),
    ("COALESCE", true),
    ("DISCARD", false),
    ("IMPORT", false),
    ("OPTIMIZE", true),
    ("REBUILD", true),
    ("REORGANIZE", true),
    ("REPAIR", true),
    ("TRUNCATE", false),
];

/// At `PARTITION BY`.
pub(super) fn partition_by(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    skip_to_end(reader);
    vec![rewrite(table, "PARTITION BY")]
}

/// `word PARTITION …`: it is the last action, and its commas are its own.
pub(super) fn partition_work(
    reader: &mut Reader<'_>,
    table: &ObjectName,
    first: &str,
    found: &mut Operations,
) {
    let start = reader.start();
    let action = format!("{first} PARTITION");
    reader.advance();
    reader.advance();
    let writes_rows = PARTITION_WORK
        .iter()
        .any(|(word, writes)| *word == first && *writes);
    let mut kinds = Vec::new();
    match first {
        "CONVERT" => {
            reader.skip_until(&["TABLE"]);
            reader.take("TABLE");
            kinds.extend(reader.name(ObjectKind::Table).map(|partition| {
                OperationKind::DetachPartition {
                    table: table.clone(),
                    partition,
                    concurrently: false,
                }
            }));
        }
        "EXCHANGE" => {
            kinds.push(other(table, &action));
            reader.skip_until(&["TABLE"]);
            reader.take("TABLE");
            let exchanged = reader.name(ObjectKind::Table);
            kinds.extend(exchanged.map(|exchanged| other(&exchanged, &action)));
        }
        _ if writes_rows => kinds.push(rewrite(table, action)),
        _ => kinds.push(other(table, &action)),
    }
    if kinds.is_empty() {
        kinds.push(other(table, &format!("{first} PARTITION")));
    }
    skip_to_end(reader);
    for kind in kinds {
        push(found, reader, start, kind);
    }
}

/// The words before the character set that a table is converted to.
const CONVERT: &str = "CONVERT TO CHARACTER SET";

/// The character set, and the collation where it is written, to which an action converts a table, both in lower case.
pub(crate) fn converted_to(action: &str) -> Option<(String, Option<String>)> {
    let rest = action.strip_prefix(CONVERT)?.trim().to_ascii_lowercase();
    Some(match rest.split_once(" collate ") {
        Some((set, collation)) => (set.to_owned(), Some(collation.to_owned())),
        None => (rest, None),
    })
}

/// `CONVERT TO CHARACTER SET`, `CONVERT TABLE … TO PARTITION` (MariaDB).
pub(super) fn convert(reader: &mut Reader<'_>, table: &ObjectName) -> Vec<OperationKind> {
    reader.advance();
    if reader.take("TABLE") {
        let partition = reader.name(ObjectKind::Table);
        skip_to_end(reader);
        return partition.map_or(vec![other(table, "CONVERT TABLE")], |partition| {
            vec![OperationKind::AttachPartition {
                table: table.clone(),
                partition,
            }]
        });
    }
    if reader.take("TO") && take_character_set(reader) {
        let mut action = CONVERT.to_owned();
        for before in [" ", " COLLATE "] {
            if before == " " || reader.take("COLLATE") {
                let named = reader.identifier().unwrap_or_default();
                action.push_str(&format!("{before}{}", named.to_ascii_uppercase()));
            }
        }
        return vec![rewrite(table, action)];
    }
    vec![other(table, "CONVERT")]
}

fn skip_to_end(reader: &mut Reader<'_>) {
    while !reader.at_end() {
        reader.advance();
    }
}

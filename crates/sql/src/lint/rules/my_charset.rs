use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "my-charset",
    severity: Severity::Info,
    kind: Kind::Hygiene,
    dialects: &[Dialect::Mysql],
    needs: Needs::Statement,
    summary: "a character set other than utf8mb4",
    why: "Only when it is enabled. `utf8` is another name for `utf8mb3`, which has no emoji and not all of Chinese, and \
          which MySQL is going to remove; `latin1` holds Western European letters only. A character that is not in the set \
          is refused, or stored as `?` where the server is not strict. Two sets also cannot be compared without a \
          conversion, which leaves the index of one of them unused. To change the set later the table is copied.",
    examples: &[
        Example {
            dialect: Dialect::Mysql,
            before: "",
            found: "CREATE TABLE notes (id bigint PRIMARY KEY, body text) CHARACTER SET latin1;",
            instead: &[
                "CREATE TABLE notes (id bigint PRIMARY KEY, body text) CHARACTER SET utf8mb4;",
            ],
            claims: &[],
        },
        Example {
            dialect: Dialect::Mysql,
            before: "CREATE TABLE notes (id bigint PRIMARY KEY);",
            found: "ALTER TABLE notes ADD COLUMN body text CHARACTER SET utf8;",
            instead: &[
                "ALTER TABLE notes ADD COLUMN body text CHARACTER SET utf8mb4, ALGORITHM=INSTANT;",
            ],
            claims: &[],
        },
    ],
    peers: Peers::NONE,
    check: Check::Operation(check),
};

fn check(at: &At<'_>, report: &mut Report<'_>) {
    let narrow = |set: &str| {
        !matches!(
            set.to_ascii_lowercase().as_str(),
            "utf8mb4" | "binary" | "ascii"
        )
    };
    if let OperationKind::CreateTable(create) = &at.operation.kind {
        let mut options = create.options.iter();
        let set = options.find(|(name, _)| name.eq_ignore_ascii_case("CHARSET"));
        if let Some((_, set)) = set.filter(|(_, set)| narrow(set)) {
            let message = format!("`{set}` does not hold every character");
            report.add(at.operation.span.clone(), message, Vec::new());
        }
    }
    for column in at.operation.kind.columns() {
        let data_type = column.data_type.as_ref();
        if let Some(data_type) = data_type
            && let Some(set) = data_type.character_set.as_ref().filter(|set| narrow(set))
        {
            let message = format!("`{set}` of `{}` does not hold every character", column.name);
            report.add(column.span.clone(), message, Vec::new());
        }
    }
}

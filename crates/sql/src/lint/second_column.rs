//! A second column beside one that cannot be changed while it is used: what the first has besides its values, and how the
//! second comes to have it too.

use super::remedy::{contract, name, names, no_longer_same, object, type_name};
use crate::lexer::{TokenKind, Tokens};
use crate::operation::{ColumnDefinition, Constraint, ConstraintKind, CreateIndex};
use crate::schema::{Schema, Table, same};
use crate::{Dialect, ObjectName};

/// The two columns.
pub(super) struct SecondColumn<'a> {
    pub schema: &'a Schema,
    pub table: &'a ObjectName,
    pub known: &'a Table,
    /// The one that is there.
    pub old: &'a ColumnDefinition,
    /// The name of the one that comes.
    pub new: String,
}

/// An index over the old column, for the new one.
pub(super) struct Again {
    /// Its name, and that of the old one as far as one is known.
    pub name: String,
    pub old_name: Option<String>,
    /// What makes it while rows are written.
    pub create: String,
    /// The constraint that it belongs to: `UNIQUE`, `PRIMARY KEY`.
    pub constraint: Option<&'static str>,
}

impl<'a> SecondColumn<'a> {
    /// The two, when enough is known of the first. One that is computed is not copied.
    pub fn of(
        schema: &'a Schema,
        table: &'a ObjectName,
        old: &str,
        new: impl Into<String>,
    ) -> Option<Self> {
        let known = schema.table(table)?;
        let old = &known.column(schema.dialect(), old)?.definition;
        let two = Self {
            schema,
            table,
            known,
            old,
            new: new.into(),
        };
        old.generated.is_none().then_some(two)
    }

    fn dialect(&self) -> Dialect {
        self.schema.dialect()
    }

    /// Both names as they are written.
    pub fn names(&self) -> (String, String) {
        let written = |column| name(self.dialect(), column);
        (written(&self.old.name), written(&self.new))
    }

    /// `ALTER TABLE` with these actions.
    pub fn alter(&self, actions: &str) -> String {
        let on = object(self.dialect(), self.table);
        format!("ALTER TABLE {on} {actions};")
    }

    /// The type of the old column with its character set and collation.
    pub fn data_type(&self) -> Option<String> {
        let Some(data_type) = &self.old.data_type else {
            return (self.dialect() == Dialect::Sqlite).then(String::new);
        };
        let mut text = type_name(data_type);
        if let Some(set) = &data_type.character_set {
            text.push_str(&format!(" CHARACTER SET {set}"));
        }
        if let Some(collation) = &self.old.collation {
            text.push_str(&format!(" COLLATE {}", name(self.dialect(), collation)));
        }
        Some(text)
    }

    /// Whether the old column refuses NULL.
    pub fn refuses_null(&self) -> bool {
        self.known.is_nullable(self.dialect(), &self.old.name) == Some(false)
    }

    /// The default of the old column.
    pub fn default(&self) -> Option<&str> {
        let text = self.old.default.as_ref()?.text.trim();
        (!text.eq_ignore_ascii_case("NULL")).then_some(text)
    }

    fn is_old(&self, column: &str) -> bool {
        same(self.dialect(), column, &self.old.name)
    }

    fn lists_old(&self, columns: &[String]) -> bool {
        columns.iter().any(|column| self.is_old(column))
    }

    /// Whether the old column is in the primary key.
    pub fn in_primary_key(&self) -> bool {
        self.lists_old(self.known.primary_key())
    }

    /// The columns of the primary key, with the new one in the place of the old one.
    pub fn primary_key(&self) -> String {
        self.list(self.known.primary_key())
    }

    fn list(&self, columns: &[String]) -> String {
        let columns = columns.iter().map(|column| match self.is_old(column) {
            true => self.new.clone(),
            false => column.clone(),
        });
        names(self.dialect(), &columns.collect::<Vec<_>>())
    }

    /// What makes the indexes over the old column again for the new one, and what to say of those that nobody can write
    /// down from what is known.
    pub fn indexes(&self) -> (Vec<Again>, Vec<String>) {
        let (mut again, mut unknown) = (Vec::new(), Vec::new());
        for constraint in &self.known.constraints {
            let (columns, word, ending) = match &constraint.kind {
                ConstraintKind::Unique { columns, .. } => (columns, "UNIQUE", "key"),
                ConstraintKind::PrimaryKey { columns, .. } => (columns, "PRIMARY KEY", "pkey"),
                _ => continue,
            };
            if self.lists_old(columns) {
                let parts = format!("({})", self.list(columns));
                let known = constraint.name.clone();
                let base = known.unwrap_or_else(|| {
                    format!("{}_{}_{ending}", self.known.name, columns.join("_"))
                });
                let name = self.name_like(&base);
                let create = self.create(&name, true, &parts);
                // MySQL names an index after its first column.
                let first = columns.first().cloned();
                again.push(Again {
                    name,
                    old_name: constraint.name.clone().or(first),
                    create,
                    constraint: Some(word),
                });
            }
        }
        for index in &self.known.indexes {
            let own = index.name.as_ref().map(|name| name.name.clone());
            let own = own.or_else(|| index.columns.iter().flatten().next().cloned());
            if let (true, Some(own)) = (self.is_over_old(index), own) {
                match self.definition(index) {
                    Some(parts) => {
                        let name = self.name_like(&own);
                        again.push(Again {
                            create: self.create(&name, index.unique, &parts),
                            name,
                            old_name: Some(own),
                            constraint: None,
                        });
                    }
                    None => unknown.push(format!("index {own}")),
                }
            }
        }
        if self.known.partitioned && self.dialect() == Dialect::Postgres {
            // One cannot be built there while rows are written.
            let names = again.drain(..).filter_map(|again| again.old_name);
            unknown.extend(names.map(|name| format!("index {name}")));
        }
        (again, unknown)
    }

    fn is_over_old(&self, index: &CreateIndex) -> bool {
        let listed = index.columns.iter().flatten();
        listed.into_iter().any(|column| self.is_old(column))
            || self.with_new(&index.definition) != index.definition
    }

    /// What an index is of, with the new column.
    fn definition(&self, index: &CreateIndex) -> Option<String> {
        let plain = index.method.is_empty() && index.condition.is_none();
        let columns: Option<Vec<String>> = index.columns.iter().cloned().collect();
        let special = self.dialect() == Dialect::Mysql
            && matches!(index.method.as_str(), "FULLTEXT" | "SPATIAL" | "VECTOR");
        match (index.definition.is_empty(), columns) {
            _ if special => None,
            (false, _) => Some(self.with_new(&index.definition)),
            (true, Some(columns)) if plain => Some(format!("({})", self.list(&columns))),
            (true, _) => None,
        }
    }

    fn with_new(&self, text: &str) -> String {
        let new = name(self.dialect(), &self.new);
        let tokens = Tokens::new(self.dialect(), text);
        let tokens = tokens.map(|(kind, token)| {
            let plain = match kind {
                TokenKind::Word if self.dialect() == Dialect::Postgres => {
                    token.to_ascii_lowercase()
                }
                TokenKind::Word => token.to_owned(),
                TokenKind::QuotedName => token.trim_matches(['"', '`', '[', ']']).to_owned(),
                _ => return token.to_owned(),
            };
            match self.is_old(&plain) {
                true => new.clone(),
                false => token.to_owned(),
            }
        });
        tokens.collect()
    }

    /// A name for an index that the old one's makes one expect.
    fn name_like(&self, name: &str) -> String {
        let replaced = name.replacen(&self.old.name, &self.new, 1);
        let taken = |name: &str| {
            let tables = || self.schema.tables();
            tables().any(|table| {
                table.index(self.dialect(), name).is_some()
                    || table.constraint(self.dialect(), name).is_some()
            })
        };
        match taken(&replaced) {
            true => format!("{name}_{}", self.new),
            false => replaced,
        }
    }

    fn create(&self, index: &str, unique: bool, parts: &str) -> String {
        let dialect = self.dialect();
        let (named, on) = (name(dialect, index), object(dialect, self.table));
        let unique = if unique { "UNIQUE " } else { "" };
        match dialect {
            Dialect::Postgres => {
                format!("CREATE {unique}INDEX CONCURRENTLY {named} ON {on} {parts};")
            }
            Dialect::Mysql => self.alter(&format!(
                "ADD {unique}INDEX {named} {parts}, ALGORITHM=INPLACE, LOCK=NONE"
            )),
            Dialect::Sqlite => {
                // An index is in the schema of its table.
                let schema = self.table.schema.as_ref();
                let schema = schema.map_or(String::new(), |schema| {
                    format!("{}.", name(dialect, schema))
                });
                let on = name(dialect, &self.table.name);
                format!("CREATE {unique}INDEX {schema}{named} ON {on} {parts};")
            }
        }
    }

    /// What is about the old column and does not come to the new one by itself.
    pub fn lost(&self) -> Vec<String> {
        let dialect = self.dialect();
        let mut lost = Vec::new();
        let named = |constraint: &Constraint, noun: &str| match &constraint.name {
            Some(name) => format!("{noun} {name}"),
            None => noun.to_owned(),
        };
        for constraint in &self.known.constraints {
            match &constraint.kind {
                ConstraintKind::ForeignKey { columns, .. } if self.lists_old(columns) => {
                    lost.push(named(constraint, "foreign key"));
                }
                ConstraintKind::Check { condition }
                    if condition.names(dialect, &self.old.name)
                        && condition.not_null_column(dialect).is_none() =>
                {
                    lost.push(named(constraint, "check"));
                }
                _ => {}
            }
        }
        for other in self.schema.tables() {
            for constraint in &other.constraints {
                if let ConstraintKind::ForeignKey { reference, .. } = &constraint.kind
                    && self.schema.same_name(&reference.table, self.table)
                    && (self.lists_old(&reference.columns)
                        || reference.columns.is_empty() && self.in_primary_key())
                {
                    let of = named(constraint, "foreign key");
                    lost.push(format!("{of} of {}", other.name));
                }
            }
        }
        lost
    }

    /// A comment for each thing that somebody has to do by hand before the old column goes.
    pub fn notes(&self, lost: &[String]) -> String {
        let (old, new) = self.names();
        let note = |what: &String| {
            format!("-- {what}: is about {old}, and needs its like on {new} before {old} goes\n")
        };
        lost.iter().map(note).collect()
    }

    /// The last migration: what it does after it has looked that no row was left out, where `value` is what the new column
    /// gets from the old one.
    pub fn last(&self, value: &str, rest: &str) -> String {
        let (_, new) = self.names();
        let on = object(self.dialect(), self.table);
        let simple = value
            .chars()
            .all(|letter| letter.is_alphanumeric() || "_\"`".contains(letter));
        let value = match simple {
            true => value.to_owned(),
            false => format!("({value})"),
        };
        contract(&format!(
            "-- forerun:assert \"every row has its value in {}\"\n\
             SELECT 1 FROM {on} WHERE {new} IS NULL AND {value} IS NOT NULL LIMIT 1;\n{rest}",
            self.new.replace('"', "'")
        ))
    }

    /// The last migration where the change of a schema is a transaction: the old column takes the place of the new one, and
    /// keeps all that it has.
    pub fn swapped(&self, indexes: &[Again]) -> String {
        let (old, new) = self.names();
        let dialect = self.dialect();
        let mut lines = vec![no_longer_same(dialect, self.table, &self.new)];
        if dialect == Dialect::Sqlite {
            let schema = self.table.schema.as_ref();
            let schema = schema.map_or(String::new(), |schema| {
                format!("{}.", name(dialect, schema))
            });
            let drop =
                |index: &Again| format!("DROP INDEX {schema}{};", name(dialect, &index.name));
            lines.extend(indexes.iter().map(drop));
        }
        lines.push(self.alter(&format!("DROP COLUMN {new}")));
        lines.push(self.alter(&format!("RENAME COLUMN {old} TO {new}")));
        self.last(&old, &lines.join("\n"))
    }

    /// The last migration on MySQL, where each statement is a transaction of its own: the new column gets what it lacks as
    /// long as the triggers fill it, then the old one goes. `definition` is that of the new one, where it has more than a
    /// type.
    pub fn replaced(&self, definition: Option<&str>, indexes: &[Again], lost: &[String]) -> String {
        let dialect = Dialect::Mysql;
        let (old, new) = self.names();
        let mut lines = Vec::new();
        if let Some(definition) = definition {
            let mut modify = format!("MODIFY {new} {definition}");
            // Between the end of the triggers and its own nobody gives the old one a value.
            let old_type = self.data_type().filter(|_| {
                self.old.not_null && self.old.default.is_none() && !self.in_primary_key()
            });
            if let Some(old_type) = old_type {
                modify = format!("MODIFY {old} {old_type} NULL, {modify}");
            }
            lines.push(self.alter(&format!("{modify}, ALGORITHM=INPLACE, LOCK=NONE")));
        }
        lines.push(no_longer_same(dialect, self.table, &self.new));
        let mut actions = Vec::new();
        for index in indexes {
            match (&index.old_name, index.constraint) {
                (_, Some("PRIMARY KEY")) => {
                    actions.push("DROP PRIMARY KEY".to_owned());
                    actions.push(format!("ADD PRIMARY KEY ({})", self.primary_key()));
                    actions.push(format!("DROP INDEX {}", name(dialect, &index.name)));
                }
                (Some(index), _) => actions.push(format!("DROP INDEX {}", name(dialect, index))),
                (None, _) => {}
            }
        }
        actions.push(format!("DROP COLUMN {old}"));
        let drop = self.alter(&actions.join(", "));
        lines.push(format!("{}{drop}", self.notes(lost)));
        self.last(&old, &lines.join("\n"))
    }
}

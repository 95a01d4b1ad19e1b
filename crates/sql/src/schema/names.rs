//! Names that nobody wrote, and tables by name.

use super::{Schema, Table, table_name};
use crate::lexer::{TokenKind, Tokens};
use crate::operation::{Constraint, ConstraintKind, CreateIndex};
use crate::{Dialect, ObjectKind, ObjectName};

impl Schema {
    /// All tables with their names. Those of the default schema have none written.
    pub fn named_tables(&self) -> impl Iterator<Item = (ObjectName, &Table)> {
        self.named_where(|_| true)
    }

    /// The partitions of a table, as far as they are known.
    pub fn partitions<'a>(
        &'a self,
        table: &'a ObjectName,
    ) -> impl Iterator<Item = (ObjectName, &'a Table)> {
        self.named_where(move |part| {
            let parent = part.partition_of.as_ref();
            parent.is_some_and(|parent| self.is_called(parent, table))
        })
    }

    /// The other tables that have a foreign key to this one.
    pub fn referring(&self, table: &ObjectName) -> Vec<ObjectName> {
        let refers = |constraint: &Constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { reference, .. } => self.is_called(&reference.table, table),
            _ => false,
        };
        let others = self.named_where(|other| other.constraints.iter().any(refers));
        others
            .map(|(name, _)| name)
            .filter(|name| !self.same_name(name, table))
            .collect()
    }

    /// Whether a statement has the name of a table in it, with its schema where one is written.
    pub fn is_named_in(&self, text: &str, table: &ObjectName) -> bool {
        let (mut before, mut after_dot) = (None, false);
        let tokens = Tokens::new(self.dialect, text);
        for (kind, token) in tokens.filter(|(kind, _)| !kind.is_trivia()) {
            let name = match kind {
                TokenKind::Word if self.dialect == Dialect::Postgres => token.to_ascii_lowercase(),
                TokenKind::Word => token.to_owned(),
                TokenKind::QuotedName => token.trim_matches(['"', '`', '[', ']']).to_owned(),
                _ => {
                    after_dot = token == ".";
                    continue;
                }
            };
            let named = ObjectName {
                kind: ObjectKind::Table,
                schema: before.take().filter(|_| after_dot),
                name: name.clone(),
            };
            if self.is_called(&named, table) {
                return true;
            }
            (before, after_dot) = (Some(name), false);
        }
        false
    }

    fn named_where<'a>(
        &'a self,
        which: impl Fn(&Table) -> bool + 'a,
    ) -> impl Iterator<Item = (ObjectName, &'a Table)> {
        let wanted = self.tables.iter().filter(move |(_, table)| which(table));
        wanted.map(|(key, table)| (table_name(key, table), table))
    }

    fn is_called(&self, name: &ObjectName, table: &ObjectName) -> bool {
        name.name.eq_ignore_ascii_case(&table.name) && self.same_name(name, table)
    }
}

impl Table {
    /// A table of which no more is known than these.
    pub fn sketch(name: &str, constraints: Vec<Constraint>, indexes: Vec<CreateIndex>) -> Self {
        Self {
            name: name.to_owned(),
            constraints,
            indexes,
            ..Self::default()
        }
    }

    /// The name that PostgreSQL gives to a constraint for which none is written: `orders_customer_id_fkey`. `None` for
    /// those whose name does not follow from the constraint alone.
    pub fn default_constraint_name(&self, kind: &ConstraintKind) -> Option<String> {
        let (columns, suffix) = match kind {
            ConstraintKind::PrimaryKey { .. } => (String::new(), "pkey"),
            // One made from an index is called as the index.
            ConstraintKind::Unique {
                using_index: Some(index),
                ..
            } => return Some(index.clone()),
            ConstraintKind::Unique { columns, .. } => (columns.join("_"), "key"),
            ConstraintKind::ForeignKey { columns, .. } => (columns.join("_"), "fkey"),
            ConstraintKind::NotNull { column } => (column.clone(), "not_null"),
            ConstraintKind::Check { condition } => {
                let mut named = self
                    .columns
                    .iter()
                    .map(|column| &column.definition.name)
                    .filter(|column| condition.names(Dialect::Postgres, column));
                let first = named.next().cloned().unwrap_or_default();
                (
                    if named.next().is_some() {
                        String::new()
                    } else {
                        first
                    },
                    "check",
                )
            }
            ConstraintKind::Exclude => return None,
        };
        let parts = [self.name.as_str(), &columns, suffix];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let name = parts.join("_");
        let taken = |name: &str| self.constraint(Dialect::Postgres, name).is_some();
        if !taken(&name) {
            return Some(name);
        }
        let mut numbered = (1..=self.constraints.len()).map(|number| format!("{name}{number}"));
        numbered.find(|name| !taken(name))
    }

    /// The constraint with the name that the server gives it, and with the columns of the index that becomes it; that
    /// index is a constraint from then on.
    pub(super) fn take_constraint(&mut self, dialect: Dialect, constraint: &Constraint) {
        let mut constraint = constraint.clone();
        if dialect == Dialect::Postgres && constraint.name.is_none() {
            constraint.name = self.default_constraint_name(&constraint.kind);
        }
        if let ConstraintKind::Unique {
            columns,
            using_index: Some(index),
        }
        | ConstraintKind::PrimaryKey {
            columns,
            using_index: Some(index),
        } = &mut constraint.kind
            && let Some(known) = self.index(dialect, index)
        {
            *columns = known.columns.iter().flatten().cloned().collect();
            self.indexes.retain(|other| {
                let name = other.name.as_ref();
                name.is_none_or(|name| name.name != *index)
            });
        }
        self.constraints.push(constraint);
    }
}

#[cfg(test)]
mod tests {
    use crate::operation::operations;
    use crate::schema::Schema;
    use crate::{Dialect, ObjectKind, ObjectName};

    fn schema(statements: &[&str]) -> Schema {
        let mut schema = Schema::new(Dialect::Postgres);
        for text in statements {
            for operation in operations(Dialect::Postgres, text).list {
                schema.apply(&operation, text);
            }
        }
        schema
    }

    fn named(name: &str) -> ObjectName {
        ObjectName {
            kind: ObjectKind::Table,
            schema: None,
            name: name.to_owned(),
        }
    }

    #[test]
    fn constraints_without_a_name_have_the_one_the_server_gives() {
        let schema = schema(&[
            "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE CHECK (a > 0), b int REFERENCES p, CHECK (a > b), CHECK (b > 0))",
            "ALTER TABLE t ADD CHECK (b < 9)",
            "ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES q",
        ]);
        let table = schema.table(&named("t")).unwrap();
        let mut names: Vec<&str> = table
            .constraints
            .iter()
            .filter_map(|known| known.name.as_deref())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "t_a_b_fkey",
                "t_a_check",
                "t_a_key",
                "t_b_check",
                "t_b_check1",
                "t_b_fkey",
                "t_check",
                "t_pkey"
            ]
        );
    }

    #[test]
    fn an_index_that_becomes_a_key_is_one() {
        let schema = schema(&[
            "CREATE TABLE t (id int, a int)",
            "CREATE UNIQUE INDEX t_id ON t (id)",
            "ALTER TABLE t ADD PRIMARY KEY USING INDEX t_id",
        ]);
        let table = schema.table(&named("t")).unwrap();
        assert_eq!(table.is_nullable(Dialect::Postgres, "id"), Some(false));
        assert!(table.indexes.is_empty());
    }

    #[test]
    fn partitions_come_and_go() {
        let mut statements = vec![
            "CREATE TABLE t (id int) PARTITION BY RANGE (id)",
            "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (2)",
            "CREATE TABLE t2 (id int)",
            "ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (2) TO (3)",
        ];
        let parts = |statements: &[&str]| {
            let schema = schema(statements);
            let parent = named("t");
            let names: Vec<String> = schema
                .partitions(&parent)
                .map(|(name, _)| name.name)
                .collect();
            names
        };
        assert_eq!(parts(&statements), ["t1", "t2"]);
        statements.push("ALTER TABLE t DETACH PARTITION t1");
        assert_eq!(parts(&statements), ["t2"]);
    }
}

//! Which views use what.
//!
//! A database says it (PostgreSQL keeps it in `pg_depend`); where none was asked it is read from the text of the view.

use super::{Definition, Schema};
use crate::lexer::{TokenKind, Tokens};
use crate::{Dialect, ObjectKind, ObjectName};

const KINDS: [ObjectKind; 2] = [ObjectKind::View, ObjectKind::MaterializedView];

/// A view that uses something.
#[derive(Clone, Debug)]
pub struct ViewUse<'a> {
    /// Its name.
    pub view: ObjectName,
    /// How it was made.
    pub definition: &'a Definition,
    /// It takes all columns (`SELECT *`), so its text names none of them and is as good without one.
    pub all_columns: bool,
}

impl Schema {
    /// The views whose query uses a column of a table.
    pub fn views_using(&self, table: &ObjectName, column: &str) -> Vec<ViewUse<'_>> {
        let uses = |definition: &Definition| match &definition.uses {
            Some(told) => self.names_column(told, table, column).then_some(false),
            None => self.is_written(&definition.text, table, column),
        };
        let views = KINDS.into_iter().flat_map(|kind| self.definitions(kind));
        let using = views.filter_map(|(view, definition)| {
            Some(ViewUse {
                view,
                definition,
                all_columns: uses(definition)?,
            })
        });
        using.collect()
    }

    /// These views and those that are made from them, in an order in which they can be dropped.
    pub fn with_views_on_them<'a>(&'a self, views: Vec<ViewUse<'a>>) -> Vec<ViewUse<'a>> {
        let mut all = views;
        let mut next = 0;
        while let Some(below) = all.get(next).map(|own| own.view.clone()) {
            next += 1;
            for (view, definition) in self.views_on(&below) {
                if !all.iter().any(|own| self.same_name(&own.view, &view)) {
                    all.push(ViewUse {
                        view,
                        definition,
                        all_columns: false,
                    });
                }
            }
        }
        let mut ordered = Vec::with_capacity(all.len());
        while !all.is_empty() {
            let is_free = |own: &ViewUse<'_>| {
                let mut others = all.iter();
                !others.any(|other| self.is_on(&other.view, other.definition, &own.view))
            };
            // A text may be read wrong; two views that use each other cannot be.
            let free = all.iter().position(is_free).unwrap_or(0);
            ordered.push(all.remove(free));
        }
        ordered
    }

    /// The views whose query names a table or view.
    fn views_on(&self, below: &ObjectName) -> Vec<(ObjectName, &Definition)> {
        let views = KINDS.into_iter().flat_map(|kind| self.definitions(kind));
        views
            .filter(|(view, definition)| self.is_on(view, definition, below))
            .collect()
    }

    fn is_on(&self, view: &ObjectName, definition: &Definition, below: &ObjectName) -> bool {
        let text = definition.uses.as_ref().unwrap_or(&definition.text);
        if !may_name(text, below) {
            return false;
        }
        let items = query(self.dialect, text);
        !self.same_name(view, below) && items.iter().any(|item| self.is_chain_of(item, below))
    }

    /// Forgets the views that a `CASCADE` takes along: those on a table or view, or on a column of a table.
    pub(super) fn drop_views(&mut self, of: &ObjectName, column: Option<&str>) {
        let direct: Vec<ObjectName> = match column {
            Some(column) => {
                let views = self.views_using(of, column).into_iter();
                views.map(|own| own.view).collect()
            }
            None => {
                let views = self.views_on(of).into_iter();
                views.map(|(view, _)| view).collect()
            }
        };
        for view in direct {
            let key = (view.kind, self.key(&view));
            self.others.remove(&key);
            self.drop_views(&view, None);
        }
    }

    /// Whether a text of the database, in which each column is written with its table, has this one.
    fn names_column(&self, told: &str, table: &ObjectName, column: &str) -> bool {
        let items = query(self.dialect, told);
        items.iter().any(|item| match item {
            Item::Names { names, .. } => names
                .split_last()
                .is_some_and(|(last, of)| last == column && self.is_name_of(of, table)),
            Item::Other(_) => false,
        })
    }

    /// Whether a query uses a column, as far as its text says: named, or with all columns (then true).
    fn is_written(&self, text: &str, table: &ObjectName, column: &str) -> Option<bool> {
        if !may_name(text, table) {
            return None;
        }
        let items = query(self.dialect, text);
        let called = self.names_of(&items, table);
        if called.is_empty() {
            return None;
        }
        let of_table = |of: &[String]| match of {
            [name] => called.contains(name),
            more => self.is_name_of(more, table),
        };
        let mut all = false;
        for (place, item) in items.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| items.get(place));
            let after = items.get(place + 1);
            match item {
                Item::Names { names, star: true } => {
                    // As the argument of a function it is the row.
                    all |= of_table(names) && !after.is_some_and(|item| item.is(")"));
                }
                Item::Names { names, star: false } => {
                    let Some((last, of)) = names.split_last() else {
                        continue;
                    };
                    let is_column = match of {
                        [] => {
                            let named_so = before.is_some_and(|item| item.is("as"));
                            !named_so && !after.is_some_and(|item| item.is("("))
                        }
                        of => of_table(of),
                    };
                    if last == column && is_column {
                        return Some(false);
                    }
                }
                Item::Other("*") => all |= is_list(before, after),
                Item::Other(_) => {}
            }
        }
        all.then_some(true)
    }

    /// The names by which a query calls a table: its own and its aliases.
    fn names_of(&self, items: &[Item<'_>], table: &ObjectName) -> Vec<String> {
        let mut called = Vec::new();
        for (place, item) in items.iter().enumerate() {
            if !self.is_chain_of(item, table) {
                continue;
            }
            called.push(table.name.clone());
            let rest = items.get(place + 1..).unwrap_or_default();
            let alias = match rest {
                [first, second, ..] if first.is("as") => Some(second),
                [first, ..] => Some(first),
                [] => None,
            };
            if let Some(Item::Names { names, star: false }) = alias
                && let [name] = names.as_slice()
            {
                called.push(name.clone());
            }
        }
        called
    }

    fn is_chain_of(&self, item: &Item<'_>, table: &ObjectName) -> bool {
        match item {
            Item::Names { names, star: false } => self.is_name_of(names, table),
            _ => false,
        }
    }

    fn is_name_of(&self, names: &[String], table: &ObjectName) -> bool {
        let (schema, name) = match names {
            [name] => (None, name),
            [schema, name] => (Some(schema.clone()), name),
            _ => return false,
        };
        let named = ObjectName {
            kind: table.kind,
            schema,
            name: name.clone(),
        };
        *name == table.name && self.same_name(&named, table)
    }
}

/// A part of a query.
enum Item<'a> {
    /// Names with dots between them; `star` when `.*` ends them. Keywords too.
    Names { names: Vec<String>, star: bool },
    /// Anything else.
    Other(&'a str),
}

impl Item<'_> {
    /// Whether it is this keyword, in lower case, or this symbol.
    fn is(&self, word: &str) -> bool {
        match self {
            Self::Names { names, star: false } => names.as_slice() == [word],
            Self::Names { .. } => false,
            Self::Other(text) => *text == word,
        }
    }
}

/// Whether a `*` stands for all columns: it multiplies between two operands, and counts rows as the argument of a function.
fn is_list(before: Option<&Item<'_>>, after: Option<&Item<'_>>) -> bool {
    let begins = ["select", "distinct", "all", ","];
    let is = |item: Option<&Item<'_>>, words: &[&str]| {
        item.is_some_and(|item| words.iter().any(|word| item.is(word)))
    };
    is(before, &begins) || (is(before, &[")"]) && is(after, &["from", ","]))
}

/// Whether it is worth reading a text for a name; a quote within a name is written twice.
fn may_name(text: &str, name: &ObjectName) -> bool {
    let name = name.name.to_ascii_lowercase();
    name.contains('"') || text.to_ascii_lowercase().contains(&name)
}

/// The parts of the query of a view: what comes after its `AS`.
fn query(dialect: Dialect, text: &str) -> Vec<Item<'_>> {
    let tokens: Vec<(TokenKind, &str)> = Tokens::new(dialect, text)
        .filter(|(kind, _)| !kind.is_trivia())
        .collect();
    let is_as = |(kind, text): &(TokenKind, &str)| {
        *kind == TokenKind::Word && text.eq_ignore_ascii_case("AS")
    };
    let start = tokens.iter().position(is_as).map_or(0, |place| place + 1);
    let mut rest = tokens.get(start..).unwrap_or_default();
    let mut items = Vec::new();
    while let Some((token, more)) = rest.split_first() {
        rest = more;
        let Some(first) = name(*token) else {
            items.push(Item::Other(token.1));
            continue;
        };
        let (mut names, mut star) = (vec![first], false);
        while let [(_, "."), next, more @ ..] = rest
            && !star
        {
            match name(*next) {
                Some(name) => names.push(name),
                None if next.1 == "*" => star = true,
                None => break,
            }
            rest = more;
        }
        items.push(Item::Names { names, star });
    }
    items
}

fn name((kind, text): (TokenKind, &str)) -> Option<String> {
    match kind {
        TokenKind::Word => Some(text.to_ascii_lowercase()),
        TokenKind::QuotedName => Some(text.trim_matches('"').replace("\"\"", "\"")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::operations;

    fn schema(statements: &[&str]) -> Schema {
        let mut schema = Schema::new(Dialect::Postgres);
        for text in statements {
            for operation in operations(Dialect::Postgres, text).list {
                schema.apply(&operation, text);
            }
        }
        schema
    }

    fn table(name: &str) -> ObjectName {
        ObjectName {
            kind: ObjectKind::Table,
            schema: None,
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_column_is_used_where_it_is_named_or_all_are() {
        for (query, used) in [
            ("SELECT total FROM customers", true),
            ("SELECT c.total FROM customers c", true),
            ("SELECT c.total FROM customers AS c", true),
            ("SELECT public.customers.total FROM public.customers", true),
            ("SELECT \"total\" FROM customers", true),
            ("SELECT * FROM customers", true),
            ("SELECT DISTINCT * FROM customers", true),
            ("SELECT DISTINCT ON (cid) * FROM customers", true),
            ("SELECT 1, * FROM customers", true),
            ("SELECT c.* FROM customers c", true),
            (
                "SELECT o.id FROM orders o WHERE EXISTS (SELECT * FROM customers)",
                true,
            ),
            ("SELECT cid FROM customers WHERE total > 1", true),
            ("SELECT count(*) FROM customers", false),
            ("SELECT a * b FROM customers", false),
            ("SELECT (a) * b FROM customers", false),
            ("SELECT count(c.*) FROM customers c", false),
            (
                "SELECT o.* FROM orders o JOIN customers c ON c.cid = o.cid",
                false,
            ),
            (
                "SELECT o.total FROM orders o JOIN customers c ON c.cid = o.cid",
                false,
            ),
            ("SELECT sum(a) AS total FROM customers", false),
            ("SELECT total(a) FROM customers", false),
            ("SELECT total FROM orders", false),
            ("SELECT cid FROM customers", false),
        ] {
            let schema = schema(&[&format!("CREATE VIEW v (total) AS {query}")]);
            let views = schema.views_using(&table("customers"), "total");
            assert_eq!(!views.is_empty(), used, "{query}");
        }
    }

    #[test]
    fn views_on_views_are_dropped_first() {
        let schema = schema(&[
            "CREATE VIEW a AS SELECT total FROM customers",
            "CREATE VIEW c AS SELECT b.total, a.total AS other FROM b, a",
            "CREATE MATERIALIZED VIEW b AS SELECT total FROM a",
            "CREATE VIEW other AS SELECT cid FROM customers",
        ]);
        let direct = schema.views_using(&table("customers"), "total");
        let all = schema.with_views_on_them(direct);
        let names: Vec<&str> = all.iter().map(|own| own.view.name.as_str()).collect();
        assert_eq!(names, ["c", "b", "a"]);
    }

    #[test]
    fn cascade_takes_views_along() {
        let made = [
            "CREATE VIEW a AS SELECT total FROM customers",
            "CREATE VIEW b AS SELECT total FROM a",
            "CREATE VIEW c AS SELECT cid FROM customers",
        ];
        let left = |statement: &str| {
            let schema = schema(&[&made[..], &[statement]].concat());
            let views = schema.definitions(ObjectKind::View);
            views.map(|(name, _)| name.name).collect::<Vec<_>>()
        };
        assert_eq!(left("DROP VIEW a CASCADE"), ["c"]);
        assert_eq!(
            left("ALTER TABLE customers DROP COLUMN total CASCADE"),
            ["c"]
        );
        assert_eq!(left("DROP TABLE customers CASCADE"), Vec::<String>::new());
        assert_eq!(left("DROP VIEW b"), ["a", "c"]);
    }
}

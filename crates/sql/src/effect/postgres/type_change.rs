//! Which changes of a column's type leave the rows as they are.

use crate::effect::Work;
use crate::operation::{Expression, TypeName};
use crate::schema::Schema;
use crate::{Dialect, ObjectKind, ObjectName};

/// What is known of a domain.
pub(super) struct Domain {
    /// It has a check, or refuses NULL.
    pub restricted: bool,
    /// The statement that made it.
    definition: Expression,
}

/// The domain of this name.
pub(super) fn domain(schema: &Schema, data_type: &TypeName) -> Option<Domain> {
    let definition = schema.definition(&domain_name(data_type))?;
    let definition = Expression {
        text: definition.text.clone(),
        span: 0..0,
    };
    let says = |word| definition.names(Dialect::Postgres, word);
    Some(Domain {
        restricted: says("check") || (says("not") && says("null")),
        definition,
    })
}

fn domain_name(data_type: &TypeName) -> ObjectName {
    let (schema, name) = match data_type.name.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name),
        None => (None, data_type.name.as_str()),
    };
    ObjectName {
        kind: ObjectKind::Domain,
        schema,
        name: name.to_owned(),
    }
}

/// Whether a type is this domain.
pub(super) fn is_domain(data_type: &TypeName, domain: &ObjectName) -> bool {
    let own = domain_name(data_type);
    let plain = |name: &ObjectName| name.schema.clone().filter(|schema| schema != "public");
    own.name == domain.name && plain(&own) == plain(domain)
}

/// Whether two types are the same, however they are written.
pub(super) fn is_same(from: &TypeName, to: &TypeName) -> bool {
    let spelled_out = |of: &TypeName| of.spelled_out(Dialect::Postgres, 1);
    let (from, to) = (spelled_out(from), spelled_out(to));
    from.name == to.name && from.arguments == to.arguments && from.array == to.array
}

/// Whether `USING` is absent, or no more than the cast that is made without it.
pub(super) fn is_cast(using: Option<&Expression>, column: &str) -> bool {
    let Some(using) = using else { return true };
    let (value, to) = match using.text.split_once("::") {
        Some((value, to)) => (value.trim(), to),
        None => (using.text.trim(), ""),
    };
    let is_type = |letter: char| letter.is_alphanumeric() || " _(),.\"[]".contains(letter);
    let is_column = value == format!("\"{column}\"") || value.eq_ignore_ascii_case(column);
    is_column && to.chars().all(is_type)
}

/// What changing a type is: nothing but a new word in the catalog where the bytes of the old one are bytes of the new
/// one, [`Work::IndexBuild`] where its indexes sort differently, [`Work::Rewrite`] otherwise. Of a type that is not known
/// it is thought that it was a narrower one of the same family, where the new one is as wide as can be.
pub(super) fn change(schema: &Schema, from: Option<&TypeName>, to: &TypeName) -> Work {
    let rewrite_unless = |keeps: bool| if keeps { Work::Metadata } else { Work::Rewrite };
    let Some(from) = from else {
        let widest = to.arguments.is_empty()
            && matches!(
                to.name.as_str(),
                "text" | "varchar" | "numeric" | "varbit" | "inet"
            );
        return rewrite_unless(widest && !to.array);
    };
    if is_same(from, to) {
        return Work::Metadata;
    }
    if from.array || to.array {
        return Work::Rewrite;
    }
    if let Some(domain) = domain(schema, to) {
        let is_base = domain.definition.names(Dialect::Postgres, &from.name);
        return rewrite_unless(!domain.restricted && is_base);
    }
    if let Some(domain) = domain(schema, from) {
        let is_base = domain.definition.names(Dialect::Postgres, &to.name);
        return rewrite_unless(is_base && to.arguments.is_empty());
    }
    let (old, new) = (from.name.as_str(), to.name.as_str());
    match (old, new) {
        ("citext", "text" | "varchar") | ("text" | "varchar", "citext") => {
            match to.arguments.is_empty() {
                true => Work::IndexBuild,
                false => Work::Rewrite,
            }
        }
        ("varchar", "varchar") | ("varbit", "varbit") => rewrite_unless(is_wider(from, to)),
        ("varchar" | "text" | "xml", "text") | ("text" | "xml", "varchar") => {
            rewrite_unless(to.arguments.is_empty())
        }
        ("numeric", "numeric") => {
            let scale = |of: &TypeName| of.number(1).or((of.arguments.len() == 1).then_some(0));
            let same_scale = scale(from).is_some() && scale(from) == scale(to);
            rewrite_unless(to.arguments.is_empty() || (is_wider(from, to) && same_scale))
        }
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", _) if old == new => {
            rewrite_unless(is_wider(from, to))
        }
        ("cidr", "inet") | ("oid", "integer") | ("integer", "oid") => Work::Metadata,
        _ => Work::Rewrite,
    }
}

/// Whether the first number in the parentheses did not become less; without one there is no limit.
fn is_wider(from: &TypeName, to: &TypeName) -> bool {
    match (from.number(0), to.number(0)) {
        (_, None) => to.arguments.is_empty(),
        (None, Some(_)) => false,
        (Some(from), Some(to)) => from <= to,
    }
}

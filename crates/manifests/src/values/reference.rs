//! The reference page of the values, from the schema.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write as _,
};

use super::schema::{Additional, Kind, Shape, typed};

/// Where Kubernetes documents its types.
const KUBERNETES: &str = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.33/#";

/// The reference page (Markdown), for `docs/reference/values.md`.
pub fn reference() -> String {
    let root = typed();
    let sections = sections(root);
    let mut page = String::from(
        "<!-- Generated from the types of the values; do not edit. -->\n\n# Values\n\n\
         What `forerun render`, `forerun deploy` and the Helm chart read. The same as a JSON Schema: \
         `charts/forerun/values.schema.json`.\n\n\
         Keys are in camelCase; unknown keys are errors. A key without a value (or with `null`) counts as not \
         given. Of several files, later ones win: maps are merged, lists and everything else are replaced. `--set` \
         comes last.\n\n\
         Text: whole numbers and `true`/`false` are taken for their text where the type is *text or number*; write \
         quotes around everything that must stay as it is (`\"0755\"`, `\"1.10\"`, `\"yes\"`), since YAML has its own \
         idea of it.\n",
    );
    table(&mut page, root, "Top level", root, &sections);
    for (definition, paths) in &sections.in_order {
        let Some(shape) = root.definitions.get(definition) else {
            continue;
        };
        let title = format!("`{}`", paths.first().map_or("", String::as_str));
        table(&mut page, shape, &title, root, &sections);
        if paths.len() > 1 {
            let others: Vec<String> = paths[1..].iter().map(|path| format!("`{path}`")).collect();
            let _ = writeln!(page, "\nThe same: {}.", others.join(", "));
        }
    }
    page
}

/// Our own maps with their paths, in the order in which a reader meets them.
struct Sections {
    in_order: Vec<(String, Vec<String>)>,
}

fn sections(root: &Shape) -> Sections {
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    let mut open: VecDeque<(&Shape, String)> = VecDeque::from([(root, String::new())]);
    let mut seen = BTreeSet::new();
    while let Some((shape, path)) = open.pop_front() {
        for (key, below) in &shape.properties {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            for (definition, path) in targets(below, path) {
                let Some(target) = root.definitions.get(definition) else {
                    continue;
                };
                // What stands for one of several is documented by what it stands for.
                for (definition, target) in own_maps(definition, target, root) {
                    if seen.insert((definition.to_owned(), path.clone())) {
                        let known = paths.entry(definition.to_owned()).or_default();
                        known.push(path.clone());
                        if known.len() == 1 {
                            order.push(definition.to_owned());
                            open.push_back((target, path.clone()));
                        }
                    }
                }
            }
        }
    }
    let in_order = order
        .into_iter()
        .filter_map(|name| paths.remove_entry(&name))
        .collect();
    Sections { in_order }
}

/// The maps of our own that a definition leads to.
fn own_maps<'a>(name: &'a str, shape: &'a Shape, root: &'a Shape) -> Vec<(&'a str, &'a Shape)> {
    if name.starts_with("io.k8s.") {
        return Vec::new();
    }
    if !shape.properties.is_empty() {
        return vec![(name, shape)];
    }
    shape
        .parts()
        .filter_map(Shape::definition)
        .filter_map(|name| Some((name, root.definitions.get(name)?)))
        .flat_map(|(name, shape)| own_maps(name, shape, root))
        .collect()
}

/// The definitions that a value leads to, itself or by its items.
fn targets(shape: &Shape, path: String) -> Vec<(&str, String)> {
    if let Some(definition) = shape.definition() {
        return vec![(definition, path)];
    }
    if let Some(items) = &shape.items {
        return targets(items, format!("{path}[]"));
    }
    match &shape.additional_properties {
        Some(Additional::Like(each)) => targets(each, format!("{path}.<name>")),
        _ => Vec::new(),
    }
}

fn table(page: &mut String, shape: &Shape, title: &str, root: &Shape, sections: &Sections) {
    let _ = write!(page, "\n## {title}\n\n");
    if let Some(text) = shape
        .description
        .as_deref()
        .filter(|_| !std::ptr::eq(shape, root))
    {
        let _ = write!(page, "{text}\n\n");
    }
    page.push_str("| Key | Type | Meaning |\n|---|---|---|\n");
    for (key, below) in &shape.properties {
        let required = if shape.required.contains(key) {
            " (required)"
        } else {
            ""
        };
        let kind = kind(below, root, sections);
        let meaning = below
            .description
            .as_deref()
            .unwrap_or_default()
            .replace('\n', " ")
            .replace('|', "\\|");
        let _ = writeln!(page, "| `{key}`{required} | {kind} | {meaning} |");
    }
}

/// The type of a value, in words.
fn kind(shape: &Shape, root: &Shape, sections: &Sections) -> String {
    if let Some(definition) = shape.definition() {
        return defined(definition, root, sections);
    }
    let choices: Vec<String> = shape
        .choices()
        .map(|choice| format!("`{choice}`"))
        .collect();
    if !choices.is_empty() {
        return choices.join(", ");
    }
    let parts: Vec<String> = shape
        .parts()
        .filter(|part| part.kinds() != [Kind::Null])
        .map(|part| kind(part, root, sections))
        .collect();
    if !parts.is_empty() {
        return parts.join(" or ");
    }
    let has = |kind| shape.kinds().contains(&kind);
    if has(Kind::String) && has(Kind::Boolean) {
        return "text or number".to_owned();
    }
    let words: Vec<String> = shape
        .kinds()
        .iter()
        .filter_map(|one| word(*one, shape, root, sections))
        .collect();
    if words.is_empty() {
        "anything".to_owned()
    } else {
        words.join(" or ")
    }
}

fn word(kind_of: Kind, shape: &Shape, root: &Shape, sections: &Sections) -> Option<String> {
    Some(match kind_of {
        Kind::Null => return None,
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Integer => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::String => "text".to_owned(),
        Kind::Array => match &shape.items {
            Some(items) => format!("list of {}", kind(items, root, sections)),
            None => "list".to_owned(),
        },
        Kind::Object => match &shape.additional_properties {
            Some(Additional::Like(each)) => format!("by name: {}", kind(each, root, sections)),
            _ => "map".to_owned(),
        },
    })
}

/// A link to the section of a definition, or to Kubernetes' documentation.
fn defined(name: &str, root: &Shape, sections: &Sections) -> String {
    if let Some(path) = name.strip_prefix("io.k8s.") {
        let short = path.rsplit('.').next().unwrap_or_default();
        return match kubernetes_anchor(path) {
            Some(anchor) => format!("[{short}]({KUBERNETES}{anchor})"),
            None => match short {
                "Quantity" => "quantity".to_owned(),
                "IntOrString" => "number or text".to_owned(),
                short => short.to_owned(),
            },
        };
    }
    if let Some((_, paths)) = sections
        .in_order
        .iter()
        .find(|(definition, _)| definition == name)
    {
        let path = paths.first().map_or("", String::as_str);
        return format!("[`{path}`](#{})", anchor(path));
    }
    match (name, root.definitions.get(name)) {
        ("Duration", _) => "duration".to_owned(),
        (_, Some(shape)) => kind(shape, root, sections),
        (_, None) => name.to_owned(),
    }
}

/// `api.core.v1.Affinity` → `affinity-v1-core`
fn kubernetes_anchor(path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("api.")?.split('.');
    let (group, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{}-{version}-{group}", name.to_ascii_lowercase()))
}

/// As GitHub makes anchors of headings.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | ' '))
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

//! Which values may be secret, so that no message and no excerpt shows them.

use super::report::Report;
use crate::yaml::{At, Data, Map, Node, Step};

/// Marks every value of a source that may be secret: the contents of configs, values of variables, URLs with a
/// password. Mistakes are counted in: what stands beside `data` may have been meant to stand in it.
pub(super) fn hide_secrets(tree: &Node, report: &mut Report<'_>) {
    visit(tree, &At::ROOT, report);
}

fn visit(node: &Node, at: &At<'_>, report: &mut Report<'_>) {
    match &node.data {
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &at.index(index), report);
            }
        }
        Data::Map(map) => visit_map(map, at, report),
        Data::Text(text) if has_password(text) => report.hide(node.span.clone()),
        _ if is_secret(at) => report.hide(node.span.clone()),
        _ => {}
    }
}

fn visit_map(map: &Map, at: &At<'_>, report: &mut Report<'_>) {
    for (key, entry) in map {
        visit(&entry.value, &at.key(key), report);
    }
}

/// Whether the scalar at a path may be secret.
fn is_secret(at: &At<'_>) -> bool {
    let steps = at.steps();
    let keys: Vec<&str> = steps
        .iter()
        .filter_map(|step| {
            if let Step::Key(key) = step {
                Some(*key)
            } else {
                None
            }
        })
        .collect();
    match keys.as_slice() {
        // Secrets are often given as `secrets`, `config`, `secret`, …
        [top, rest @ ..] if is_like_configs(top) => !matches!(
            rest,
            [_, "type" | "secretType" | "immutable"] | [_, "labels" | "annotations", ..]
        ),
        keys => {
            let Some(env) = keys
                .iter()
                .position(|key| matches!(*key, "env" | "environment" | "envs" | "envVars"))
            else {
                return false;
            };
            !matches!(keys[env + 1..], ["name"] | ["valueFrom", ..])
        }
    }
}

fn is_like_configs(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key != "secretrefs" && (key.starts_with("config") || key.starts_with("secret"))
}

/// `postgres://user:password@host`, also in the middle of a text, or `password=…`.
fn has_password(text: &str) -> bool {
    let in_url = text.split("://").skip(1).any(|rest| {
        // Passwords hold any character, encoded or not.
        rest.rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
    });
    in_url || text.to_ascii_lowercase().contains("password=")
}

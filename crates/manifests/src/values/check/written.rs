//! Values as they were written: text that YAML reads as something else, keys without a value, and templates.

use crate::{
    values::{problem::Severity, report::Report},
    yaml::{At, Data, Node, Step},
};

/// Warns of what is hardly meant. Before the tree is pruned of nulls.
pub(in crate::values) fn written_values(tree: &Node, report: &mut Report<'_>) {
    visit(tree, &At::ROOT, report);
}

fn visit(node: &Node, at: &At<'_>, report: &mut Report<'_>) {
    match &node.data {
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &at.index(index), report);
            }
        }
        Data::Map(map) => {
            for (key, entry) in map
                .iter()
                .filter(|(key, _)| at.depth() > 0 || *key != "global")
            {
                visit(&entry.value, &at.key(key), report);
            }
        }
        Data::Text(text) => template(node, text, at, report),
        Data::Null => missing(node, at, report),
        Data::Boolean(value) => changed(node, &value.to_string(), at, report),
        Data::Number(number) if !number.is_f64() => changed(node, &number.to_string(), at, report),
        Data::Number(_) => {}
    }
}

/// `0755` where text is meant becomes `493`.
fn changed(node: &Node, read: &str, at: &At<'_>, report: &mut Report<'_>) {
    let Some(written) = node
        .written
        .as_deref()
        .filter(|written| *written != read && is_text(at))
    else {
        return;
    };
    let (message, help) = if report.is_hidden(&node.span) {
        let message = "without quotes this is not text in YAML, and the text it becomes differs from what is written";
        (message.to_owned(), "put the value in quotes".to_owned())
    } else {
        let message = format!(
            "`{written}` without quotes is {read} in YAML, and the text becomes \"{read}\""
        );
        (message, format!("put it in quotes: \"{written}\""))
    };
    report.add(
        Severity::Warning,
        at.to_string(),
        &node.span,
        message,
        Some(help),
    );
}

/// A key of a config, or a variable, without a value: left out, not empty.
fn missing(node: &Node, at: &At<'_>, report: &mut Report<'_>) {
    if is_text(at)
        && !matches!(
            at.steps().last(),
            Some(Step::Key("imageTag" | "stamp") | Step::Index(_))
        )
    {
        let message = "this has no value, and is left out".to_owned();
        report.add(
            Severity::Warning,
            at.to_string(),
            &node.span,
            message,
            Some("for an empty text, write \"\"".to_owned()),
        );
    }
}

/// Values are data: Helm does not expand templates in them either.
fn template(node: &Node, text: &str, at: &At<'_>, report: &mut Report<'_>) {
    let Some(begin) = text.find("{{") else { return };
    if !text[begin..].contains("}}") {
        return;
    }
    let trimmed = text.trim();
    let whole = trimmed.starts_with("{{") && trimmed.ends_with("}}");
    let in_config = matches!(
        at.steps().as_slice(),
        [Step::Key("configs"), _, Step::Key("data"), ..]
    );
    // A config may be a template of the application itself, or text for a log format.
    let helm = [".Values", ".Release", ".Chart", "include ", "tpl "]
        .iter()
        .any(|word| text.contains(word));
    if in_config && !helm {
        return;
    }
    let severity = if whole && !in_config {
        Severity::Error
    } else {
        Severity::Warning
    };
    let message =
        "a template expression stands here, but values are not templates: the text stays as it is"
            .to_owned();
    let help = "write the value itself, or pass it with --set".to_owned();
    report.add(severity, at.to_string(), &node.span, message, Some(help));
}

/// Where numbers and truth values are taken for their text.
fn is_text(at: &At<'_>) -> bool {
    matches!(
        at.steps().as_slice(),
        [Step::Key("configs"), _, Step::Key("data"), _]
            | [.., Step::Key("env"), Step::Index(_), Step::Key("value")]
            | [.., Step::Key("args" | "command"), Step::Index(_)]
            | [.., Step::Key("imageTag" | "stamp")]
    )
}

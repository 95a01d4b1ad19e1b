//! `forerun render`.

use forerun_manifests::render::{self, KubeVersion, Options, Rendered};
use jiff::Timestamp;
use serde_json::json;

use super::context::Context;
use super::values;
use crate::arguments::Render;
use crate::command_error::CommandError;
use crate::output::Done;

pub fn run(context: &Context, arguments: &Render) -> Result<Done, CommandError> {
    let values = values::read(context, &arguments.values)?;
    let release = match &arguments.values.name {
        Some(name) => name.clone(),
        None => render::release_name(&values)?,
    };
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    let rendered = render::render(
        &values,
        &Options {
            release,
            delivery: arguments.delivery.map(Into::into),
            kube_version: arguments.kube_version.unwrap_or(KubeVersion::NEWEST),
            stamp: arguments.stamp.unwrap_or(now),
        },
    )?;
    for note in &rendered.notes {
        context.output.note(&format!("note: {note}"));
    }
    print(context, &rendered)?;
    Ok(Done::new("rendered", ""))
}

/// YAML documents; with `--format json` one List.
fn print(context: &Context, rendered: &Rendered) -> Result<(), CommandError> {
    if context.output.json() {
        let items: Vec<_> = rendered.objects().map(|object| &object.value).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        context.output.print(&format!("{list:#}\n"));
    } else {
        let text = render::yaml(rendered.objects()).map_err(|error| CommandError::Usage {
            message: format!("the objects cannot be written as YAML: {error}"),
            advice: "Try --format json, and report this.".into(),
        })?;
        context.output.print(&text);
    }
    Ok(())
}

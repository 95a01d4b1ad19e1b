//! `forerun render`.

use forerun_manifests::render::{self, KubeVersion, Object, Options, Rendered};
use jiff::Timestamp;
use serde_json::json;

use super::context::Context;
use super::values;
use crate::arguments::{Render, WaveArgument};
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
    let objects: Vec<&Object> = match arguments.wave {
        None => {
            for note in &rendered.notes {
                context.output.note(&format!("note: {note}"));
            }
            rendered.objects().collect()
        }
        Some(WaveArgument::Deployed) => closing(&rendered)?,
    };
    print(context, &objects)?;
    Ok(Done::new("rendered", ""))
}

/// What closes the ledger.
fn closing(rendered: &Rendered) -> Result<Vec<&Object>, CommandError> {
    if rendered.closing.is_empty() {
        return Err(CommandError::Usage {
            message: "no deployment of these values keeps a ledger: there is nothing to close"
                .to_owned(),
            advice: "Set `migrations.ledger: true` for the deployment, or leave --wave out."
                .to_owned(),
        });
    }
    Ok(rendered
        .closing
        .iter()
        .map(|closing| &closing.job)
        .collect())
}

/// YAML documents; with `--format json` one List.
fn print(context: &Context, objects: &[&Object]) -> Result<(), CommandError> {
    if context.output.json() {
        let items: Vec<_> = objects.iter().map(|object| &object.value).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        context.output.print(&format!("{list:#}\n"));
    } else {
        let text = render::yaml(objects.iter().copied()).map_err(|error| CommandError::Usage {
            message: format!("the objects cannot be written as YAML: {error}"),
            advice: "Try --format json, and report this.".into(),
        })?;
        context.output.print(&text);
    }
    Ok(())
}

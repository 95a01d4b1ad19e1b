//! What was rendered, as what a deploy takes.

use forerun_cluster::{Object, Release, Step};
use forerun_manifests::render::{self, Rendered};

use crate::command_error::CommandError;

/// The release of a rendering.
///
/// # Errors
/// An object of a kind that a deploy does not know.
pub fn of(rendered: Rendered) -> Result<Release, CommandError> {
    let steps = rendered.migrations.into_iter().map(|step| {
        Ok(Step {
            uses: objects(step.objects)?,
            job: object(step.job)?,
        })
    });
    Ok(Release {
        name: rendered.release,
        steps: steps.collect::<Result<_, CommandError>>()?,
        preparation: objects(rendered.preparation)?,
        configuration: objects(rendered.configuration)?,
        application: objects(rendered.application)?,
        closing: objects(
            rendered
                .closing
                .into_iter()
                .map(|closing| closing.job)
                .collect(),
        )?,
    })
}

fn objects(objects: Vec<render::Object>) -> Result<Vec<Object>, CommandError> {
    objects.into_iter().map(object).collect()
}

fn object(object: render::Object) -> Result<Object, CommandError> {
    let title = format!("{} {}", object.kind, object.name);
    Object::from_value(object.value).ok_or_else(|| CommandError::Usage {
        message: format!("{title} is of a kind that deploy does not apply"),
        advice: "Deploy it with `forerun render … | kubectl apply -f -`, and report this."
            .to_owned(),
    })
}

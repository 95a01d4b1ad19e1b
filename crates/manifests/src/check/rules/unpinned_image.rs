//! An image of which nobody knows which version it is.

use crate::check::image::ImageReference;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "unpinned-image",
    severity: Severity::Warning,
    title: "The image of the migration is not that of a certain release",
    why: "Without a tag or with latest, the migrations that run are whatever the registry holds that minute, a retry may run \
          others, and a rollback cannot name the old ones. And migrations of another version than the application's leave \
          its code without the tables it expects.",
    fix: "Use the tag or digest that the application uses.",
    yaml: "containers:
  - name: migrate
    image: registry.example/shop:2.6.0",
    scope: Scope::Job(check),
};

/// Containers of one image that are compared.
const MOST: usize = 50;

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let field = job.main.get("image");
    let Some(text) = field.text() else {
        return;
    };
    let image = ImageReference::parse(text);
    if image.digest.is_none() {
        match image.tag {
            None => {
                let message = format!(
                    "image {} has no tag: it is whatever latest is",
                    image.repository
                );
                reporter.report(job.object, field.path(), message);
                return;
            }
            Some("latest") => {
                let message = format!("image {} has the tag latest", image.repository);
                reporter.report(job.object, field.path(), message);
                return;
            }
            Some(_) => {}
        }
    }
    if states_release(job, image.tag) {
        return;
    }
    let mut others = job
        .release
        .containers_of_image(image.repository)
        .take(MOST)
        .filter_map(|(workload, container)| {
            Some((
                workload,
                ImageReference::parse(container.get("image").text()?),
            ))
        })
        .peekable();
    let Some((workload, other)) = others.peek().copied() else {
        return;
    };
    if !others.any(|(_, other)| same_version(&image, &other)) {
        let message = format!(
            "the Job runs version {} of an image of which {} runs version {}",
            version(&image),
            workload.title(),
            version(&other)
        );
        reporter.report(job.object, field.path(), message);
    }
}

/// The Job says which release its migrations belong to: its tag was chosen for it.
fn states_release(job: &MigrationJob<'_>, tag: Option<&str>) -> bool {
    job.main.get("env").items().any(|variable| {
        variable.get("name").text() == Some("FORERUN_RELEASE")
            && variable.get("value").text() == tag
    })
}

/// Also where the tag of the migrations goes on after that of the application: `2.6.0-migrations`.
fn same_version(own: &ImageReference<'_>, other: &ImageReference<'_>) -> bool {
    match (own.digest, other.digest) {
        (Some(own), Some(other)) if own == other => return true,
        _ => {}
    }
    match (own.tag, other.tag) {
        (Some(own), Some(other)) => own == other || own.contains(other),
        (None, _) => own.digest.is_some() && other.digest.is_none(),
        (Some(_), None) => false,
    }
}

fn version<'a>(image: &ImageReference<'a>) -> &'a str {
    image.tag.or(image.digest).unwrap_or("latest")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn tags() {
        let image = |image: &str| {
            format!(
                "spec: {{template: {{spec: {{containers: {{0: {{image: '{image}', env: null}}}}}}}}}}"
            )
        };
        let app = "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                   spec: {template: {spec: {containers: [{name: a, image: 'shop:2'}]}}}\n";
        found(&RULE, &image("shop"), "no tag");
        found(&RULE, &image("r:5000/shop:latest"), "the tag latest");
        clean(&RULE, &image("shop@sha256:aa"));
        clean(&RULE, &image("shop:1"));
        found(
            &RULE,
            &format!("{}{app}", image("shop:1")),
            "Deployment web runs version 2",
        );
        clean(&RULE, &format!("{}{app}", image("shop:2-migrations")));
        clean(&RULE, &format!("{}{app}", image("shop-migrations:1")));
        let stated =
            image("shop:1").replace("env: null", "env: [{name: FORERUN_RELEASE, value: '1'}]");
        clean(&RULE, &format!("{stated}{app}"));
    }
}

//! A migration Job whose command line is that of the application.

use crate::check::field::Field;
use crate::check::image::ImageReference;
use crate::check::release::MigrationJob;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "runs-the-application",
    severity: Severity::Error,
    title: "The Job starts the application instead of a migration",
    why: "Image, command and args of the Job are those of a container of the application: the Job starts a server, never \
          ends, and nothing is migrated. This happens where a template merges the migration's args with those of the \
          application and the application's win.",
    fix: "Give the Job the command line of the migration.",
    yaml: "containers:
  - name: migrate
    image: registry.example/shop:2.6.0
    args: [migrate, up]",
    scope: Scope::Job(check),
};

/// Containers of one image that are compared.
const MOST: usize = 50;

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    let Some(image) = job.main.get("image").text() else {
        return;
    };
    let repository = ImageReference::parse(image).repository;
    let same = job
        .release
        .containers_of_image(repository)
        .take(MOST)
        .find(|(_, container)| {
            container.get("image").text() == Some(image)
                && line(container, "command") == line(&job.main, "command")
                && line(container, "args") == line(&job.main, "args")
        });
    if let Some((workload, container)) = same {
        let args = job.main.get("args");
        let path = if args.exists() {
            args.path()
        } else {
            job.main.path()
        };
        let message = format!(
            "the Job runs the same command line as container {} of {}",
            MigrationJob::container_name(&container),
            workload.title()
        );
        reporter.report(job.object, path, message);
    }
}

/// An empty list is the same as none.
fn line<'a>(container: &Field<'a>, key: &str) -> Vec<&'a str> {
    container.get(key).texts()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    fn app(job: &str, container: &str) -> String {
        format!(
            "spec: {{template: {{spec: {{containers: {{0: {job}}}}}}}}}\n---\napiVersion: apps/v1\nkind: Deployment\n\
             metadata: {{name: web}}\nspec: {{template: {{spec: {{containers: [{container}]}}}}}}\n"
        )
    }

    #[test]
    fn the_command_line_of_the_application() {
        let serve = "{name: main, image: 'shop:1', args: [serve]}";
        found(
            &RULE,
            &app("{image: 'shop:1', args: [serve]}", serve),
            "container main of Deployment web",
        );
        clean(&RULE, &app("{image: 'shop:1', args: [migrate]}", serve));
        clean(&RULE, &app("{image: 'other:1', args: [serve]}", serve));
        let bare = "{name: main, image: 'shop:1'}";
        found(
            &RULE,
            &app("{image: 'shop:1', args: null, command: null}", bare),
            "same command line",
        );
        clean(
            &RULE,
            &app("{image: 'shop:1', args: null, command: null}", serve),
        );
    }
}

//! The command and image of migration Jobs: what `guard`, `gate` and `ledger` need, and what is put together from the
//! container that is reused.

use super::{Check, container};
use crate::{
    values::{Container, Migrations},
    yaml::At,
};

/// `guard` runs a command that must be known; `gate` asks for a history that only forerun's own migrations have, and
/// neither it nor `ledger` is anything without migrations.
pub(super) fn guard(
    check: &mut Check<'_, '_>,
    migrations: &Migrations,
    reused: Option<&Container>,
    at: &At<'_>,
) {
    let steps = at.key("steps");
    // Without steps, `migrations` is the only one.
    let mut guarded: Vec<(At<'_>, bool)> = Vec::new();
    let of_container =
        |own_image: bool| !own_image && reused.is_some_and(|container| container.command.is_some());
    if migrations.steps.is_empty() {
        let known = migrations.command.is_some() || of_container(migrations.image.is_some());
        if migrations.guard == Some(true) {
            guarded.push((*at, known));
        }
    }
    for (index, step) in migrations.steps.iter().enumerate() {
        let own_image = migrations.image.is_some() || step.image.is_some();
        let known =
            step.command.is_some() || migrations.command.is_some() || of_container(own_image);
        if step.guard.or(migrations.guard) == Some(true) {
            guarded.push((steps.index(index), known));
        }
    }
    for (place, known) in &guarded {
        let reused_spoiled =
            check.is_spoiled(&place.key("command")) || check.is_spoiled(&at.key("command"));
        if !known && !reused_spoiled {
            let message = "`guard` runs a command under forerun, but no command is known: an image does not tell its own";
            let place = if check.tree.at(&place.key("guard")).is_some() {
                place.key("guard")
            } else {
                at.key("guard")
            };
            check.error_in_key(
                &place,
                message,
                "add `command`, such as `command: [python, manage.py, migrate]`",
            );
        }
    }
    if migrations.gate && !guarded.is_empty() {
        let message =
            "`gate` asks for the migrations that forerun applied, and a guarded command has others";
        check.error_in_key(&at.key("gate"), message, "remove `gate` or `guard`");
    }
    if migrations.gate && !migrations.enabled && !check.is_spoiled(&at.key("enabled")) {
        let message = "`gate` without migrations would hold the pods back for ever";
        check.error_in_key(
            &at.key("gate"),
            message,
            "set `enabled: true`, or remove `gate`",
        );
    }
    if migrations.ledger && !migrations.enabled && !check.is_spoiled(&at.key("enabled")) {
        let message = "`ledger` without migrations would close deployments that nothing opens";
        check.error_in_key(
            &at.key("ledger"),
            message,
            "set `enabled: true`, or remove `ledger`",
        );
    }
}

/// Images of the Jobs, with the parts that come from elsewhere.
pub(super) fn images(
    check: &mut Check<'_, '_>,
    migrations: &Migrations,
    reused: Option<&Container>,
    at: &At<'_>,
) {
    let digest = migrations.image_digest.as_deref();
    container::image(
        check,
        migrations.image.as_deref(),
        migrations.image_tag.as_ref(),
        digest,
        at,
    );
    if migrations.image.is_none() {
        tag_alone(
            check,
            migrations.image_tag.is_some(),
            reused.and_then(|reused| reused.image.as_deref()),
            at,
        );
    }
    let steps = at.key("steps");
    let inherited = migrations
        .image
        .as_deref()
        .or_else(|| reused.and_then(|reused| reused.image.as_deref()));
    for (index, step) in migrations.steps.iter().enumerate() {
        let at = steps.index(index);
        container::image(
            check,
            step.image.as_deref(),
            step.image_tag.as_ref(),
            step.image_digest.as_deref(),
            &at,
        );
        if step.image.is_none() {
            tag_alone(check, step.image_tag.is_some(), inherited, &at);
        }
    }
}

/// A tag without an image goes to the image that is reused, which must have none.
fn tag_alone(check: &mut Check<'_, '_>, given: bool, image: Option<&str>, at: &At<'_>) {
    let Some(image) = image.filter(|_| given) else {
        return;
    };
    let path = image.rsplit('/').next().unwrap_or_default();
    if path.contains(':') || path.contains('@') {
        let message = "the image that is reused has a tag or digest already";
        check.error(
            &at.key("imageTag"),
            message,
            "give `image` here too, or move the container's tag to its `imageTag`",
        );
    }
}

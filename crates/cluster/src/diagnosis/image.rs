//! Images that cannot be pulled.

use super::{Diagnosis, PASSES, Place, Verdict, WRONG};
use crate::api_error::one_line;
use crate::report::Outcome;

/// What registries say when no waiting helps. "no such host" and time-outs are not among them.
const FINAL: [&str; 15] = [
    "not found",
    "manifest unknown",
    "name unknown",
    "does not exist",
    "unauthorized",
    "authentication required",
    "authorization failed",
    "access denied",
    "denied:",
    "insufficient_scope",
    "forbidden",
    "invalid reference",
    "no match for platform",
    "no matching manifest",
    "signature",
];

/// Of those, what says that we are not let in.
const ACCESS: [&str; 7] = [
    "unauthorized",
    "authentication required",
    "authorization failed",
    "access denied",
    "denied:",
    "insufficient_scope",
    "forbidden",
];

/// `None` when the reason is not about an image. `said` is the longest message there is about it.
pub(super) fn of_waiting(
    place: &Place<'_>,
    container: &str,
    image: &str,
    reason: &str,
    said: &str,
) -> Option<Diagnosis> {
    let said = registry_message(said);
    let lower = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let found = match reason {
        "InvalidImageName" => place.diagnosis(
            "image_name",
            WRONG,
            format!("`{image}` is not the name of an image"),
            "Correct image and imageTag of the values.",
        ),
        "ErrImageNeverPull" => place.diagnosis(
            "image_never_pull",
            WRONG,
            format!(
                "the image {image} is not on the node, and imagePullPolicy Never forbids to \
                     pull it"
            ),
            "Load it onto the nodes, or set imagePullPolicy to IfNotPresent.",
        ),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "RegistryUnavailable"
        | "SignatureValidationFailed"
        | "ImageInspectError"
            if reason == "SignatureValidationFailed" || has(&FINAL) =>
        {
            let advice = if has(&ACCESS) {
                "Check the name, and that imagePullSecret of the values names a secret with \
                 access to the registry: many registries \
                 say the same about an image that does not exist."
            } else {
                "Push the image, or correct image and imageTag of the values."
            };
            place.diagnosis(
                "image_pull",
                WRONG,
                format!("the image {image} cannot be pulled"),
                advice,
            )
        }
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "ImageInspectError" => place
            .diagnosis(
                "image_pull",
                (Verdict::Heals, Outcome::Temporary),
                format!("the image {image} could not be pulled yet"),
                "The kubelet tries again by itself; check the registry and the way to it from the \
             nodes.",
            ),
        _ => return None,
    };
    let found = found.detail("container", container);
    Some(if said.is_empty() {
        found
    } else {
        found.detail("registry", said)
    })
}

/// Without the wrappings of the container runtime.
fn registry_message(text: &str) -> String {
    let mut text = one_line(text);
    for marker in [
        "rpc error: code = ",
        "Failed to pull image ",
        "Back-off pulling image ",
    ] {
        if let Some(start) = text.find(marker) {
            let rest = text.get(start + marker.len()..).unwrap_or_default();
            let skipped = match marker {
                "rpc error: code = " => rest.split_once("desc = ").map(|(_, rest)| rest),
                _ => rest.split_once("\": ").map(|(_, rest)| rest),
            };
            // A message without anything inside the wrapping says nothing.
            text = match (marker, skipped) {
                (_, Some(rest)) => rest.to_owned(),
                ("Back-off pulling image ", None) => String::new(),
                (_, None) => text,
            };
        }
    }
    text
}

/// Something about pulling that only events tell.
pub(super) fn slow(place: &Place<'_>, image: &str, seconds: i64) -> Diagnosis {
    place.diagnosis(
        "image_slow",
        PASSES,
        format!("the image {image} has been pulled for {seconds} s"),
        "A large image or a slow registry; it goes on by itself.",
    )
}

#[cfg(test)]
mod tests {
    use super::registry_message;

    #[test]
    fn the_wrappings_of_the_runtime_are_taken_off() {
        for (text, expected) in [
            (
                "rpc error: code = NotFound desc = failed to pull and unpack image \"r/x:1\": \
                 failed to resolve reference \"r/x:1\": r/x:1: not found",
                "failed to pull and unpack image \"r/x:1\": failed to resolve reference \
                 \"r/x:1\": r/x:1: not found",
            ),
            ("Back-off pulling image \"r/x:1\"", ""),
            (
                "Back-off pulling image \"r/x:1\": ErrImagePull: rpc error: code = Unknown desc = \
                 no such host",
                "no such host",
            ),
            (
                "Failed to pull image \"r/x:1\": pull access denied",
                "pull access denied",
            ),
            ("plain\n words", "plain words"),
        ] {
            assert_eq!(registry_message(text), expected);
        }
    }
}

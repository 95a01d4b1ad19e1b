//! Pods that do not get to work.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use std::time::Duration;

use super::{Diagnosis, PASSES, Place, Verdict, WRONG, exit, image, quoted};
use crate::api_error::one_line;
use crate::containers::statuses;
use crate::report::Outcome;

/// A pod that says nothing for this long is worth a word.
const SILENT: i64 = 30;
/// How long something else (an external secrets operator, for example) has for a missing Secret.
const MISSING: Duration = Duration::from_secs(20);
/// Restarts of a crashing container that are waited for: a dependency may come up late.
const RESTARTS: i32 = 3;

/// Why a pod does not get to work; `None` when it works, has ended, or is only young.
pub(crate) fn of_pod(
    pod: &Pod,
    events: &[Event],
    now: Timestamp,
    namespace: &str,
) -> Option<Diagnosis> {
    let status = pod.status.as_ref()?;
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let place = Place {
        namespace,
        kind: "Pod",
        name,
    };
    if let Some(deleted) = &pod.metadata.deletion_timestamp {
        return terminating(&place, pod, now.duration_since(deleted.0).as_secs());
    }
    let phase = status.phase.as_deref().unwrap_or_default();
    if phase == "Succeeded" || phase == "Failed" {
        return None;
    }
    if let Some(found) = unschedulable(&place, pod) {
        return Some(found);
    }
    let said = latest(
        events,
        &[
            "Failed",
            "FailedMount",
            "FailedAttachVolume",
            "FailedCreatePodSandBox",
        ],
    );
    let pulled = latest(events, &["Failed"]);
    for container in statuses(pod) {
        let Some(waiting) = container
            .state
            .as_ref()
            .and_then(|state| state.waiting.as_ref())
        else {
            continue;
        };
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let message = waiting.message.as_deref().unwrap_or_default();
        let image = image_of(pod, container);
        // A back-off says nothing; the event of the try before does.
        let about_image = if reason == "ImagePullBackOff"
            && !message.contains("rpc error")
            && !message.contains("ErrImagePull")
        {
            pulled.unwrap_or(message)
        } else {
            message
        };
        if let Some(found) = image::of_waiting(&place, &container.name, image, reason, about_image)
        {
            return Some(found);
        }
        match reason {
            "CreateContainerConfigError" => {
                return Some(configuration(&place, &container.name, message));
            }
            "CreateContainerError" | "RunContainerError" => {
                return Some(creation(&place, &container.name, message));
            }
            _ => {}
        }
    }
    let age = age(pod, now);
    let not_ready = phase == "Pending" && age >= SILENT;
    if let Some(message) = said
        .filter(|_| phase == "Pending")
        .filter(|message| !message.contains("pull image"))
    {
        return volume(&place, message).or_else(|| {
            not_ready.then(|| {
                place
                    .diagnosis(
                        "pod_not_started",
                        PASSES,
                        "the pod cannot be started yet",
                        "The kubelet tries again by itself.",
                    )
                    .detail("kubelet", one_line(message))
            })
        });
    }
    if !not_ready {
        return None;
    }
    Some(
        match latest_of(events).filter(|event| event.reason.as_deref() == Some("Pulling")) {
            Some(event) => image::slow(
                &place,
                quoted(event.message.as_deref().unwrap_or_default()).unwrap_or("?"),
                age,
            ),
            None if events.is_empty() => place.diagnosis(
                "pod_pending",
                PASSES,
                format!("the pod has been pending for {age} s, and nothing says why"),
                "Check that the scheduler and the kubelet of the node run.",
            ),
            None => place.diagnosis(
                "pod_pending",
                PASSES,
                format!("the pod has been pending for {age} s"),
                "Look at its events.",
            ),
        },
    )
}

/// A container that crashes again and again, its restarts, and its name where its log, which is the caller's to add, says
/// more.
pub(crate) fn crash_loop(pod: &Pod, namespace: &str) -> Option<(Diagnosis, i32, Option<String>)> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let place = Place {
        namespace,
        kind: "Pod",
        name,
    };
    let container = statuses(pod).find(|container| {
        let state = container.state.as_ref();
        let backing_off = state
            .and_then(|state| state.waiting.as_ref())
            .is_some_and(|waiting| waiting.reason.as_deref() == Some("CrashLoopBackOff"));
        backing_off || (container.restart_count > 0 && !container.ready)
    })?;
    let last = container
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let how = last.map_or_else(
        || "stopped".to_owned(),
        |last| match (last.reason.as_deref(), last.exit_code) {
            (Some("OOMKilled"), _) => "ran out of memory (OOMKilled)".to_owned(),
            (_, code) => format!("exited with code {code}"),
        },
    );
    let restarts = container.restart_count;
    let look = format!(
        "kubectl logs {name} -c {} --previous -n {namespace}",
        container.name
    );
    let said = last.and_then(|last| exit::refusal(last.exit_code, last.message.as_deref()?));
    if let Some((outcome, message, advice)) = said {
        let mut found = place.diagnosis(
            "gate_refused",
            (Verdict::Fatal, outcome),
            format!("the container {} ends: {message}", container.name),
            advice.unwrap_or_else(|| "Correct it and deploy again.".to_owned()),
        );
        found.look = look;
        return Some((found, restarts, None));
    }
    let verdict = if restarts >= RESTARTS {
        Verdict::Fatal
    } else {
        Verdict::Heals
    };
    let message = format!(
        "the container {} {how} and was restarted {restarts} time{}",
        container.name,
        if restarts == 1 { "" } else { "s" }
    );
    let mut found = place.diagnosis(
        "crash_loop",
        (verdict, Outcome::NotReady),
        message,
        "Correct what its log says, and deploy again.",
    );
    found.look = look;
    if let Some(said) = last
        .and_then(|last| last.message.as_deref())
        .filter(|said| !said.trim().is_empty())
    {
        found = found.detail("last words", said.trim());
    }
    Some((found, restarts, Some(container.name.clone())))
}

fn unschedulable(place: &Place<'_>, pod: &Pod) -> Option<Diagnosis> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    let message = one_line(condition.message.as_deref().unwrap_or_default());
    Some(match condition.reason.as_deref() {
        Some("SchedulingGated") => place.diagnosis(
            "scheduling_gated",
            PASSES,
            "the pod waits for a scheduling gate",
            "Whoever set the gate opens it.",
        ),
        _ if message.contains("persistentvolumeclaim") && message.contains("not found") => place
            .diagnosis(
                "missing_claim",
                (Verdict::HealsFor(MISSING), Outcome::Configuration),
                "a PersistentVolumeClaim of the pod does not exist",
                "Create it, or correct the volumes of the values.",
            )
            .detail("scheduler", message),
        _ => place
            .diagnosis(
                "unschedulable",
                PASSES,
                "no node takes the pod",
                "Free or add capacity, or correct resources, nodeSelector, tolerations and \
                 affinity of the values.",
            )
            .detail("scheduler", message),
    })
}

fn configuration(place: &Place<'_>, container: &str, message: &str) -> Diagnosis {
    let text = one_line(message);
    if text.contains("runAsNonRoot") || text.contains("breaks non-root policy") {
        let (message, advice) = if text.contains("non-numeric") {
            (
                "the image names its user, and runAsNonRoot needs a number to check",
                "Set securityContext.runAsUser to the number of the image's user.",
            )
        } else {
            (
                "the container would run as root, and runAsNonRoot forbids it",
                "Set securityContext.runAsUser to a user of the image other than 0, or build the \
                 image with one.",
            )
        };
        return place
            .diagnosis("run_as_non_root", WRONG, message, advice)
            .detail("container", container)
            .detail("kubelet", text);
    }
    let missing = missing(&text);
    let verdict = (Verdict::HealsFor(MISSING), Outcome::Configuration);
    match missing {
        Some(what) => place
            .diagnosis(
                "missing_configuration",
                verdict,
                format!("{what} does not exist"),
                "Create it in the namespace, put it under configs of the values, or correct the \
                 reference to it.",
            )
            .detail("container", container),
        None => place
            .diagnosis(
                "container_configuration",
                verdict,
                "the container's configuration is refused",
                "Correct what the kubelet says.",
            )
            .detail("container", container)
            .detail("kubelet", text),
    }
}

/// `Secret db` or `key password of Secret db`.
fn missing(text: &str) -> Option<String> {
    let kind = |word: &str| {
        if word.eq_ignore_ascii_case("secret") {
            "Secret"
        } else {
            "ConfigMap"
        }
    };
    if let Some(rest) = text.split("couldn't find key ").nth(1) {
        let mut words = rest.split_whitespace();
        let (key, _in, what, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let name = name.rsplit('/').next().unwrap_or(name);
        return Some(format!("key {key} of {} {name}", kind(what)));
    }
    for word in ["secret", "configmap"] {
        if let Some((_, rest)) = text.to_lowercase().split_once(&format!("{word} \""))
            && rest.contains("not found")
        {
            let name = rest.split('"').next().unwrap_or_default();
            return Some(format!("{} {name}", kind(word)));
        }
    }
    if text.contains("references non-existent") {
        let what = if text.contains("secret key") {
            "Secret"
        } else {
            "ConfigMap"
        };
        let key = text.rsplit(": ").next().unwrap_or_default();
        return Some(format!("key {key} of a {what} that is mounted"));
    }
    None
}

fn creation(place: &Place<'_>, container: &str, message: &str) -> Diagnosis {
    let text = one_line(message);
    let no_command = [
        "executable file not found",
        "no such file or directory",
        "no command specified",
        "permission denied",
    ]
    .iter()
    .any(|word| text.contains(word));
    let (verdict, advice) = if no_command {
        (
            WRONG,
            "Correct command and args of the values: the image has no such program.",
        )
    } else {
        (
            (
                Verdict::HealsFor(Duration::from_secs(60)),
                Outcome::Configuration,
            ),
            "Correct what the container runtime says.",
        )
    };
    place
        .diagnosis(
            "container_start",
            verdict,
            "the container cannot be started",
            advice,
        )
        .detail("container", container)
        .detail("runtime", text)
}

fn volume(place: &Place<'_>, message: &str) -> Option<Diagnosis> {
    let text = one_line(message);
    if !text.contains("MountVolume")
        && !text.contains("AttachVolume")
        && !text.contains("mount volumes")
    {
        return None;
    }
    Some(match missing(&text) {
        Some(what) => place.diagnosis(
            "missing_configuration",
            (Verdict::HealsFor(MISSING), Outcome::Configuration),
            format!("{what} does not exist"),
            "Create it in the namespace, put it under configs of the values, or correct the \
             volumes.",
        ),
        None => place
            .diagnosis(
                "volume",
                PASSES,
                "a volume of the pod cannot be mounted yet",
                "The kubelet tries again by itself; a claim that another node holds \
                 (ReadWriteOnce) comes free when that pod ends.",
            )
            .detail("kubelet", text),
    })
}

/// The kubelet is given the grace period (the timestamp is its end) and a minute.
fn terminating(place: &Place<'_>, pod: &Pod, since_end: i64) -> Option<Diagnosis> {
    if since_end < 60 {
        return None;
    }
    let node = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or("?");
    Some(place.diagnosis(
        "stuck_terminating",
        PASSES,
        format!(
            "the pod should have ended {since_end} s ago, and its node {node} does not \
                 confirm it"
        ),
        "Its process may still work: look at the node. Only when it is certainly off, take the \
         node away (kubectl delete node) or mark it \
         out of service.",
    ))
}

/// As written in the pod: the status may have an id only.
fn image_of<'a>(pod: &'a Pod, status: &'a ContainerStatus) -> &'a str {
    let spec = pod.spec.as_ref();
    let containers = spec
        .map(|spec| spec.containers.as_slice())
        .unwrap_or_default();
    let init = spec
        .and_then(|spec| spec.init_containers.as_deref())
        .unwrap_or_default();
    containers
        .iter()
        .chain(init)
        .find(|container| container.name == status.name)
        .and_then(|container| container.image.as_deref())
        .unwrap_or(&status.image)
}

fn age(pod: &Pod, now: Timestamp) -> i64 {
    let created = pod.metadata.creation_timestamp.as_ref();
    created.map_or(0, |created| now.duration_since(created.0).as_secs())
}

/// The newest message with one of these reasons.
fn latest<'a>(events: &'a [Event], reasons: &[&str]) -> Option<&'a str> {
    events
        .iter()
        .filter(|event| {
            event
                .reason
                .as_deref()
                .is_some_and(|reason| reasons.contains(&reason))
        })
        .max_by_key(|event| time(event))
        .and_then(|event| event.message.as_deref())
}

fn latest_of(events: &[Event]) -> Option<&Event> {
    events.iter().max_by_key(|event| time(event))
}

fn time(event: &Event) -> Option<Timestamp> {
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    last.or_else(|| event.event_time.as_ref().map(|time| time.0))
}

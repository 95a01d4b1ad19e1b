//! Containers that have ended: exit codes and last words.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use serde::Deserialize;

use super::{Diagnosis, Place, Verdict};
use crate::api_error::one_line;
use crate::report::Outcome;

/// Lines of a foreign program's last words that are shown.
const LINES: usize = 12;

/// How a pod ended that did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Container; none when the pod as a whole was ended.
    pub container: Option<String>,
    /// Exit code.
    pub code: Option<i32>,
    /// `OOMKilled`, `Evicted`, `StartError`.
    pub reason: String,
    /// Last words.
    pub message: String,
    /// The cluster took the pod away; the Job does not count it.
    pub disrupted: bool,
}

/// How a pod ended; `None` while it works and when it has done its work.
pub(crate) fn ended(pod: &Pod) -> Option<Ended> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Failed") {
        return None;
    }
    let disruption = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True");
    let terminated = |state: &Option<k8s_openapi::api::core::v1::ContainerState>| -> Option<ContainerStateTerminated> {
        state.as_ref()?.terminated.clone().filter(|terminated| terminated.exit_code != 0)
    };
    let init = status.init_container_statuses.iter().flatten();
    let main = status.container_statuses.iter().flatten();
    let container = init
        .chain(main)
        .find_map(|container| Some((container.name.clone(), terminated(&container.state)?)));
    let (name, terminated) = match container {
        Some((name, terminated)) => (Some(name), Some(terminated)),
        None => (None, None),
    };
    let of_pod = disruption
        .and_then(|condition| condition.reason.clone())
        .or_else(|| status.reason.clone());
    let said = disruption
        .and_then(|condition| condition.message.clone())
        .or_else(|| status.message.clone());
    let own = terminated
        .as_ref()
        .and_then(|terminated| terminated.message.clone());
    Some(Ended {
        container: name,
        code: terminated.as_ref().map(|terminated| terminated.exit_code),
        reason: of_pod
            .or_else(|| {
                terminated
                    .as_ref()
                    .and_then(|terminated| terminated.reason.clone())
            })
            .unwrap_or_default(),
        message: own
            .filter(|own| !own.trim().is_empty())
            .or(said)
            .unwrap_or_default(),
        disrupted: disruption.is_some(),
    })
}

/// What forerun writes into the termination message.
#[derive(Debug, Deserialize)]
struct LastWords {
    exit_code: i32,
    message: String,
    place: Option<String>,
    #[serde(default)]
    details: Vec<String>,
    state: Option<String>,
    hint: Option<String>,
}

/// What forerun itself said at its end, where no retry can mend it: outcome, message, advice.
pub(super) fn refusal(code: i32, message: &str) -> Option<(Outcome, String, Option<String>)> {
    let words: LastWords = serde_json::from_str(message.trim()).ok()?;
    (words.exit_code == code && (2..=5).contains(&code))
        .then(|| (meaning(code).1, one_line(&words.message), words.hint))
}

/// What an end means.
pub(crate) fn of_ended(pod: &Pod, ended: &Ended, namespace: &str) -> Diagnosis {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let place = Place {
        namespace,
        kind: "Pod",
        name,
    };
    let words: Option<LastWords> = serde_json::from_str(ended.message.trim()).ok();
    let words = words.filter(|words| Some(words.exit_code) == ended.code);
    let mut found = match (&words, ended.code, ended.reason.as_str()) {
        (_, _, reason) if ended.disrupted => place.diagnosis(
            "disrupted",
            (Verdict::Heals, Outcome::Temporary),
            format!("the cluster took the pod away: {}", disruption(reason)),
            "The Job starts another one, which goes on where this one stopped; it does not count \
             as a failure.",
        ),
        (_, _, "OOMKilled") => place.diagnosis(
            "out_of_memory",
            (Verdict::Heals, Outcome::MigrationFailed),
            "the container ran out of memory (OOMKilled)",
            "Raise resources.limits.memory of the migration in the values.",
        ),
        (_, _, "Evicted") => place.diagnosis(
            "evicted",
            (Verdict::Heals, Outcome::Temporary),
            "the node evicted the pod",
            "Run it again; set requests for what the migration needs (memory, ephemeral-storage).",
        ),
        (Some(words), Some(code), _) => {
            let (code_word, outcome, _) = meaning(code);
            // The engine does not know who runs it.
            let advice = words.hint.as_deref().map_or_else(
                || "Correct it and deploy again.".to_owned(),
                |hint| hint.replace("run `forerun migrate up` again", "deploy again"),
            );
            place.diagnosis(
                code_word,
                (Verdict::Heals, outcome),
                one_line(&words.message),
                advice,
            )
        }
        (None, Some(code @ (126..=128)), reason) => place.diagnosis(
            "command",
            // Of a shell's 127 it is not known what was not found; the runtime says it of the command itself.
            (
                if reason == "StartError" {
                    Verdict::Fatal
                } else {
                    Verdict::Heals
                },
                Outcome::Configuration,
            ),
            format!(
                "the command of the container cannot be run ({}exit code {code})",
                prefix(reason)
            ),
            "Correct command and args of the values: the image has no such program.",
        ),
        (None, Some(code), reason) => {
            let (code_word, outcome, meaning) = meaning(code);
            let meaning = meaning
                .map(|meaning| format!(" ({meaning})"))
                .unwrap_or_default();
            let text = format!("the container exited with code {code}{meaning}");
            let text = match reason {
                "" | "Error" => text,
                reason => format!("{text}: {reason}"),
            };
            place.diagnosis(
                code_word,
                (Verdict::Heals, outcome),
                text,
                "Correct what its log says, and deploy again.",
            )
        }
        (None, None, reason) => place.diagnosis(
            "pod_failed",
            (Verdict::Heals, Outcome::Temporary),
            format!(
                "the pod was ended{}",
                if reason.is_empty() {
                    String::new()
                } else {
                    format!(": {reason}")
                }
            ),
            "Look at the pod and its node.",
        ),
        (Some(_), None, _) => place.diagnosis(
            "pod_failed",
            (Verdict::Heals, Outcome::Temporary),
            "the pod was ended",
            "Look at the pod.",
        ),
    };
    if let Some(container) = &ended.container {
        found.look = format!("kubectl logs {name} -c {container} -n {namespace}");
        if container != "migrate" {
            found = found.detail("container", container.clone());
        }
    }
    if let Some(words) = &words {
        if let Some(code) = ended.code {
            let meaning = meaning(code)
                .2
                .map(|meaning| format!(": {meaning}"))
                .unwrap_or_default();
            found = found.detail("exit code", format!("{code}{meaning}"));
        }
        let place = words.place.iter().map(|place| ("at", place));
        let details = words.details.iter().map(|detail| ("details", detail));
        let state = words.state.iter().map(|state| ("database", state));
        for (label, text) in place.chain(details).chain(state) {
            found = found.detail(label, text.clone());
        }
    } else if !ended.message.trim().is_empty() {
        let lines: Vec<&str> = ended.message.trim().lines().collect();
        let shown = lines
            .get(lines.len().saturating_sub(LINES)..)
            .unwrap_or_default();
        found = found.detail("last words", shown.join("\n"));
    }
    found
}

/// Stable word, outcome and meaning of an exit code. The codes are the contract of the command line.
fn meaning(code: i32) -> (&'static str, Outcome, Option<&'static str>) {
    match code {
        2 => (
            "configuration",
            Outcome::Configuration,
            Some("usage or configuration"),
        ),
        3 => (
            "migration_failed",
            Outcome::MigrationFailed,
            Some("a migration failed"),
        ),
        4 => (
            "history_conflict",
            Outcome::HistoryConflict,
            Some("history and directory contradict each other"),
        ),
        5 => (
            "refused",
            Outcome::Refused,
            Some("refused by a safety rule"),
        ),
        6 => ("not_up_to_date", Outcome::Temporary, Some("not up to date")),
        75 => ("temporary", Outcome::Temporary, Some("temporary")),
        129 | 130 | 143 => (
            "interrupted",
            Outcome::Temporary,
            Some("interrupted by a signal"),
        ),
        137 => ("killed", Outcome::Temporary, Some("killed")),
        139 => (
            "crashed",
            Outcome::MigrationFailed,
            Some("segmentation fault"),
        ),
        _ => ("failed", Outcome::MigrationFailed, None),
    }
}

fn disruption(reason: &str) -> &str {
    match reason {
        "PreemptionByScheduler" => "a pod of higher priority needed the room",
        "DeletionByTaintManager" => "its node was tainted",
        "EvictionByEvictionAPI" => "it was evicted, by a drain for example",
        "DeletionByPodGC" => "its node is gone",
        "TerminationByKubelet" => "its node was shut down or was short of resources",
        other => other,
    }
}

fn prefix(reason: &str) -> String {
    match reason {
        "" | "Error" => String::new(),
        reason => format!("{reason}, "),
    }
}

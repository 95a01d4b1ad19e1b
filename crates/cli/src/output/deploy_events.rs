//! Events of a deploy for people: a line for what happened, and on a terminal a spinner for what is under way.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use forerun_cluster::{Change, Diagnosis, Event, Wave};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::style::{
    BAD, DIM, GOOD, WARNING, count, one_line, paint, printable, took, whole_seconds,
};

/// Turns events into lines and keeps the spinner.
pub(super) struct DeployEvents {
    spinners: bool,
    verbose: bool,
    quiet: bool,
    spinner: Mutex<Option<ProgressBar>>,
}

impl DeployEvents {
    pub fn new(spinners: bool, verbose: bool, quiet: bool) -> Self {
        Self {
            spinners,
            verbose,
            quiet,
            spinner: Mutex::new(None),
        }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event, write: &dyn Fn(&str)) {
        let mut spinner = self.spinner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = line(event, self.verbose, self.quiet) {
            match &*spinner {
                Some(spinner) => spinner.suspend(|| write(&format!("{line}\n"))),
                None => write(&format!("{line}\n")),
            }
        }
        if let Some(message) = under_way(event).filter(|_| self.spinners) {
            spinner.get_or_insert_with(new_spinner).set_message(message);
        }
    }

    /// Takes the spinner away.
    pub fn end(&self) {
        let mut spinner = self.spinner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spinner) = spinner.take() {
            spinner.finish_and_clear();
        }
    }
}

fn new_spinner() -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// What goes on from this event on.
fn under_way(event: &Event) -> Option<String> {
    Some(match event {
        Event::DeployStarted { .. } => "checking what is there".to_owned(),
        Event::DeployWaiting { .. } => "waiting for another deploy".to_owned(),
        Event::ObjectApplied { kind, name, .. } => format!("applied {kind} {}", one_line(name)),
        Event::StepStarted { job, .. } => format!("Job {}: waiting for its pod", one_line(job)),
        Event::JobReplaced { job, .. } => {
            format!("Job {}: waiting for the earlier one to go", one_line(job))
        }
        Event::PodStarted { job, .. } => format!("Job {}", one_line(job)),
        Event::Log { job, line, .. } => match engine_progress(line) {
            Some(progress) => format!("Job {}: {progress}", one_line(job)),
            None => return None,
        },
        Event::RolloutProgress { deployment, .. } => format!("rollout of {}", one_line(deployment)),
        Event::StepFinished { .. } | Event::RolloutFinished { .. } => "going on".to_owned(),
        _ => return None,
    })
}

/// The line for an event; `None` when it is not worth one.
fn line(event: &Event, verbose: bool, quiet: bool) -> Option<String> {
    let dim = |text: String| paint(DIM, text);
    let warning = |text: String| format!("{} {text}", paint(WARNING, "warning:"));
    let always = matches!(
        event,
        Event::Warning { .. }
            | Event::Problem { .. }
            | Event::DeployTakenOver { .. }
            | Event::ObjectKept { .. }
    );
    if quiet && !always {
        return None;
    }
    Some(match event {
        Event::DeployStarted {
            release,
            namespace,
            server,
            steps,
            objects,
        } => dim(format!(
            "deploy {} to namespace {} of {server}: {}, {}",
            one_line(release),
            one_line(namespace),
            count(*steps, "migration step"),
            count(*objects, "object")
        )),
        Event::DeployWaiting { holder, waited } => dim(format!(
            "… waiting for another deploy{}: {}",
            after(*waited),
            one_line(holder)
        )),
        Event::DeployTakenOver { holder } => warning(format!(
            "the deploy of {} ended without giving its lease back; it was taken over",
            one_line(holder)
        )),
        Event::ObjectApplied {
            kind, name, change, ..
        } => {
            let (mark, word) = match change {
                Change::Created => (paint(GOOD, "+"), "created"),
                Change::Changed => (paint(WARNING, "~"), "changed"),
                Change::Unchanged if verbose => (" ".to_owned(), "unchanged"),
                Change::Unchanged => return None,
            };
            format!("{mark} {kind} {} {}", one_line(name), dim(word.to_owned()))
        }
        Event::StepStarted {
            wave,
            job,
            number,
            total,
            adopted,
        } => {
            let adopted = if *adopted {
                ", at work since an earlier deploy"
            } else {
                ""
            };
            let what = match wave {
                Wave::Ledger => "ledger".to_owned(),
                _ => format!("step {number} of {total}"),
            };
            format!(
                "{} {what}: Job {}{adopted}",
                paint(GOOD, "▸"),
                one_line(job)
            )
        }
        Event::JobReplaced { job, reason } => dim(format!(
            "… the earlier Job {} goes first: {}",
            one_line(job),
            one_line(reason)
        )),
        Event::PodStarted { pod, attempt, .. } => {
            if *attempt < 2 && !verbose {
                return None;
            }
            dim(format!("  pod {attempt}: {}", one_line(pod)))
        }
        Event::Log {
            container, line, ..
        } => {
            let line = log_line(line, verbose)?;
            let container = if container == "migrate" {
                String::new()
            } else {
                format!("{} ", one_line(container))
            };
            format!("  {} {line}", dim(format!("{container}│")))
        }
        Event::Problem { diagnosis } => problem(diagnosis),
        Event::StepFinished {
            job,
            duration,
            attempts,
        } => {
            let attempts = if *attempts > 1 {
                format!(", {attempts} pods")
            } else {
                String::new()
            };
            format!(
                "{} Job {} {}",
                paint(GOOD, "✓"),
                one_line(job),
                dim(format!("{}{attempts}", took(*duration)))
            )
        }
        Event::RolloutProgress {
            deployment,
            desired,
            updated,
            ready,
            old,
        } => {
            let old = if *old > 0 {
                format!(", {old} old")
            } else {
                String::new()
            };
            dim(format!(
                "… rollout of {}: {updated} of {desired} new, {ready} ready{old}",
                one_line(deployment)
            ))
        }
        Event::RolloutFinished {
            deployment,
            replicas,
        } => format!(
            "{} Deployment {} {}",
            paint(GOOD, "✓"),
            one_line(deployment),
            dim(format!("{replicas} ready"))
        ),
        Event::ObjectPruned { kind, name } => format!(
            "{} {kind} {} {}",
            paint(BAD, "−"),
            one_line(name),
            dim("deleted".to_owned())
        ),
        Event::ObjectKept { kind, name, reason } => warning(format!(
            "{kind} {} left the values and stays: {}",
            one_line(name),
            one_line(reason)
        )),
        Event::Warning { message, .. } => warning(printable(message)),
    })
}

fn problem(diagnosis: &Diagnosis) -> String {
    let mut text = format!(
        "{} {}: {}",
        paint(WARNING, "problem:"),
        one_line(&diagnosis.object),
        one_line(&diagnosis.message)
    );
    for detail in &diagnosis.details {
        for line in printable(&detail.text).lines() {
            text.push_str(&format!(
                "\n    {}",
                paint(DIM, format!("{}: {line}", detail.label))
            ));
        }
    }
    text
}

fn after(waited: Duration) -> String {
    if waited.as_secs() == 0 {
        String::new()
    } else {
        format!(" for {}", whole_seconds(waited))
    }
}

/// A line of a container. Of forerun's own JSON, what a person wants to know.
fn log_line(line: &str, verbose: bool) -> Option<String> {
    let Some(event) = engine_event(line) else {
        return Some(printable(line));
    };
    let text = |pointer: &str| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(one_line)
            .unwrap_or_default()
    };
    let seconds = |pointer: &str| {
        took(Duration::from_secs_f64(
            event
                .pointer(pointer)
                .and_then(Value::as_f64)
                .unwrap_or(0.0)
                .clamp(0.0, 1e9),
        ))
    };
    Some(match text("/event").as_str() {
        "run_started" => paint(DIM, format!("{}: {}", text("/command"), text("/target"))),
        "database_waiting" => paint(
            DIM,
            format!("… waiting for the database: {}", text("/error/message")),
        ),
        "lock_waiting" => {
            let holder = match (text("/holder/actor"), text("/holder/host")) {
                (actor, _) if actor.is_empty() => "another runner".to_owned(),
                (actor, host) => format!("{actor} on {host}"),
            };
            format!(
                "{} the runner lock is held by {holder}",
                paint(WARNING, "waiting:")
            )
        }
        "lock_taken_over" => format!(
            "{} the runner lock was taken over from {}",
            paint(WARNING, "warning:"),
            text("/holder/host")
        ),
        "blocked" => {
            let blockers = event
                .pointer("/blockers")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let names: Vec<String> = blockers
                .iter()
                .map(|blocker| {
                    let text = |key: &str| {
                        blocker
                            .get(key)
                            .and_then(Value::as_str)
                            .map(one_line)
                            .unwrap_or_default()
                    };
                    let known: Vec<String> = [text("application"), text("state")]
                        .into_iter()
                        .filter(|part| !part.is_empty())
                        .collect();
                    let session = format!("session {} of {}", text("backend"), text("user"));
                    if known.is_empty() {
                        session
                    } else {
                        format!("{session} ({})", known.join(", "))
                    }
                })
                .collect();
            format!(
                "{} waits for a lock held by {}",
                paint(WARNING, "waiting:"),
                names.join(", ")
            )
        }
        "retrying" => format!(
            "{} tries again: {}",
            paint(WARNING, "retry:"),
            text("/error/message")
        ),
        "migration_finished" => format!(
            "{} {} {}",
            paint(GOOD, "✓"),
            text("/script"),
            paint(DIM, seconds("/duration"))
        ),
        "warning" => format!("{} {}", paint(WARNING, "warning:"), text("/message")),
        "held" => format!(
            "{} {}: {}",
            paint(WARNING, "held:"),
            text("/script"),
            messages(event.pointer("/reasons"))
        ),
        "gate_overridden" => format!(
            "{} {} runs although it should wait ({}): {}",
            paint(WARNING, "warning:"),
            text("/script"),
            messages(event.pointer("/gates")),
            text("/reason")
        ),
        "notice" if verbose => paint(DIM, format!("{}: {}", text("/severity"), text("/message"))),
        "stopping" => paint(WARNING, format!("stopping: {}", text("/reason"))),
        "run_finished" => text("/message"),
        _ if verbose => paint(DIM, printable(line)),
        _ => return None,
    })
}

/// The messages of a list of reasons.
fn messages(reasons: Option<&Value>) -> String {
    let reasons = reasons.and_then(Value::as_array).into_iter().flatten();
    let messages = reasons.filter_map(|reason| reason.get("message").and_then(Value::as_str));
    messages.map(one_line).collect::<Vec<_>>().join("; ")
}

fn engine_event(line: &str) -> Option<Value> {
    let event: Value = line
        .starts_with('{')
        .then(|| serde_json::from_str(line).ok())??;
    (event.get("format").is_some() && event.get("event").is_some_and(Value::is_string))
        .then_some(event)
}

/// What the engine is doing, for the spinner.
fn engine_progress(line: &str) -> Option<String> {
    let event = engine_event(line)?;
    let text = |key: &str| {
        event
            .get(key)
            .and_then(Value::as_str)
            .map(one_line)
            .unwrap_or_default()
    };
    let number = |key: &str| event.get(key).and_then(Value::as_u64).unwrap_or(0);
    match text("event").as_str() {
        "database_waiting" => Some("waiting for the database".to_owned()),
        "lock_waiting" => Some("waiting for the runner lock".to_owned()),
        "migration_started" => Some(format!(
            "{} ({} of {})",
            text("script"),
            number("number"),
            number("total")
        )),
        "progress" if number("bytes_total") > 0 => Some(format!(
            "{}% of the script",
            number("bytes_done").saturating_mul(100) / number("bytes_total")
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_engine_become_words_and_others_stay() {
        let finished = r#"{"format":1,"at":"x","event":"migration_finished","version":"7","script":"0007_a.sql","duration":0.042}"#;
        let plain = |line: &str| {
            log_line(line, false).map(|line| anstream::adapter::strip_str(&line).to_string())
        };
        assert_eq!(plain(finished).as_deref(), Some("✓ 0007_a.sql 42ms"));
        let lock = r#"{"format":1,"event":"lock_waiting","holder":{"actor":"app","host":"pod-1"}}"#;
        assert_eq!(
            plain(lock).as_deref(),
            Some("waiting: the runner lock is held by app on pod-1")
        );
        let held = r#"{"format":1,"event":"held","script":"0009_a.sql","reasons":[{"gate":"after","message":"one"},{"message":"two"}]}"#;
        assert_eq!(plain(held).as_deref(), Some("held: 0009_a.sql: one; two"));
        assert_eq!(plain(r#"{"format":1,"event":"statement_started"}"#), None);
        assert_eq!(
            plain("Applying auth.0001_initial... OK").as_deref(),
            Some("Applying auth.0001_initial... OK")
        );
        assert_eq!(
            plain(r#"{"level":"info"}"#).as_deref(),
            Some(r#"{"level":"info"}"#)
        );
        assert_eq!(plain("a\u{1b}[2J").as_deref(), Some("a·[2J"));
    }

    #[test]
    fn progress_of_the_engine_is_under_way() {
        let line = r#"{"format":1,"event":"migration_started","script":"0007_a.sql","number":2,"total":5}"#;
        assert_eq!(
            engine_progress(line).as_deref(),
            Some("0007_a.sql (2 of 5)")
        );
        let line = r#"{"format":1,"event":"progress","bytes_done":50,"bytes_total":200}"#;
        assert_eq!(engine_progress(line).as_deref(), Some("25% of the script"));
    }
}

//! The events of `forerun deploy`, for `events.md`.

use std::fmt::Write;
use std::time::Duration;

use forerun_cluster::{Change, Detail, Diagnosis, Event, Outcome, Verdict, Wave};

pub(super) fn section() -> String {
    let mut text = "\n# Events of `forerun deploy`\n\nThe first line is `deploy_started`, the \
                    last one `run_finished` as above. Lines that \
                    containers wrote are in `log`; those of forerun itself are JSON again, as \
                    above.\n"
        .to_owned();
    for event in examples() {
        let Ok(value) = serde_json::to_value(&event) else {
            continue;
        };
        let name = value
            .get("event")
            .and_then(|name| name.as_str())
            .unwrap_or_default();
        let _ = write!(
            text,
            "\n## {name}\n\n{}\n\n```json\n{value}\n```\n",
            meaning(&event)
        );
    }
    text
}

/// What an event says. The compiler asks for one for each.
fn meaning(event: &Event) -> &'static str {
    match event {
        Event::DeployStarted { .. } => "The deploy holds the lease of the release and begins.",
        Event::DeployWaiting { .. } => {
            "Another deploy of the release is at work. Repeated every \
                                        ten seconds."
        }
        Event::DeployTakenOver { .. } => "The lease of a deploy that died was taken over.",
        Event::ObjectApplied { .. } => {
            "An object is as it should be. `change` is `created`, \
                                        `changed` or `unchanged`; `wave` is `migration`, \
                                        `configuration` or `application`."
        }
        Event::StepStarted { .. } => {
            "The Job of a step is there. `wave` is `migration`, or `ledger` for the Job that closes \
             the ledger after the rollout. `adopted`: it was at work since an earlier deploy."
        }
        Event::JobReplaced { .. } => "An earlier Job of the same name goes first.",
        Event::PodStarted { .. } => "A pod of the Job runs.",
        Event::Log { .. } => "A line that a container of the Job wrote.",
        Event::Problem { .. } => {
            "Something is wrong that may pass: the deploy goes on as long as \
                                  it can."
        }
        Event::StepFinished { .. } => "The Job is done.",
        Event::RolloutProgress { .. } => {
            "How far the rollout of a Deployment is. Sent when it \
                                          changes."
        }
        Event::RolloutFinished { .. } => "Every replica is of the new version and ready.",
        Event::ObjectPruned { .. } => "An object that left the values is deleted.",
        Event::ObjectKept { .. } => "An object that left the values stays, and why.",
        Event::Warning { .. } => {
            "Something to look at that does not stop the deploy. `code` is a \
                                  stable word."
        }
    }
}

fn examples() -> Vec<Event> {
    let job = || "shop-migrations".to_owned();
    let pod = || "shop-migrations-x7k2p".to_owned();
    let shop = || "shop".to_owned();
    vec![
        Event::DeployStarted {
            release: shop(),
            namespace: "prod".to_owned(),
            server: "https://10.0.0.1:6443".to_owned(),
            steps: 1,
            objects: 6,
        },
        Event::DeployWaiting {
            holder: "alice@build-7 (run 5f0c2a9be1d34477), since 2026-11-21T10:00:00Z".to_owned(),
            waited: Duration::from_secs(10),
        },
        Event::DeployTakenOver {
            holder: "alice@build-7 (run 5f0c2a9be1d34477)".to_owned(),
        },
        Event::ObjectApplied {
            wave: Wave::Application,
            kind: "Deployment".to_owned(),
            name: shop(),
            change: Change::Changed,
        },
        Event::StepStarted {
            wave: Wave::Migration,
            job: job(),
            number: 1,
            total: 1,
            adopted: false,
        },
        Event::JobReplaced {
            job: job(),
            reason: "it has ended".to_owned(),
        },
        Event::PodStarted {
            job: job(),
            pod: pod(),
            attempt: 1,
        },
        Event::Log {
            job: job(),
            pod: pod(),
            container: "migrate".to_owned(),
            line: "Applying auth.0001_initial... OK".to_owned(),
        },
        Event::Problem {
            diagnosis: Diagnosis {
                code: "missing_configuration",
                message: "Secret shop-db does not exist".to_owned(),
                object: format!("Pod {}", pod()),
                look: format!("kubectl describe pod {} -n prod", pod()),
                details: vec![Detail {
                    label: "container",
                    text: "migrate".to_owned(),
                }],
                advice: "Create it in the namespace, put it under configs of the values, or \
                         correct the reference to it."
                    .to_owned(),
                verdict: Verdict::Heals,
                outcome: Outcome::Configuration,
            },
        },
        Event::StepFinished {
            job: job(),
            duration: Duration::from_millis(7100),
            attempts: 1,
        },
        Event::RolloutProgress {
            deployment: shop(),
            desired: 3,
            updated: 1,
            ready: 1,
            old: 3,
        },
        Event::RolloutFinished {
            deployment: shop(),
            replicas: 3,
        },
        Event::ObjectPruned {
            kind: "ConfigMap".to_owned(),
            name: "settings".to_owned(),
        },
        Event::ObjectKept {
            kind: "PersistentVolumeClaim".to_owned(),
            name: "data".to_owned(),
            reason: "it may hold data; to delete it: kubectl delete persistentvolumeclaim/data -n \
                     prod"
                .to_owned(),
        },
        Event::Warning {
            code: "replicas_left",
            message: "the number of replicas of Deployment shop is left as it is: …".to_owned(),
        },
    ]
}

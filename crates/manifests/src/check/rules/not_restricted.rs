//! Pods that a namespace with Pod Security "restricted" refuses.

use crate::check::field::Field;
use crate::check::release::{MigrationJob, containers};
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "not-restricted",
    severity: Severity::Warning,
    title: "The Job asks for more rights on its node than a migration needs",
    why: "A namespace that enforces the Pod Security Standard \"restricted\" refuses the pods of the Job: the Job exists, no \
          pod ever starts, and the deployment runs into its timeout. Elsewhere a program with the rights of a database \
          owner runs as root.",
    fix: "Set what the standard asks for. A migration needs none of the rights.",
    yaml: "spec:
  template:
    spec:
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: migrate
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}",
    scope: Scope::Job(check),
};

fn check(job: &MigrationJob<'_>, reporter: &mut Reporter) {
    if job.pod.at("os.name").text() == Some("windows") {
        return;
    }
    let mut gaps = Vec::new();
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        if job.pod.get(key).is_true() {
            gaps.push(key.to_owned());
        }
    }
    if job
        .pod
        .get("volumes")
        .items()
        .any(|volume| volume.get("hostPath").exists())
    {
        gaps.push("a hostPath volume".to_owned());
    }
    let pod = job.pod.get("securityContext");
    for container in containers(&job.pod) {
        let missing = missing(&pod, &container.get("securityContext"));
        if !missing.is_empty() {
            let name = MigrationJob::container_name(&container);
            gaps.push(format!("container {name} lacks {}", missing.join(", ")));
        }
    }
    if !gaps.is_empty() {
        let message = format!(
            "Pod Security \"restricted\" refuses this pod: {}",
            gaps.join("; ")
        );
        reporter.report(job.object, pod.path(), message);
    }
}

/// What a container must have and has not, its own settings before those of the pod.
fn missing(pod: &Field<'_>, container: &Field<'_>) -> Vec<&'static str> {
    let effective = |key: &str| {
        let own = container.get(key);
        if own.exists() { own } else { pod.get(key) }
    };
    let mut missing = Vec::new();
    if !effective("runAsNonRoot").is_true() {
        missing.push("runAsNonRoot: true");
    }
    if effective("runAsUser").integer() == Some(0) {
        missing.push("a runAsUser that is not 0");
    }
    let profile = effective("seccompProfile").get("type");
    if !matches!(profile.text(), Some("RuntimeDefault" | "Localhost")) {
        missing.push("seccompProfile");
    }
    if !container.get("allowPrivilegeEscalation").is_false() {
        missing.push("allowPrivilegeEscalation: false");
    }
    if container.get("privileged").is_true() {
        missing.push("privileged: false");
    }
    if !container.at("capabilities.drop").texts().contains(&"ALL") {
        missing.push("capabilities.drop: [ALL]");
    }
    let added = container.at("capabilities.add").texts();
    if added
        .iter()
        .any(|capability| *capability != "NET_BIND_SERVICE")
    {
        missing.push("capabilities without add");
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn rights() {
        let pod = |part: &str| format!("spec: {{template: {{spec: {part}}}}}");
        found(
            &RULE,
            &pod("{securityContext: {runAsNonRoot: null}}"),
            "lacks runAsNonRoot: true",
        );
        found(&RULE, &pod("{securityContext: {runAsUser: 0}}"), "not 0");
        found(&RULE, &pod("{hostNetwork: true}"), "hostNetwork");
        found(
            &RULE,
            &pod("{containers: {0: {securityContext: {capabilities: {drop: [NET_RAW]}}}}}"),
            "drop: [ALL]",
        );
        found(
            &RULE,
            &pod("{initContainers: [{name: wait, image: 'a:1'}]}"),
            "container wait lacks",
        );
        found(
            &RULE,
            &pod("{volumes: [{name: a, hostPath: {path: /}}]}"),
            "hostPath",
        );
        clean(&RULE, "{}");
    }
}

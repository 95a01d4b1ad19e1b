//! Sidecars that a mesh or an agent adds to the pod.

use crate::check::field::Field;
use crate::check::release::Release;
use crate::check::rule::{Reporter, Rule, Scope, Severity};

pub const RULE: Rule = Rule {
    id: "mesh-sidecar",
    severity: Severity::Warning,
    title: "An injected sidecar keeps the Job from ending",
    why: "Istio, Linkerd and the Vault agent add a container to every pod of a namespace or with their annotation. Unless it \
          is a native sidecar, it goes on running when the migration has ended, and the Job never completes.",
    fix: "Ask for native sidecars, or leave the sidecar out of the Job.",
    yaml: "spec:
  template:
    metadata:
      annotations:
        sidecar.istio.io/nativeSidecar: \"true\"    # or sidecar.istio.io/inject: \"false\"
        linkerd.io/inject: disabled                # or config.linkerd.io/proxy-enable-native-sidecar: \"true\"",
    scope: Scope::Release(check),
};

/// A program that adds sidecars.
struct Injector {
    name: &'static str,
    /// Labels and annotations that ask for it, with the values that do; none: any.
    asks: &'static [(&'static str, &'static [&'static str])],
    /// Those that make it harmless.
    harmless: &'static [(&'static str, &'static [&'static str])],
    /// The annotation that is missing.
    missing: &'static str,
    /// The group of its objects, which say that it is in use.
    group: &'static str,
}

const INJECTORS: [Injector; 3] = [
    Injector {
        name: "Istio",
        asks: &[
            ("istio-injection", &["enabled"]),
            ("istio.io/rev", &[]),
            ("sidecar.istio.io/inject", &["true"]),
        ],
        harmless: &[
            ("sidecar.istio.io/inject", &["false"]),
            ("sidecar.istio.io/nativeSidecar", &["true"]),
            ("istio.io/dataplane-mode", &["ambient"]),
        ],
        missing: "sidecar.istio.io/nativeSidecar: \"true\"",
        group: "networking.istio.io/",
    },
    Injector {
        name: "Linkerd",
        asks: &[("linkerd.io/inject", &["enabled", "ingress"])],
        harmless: &[
            ("linkerd.io/inject", &["disabled"]),
            ("config.linkerd.io/proxy-enable-native-sidecar", &["true"]),
            (
                "config.alpha.linkerd.io/proxy-enable-native-sidecar",
                &["true"],
            ),
            (
                "config.beta.linkerd.io/proxy-enable-native-sidecar",
                &["true"],
            ),
        ],
        missing: "config.linkerd.io/proxy-enable-native-sidecar: \"true\"",
        group: "policy.linkerd.io/",
    },
    Injector {
        name: "the Vault agent",
        asks: &[("vault.hashicorp.com/agent-inject", &["true"])],
        harmless: &[
            ("vault.hashicorp.com/agent-inject", &["false"]),
            ("vault.hashicorp.com/agent-pre-populate-only", &["true"]),
        ],
        missing: "vault.hashicorp.com/agent-pre-populate-only: \"true\"",
        group: "",
    },
];

fn check(release: &Release, reporter: &mut Reporter) {
    for injector in &INJECTORS {
        let everywhere = in_use(release, injector);
        for job in release.jobs() {
            let metadata = job.template.get("metadata");
            let asked = says(&metadata, injector.asks);
            if (everywhere || asked) && !says(&metadata, injector.harmless) {
                let path = metadata.path().key("annotations");
                let message = format!(
                    "{} adds a sidecar to the pods of this Job, and without {} it keeps the Job from ending",
                    injector.name, injector.missing
                );
                reporter.report(job.object, &path, message);
            }
        }
    }
}

/// The namespace asks for it, or the release holds objects of it.
fn in_use(release: &Release, injector: &Injector) -> bool {
    release.objects.iter().any(|object| {
        let group = !injector.group.is_empty() && object.api_version.starts_with(injector.group);
        let namespace =
            object.kind == "Namespace" && says(&object.root().get("metadata"), injector.asks);
        group || namespace
    })
}

/// A label or annotation has one of these values.
fn says(metadata: &Field<'_>, wanted: &[(&str, &[&str])]) -> bool {
    let (labels, annotations) = (metadata.get("labels"), metadata.get("annotations"));
    wanted.iter().any(|(key, values)| {
        [labels.get(key), annotations.get(key)]
            .iter()
            .filter_map(Field::text)
            .any(|value| values.is_empty() || values.contains(&value))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::testing::{clean, found};

    #[test]
    fn injectors() {
        let pod = |annotation: &str| {
            format!(
                "spec: {{template: {{metadata: {{annotations: {{sidecar.istio.io/nativeSidecar: null, {annotation}}}}}}}}}"
            )
        };
        found(
            &RULE,
            &pod("sidecar.istio.io/inject: 'true'"),
            "Istio adds a sidecar",
        );
        found(
            &RULE,
            &pod("linkerd.io/inject: enabled"),
            "Linkerd adds a sidecar",
        );
        found(
            &RULE,
            &pod("vault.hashicorp.com/agent-inject: 'true'"),
            "the Vault agent",
        );
        clean(
            &RULE,
            &pod(
                "vault.hashicorp.com/agent-inject: 'true', vault.hashicorp.com/agent-pre-populate-only: 'true'",
            ),
        );
        let namespace = "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n";
        found(
            &RULE,
            &format!("{}{namespace}", pod("a: b")),
            "Istio adds a sidecar",
        );
        clean(
            &RULE,
            &format!("{}{namespace}", pod("sidecar.istio.io/inject: 'false'")),
        );
        clean(&RULE, &format!("{{}}{namespace}"));
        clean(&RULE, &pod("a: b"));
    }
}

//! References of container images: `registry:5000/group/name:tag@sha256:…`.

/// Words in image names of programs that run beside others until they are stopped.
const ENDLESS: [&str; 16] = [
    "proxy",
    "envoy",
    "istio",
    "linkerd",
    "pgbouncer",
    "pgcat",
    "vault-agent",
    "fluent",
    "otel",
    "opentelemetry",
    "collector",
    "daprd",
    "cloudflared",
    "tailscale",
    "agent",
    "consul",
];

/// The parts of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageReference<'a> {
    /// Registry and name.
    pub repository: &'a str,
    /// Tag.
    pub tag: Option<&'a str>,
    /// Digest.
    pub digest: Option<&'a str>,
}

impl<'a> ImageReference<'a> {
    /// Splits a reference. Every text has a repository.
    pub fn parse(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before a slash belongs to the port of the registry.
        let name = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest.get(name..).and_then(|name| name.find(':')) {
            Some(colon) => (
                rest.get(..name + colon).unwrap_or(rest),
                rest.get(name + colon + 1..),
            ),
            None => (rest, None),
        };
        Self {
            repository,
            tag: tag.filter(|tag| !tag.is_empty()),
            digest,
        }
    }

    /// The last part of the name.
    pub fn name(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// By its name a proxy or an agent, which never ends by itself.
    pub fn runs_until_stopped(&self) -> bool {
        let name = self.name().to_ascii_lowercase();
        ENDLESS.iter().any(|word| name.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_registry_is_no_tag() {
        for (text, repository, tag, digest) in [
            ("app", "app", None, None),
            ("app:1", "app", Some("1"), None),
            ("localhost:5000/app", "localhost:5000/app", None, None),
            (
                "localhost:5000/app:v1@sha256:ab",
                "localhost:5000/app",
                Some("v1"),
                Some("sha256:ab"),
            ),
            ("", "", None, None),
            (":", "", None, None),
            ("a/b:", "a/b", None, None),
        ] {
            let parsed = ImageReference::parse(text);
            assert_eq!(
                (parsed.repository, parsed.tag, parsed.digest),
                (repository, tag, digest),
                "{text}"
            );
        }
        assert_eq!(ImageReference::parse("r.io/g/proxy:1").name(), "proxy");
    }
}

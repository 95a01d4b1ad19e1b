//! From a kubeconfig, or from inside a pod, to a [`Cluster`].
//!
//! Which files and variables there are is the caller's knowledge. Two things the client library looks up by itself:
//! HTTPS_PROXY, and inside a pod KUBERNETES_SERVICE_HOST and _PORT with the mounted token.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::api::Cluster;
use crate::api_error::{ApiError, ApiErrorKind};
use crate::report::{Outcome, Report};

const LOG_IN: &str = "Log in again, or correct the user of the kubeconfig.";

/// Where the cluster is described.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// A file that was asked for: nothing else is looked at.
    pub kubeconfig: Option<PathBuf>,
    /// The files of KUBECONFIG; those that do not exist are skipped, as kubectl does.
    pub kubeconfig_list: Vec<PathBuf>,
    /// The file in the home directory.
    pub kubeconfig_of_home: Option<PathBuf>,
    /// Context; the current one of the kubeconfig otherwise.
    pub context: Option<String>,
    /// Namespace; that of the context otherwise.
    pub namespace: Option<String>,
    /// Hosts that are reached without a proxy (NO_PROXY).
    pub no_proxy: Option<String>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing describes a cluster.
    #[error("no cluster is given: there is no kubeconfig, and this is not a pod of a cluster")]
    NoKubeconfig {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// The kubeconfig.
    #[error("the kubeconfig {origin} cannot be used: {message}")]
    Kubeconfig {
        /// Which.
        origin: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is no such context.
    #[error("the kubeconfig {origin} has no context `{context}`")]
    NoContext {
        /// Which kubeconfig.
        origin: String,
        /// What was asked for.
        context: String,
        /// What there is.
        known: Vec<String>,
    },
    /// No context is chosen.
    #[error("the kubeconfig {origin} has no current context")]
    NoCurrentContext {
        /// Which kubeconfig.
        origin: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A context was asked for and there is no kubeconfig.
    #[error("a context (`{0}`) needs a kubeconfig, and there is none")]
    ContextWithoutKubeconfig(String),
    /// Inside a pod, without what a pod has.
    #[error("this is a pod of a cluster whose API cannot be used from here: {0}")]
    InCluster(String),
    /// Who we are could not be found out.
    #[error("there are no credentials for {server}: {message}")]
    Credentials {
        /// Address.
        server: String,
        /// Why not.
        message: String,
    },
    /// The client cannot be made: certificates, keys, a proxy.
    #[error("the client of {server} cannot be made: {message}")]
    Client {
        /// Address.
        server: String,
        /// Why not.
        message: String,
    },
}

impl ConnectError {
    /// For people.
    pub fn report(&self) -> Report {
        let report = |code| {
            Report::new(Outcome::Configuration, code, self.to_string())
                .state("Nothing was changed.")
        };
        let contexts = |known: &[String]| {
            if known.is_empty() {
                "The kubeconfig has no contexts: check which file it is.".to_owned()
            } else {
                format!("Give one with --context: {}.", known.join(", "))
            }
        };
        match self {
            Self::NoKubeconfig { tried } => {
                let tried: Vec<String> = tried
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                let mut report = report("no_kubeconfig");
                if !tried.is_empty() {
                    report = report.detail("looked at", tried.join("\n"));
                }
                report.advise(
                    "Give one with --kubeconfig or KUBECONFIG; inside a cluster, mount \
                               the token of a service account.",
                )
            }
            Self::Kubeconfig { .. } => report("kubeconfig")
                .advise("Correct it; `kubectl config view` shows what is in it."),
            Self::NoContext { known, .. } | Self::NoCurrentContext { known, .. } => {
                report("context").advise(contexts(known))
            }
            Self::ContextWithoutKubeconfig(_) => report("context").advise(
                "Give a file with --kubeconfig or KUBECONFIG, or leave \
                                          --context out.",
            ),
            Self::InCluster(_) => report("in_cluster").advise(
                "Mount the token of a service account (automountServiceAccountToken: \
                         true), or give a --kubeconfig.",
            ),
            Self::Credentials { .. } => report("credentials").advise(LOG_IN),
            Self::Client { .. } => report("client").advise(
                "Check the certificates, keys and the \
                                                            proxy that the kubeconfig names.",
            ),
        }
    }
}

/// Makes the client. Nothing is sent yet.
///
/// # Errors
/// What is wrong with the description of the cluster.
pub async fn connect(connection: &Connection) -> Result<Cluster, ConnectError> {
    let mut config = config(connection).await?;
    // Tries and pauses are ours: the library's go on for a quarter of an hour.
    config.default_retry = false;
    let host = config.cluster_url.host().unwrap_or_default().to_owned();
    if config.proxy_url.is_some() && without_proxy(&host, connection.no_proxy.as_deref()) {
        config.proxy_url = None;
    }
    let server = config
        .cluster_url
        .to_string()
        .trim_end_matches('/')
        .to_owned();
    let namespace = connection
        .namespace
        .clone()
        .unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config).map_err(|error| {
        let error = ApiError::new(String::new(), &error);
        let (server, message) = (server.clone(), error.message);
        if error.kind == ApiErrorKind::Credentials {
            ConnectError::Credentials { server, message }
        } else {
            ConnectError::Client { server, message }
        }
    })?;
    Ok(Cluster::new(client, namespace, server))
}

async fn config(connection: &Connection) -> Result<Config, ConnectError> {
    let files = files(connection)?;
    if files.is_empty() {
        return in_cluster(connection);
    }
    let origin = files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(":");
    let broken = |error: &KubeconfigError| ConnectError::Kubeconfig {
        origin: origin.clone(),
        message: kubeconfig_message(error),
    };
    let mut kubeconfig = Kubeconfig::default();
    for file in &files {
        kubeconfig = Kubeconfig::read_from(file)
            .and_then(|next| kubeconfig.merge(next))
            .map_err(|error| broken(&error))?;
    }
    let known: Vec<String> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.clone())
        .collect();
    let options = KubeConfigOptions {
        context: connection.context.clone(),
        ..KubeConfigOptions::default()
    };
    match Config::from_custom_kubeconfig(kubeconfig, &options).await {
        Ok(config) => Ok(config),
        Err(KubeconfigError::LoadContext(context)) => Err(ConnectError::NoContext {
            origin,
            context,
            known,
        }),
        Err(KubeconfigError::CurrentContextNotSet) => {
            Err(ConnectError::NoCurrentContext { origin, known })
        }
        Err(error) => Err(broken(&error)),
    }
}

fn files(connection: &Connection) -> Result<Vec<PathBuf>, ConnectError> {
    if let Some(file) = &connection.kubeconfig {
        return Ok(vec![file.clone()]);
    }
    let exists = |file: &&PathBuf| file.exists();
    let list: Vec<PathBuf> = connection
        .kubeconfig_list
        .iter()
        .filter(exists)
        .cloned()
        .collect();
    if !list.is_empty() {
        return Ok(list);
    }
    let home = connection
        .kubeconfig_of_home
        .iter()
        .filter(exists)
        .cloned()
        .collect();
    // A KUBECONFIG that names no file is a mistake and no reason to take another cluster.
    if !connection.kubeconfig_list.is_empty() {
        return Err(ConnectError::NoKubeconfig {
            tried: connection.kubeconfig_list.clone(),
        });
    }
    Ok(home)
}

fn in_cluster(connection: &Connection) -> Result<Config, ConnectError> {
    use kube::config::InClusterError;
    if let Some(context) = &connection.context {
        return Err(ConnectError::ContextWithoutKubeconfig(context.clone()));
    }
    match Config::incluster() {
        Ok(config) => Ok(config),
        Err(InClusterError::ReadEnvironmentVariable(_)) => Err(ConnectError::NoKubeconfig {
            tried: connection.kubeconfig_of_home.iter().cloned().collect(),
        }),
        // The namespace comes first: without a mounted token nothing of it is there.
        Err(error) => Err(ConnectError::InCluster(error.to_string())),
    }
}

/// Without what the file says: tokens are in it.
fn kubeconfig_message(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(error, path) => format!("{}: {error}", path.display()),
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => format!(
                "it is not valid YAML of a kubeconfig at line {}, column {}",
                place.line(),
                place.column()
            ),
            None => "it is not valid YAML of a kubeconfig".to_owned(),
        },
        other => other.to_string(),
    }
}

/// Whether a host is reached without the proxy: itself or by a rule of NO_PROXY (names, `.suffix`, addresses, CIDR, `*`).
fn without_proxy(host: &str, no_proxy: Option<&str>) -> bool {
    let host = host.trim_matches(['[', ']']).to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .any(|rule| {
            let rule = rule.to_lowercase();
            match (address, rule.split_once('/')) {
                _ if rule == "*" => true,
                (Some(address), Some((network, bits))) => in_network(address, network, bits),
                (Some(_), None) => rule == host,
                (None, _) => {
                    let suffix = rule.trim_start_matches("*.").trim_start_matches('.');
                    !suffix.is_empty() && (host == suffix || host.ends_with(&format!(".{suffix}")))
                }
            }
        })
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(bits))
                .unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(bits))
                .unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

/// What an error of the API means for a deploy, wherever it happens.
pub(crate) fn report_of_api_error(error: &ApiError, server: &str, namespace: &str) -> Report {
    let report = |outcome, code| Report::new(outcome, code, error.to_string());
    match error.kind {
        ApiErrorKind::Unreachable | ApiErrorKind::TimedOut => report(Outcome::Temporary, "cluster_unreachable")
            .detail("server", server)
            .advise("Check that the cluster runs and that it can be reached from here, and run it \
                     again."),
        ApiErrorKind::Busy => report(Outcome::Temporary, "cluster_busy")
            .detail("server", server)
            .advise("Run it again; if it stays, look at the API server."),
        ApiErrorKind::Certificate => report(Outcome::Configuration, "certificate").detail("server", server).advise(
            "Check `certificate-authority-data` and `server` of the kubeconfig: another cluster \
             may answer at this address.",
        ),
        ApiErrorKind::CertificateOfAuthority => report(Outcome::Configuration, "certificate").detail("server", server).advise(
            "Give the API server a certificate of its own (CA:FALSE), signed by that authority, and let the kubeconfig \
             trust the authority.",
        ),
        ApiErrorKind::Credentials => {
            report(Outcome::Configuration, "credentials").advise(LOG_IN)
        }
        ApiErrorKind::Unauthorised => Report::new(
            Outcome::Configuration,
            "unauthorised",
            format!("the API server does not accept the credentials: cannot {}", error.action),
        )
        .detail("server", server)
        .advise("The token or certificate has expired or is for another cluster: log in again."),
        ApiErrorKind::Forbidden => report(Outcome::Configuration, "forbidden").advise(format!(
            "Ask for the right, or for the change of the rule that says no; `kubectl auth can-i \
             --list -n {namespace}` shows what is \
             allowed."
        )),
        ApiErrorKind::NoNamespace => report(Outcome::Configuration, "no_namespace")
            .advise(format!("Create it (kubectl create namespace {namespace}), or give another \
                             one with -n.")),
        ApiErrorKind::Conflict | ApiErrorKind::AlreadyExists => report(Outcome::Temporary, "changed_by_another")
            .advise("Somebody else changes the same object: run it again."),
        ApiErrorKind::NotFound => report(Outcome::Temporary, "not_found")
            .advise("Somebody has deleted it in the meantime: run it again."),
        ApiErrorKind::Invalid => {
            let mut report = report(Outcome::Configuration, "invalid");
            for cause in error.causes.iter().filter(|cause| !cause.field.is_empty()) {
                report = report.detail("field", format!("{}: {}", cause.field, cause.message));
            }
            report.advise("Correct the values; the field is that of the rendered object (`forerun \
                           render` shows it).")
        }
        ApiErrorKind::Malformed => report(Outcome::Configuration, "malformed_answer")
            .detail("server", server)
            .advise("Something that is no Kubernetes API answers there: check the address and the \
                     proxy."),
    }
}

/// `~/.kube/config` of a home directory.
pub fn kubeconfig_of_home(home: &Path) -> PathBuf {
    home.join(".kube").join("config")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- \
                              name: c\n  cluster: {server: 'https://example.invalid:6443'}\n\
        contexts:\n- name: a\n  context: {cluster: c, user: u, namespace: shop}\n- name: b\n  \
        context: {cluster: c, user: u}\nusers:\n- name: u\n  user: {token: hunter2}\n";

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, content).unwrap();
        (directory, path)
    }

    #[test]
    fn the_namespace_is_that_of_the_context_unless_another_is_given() {
        let (_directory, path) = file(KUBECONFIG);
        let mut connection = Connection {
            kubeconfig: Some(path),
            ..Connection::default()
        };
        let cluster = block_on(connect(&connection)).unwrap();
        assert_eq!(
            (cluster.namespace.as_str(), cluster.server.as_str()),
            ("shop", "https://example.invalid:6443")
        );
        connection.context = Some("b".to_owned());
        assert_eq!(block_on(connect(&connection)).unwrap().namespace, "default");
        connection.namespace = Some("other".to_owned());
        assert_eq!(block_on(connect(&connection)).unwrap().namespace, "other");
    }

    #[test]
    fn mistakes_are_told_with_a_way_on() {
        let (_directory, path) = file(KUBECONFIG);
        let connection = |context: &str| Connection {
            kubeconfig: Some(path.clone()),
            context: Some(context.to_owned()),
            ..Connection::default()
        };
        let report = block_on(connect(&connection("prod"))).unwrap_err().report();
        assert!(
            report.message.ends_with("has no context `prod`"),
            "{}",
            report.message
        );
        assert_eq!(report.advice, ["Give one with --context: a, b."]);

        let (_directory, path) = file("clusters: [\nusers:\n- user: {token: hunter2}");
        let connection = Connection {
            kubeconfig: Some(path),
            ..Connection::default()
        };
        let report = block_on(connect(&connection)).unwrap_err().report();
        assert!(
            report
                .message
                .contains("not valid YAML of a kubeconfig at line"),
            "{}",
            report.message
        );
        assert!(!format!("{report:?}").contains("hunter2"));

        let connection = Connection {
            kubeconfig_list: vec!["/nonexistent".into()],
            ..Connection::default()
        };
        let report = block_on(connect(&connection)).unwrap_err().report();
        assert_eq!(report.code, "no_kubeconfig");
        assert_eq!(report.details, [("looked at", "/nonexistent".to_owned())]);
    }

    #[test]
    fn no_proxy_knows_names_addresses_and_networks() {
        for (host, rules, expected) in [
            ("localhost", "", true),
            ("127.0.0.1", "", true),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("api.corp.example", "example.com, .corp.example", true),
            ("api.corp.example", "corp.example", true),
            ("apicorp.example", "corp.example", false),
            ("x", "*", true),
            ("x", "", false),
            ("fd00::1", "fd00::/8", true),
            ("fd00::1", "0.0.0.0/0", false),
        ] {
            assert_eq!(without_proxy(host, Some(rules)), expected, "{host} {rules}");
        }
    }
}

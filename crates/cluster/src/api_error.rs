//! What can go wrong with a call of the Kubernetes API, in the words of people.

use std::error::Error as StdError;
use std::time::Duration;

use kube::client::AuthError;
use serde_json::Value;

use crate::object::{Kind, Object};

/// The kind of an error, which decides what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The API server's certificate is not trusted, or ours is not accepted.
    Certificate,
    /// The API server's certificate is that of an authority, which no client of this TLS library accepts.
    CertificateOfAuthority,
    /// Who we are could not be found out: an exec plugin, a token file.
    Credentials,
    /// The API server does not know who we are.
    Unauthorised,
    /// It knows and says no: RBAC, admission, quota.
    Forbidden,
    /// There is no such object.
    NotFound,
    /// There is no such namespace.
    NoNamespace,
    /// There is one already.
    AlreadyExists,
    /// Somebody else changed it, or owns a field.
    Conflict,
    /// The object is not valid.
    Invalid,
    /// The server is too busy or has an error of its own.
    Busy,
    /// An answer that makes no sense.
    Malformed,
}

/// A cause of an error: a field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `FieldManagerConflict` and the like.
    pub reason: String,
    /// `.spec.replicas`.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

/// An error of one call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action}: {message}")]
pub struct ApiError {
    /// What was tried: `apply Deployment shop`.
    pub action: String,
    /// What kind of error it is.
    pub kind: ApiErrorKind,
    /// What was said.
    pub message: String,
    /// Field by field, where the server says it.
    pub causes: Vec<Cause>,
}

impl ApiError {
    pub(crate) fn new(action: String, error: &kube::Error) -> Self {
        let plain = |kind, message: String| Self {
            action: action.clone(),
            kind,
            message,
            causes: Vec::new(),
        };
        match error {
            kube::Error::Api(status) => Self {
                kind: kind_of_status(status),
                message: one_line(&status.message),
                causes: status
                    .details
                    .iter()
                    .flat_map(|details| &details.causes)
                    .map(cause)
                    .collect(),
                action,
            },
            kube::Error::Auth(error) => plain(ApiErrorKind::Credentials, auth_message(error)),
            kube::Error::SerdeError(error) => plain(ApiErrorKind::Malformed, error.to_string()),
            kube::Error::FromUtf8(error) => plain(ApiErrorKind::Malformed, error.to_string()),
            error => {
                // The middleware wraps errors of its own kind once more.
                if let Some(inner) = find_auth(error) {
                    return plain(ApiErrorKind::Credentials, auth_message(inner));
                }
                let (kind, message) = transport(error);
                plain(kind, message)
            }
        }
    }

    pub(crate) fn timed_out(action: String, limit: Duration) -> Self {
        Self {
            action,
            kind: ApiErrorKind::TimedOut,
            message: format!("no answer for {} seconds", limit.as_secs()),
            causes: Vec::new(),
        }
    }

    pub(crate) fn malformed(action: &str, message: &str) -> Self {
        Self {
            action: action.to_owned(),
            kind: ApiErrorKind::Malformed,
            message: message.to_owned(),
            causes: Vec::new(),
        }
    }

    /// Whether another try may help by itself.
    pub fn passes(&self) -> bool {
        matches!(
            self.kind,
            ApiErrorKind::Unreachable | ApiErrorKind::TimedOut | ApiErrorKind::Busy
        )
    }

    /// Takes the values of a Secret out of what the server said about it.
    pub(crate) fn about(mut self, object: &Object) -> Self {
        if object.kind != Kind::SECRET {
            return self;
        }
        let secrets: Vec<String> = ["/data", "/stringData"]
            .iter()
            .filter_map(|map| object.value.pointer(map).and_then(Value::as_object))
            .flat_map(|map| map.values())
            .filter_map(Value::as_str)
            .filter(|secret| !secret.is_empty())
            .map(str::to_owned)
            .collect();
        let mask = |text: &mut String| {
            for secret in &secrets {
                *text = text.replace(secret, "***");
            }
        };
        mask(&mut self.message);
        self.causes
            .iter_mut()
            .for_each(|cause| mask(&mut cause.message));
        self
    }
}

fn cause(cause: &kube::core::response::StatusCause) -> Cause {
    Cause {
        reason: cause.reason.clone(),
        field: cause.field.clone(),
        message: cause.message.clone(),
    }
}

fn kind_of_status(status: &kube::core::Status) -> ApiErrorKind {
    let kind_of_details = status.details.as_ref().map(|details| details.kind.as_str());
    match status.code {
        401 => ApiErrorKind::Unauthorised,
        403 if status.message.contains("because it is being terminated") => {
            ApiErrorKind::NoNamespace
        }
        403 => ApiErrorKind::Forbidden,
        404 if kind_of_details == Some("namespaces") => ApiErrorKind::NoNamespace,
        404 | 410 => ApiErrorKind::NotFound,
        409 if status.is_already_exists() => ApiErrorKind::AlreadyExists,
        409 => ApiErrorKind::Conflict,
        408 | 429 | 500..=599 => ApiErrorKind::Busy,
        _ => ApiErrorKind::Invalid,
    }
}

fn find_auth<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a AuthError> {
    chain(error).find_map(|error| error.downcast_ref::<AuthError>())
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    // An error that is its own source must not stop us.
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        error.source()
    })
    .take(16)
}

/// Without what the plugin wrote to standard output: that is where credentials are.
fn auth_message(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            // The command is written with the environment that is set for it.
            let cmd = cmd.rsplit_once("}\" ").map_or(cmd.as_str(), |(_, cmd)| cmd);
            let cmd = cmd.replace('"', "");
            let said = one_line(&String::from_utf8_lossy(&out.stderr));
            let said = if said.is_empty() {
                String::new()
            } else {
                format!(": {said}")
            };
            format!(
                "the credential plugin `{cmd}` ended with {}{said}",
                out.status
            )
        }
        AuthError::AuthExecStart(error) => {
            format!("the credential plugin of the kubeconfig cannot be started: {error}")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "the credential plugin of the kubeconfig gave no credentials that can be understood"
                .to_owned()
        }
        other => one_line(&other.to_string()),
    }
}

/// Connection and TLS errors come as chains of several libraries: the innermost one says it.
fn transport(error: &(dyn StdError + 'static)) -> (ApiErrorKind, String) {
    let texts: Vec<String> = chain(error)
        .map(|error| one_line(&error.to_string()))
        .collect();
    let all = texts.join(": ").to_lowercase();
    let innermost = texts.last().cloned().unwrap_or_default();
    let certificate = [
        "certificate",
        "unknownissuer",
        "unknown ca",
        "notvalidforname",
    ]
    .iter()
    .any(|word| all.contains(word));
    let kind = if all.contains("causedasendentity") {
        ApiErrorKind::CertificateOfAuthority
    } else if certificate {
        ApiErrorKind::Certificate
    } else if all.contains("timed out") || all.contains("deadline") {
        ApiErrorKind::TimedOut
    } else {
        ApiErrorKind::Unreachable
    };
    let told = TLS.iter().find(|(word, _)| innermost.contains(word));
    (kind, told.map_or(innermost, |(_, told)| (*told).to_owned()))
}

/// What the TLS library says in names, in words.
const TLS: [(&str, &str); 4] = [
    (
        "CaUsedAsEndEntity",
        "the API server shows the certificate of an authority (CA:TRUE) as its own, which is not accepted even from an \
         authority that the kubeconfig trusts",
    ),
    (
        "UnknownIssuer",
        "the API server's certificate is signed by an authority that the kubeconfig does not name",
    ),
    (
        "NotValidForName",
        "the API server's certificate is for another name or address",
    ),
    (
        "certificate expired",
        "the API server's certificate has expired",
    ),
];

/// White space becomes one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(value: Value) -> ApiError {
        let status: kube::core::Status = serde_json::from_value(value).unwrap();
        ApiError::new(
            "apply Secret s".to_owned(),
            &kube::Error::Api(status.boxed()),
        )
    }

    #[test]
    fn answers_are_told_apart() {
        for (code, reason, details, expected) in [
            (401, "Unauthorized", json!(null), ApiErrorKind::Unauthorised),
            (403, "Forbidden", json!(null), ApiErrorKind::Forbidden),
            (
                404,
                "NotFound",
                json!({"kind": "namespaces"}),
                ApiErrorKind::NoNamespace,
            ),
            (
                404,
                "NotFound",
                json!({"kind": "secrets"}),
                ApiErrorKind::NotFound,
            ),
            (
                409,
                "AlreadyExists",
                json!(null),
                ApiErrorKind::AlreadyExists,
            ),
            (409, "Conflict", json!(null), ApiErrorKind::Conflict),
            (422, "Invalid", json!(null), ApiErrorKind::Invalid),
            (400, "BadRequest", json!(null), ApiErrorKind::Invalid),
            (429, "TooManyRequests", json!(null), ApiErrorKind::Busy),
            (503, "ServiceUnavailable", json!(null), ApiErrorKind::Busy),
        ] {
            let mut value =
                json!({"status": "Failure", "code": code, "reason": reason, "message": "no"});
            if !details.is_null() {
                value["details"] = details;
            }
            let error = status(value);
            assert_eq!(error.kind, expected, "{code} {reason}");
            assert_eq!(error.passes(), expected == ApiErrorKind::Busy);
        }
    }

    #[test]
    fn values_of_secrets_are_not_repeated() {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "aHVudGVyMg"}});
        let object = Object::from_value(object).unwrap();
        let error = status(
            json!({"code": 400, "reason": "BadRequest", "message": "illegal base64 in \"aHVudGVyMg\""}),
        );
        assert_eq!(
            error.about(&object).to_string(),
            "cannot apply Secret s: illegal base64 in \"***\""
        );
    }

    #[test]
    fn standard_output_of_a_credential_plugin_is_not_repeated() {
        use std::os::unix::process::ExitStatusExt;
        let error = AuthError::AuthExecRun {
            cmd: "aws".to_owned(),
            out: Box::new(std::process::Output {
                status: std::process::ExitStatus::from_raw(256),
                stdout: b"token: abc".to_vec(),
                stderr: b"session\nexpired".to_vec(),
            }),
        };
        let error = ApiError::new("read Lease l".to_owned(), &kube::Error::Auth(error));
        assert_eq!(error.kind, ApiErrorKind::Credentials);
        assert_eq!(
            error.message,
            "the credential plugin `aws` ended with exit status: 1: session expired"
        );
    }

    #[test]
    fn an_untrusted_certificate_is_not_an_unreachable_server() {
        let error = kube::Error::Service("invalid peer certificate: UnknownIssuer".into());
        let error = ApiError::new(String::new(), &error);
        assert_eq!(error.kind, ApiErrorKind::Certificate);
        assert!(
            error
                .message
                .contains("authority that the kubeconfig does not name")
        );
        let error = kube::Error::Service(
            "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))".into(),
        );
        let error = ApiError::new(String::new(), &error);
        assert_eq!(error.kind, ApiErrorKind::CertificateOfAuthority);
        assert!(
            error
                .message
                .contains("the certificate of an authority (CA:TRUE) as its own")
        );
        let error = kube::Error::Service("tcp connect error: Connection refused".into());
        assert_eq!(
            ApiError::new(String::new(), &error).kind,
            ApiErrorKind::Unreachable
        );
    }
}

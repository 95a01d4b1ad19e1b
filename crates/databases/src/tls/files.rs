//! PEM files: trusted roots, client certificate and key. Every error names its file.

use std::fs;
use std::path::{Path, PathBuf};

use forerun_migrations::database::{DatabaseError, ErrorKind};
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::connection_url::TlsFiles;

/// Where systems keep their roots as one file: Debian and Alpine, Red Hat, older Red Hat, SUSE, BSD and macOS.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Who is trusted.
pub(super) enum Roots {
    /// Mozilla's list, built into forerun.
    BuiltIn,
    /// Those of a file.
    Given(Vec<CertificateDer<'static>>),
}

impl Roots {
    /// As rustls wants them.
    pub(super) fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        match self {
            Self::BuiltIn => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Self::Given(certificates) => {
                // All of them were tried when the file was read.
                store.add_parsable_certificates(certificates.iter().cloned());
            }
        }
        store
    }
}

/// Reads the roots: `system` is the operating system's list, no path the built-in one.
pub(super) fn roots(path: Option<&Path>) -> Result<Roots, DatabaseError> {
    match path {
        None => Ok(Roots::BuiltIn),
        Some(path) if path == Path::new("system") => system_roots(),
        Some(path) => {
            let certificates = certificates("root certificate", path)?;
            let mut store = RootCertStore::empty();
            for (index, certificate) in certificates.iter().enumerate() {
                store.add(certificate.clone()).map_err(|error| {
                    let problem =
                        format!("certificate {} in it cannot be used: {error}", index + 1);
                    unusable("root certificate", path, &problem)
                })?;
            }
            Ok(Roots::Given(certificates))
        }
    }
}

fn system_roots() -> Result<Roots, DatabaseError> {
    let Some(path) = SYSTEM_ROOTS
        .iter()
        .map(Path::new)
        .find(|path| path.is_file())
    else {
        return Err(DatabaseError::new(
            ErrorKind::Configuration,
            "`sslrootcert=system` is given, but this system has no list of root certificates",
        )
        .with_hint(
            "install the package ca-certificates, name a file with `sslrootcert`, or leave it out to use the roots \
             built into forerun",
        ));
    };
    let mut certificates = certificates("root certificate", path)?;
    // A list of the system may hold certificates that rustls does not understand; the others still count.
    certificates.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    Ok(Roots::Given(certificates))
}

/// A client certificate with its key.
pub(super) struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    pub certificate_path: PathBuf,
    pub key_path: PathBuf,
}

/// Reads the client certificate and key, which only make sense together.
pub(super) fn identity(files: &TlsFiles) -> Result<Option<Identity>, DatabaseError> {
    let (certificate_path, key_path) = match (&files.certificate, &files.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(path), None) => {
            return Err(incomplete(
                "client certificate",
                path,
                "key",
                "sslkey (ssl-key)",
            ));
        }
        (None, Some(path)) => {
            return Err(incomplete(
                "client key",
                path,
                "certificate",
                "sslcert (ssl-cert)",
            ));
        }
    };
    let chain = certificates("client certificate", certificate_path)?;
    let text = read("client key", key_path)?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let encrypted = text.windows(9).any(|window| window == b"ENCRYPTED");
        let problem = match error {
            pem::Error::NoItemsFound if encrypted => {
                "the key is encrypted; decrypt it with `openssl pkey -in <file> -out <new file>`"
                    .to_owned()
            }
            pem::Error::NoItemsFound => "there is no private key in it (expected PEM)".to_owned(),
            error => error.to_string(),
        };
        unusable("client key", key_path, &problem)
    })?;
    Ok(Some(Identity {
        chain,
        key,
        certificate_path: certificate_path.clone(),
        key_path: key_path.clone(),
    }))
}

/// All certificates of a file; at least one.
fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, DatabaseError> {
    let text = read(what, path)?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(what, path, &error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(
            what,
            path,
            "there is no certificate in it (expected PEM)",
        ));
    }
    Ok(certificates)
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, DatabaseError> {
    fs::read(path).map_err(|error| unusable(what, path, &error.to_string()))
}

fn unusable(what: &str, path: &Path, problem: &str) -> DatabaseError {
    DatabaseError::new(
        ErrorKind::Configuration,
        format!(
            "the {what} file `{}` cannot be used: {problem}",
            path.display()
        ),
    )
}

fn incomplete(what: &str, path: &Path, other: &str, parameter: &str) -> DatabaseError {
    DatabaseError::new(
        ErrorKind::Configuration,
        format!(
            "the {what} `{}` is given without its {other}",
            path.display()
        ),
    )
    .with_hint(format!("add the parameter {parameter}"))
}

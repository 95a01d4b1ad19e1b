//! TLS by rustls: a mode and files → what the drivers need. Reads the files; never connects.
//!
//! The modes are libpq's (PostgreSQL manual, "SSL Support"):
//!
//! | mode | certificate chain | host name |
//! |---|---|---|
//! | disable | no TLS | |
//! | allow, prefer, require | verified only if a root file is given | not checked |
//! | verify-ca | verified | not checked |
//! | verify-full | verified | checked |
//!
//! `allow` and `prefer` are configured like `require`: trying again without TLS (or with it) is up to the
//! driver, and only a server that offers no TLS may lead there, never a certificate that fails.
//!
//! Two differences to libpq: without a root file `verify-ca` and `verify-full` use the public roots built
//! into forerun instead of failing, and names are read from the subject alternative names only, not from the
//! common name.

mod files;
mod verifier;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use forerun_migrations::database::{DatabaseError, ErrorKind};
use mysql_async::{ClientIdentity, SslOpts};
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};

use crate::connection_url::{TlsFiles, TlsMode};
use files::Roots;
use verifier::{CertificateVerifier, Check};

/// What is checked of the server's certificate.
fn check(mode: TlsMode, files: &TlsFiles) -> Check {
    match mode {
        TlsMode::VerifyFull => Check::ChainAndName,
        TlsMode::VerifyCa => Check::Chain,
        _ if files.root.is_some() => Check::Chain,
        _ => Check::Nothing,
    }
}

/// Configuration for a PostgreSQL connection with this protection. The provider is ring, given explicitly, so
/// that no process-wide default is needed. The protocol `postgresql` is announced by ALPN, as libpq does since
/// 17: `sslnegotiation=direct` needs it. For [`TlsMode::Disable`] the result is unused by any driver, but valid.
///
/// # Errors
/// [`ErrorKind::Configuration`] with the file and what is wrong with it.
pub(crate) fn client_config(
    mode: TlsMode,
    files: &TlsFiles,
) -> Result<ClientConfig, DatabaseError> {
    let provider = Arc::new(ring::default_provider());
    let roots = files::roots(files.root.as_deref())?;
    let verifier = CertificateVerifier::new(check(mode, files), roots, &provider);
    let builder = ClientConfig::builder_with_provider(Arc::<CryptoProvider>::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            DatabaseError::new(
                ErrorKind::Configuration,
                format!("TLS cannot be set up: {error}"),
            )
        })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match files::identity(files)? {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(identity.chain, identity.key)
            .map_err(|error| {
                DatabaseError::new(
                    ErrorKind::Configuration,
                    format!(
                        "the client certificate `{}` and the key `{}` cannot be used together: {error}",
                        identity.certificate_path.display(),
                        identity.key_path.display()
                    ),
                )
            })?,
    };
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}

/// The same for mysql_async, which builds its own configuration; `None`: no TLS.
///
/// With [`TlsMode::VerifyCa`] mysql_async 0.37.1 still refuses a certificate for another name (it looks for a
/// text that rustls no longer writes; corrected upstream after that release). That errs on the safe side; the
/// driver's message should say that the name does not match.
///
/// # Errors
/// As [`client_config`].
pub(crate) fn mysql_ssl_options(
    mode: TlsMode,
    files: &TlsFiles,
) -> Result<Option<SslOpts>, DatabaseError> {
    if mode == TlsMode::Disable {
        return Ok(None);
    }
    // Finds what is wrong with the files before the driver does, whose messages do not name them.
    client_config(mode, files)?;
    let check = check(mode, files);
    let mut options = SslOpts::default()
        .with_danger_accept_invalid_certs(check == Check::Nothing)
        .with_danger_skip_domain_validation(check != Check::ChainAndName);
    if let Roots::Given(certificates) = files::roots(files.root.as_deref())? {
        // The driver takes a buffer that is not PEM for one certificate.
        let certificates = certificates
            .iter()
            .map(|certificate| certificate.to_vec().into());
        options = options
            .with_disable_built_in_roots(true)
            .with_root_certs(certificates.collect());
    }
    if let (Some(certificate), Some(key)) = (&files.certificate, &files.key) {
        options = options.with_client_identity(Some(ClientIdentity::new(
            certificate.clone().into(),
            key.clone().into(),
        )));
    }
    Ok(Some(options))
}

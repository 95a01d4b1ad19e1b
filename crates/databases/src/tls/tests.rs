//! Handshakes in memory between our client configurations and a rustls server.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forerun_migrations::database::ErrorKind;
use forerun_test_support::TestCertificates;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use super::verifier::{CertificateVerifier, Check};
use super::{client_config, files, mysql_ssl_options};
use crate::connection_url::{TlsFiles, TlsMode};

fn certificates() -> (tempfile::TempDir, TestCertificates) {
    let directory = tempfile::tempdir().unwrap();
    let certificates = TestCertificates::write(directory.path(), &["db.example"]);
    (directory, certificates)
}

fn trusting(root: &Path) -> TlsFiles {
    TlsFiles {
        root: Some(root.to_owned()),
        ..TlsFiles::default()
    }
}

/// Shakes hands with a server that shows this certificate, for a client that asks for `name`.
fn handshake(
    certificate: &Path,
    key: &Path,
    name: &str,
    mode: TlsMode,
    files: &TlsFiles,
) -> Result<(), rustls::Error> {
    let chain = CertificateDer::pem_file_iter(certificate).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain.collect::<Result<_, _>>().unwrap(),
            PrivateKeyDer::from_pem_file(key).unwrap(),
        )
        .unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let client = client_config(mode, files).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn each_mode_checks_what_it_promises() {
    let (_directory, made) = certificates();
    let trusted = trusting(&made.authority);
    let unrelated = trusting(&made.unrelated_authority);
    let nothing = TlsFiles::default();
    for (mode, files, name, accepted) in [
        (TlsMode::VerifyFull, &trusted, "db.example", true),
        (TlsMode::VerifyFull, &trusted, "other.example", false),
        (TlsMode::VerifyFull, &unrelated, "db.example", false),
        (TlsMode::VerifyFull, &nothing, "db.example", false),
        (TlsMode::VerifyCa, &trusted, "other.example", true),
        (TlsMode::VerifyCa, &trusted, "10.0.0.1", true),
        (TlsMode::VerifyCa, &unrelated, "db.example", false),
        (TlsMode::VerifyCa, &nothing, "db.example", false),
        (TlsMode::Require, &nothing, "other.example", true),
        (TlsMode::Require, &trusted, "other.example", true),
        (TlsMode::Require, &unrelated, "db.example", false),
        (TlsMode::Prefer, &nothing, "other.example", true),
    ] {
        let result = handshake(&made.certificate, &made.key, name, mode, files);
        assert_eq!(
            result.is_ok(),
            accepted,
            "{mode:?} {name} {files:?}: {result:?}"
        );
    }
}

/// `openssl req -x509 -subj /CN=db.example -addext subjectAltName=DNS:db.example` makes a certificate that is
/// its own authority; this one is valid for a hundred years.
#[test]
fn a_self_signed_server_certificate_can_be_trusted_by_itself() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls/test_certificates");
    let (certificate, key) = (
        directory.join("self_signed.pem"),
        directory.join("self_signed.key"),
    );
    let own = trusting(&certificate);
    let shake = |name, mode, files| handshake(&certificate, &key, name, mode, files);
    shake("db.example", TlsMode::VerifyFull, &own).unwrap();
    shake("other.example", TlsMode::VerifyCa, &own).unwrap();
    shake("other.example", TlsMode::VerifyFull, &own).unwrap_err();
    let (_directory, unrelated) = certificates();
    shake(
        "db.example",
        TlsMode::VerifyCa,
        &trusting(&unrelated.authority),
    )
    .unwrap_err();
}

#[test]
fn a_certificate_that_is_trusted_by_itself_still_expires() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls/test_certificates");
    let root = files::roots(Some(&directory.join("self_signed.pem"))).unwrap();
    let certificate = CertificateDer::from_pem_file(directory.join("self_signed.pem")).unwrap();
    let verifier = CertificateVerifier::new(Check::Chain, root, &ring::default_provider());
    let name = ServerName::try_from("db.example").unwrap();
    let at = |years: u64| {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(years * 365 * 24 * 60 * 60));
        verifier.verify_server_cert(&certificate, &[], &name, &[], now)
    };
    at(60).unwrap();
    at(10).unwrap_err();
    at(200).unwrap_err();
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let (directory, made) = certificates();
    let broken = directory.path().join("broken.pem");
    fs::write(&broken, "not a certificate").unwrap();
    let garbled = directory.path().join("garbled.pem");
    fs::write(
        &garbled,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let missing = PathBuf::from("/nonexistent/ca.pem");
    let with = |certificate: &Path, key: Option<&Path>| TlsFiles {
        certificate: Some(certificate.to_owned()),
        key: key.map(Path::to_owned),
        ..TlsFiles::default()
    };
    for (files, named, problem) in [
        (trusting(&missing), &missing, "No such file"),
        (trusting(&broken), &broken, "no certificate"),
        (trusting(&garbled), &garbled, "certificate 1"),
        (
            with(&made.certificate, None),
            &made.certificate,
            "without its key",
        ),
        (
            with(&made.certificate, Some(&broken)),
            &broken,
            "no private key",
        ),
        (
            with(&made.authority, Some(&made.key)),
            &made.authority,
            "together",
        ),
    ] {
        for error in [
            client_config(TlsMode::VerifyFull, &files)
                .map(|_| ())
                .unwrap_err(),
            mysql_ssl_options(TlsMode::VerifyFull, &files)
                .map(|_| ())
                .unwrap_err(),
        ] {
            assert_eq!(error.kind, ErrorKind::Configuration);
            assert!(
                error.message.contains(named.to_str().unwrap()),
                "{}",
                error.message
            );
            assert!(error.message.contains(problem), "{}", error.message);
        }
    }
    client_config(
        TlsMode::VerifyFull,
        &with(&made.certificate, Some(&made.key)),
    )
    .unwrap();
}

#[test]
fn the_mysql_driver_gets_the_same_rules() {
    let (_directory, made) = certificates();
    assert!(
        mysql_ssl_options(TlsMode::Disable, &TlsFiles::default())
            .unwrap()
            .is_none()
    );
    let options = |mode, files: &TlsFiles| mysql_ssl_options(mode, files).unwrap().unwrap();
    let required = options(TlsMode::Require, &TlsFiles::default());
    assert!(required.accept_invalid_certs());
    let with_root = options(TlsMode::Require, &trusting(&made.authority));
    assert!(!with_root.accept_invalid_certs() && with_root.skip_domain_validation());
    let full = options(TlsMode::VerifyFull, &trusting(&made.authority));
    assert!(
        !full.accept_invalid_certs()
            && !full.skip_domain_validation()
            && full.disable_built_in_roots()
    );
    assert_eq!(full.root_certs().len(), 1);
    assert!(!options(TlsMode::VerifyFull, &TlsFiles::default()).disable_built_in_roots());
}

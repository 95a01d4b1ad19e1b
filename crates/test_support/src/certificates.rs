//! A certificate authority and a server certificate, made fresh for each server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::installed::ServerUser;
use crate::scratch_directory::give_to;

/// PEM files of one server: its authority, its certificate and key, and an authority that has nothing to
/// do with it.
#[derive(Clone, Debug)]
pub struct TestCertificates {
    /// The authority that signed [`certificate`](Self::certificate): what a client should trust.
    pub authority: PathBuf,
    /// An authority that signed nothing: a client that trusts only this must refuse the server.
    pub unrelated_authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's private key, readable by the server only.
    pub key: PathBuf,
}

impl TestCertificates {
    /// Writes the four files into `directory`. `names` are the host names and IP addresses that the
    /// certificate is for.
    pub fn write(directory: &Path, names: &[&str]) -> Self {
        let (authority_pem, issuer) = authority("forerun test authority");
        let (unrelated_pem, _) = authority("unrelated test authority");
        let key = KeyPair::generate().expect("a key can be made");
        let mut parameters = CertificateParams::new(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
        .expect("the names are valid");
        parameters
            .distinguished_name
            .push(DnType::CommonName, names[0]);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters
            .signed_by(&key, &issuer)
            .expect("a certificate can be signed");
        let files = Self {
            authority: directory.join("ca.pem"),
            unrelated_authority: directory.join("unrelated-ca.pem"),
            certificate: directory.join("server.pem"),
            key: directory.join("server.key"),
        };
        for (path, text) in [
            (&files.authority, &authority_pem),
            (&files.unrelated_authority, &unrelated_pem),
            (&files.certificate, &certificate.pem()),
            (&files.key, &key.serialize_pem()),
        ] {
            fs::write(path, text).expect("the directory can be written");
        }
        // PostgreSQL refuses a key that others can read.
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600))
            .expect("permissions can be set");
        files
    }

    pub(crate) fn give_to(&self, user: Option<ServerUser>) {
        for path in [&self.authority, &self.certificate, &self.key] {
            give_to(path, user);
        }
    }
}

fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = parameters
        .self_signed(&key)
        .expect("a certificate can be signed");
    (certificate.pem(), Issuer::new(parameters, key))
}

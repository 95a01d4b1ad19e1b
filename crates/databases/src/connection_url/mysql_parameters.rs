//! The connection parameters of the many MySQL and MariaDB drivers, and what they mean here.

use super::UrlError;
use super::nearest::nearest;

/// A parameter that has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// Protection.
    TlsMode,
    /// JDBC's `verifyServerCertificate`, golang-migrate's negation of it.
    VerifyCertificate,
    SkipVerification,
    RootCertificate,
    Certificate,
    Key,
    Socket,
    Host,
    Port,
    User,
    Password,
    Database,
    /// Seconds, or a duration with a unit.
    ConnectTimeout,
    /// Milliseconds, as in JDBC.
    ConnectTimeoutMilliseconds,
}

use Parameter::{
    Certificate, ConnectTimeout, ConnectTimeoutMilliseconds, Database, Host, Key, Password, Port,
    RootCertificate, SkipVerification, Socket, TlsMode, User, VerifyCertificate,
};

/// Names in lower case, without `-` and `_`; the first of each is what we suggest.
const PARAMETERS: &[(&str, Parameter)] = &[
    ("sslmode", TlsMode),
    ("tls", TlsMode),
    ("ssl", TlsMode),
    ("usessl", TlsMode),
    ("requiressl", TlsMode),
    ("verifyservercertificate", VerifyCertificate),
    ("sslverifyservercert", VerifyCertificate),
    ("xtlsinsecureskipverify", SkipVerification),
    ("sslca", RootCertificate),
    ("sslrootcert", RootCertificate),
    ("xtlsca", RootCertificate),
    ("sslcert", Certificate),
    ("xtlscert", Certificate),
    ("sslkey", Key),
    ("xtlskey", Key),
    ("socket", Socket),
    ("unixsocket", Socket),
    ("host", Host),
    ("port", Port),
    ("user", User),
    ("password", Password),
    ("passwd", Password),
    ("database", Database),
    ("db", Database),
    ("connecttimeout", ConnectTimeout),
    ("connectiontimeout", ConnectTimeout),
    ("timeout", ConnectTimeout),
];

/// Parameters of application drivers and pools without effect on a migration session, likewise.
const FOREIGN: &[&str] = &[
    "allowallfiles",
    "allowcleartextpasswords",
    "allowfallbacktoplaintext",
    "allowmultiqueries",
    "allownativepasswords",
    "allowoldpasswords",
    "allowpublickeyretrieval",
    "autoreconnect",
    "binaryprefix",
    "characterencoding",
    "charset",
    "checkconnliveness",
    "clientfoundrows",
    "collation",
    "columnswithalias",
    "connectionattributes",
    "connectionlimit",
    "interpolateparams",
    "loc",
    "maxallowedpacket",
    "multistatements",
    "parsetime",
    "pool",
    "poolsize",
    "pooltimeout",
    "readtimeout",
    "reconnect",
    "rejectreadonly",
    "rewritebatchedstatements",
    "serverpubkey",
    "servertimezone",
    "sockettimeout",
    "statementcachecapacity",
    "timetruncate",
    "timezone",
    "usecursorfetch",
    "useunicode",
    "writetimeout",
    "zerodatetimebehavior",
];

/// Looks a parameter up; `None`: without effect. A Go data source name may set any system variable, so that
/// nothing in it is unknown.
pub(super) fn look_up(name: &str, go: bool) -> Result<Option<Parameter>, UrlError> {
    let plain: String = name
        .chars()
        .filter(|character| !matches!(character, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect();
    if name == "connectTimeout" {
        return Ok(Some(ConnectTimeoutMilliseconds));
    }
    if let Some((_, parameter)) = PARAMETERS.iter().find(|(known, _)| *known == plain) {
        return Ok(Some(*parameter));
    }
    if go || FOREIGN.contains(&plain.as_str()) || name.starts_with("x-") {
        return Ok(None);
    }
    Err(UrlError::UnknownParameter {
        database: "MySQL",
        name: name.to_owned(),
        nearest: nearest(&plain, PARAMETERS.iter().map(|(known, _)| *known)).map(as_documented),
    })
}

/// The spelling of our own documentation.
fn as_documented(plain: &'static str) -> &'static str {
    match plain {
        "sslmode" => "ssl-mode",
        "sslca" => "ssl-ca",
        "sslcert" => "ssl-cert",
        "sslkey" => "ssl-key",
        "connecttimeout" => "connect_timeout",
        other => other,
    }
}

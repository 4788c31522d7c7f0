//! Certificates: the trusted CAs, the client certificate, and hints for TLS errors.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::cli::{NetworkArgs, Origins};
use crate::error::{self, Error};
use crate::file;

/// The certificates that Debian, Alpine and their like trust.
const SYSTEM_CAS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Longer than any bundle of CAs, in bytes.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Reads the certificates that `args` name.
pub(crate) fn config(args: &NetworkArgs, origins: &Origins) -> Result<TlsConfig, Error> {
    let roots = roots(args.ca_file.as_deref(), &origins.name("ca_file"))?;
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(client_certificate(args, origins)?)
        .build())
}

/// Reads the certificates in `ca_file`, which `origin` names, and shows none.
pub(crate) fn trusting(ca_file: Option<&str>, origin: &str) -> Result<TlsConfig, Error> {
    let roots = roots(ca_file, origin)?;
    Ok(TlsConfig::builder().root_certs(roots).build())
}

fn roots(ca_file: Option<&str>, origin: &str) -> Result<RootCerts, Error> {
    Ok(match ca_file {
        None => RootCerts::WebPki,
        Some(path) => {
            let certificates = Pem::read(origin, path)?.certificates(origin, path)?;
            RootCerts::from(certificates.into_iter())
        }
    })
}

fn client_certificate(args: &NetworkArgs, origins: &Origins) -> Result<Option<ClientCert>, Error> {
    let Some(path) = &args.client_cert else {
        return match &args.client_key {
            None => Ok(None),
            Some(_) => Err(Error::setting(
                origins.name("client_key"),
                "the certificate for this key is missing",
                "set --client-cert or BUILD_STATUS_CLIENT_CERT too",
            )),
        };
    };
    let origin = origins.name("client_cert");
    let pem = Pem::read(&origin, path)?;
    let (key, key_origin, key_path) = match &args.client_key {
        None => (pem.key, origin.clone(), path),
        Some(key_path) => {
            let origin = origins.name("client_key");
            (Pem::read(&origin, key_path)?.key, origin, key_path)
        }
    };
    let pem = Pem { key: None, ..pem };
    let chain = pem.certificates(&origin, path)?;
    let key = key.ok_or_else(|| {
        let problem = format!("the file `{key_path}` contains no private key in PEM format");
        let hint = "pass the key with --client-key; decrypt an encrypted key first";
        Error::setting(key_origin, problem, hint)
    })?;
    // ureq panics if certificate and key do not match.
    check_pair(&chain, &key).map_err(|problem| {
        let problem = format!("the certificate and its key cannot be used: {problem}");
        Error::unusable(origin, problem)
    })?;
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}

/// The contents of a PEM file.
struct Pem {
    certificates: Vec<Certificate<'static>>,
    key: Option<PrivateKey<'static>>,
}

impl Pem {
    fn read(origin: &str, path: &str) -> Result<Self, Error> {
        let bytes = file::read(Path::new(path), LONGEST).map_err(|error| Error::Unreadable {
            origin: origin.to_owned(),
            path: Some(path.to_owned()),
            message: error.to_string(),
            hint: Some(match origin {
                // It may be set for other programs.
                "SSL_CERT_FILE" => {
                    "unset it, or set BUILD_STATUS_CA_FILE; in a container, the path is one inside \
                     the container"
                }
                _ if path.starts_with("-----BEGIN") => {
                    "it is the certificate itself: give the variable the type File"
                }
                _ => error::CHECK_PATH,
            }),
        })?;
        let mut pem = Self {
            certificates: Vec::new(),
            key: None,
        };
        let broken = |problem: &str, hint: &str| {
            Error::setting(origin, format!("the file `{path}` {problem}"), hint)
        };
        let text = plain(&bytes);
        if text.contains("BEGIN TRUSTED CERTIFICATE") {
            return Err(broken(
                "contains a TRUSTED CERTIFICATE, a format of OpenSSL alone",
                "convert it: openssl x509 -in FILE",
            ));
        }
        for item in parse_pem(text.as_bytes()) {
            match item {
                Ok(PemItem::Certificate(certificate)) => pem.certificates.push(certificate),
                Ok(PemItem::PrivateKey(key)) => pem.key = Some(key),
                Ok(_) => {}
                // Left out, it would be missing later, when nobody knows why.
                Err(_) => return Err(broken("contains a block that is not PEM", "make it anew")),
            }
        }
        Ok(pem)
    }

    fn certificates(self, origin: &str, path: &str) -> Result<Vec<Certificate<'static>>, Error> {
        if self.certificates.is_empty() {
            return Err(Error::setting(
                origin,
                format!("the file `{path}` contains no certificate in PEM format"),
                "convert it; from DER: openssl x509 -inform der -in FILE; from PKCS#12: openssl \
                 pkcs12 -in FILE -nodes",
            ));
        }
        Ok(self.certificates)
    }
}

/// PEM without what editors and YAML add: byte order marks, which stand inside a bundle of several
/// files, and indentation.
fn plain(pem: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(pem);
    let is_plain = !text.starts_with([' ', '\t'])
        && !["\u{feff}", "\n ", "\n\t"]
            .iter()
            .any(|extra| text.contains(extra));
    if is_plain {
        return text;
    }
    let text = text.replace('\u{feff}', "");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    (lines.join("\n") + "\n").into()
}

fn check_pair(chain: &[Certificate<'static>], key: &PrivateKey<'static>) -> Result<(), String> {
    let chain = chain
        .iter()
        .map(|it| CertificateDer::from(it.der().to_vec()));
    let key = PrivateKeyDer::try_from(key.der().to_vec()).map_err(str::to_owned)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    builder
        .with_root_certificates(RootCertStore::empty())
        .with_client_auth_cert(chain.collect(), key)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The TLS error in `error`, if it is one.
pub(crate) fn error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        // The handshake runs inside reads and writes.
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// What to do about a TLS error.
pub(crate) fn hint(error: &rustls::Error) -> Option<&'static str> {
    Some(match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer if Path::new(SYSTEM_CAS).exists() => {
                "if the certificate comes from a private CA or a TLS-intercepting proxy that this \
                 machine trusts, pass --ca-file /etc/ssl/certs/ca-certificates.crt; else that CA's own \
                 certificate (openssl s_client -connect HOST:PORT shows the issuer), as a file or in a \
                 GitLab variable BUILD_STATUS_CA_FILE of the type File"
            }
            CertificateError::UnknownIssuer => {
                "if the certificate comes from a private CA or a TLS-intercepting proxy, pass that \
                 CA's certificate with --ca-file or SSL_CERT_FILE, or in a GitLab variable \
                 BUILD_STATUS_CA_FILE of the type File (openssl s_client -connect HOST:PORT shows the \
                 issuer)"
            }
            CertificateError::BadSignature => {
                "the file in --ca-file or SSL_CERT_FILE contains another CA of the same name: use \
                 the certificate of the CA that signed the server's"
            }
            // webpki's CaUsedAsEndEntity, for which rustls has no variant
            CertificateError::Other(_) => {
                "the server presents a CA certificate as its own, as self-signed certificates often \
                 are: it needs a certificate that a CA has signed"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "renew the server's certificate; if it is current, this machine's clock is wrong \
                 (openssl s_client -connect HOST:PORT shows the certificate)"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "check this machine's clock; if it is right, replace the server's certificate"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "use a host name that the certificate is valid for in BITBUCKET_SERVER_URL or \
                 BITBUCKET_API_ROOT"
            }
            _ => return None,
        },
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown,
        ) => {
            "the server may require a client certificate, or another one: pass it with \
             --client-cert and --client-key"
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => "the server must support TLS 1.2 or 1.3",
        rustls::Error::InvalidMessage(_) => {
            "the server does not speak TLS: check the port, and whether it expects http; so does a \
             proxy that HTTPS_PROXY names with https://: write http:// there"
        }
        _ => return None,
    })
}

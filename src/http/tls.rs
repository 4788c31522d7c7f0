//! Certificates: which are trusted, which we show, and what a failure is about.

use std::fs;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::cli::{NetworkArgs, Origins};
use crate::error::Error;

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
                &origins.name("client_key"),
                "there is no certificate for this key",
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
    let key = key.ok_or_else(|| Error::Setting {
        origin: key_origin,
        problem: format!("the file `{key_path}` holds no private key in PEM form"),
        hint: Some(
            "give the key with --client-key; an encrypted one must be decrypted first".into(),
        ),
    })?;
    // ureq panics on a pair that does not fit.
    check_pair(&chain, &key).map_err(|problem| Error::Setting {
        origin,
        problem: format!("the certificate and its key cannot be used: {problem}"),
        hint: None,
    })?;
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}

/// What is in a file.
struct Pem {
    certificates: Vec<Certificate<'static>>,
    key: Option<PrivateKey<'static>>,
}

impl Pem {
    fn read(origin: &str, path: &str) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(|error| Error::Unreadable {
            origin: origin.to_owned(),
            path: path.to_owned(),
            message: error.to_string(),
            hint: Some(match origin {
                // Somebody has set it for other programs.
                "SSL_CERT_FILE" => {
                    "unset it, or set BUILD_STATUS_CA_FILE; in a container the path is the \
                     container's"
                }
                _ => "check the path; in a container it is the container's",
            }),
        })?;
        let mut pem = Self {
            certificates: Vec::new(),
            key: None,
        };
        for item in parse_pem(&bytes).flatten() {
            match item {
                PemItem::Certificate(certificate) => pem.certificates.push(certificate),
                PemItem::PrivateKey(key) => pem.key = Some(key),
                _ => {}
            }
        }
        Ok(pem)
    }

    fn certificates(self, origin: &str, path: &str) -> Result<Vec<Certificate<'static>>, Error> {
        if self.certificates.is_empty() {
            return Err(Error::Setting {
                origin: origin.to_owned(),
                problem: format!("the file `{path}` holds no certificate in PEM form"),
                hint: Some(
                    "from DER: openssl x509 -inform der -in FILE; from PKCS#12: openssl pkcs12 -in \
                     FILE -nodes"
                        .into(),
                ),
            });
        }
        Ok(self.certificates)
    }
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

/// What to do about it.
pub(crate) fn hint(error: &rustls::Error) -> Option<&'static str> {
    Some(match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer => {
                "if the certificate comes from a private CA or a TLS-intercepting proxy, pass that \
                 CA's certificate with --ca-file or SSL_CERT_FILE; if one is set already, it is \
                 another CA's (openssl s_client -connect HOST:PORT shows the issuer)"
            }
            CertificateError::BadSignature => {
                "the file of --ca-file or SSL_CERT_FILE holds another CA of the same name: get the \
                 one that signed this certificate"
            }
            // webpki's CaUsedAsEndEntity, which rustls has no name for
            CertificateError::Other(_) => {
                "the server shows a CA's own certificate, as a self-signed one often is: it needs \
                 one that a CA has signed"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server needs a new certificate; if it has one, this machine's clock is wrong \
                 (openssl s_client -connect HOST:PORT shows the certificate)"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "this machine's clock is wrong, or the server's certificate is from the future"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "call the server by a name that its certificate has: BITBUCKET_SERVER_URL or \
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
            "the server may want a client certificate, or another one: give it with --client-cert \
             and --client-key"
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => "the server must speak TLS 1.2 or 1.3",
        rustls::Error::InvalidMessage(_) => {
            "what answers there does not speak TLS: check the port, and whether it is http"
        }
        _ => return None,
    })
}

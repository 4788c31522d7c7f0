//! A certificate for one server, from a CA of its own.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What is unusual about a server's TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flaws {
    /// The certificate is for this host.
    pub(crate) other_host: Option<String>,
    pub(crate) expired: bool,
    /// The certificate says that the server is called this.
    /// Clients without a certificate are turned away.
    pub(crate) asks_clients: bool,
}

/// A server certificate in use, the CA to trust for it, and what a client may show.
pub(crate) struct Certificate {
    pub(crate) ca_pem: String,
    pub(crate) client: Client,
    pub(crate) acceptor: TlsAcceptor,
}

/// A client's certificate, of the same CA, and its key.
pub(crate) struct Client {
    pub(crate) cert_pem: String,
    pub(crate) key_pem: String,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

impl Certificate {
    /// Makes all of it, with ECDSA P-256 keys that live in memory only.
    pub(crate) fn issue(flaws: &Flaws) -> Self {
        Self::try_issue(flaws).expect("the names and keys are made here")
    }

    fn try_issue(flaws: &Flaws) -> Result<Self, Box<dyn std::error::Error>> {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        ca.distinguished_name
            .push(DnType::CommonName, "stand_in CA");
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

        let hosts = match &flaws.other_host {
            Some(host) => vec![host.clone()],
            None => ["localhost", "127.0.0.1"].map(String::from).to_vec(),
        };
        let mut server = CertificateParams::new(hosts)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        if flaws.expired {
            server.not_before = date_time_ymd(2020, 1, 1);
            server.not_after = date_time_ymd(2020, 12, 31);
        }
        let key = KeyPair::generate()?;
        let server = server.signed_by(&key, &ca)?;

        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let config = if flaws.asks_clients {
            let mut roots = RootCertStore::empty();
            roots.add(ca.as_ref().der().clone())?;
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build()?;
            config.with_client_cert_verifier(verifier)
        } else {
            config.with_no_client_auth()
        };
        let mut config = config.with_single_cert(
            vec![server.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            ca_pem: ca.as_ref().pem(),
            client: Client::issue(&ca)?,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

impl Client {
    fn issue(ca: &Issuer) -> Result<Self, rcgen::Error> {
        let mut client = CertificateParams::default();
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        client
            .distinguished_name
            .push(DnType::CommonName, "stand_in client");
        let key = KeyPair::generate()?;
        Ok(Self {
            cert_pem: client.signed_by(&key, ca)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

//! Certificates: a real TLS server with a CA of its own.

use std::path::{Path, PathBuf};

use stand_in::{Setup, StandIn};

use crate::support::{Ran, gitlab, shown};

fn file(name: &str, content: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Reports with the server's CA trusted, and `args`.
fn report(bitbucket: &StandIn, name: &str, args: &[&str]) -> Ran {
    let ca = file(&format!("{name}-ca.pem"), bitbucket.ca_pem().unwrap());
    gitlab(bitbucket, args.iter().copied())
        .env("SSL_CERT_FILE", ca)
        .run()
}

#[test]
fn an_expired_certificate_is_named_and_not_tried_again() {
    let bitbucket = Setup::default().tls_expired().start();
    report(&bitbucket, "expired", &[])
        .exits(5)
        .says("certificate expired")
        .says("openssl s_client")
        .says("renew the server's certificate");
    assert_eq!(bitbucket.received(), []);
    assert!(bitbucket.connections() <= 2);
}

#[test]
fn a_certificate_for_another_host_is_named_with_the_name_that_it_has() {
    let bitbucket = Setup::default().tls_for_host("git.example.com").start();
    report(&bitbucket, "host", &[])
        .exits(5)
        .says("localhost")
        .says("git.example.com")
        .says("a host name that the certificate is valid for");
}

#[test]
fn a_server_that_asks_for_a_client_certificate_gets_it() {
    let bitbucket = Setup::default().tls_client_ca().start();
    let refused = report(&bitbucket, "client", &[]).exits(5);
    // Windows drops what a server has said if it then resets the connection.
    if cfg!(unix) {
        refused.says("--client-cert");
    }
    let (certificate, key) = (
        bitbucket.client_cert_pem().unwrap(),
        bitbucket.client_key_pem().unwrap(),
    );
    let certificate_file = file("client-cert.pem", certificate);
    let key_file = file("client-key.pem", key);
    let both = file("client-both.pem", &format!("{key}\n{certificate}"));
    let [certificate_file, key_file, both] =
        [&certificate_file, &key_file, &both].map(|path| path.to_str().unwrap());
    report(
        &bitbucket,
        "client",
        &["--client-cert", certificate_file, "--client-key", key_file],
    )
    .exits(0);
    report(&bitbucket, "client", &["--client-cert", both]).exits(0);
    assert_eq!(shown(&bitbucket).len(), 1);

    report(&bitbucket, "client", &["--client-cert", certificate_file])
        .exits(2)
        .says("no private key");
    report(&bitbucket, "client", &["--client-cert", key_file])
        .exits(2)
        .says("no certificate");
    report(&bitbucket, "client", &["--client-cert", "nosuch.pem"])
        .exits(1)
        .says("--client-cert");
    report(&bitbucket, "client", &["--client-key", key_file])
        .exits(2)
        .says("--client-cert");
    let foreign = Setup::default().tls_client_ca().start();
    let foreign = file("foreign-key.pem", foreign.client_key_pem().unwrap());
    let foreign = foreign.to_str().unwrap();
    report(
        &bitbucket,
        "client",
        &["--client-cert", certificate_file, "--client-key", foreign],
    )
    .exits(2)
    .says("--client-cert: the certificate and its key cannot be used");
}

#[test]
fn plain_http_on_the_port_is_told_from_a_certificate() {
    let bitbucket = StandIn::start();
    let https = bitbucket.api_root().replace("http:", "https:");
    gitlab(&bitbucket, [])
        .env("BITBUCKET_API_ROOT", https)
        .run()
        .exits(5)
        .says("does not speak TLS");
}

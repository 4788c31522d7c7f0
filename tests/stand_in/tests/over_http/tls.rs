//! The server with a certificate.

use stand_in::{Answer, Setup, StandIn};
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::{agent, code, post};

fn trusting(bitbucket: &StandIn) -> Agent {
    showing(bitbucket, None)
}

fn showing(bitbucket: &StandIn, client: Option<ClientCert>) -> Agent {
    agent_of(bitbucket.ca_pem().unwrap(), client)
}

pub(crate) fn trusting_ca(ca_pem: &str) -> Agent {
    agent_of(ca_pem, None)
}

fn agent_of(ca_pem: &str, client: Option<ClientCert>) -> Agent {
    let ca = Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[ca]));
    let tls = tls.client_cert(client).build();
    let config = Config::builder().proxy(None).tls_config(tls);
    config.build().into()
}

fn client_of(bitbucket: &StandIn) -> ClientCert {
    let cert = Certificate::from_pem(bitbucket.client_cert_pem().unwrap().as_bytes()).unwrap();
    let key = PrivateKey::from_pem(bitbucket.client_key_pem().unwrap().as_bytes()).unwrap();
    ClientCert::new_with_certs(&[cert], key)
}

#[test]
fn a_client_that_trusts_the_ca_is_served() {
    let bitbucket = Setup::default().tls().start();
    let url = format!("https://localhost:{}", bitbucket.port());
    assert_eq!(bitbucket.url(), url);
    assert_eq!(code(&post(&trusting(&bitbucket), &bitbucket, "ci")), 201);
    assert_eq!(bitbucket.history().len(), 1);
}

#[test]
fn the_certificate_is_for_the_address_too() {
    let bitbucket = Setup::default().tls().start();
    let url = format!("https://127.0.0.1:{}/", bitbucket.port());
    let answered = trusting(&bitbucket).get(url).call();
    assert!(
        matches!(answered, Err(ureq::Error::StatusCode(404))),
        "{answered:?}"
    );
}

#[test]
fn a_client_that_does_not_know_the_ca_refuses() {
    let bitbucket = Setup::default().tls().start();
    let other = Setup::default().tls().start();
    for client in [agent(), trusting(&other)] {
        let error = post(&client, &bitbucket, "ci").unwrap_err().to_string();
        assert!(error.contains("invalid peer certificate"), "{error}");
    }
    assert_eq!(bitbucket.received(), []);
    assert_eq!(bitbucket.connections(), 2);
}

#[test]
fn a_certificate_can_be_for_another_host_or_out_of_date() {
    for (setup, reason) in [
        (
            Setup::default().tls_for_host("other.example.com"),
            "NotValidForName",
        ),
        (Setup::default().tls_expired(), "Expired"),
    ] {
        let bitbucket = setup.start();
        let error = post(&trusting(&bitbucket), &bitbucket, "ci").unwrap_err();
        assert!(format!("{error:?}").contains(reason), "{error:?}");
        assert_eq!(bitbucket.received(), []);
    }
}

#[test]
fn a_client_can_be_asked_for_a_certificate_of_the_ca() {
    let bitbucket = Setup::default().tls_client_ca().start();
    let other = Setup::default().tls().start();
    for client in [None, Some(client_of(&other))] {
        let client = showing(&bitbucket, client);
        assert!(post(&client, &bitbucket, "ci").is_err());
    }
    assert_eq!(bitbucket.received(), []);
    let client = showing(&bitbucket, Some(client_of(&bitbucket)));
    assert_eq!(code(&post(&client, &bitbucket, "ci")), 201);
}

#[test]
fn a_reset_looks_like_one_with_tls() {
    let bitbucket = Setup::default().tls().start();
    bitbucket.will([Answer::Reset]);
    assert!(post(&trusting(&bitbucket), &bitbucket, "ci").is_err());
    assert_eq!(bitbucket.received().len(), 1);
}

#[test]
fn without_tls_there_is_no_ca_and_no_client() {
    let bitbucket = StandIn::start();
    assert_eq!(bitbucket.ca_pem(), None);
    assert_eq!(bitbucket.client_cert_pem(), None);
    assert_eq!(bitbucket.client_key_pem(), None);
}

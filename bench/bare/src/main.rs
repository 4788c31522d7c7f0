//! `bare URL CA_PEM`: one POST of a build status over TLS, and nothing else.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

const BODY: &str = r#"{"state":"SUCCESSFUL","key":"ci/gitlab-ci/unit-tests","name":"unit-tests","description":"The build passed!","url":"https://gitlab.com/my-workspace/my-repo/-/jobs/1"}"#;

fn main() {
    let [url, pem] = [1, 2].map(|n| std::env::args().nth(n).expect("bare URL CA_PEM"));
    let pem = std::fs::read(pem).expect("the CA can be read");
    let roots: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let roots = RootCerts::from(roots.into_iter());
    let config = Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build();
    let mut response = Agent::new_with_config(config)
        .post(&url)
        .header("Authorization", "Bearer stand-in-token")
        .header("Content-Type", "application/json")
        .send(BODY)
        .expect("there is an answer");
    let body = response.body_mut().read_to_string().expect("it has a body");
    assert!(response.status().is_success(), "{body}");
}

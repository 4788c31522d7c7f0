//! The one module that opens sockets.

use std::fs;
use std::io::{self, Read as _};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ureq::config::Config;
use ureq::http::HeaderMap;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use crate::answer::{Answer, Verdict};
use crate::auth::Credentials;
use crate::cli::{NetworkArgs, Origins};
use crate::env::Env;
use crate::error::Error;
use crate::link;
use crate::outcome::Outcome;
use crate::proxy;
use crate::request::Request;
use crate::retry::{self, Next, Policy, Setback};

/// What is read of an answer's body.
const LONGEST_BODY: u64 = 64 * 1024;

/// How requests get out.
#[derive(Debug)]
pub struct Client {
    proxy: Option<Proxy>,
    roots: RootCerts,
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq)]
struct Failure {
    message: String,
    setback: Setback,
    hint: Option<&'static str>,
}

impl Client {
    /// Gets ready to call `url`. Reads the certificates, opens nothing.
    pub fn new(args: &NetworkArgs, origins: &Origins, url: &str, env: &Env) -> Result<Self, Error> {
        Ok(Self {
            proxy: proxy::for_url(url, env)?,
            roots: match &args.ca_file {
                None => RootCerts::WebPki,
                Some(path) => read_roots(&origins.name("ca_file"), path)?,
            },
        })
    }

    /// Sends `request` until it is accepted or refused, or until `policy` gives up. `log` is told
    /// what happens.
    pub fn deliver(
        &self,
        request: &Request,
        credentials: &Credentials,
        policy: Policy,
        log: &mut dyn FnMut(String),
    ) -> Outcome {
        let started = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let limit = policy.attempt(started.elapsed());
            let result = self.attempt(request, limit);
            let verdict = result
                .as_ref()
                .map(|answer| answer.verdict(credentials, SystemTime::now()));
            let (error, setback) = match verdict {
                Ok(Verdict::Accepted) => {
                    let status = result.ok().map(|answer| answer.status);
                    return Outcome::new(attempts, started.elapsed(), status, None);
                }
                Ok(Verdict::Refused(error)) => (error, Setback::Lasting),
                Ok(Verdict::Failing { error, setback }) => (error, setback),
                Err(failure) => (
                    Error::Unreachable {
                        server: link::authority(&request.url),
                        message: failure.message.clone(),
                        gave_up: None,
                        hint: failure.hint,
                    },
                    failure.setback,
                ),
            };
            let elapsed = started.elapsed();
            match policy.next(attempts, elapsed, setback, fastrand::f64()) {
                Next::TryAfter(pause) => {
                    let seconds = retry::seconds(pause);
                    log(format!(
                        "attempt {attempts}: {error}; trying again in {seconds} s"
                    ));
                    thread::sleep(pause);
                }
                Next::GiveUp(reason) => {
                    let status = error.http_status();
                    let error = error.giving_up(reason);
                    return Outcome::new(attempts, elapsed, status, Some(error));
                }
            }
        }
    }

    fn attempt(&self, request: &Request, limit: Duration) -> Result<Answer, Failure> {
        let agent = Agent::new_with_config(self.config(limit));
        let mut builder = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.expose());
        }
        let sent = builder
            .body(request.body.as_str())
            .map_err(ureq::Error::Http)
            .and_then(|request| agent.run(request));
        let mut response = sent.map_err(|error| failure(&error))?;
        let mut answer = answer(response.status().as_u16(), response.headers());
        // Not through ureq's own limit, which calls a longer body an error.
        let body = response.body_mut().as_reader();
        body.take(LONGEST_BODY)
            .read_to_end(&mut answer.body)
            .map_err(|error| failure(&ureq::Error::from(error)))?;
        Ok(answer)
    }

    fn config(&self, limit: Duration) -> Config {
        Config::builder()
            // A redirected POST becomes a GET, and a login page looks like success.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // ureq zeroes 128 KiB for each, twice: an eighth of all instructions. Headers must fit.
            .input_buffer_size(32 * 1024)
            .output_buffer_size(8 * 1024)
            .timeout_global(Some(limit))
            // Of several addresses, the first may be a black hole.
            .timeout_connect(Some(limit / 2))
            .proxy(self.proxy.clone())
            .tls_config(TlsConfig::builder().root_certs(self.roots.clone()).build())
            .build()
    }
}

fn answer(status: u16, headers: &HeaderMap) -> Answer {
    let text = |name| {
        let value = headers.get(name)?.as_bytes();
        Some(String::from_utf8_lossy(value).into_owned())
    };
    Answer {
        status,
        content_type: text("content-type"),
        location: text("location"),
        retry_after: text("retry-after"),
        // Data Center's; the usual one; that of Atlassian's edge
        request_id: ["x-arequestid", "x-request-id", "atl-traceid"]
            .into_iter()
            .find_map(text),
        body: Vec::new(),
    }
}

fn read_roots(origin: &str, path: &str) -> Result<RootCerts, Error> {
    let pem = fs::read(path).map_err(|error| Error::Unreadable {
        origin: origin.to_owned(),
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Error::Setting {
            origin: origin.to_owned(),
            problem: format!("the file `{path}` holds no certificate in PEM form"),
            hint: None,
        });
    }
    Ok(RootCerts::from(certificates.into_iter()))
}

/// Says what went wrong below HTTP, and whether it may go better.
fn failure(error: &ureq::Error) -> Failure {
    if let Some(failure) = tls_failure(error) {
        return failure;
    }
    let (message, setback) = match error {
        ureq::Error::Timeout(_) => ("no answer in time".into(), Setback::Passing),
        ureq::Error::HostNotFound => ("the host is unknown".into(), Setback::UnknownHost),
        ureq::Error::Io(error) => {
            let text = error.to_string();
            // std's words, which have no kind of their own. What follows is the resolver's, and
            // "Temporary failure" is one that may pass.
            if text.contains("failed to lookup address") && !text.contains("Temporary failure") {
                (text, Setback::UnknownHost)
            } else {
                (io_message(error), Setback::Passing)
            }
        }
        ureq::Error::ConnectProxyFailed(text) => {
            (format!("the proxy refuses: {text}"), Setback::Passing)
        }
        other => (other.to_string(), Setback::Passing),
    };
    Failure {
        message,
        setback,
        hint: Some(
            "check the network, BITBUCKET_API_ROOT, and whether a proxy is needed (HTTPS_PROXY, \
             NO_PROXY)",
        ),
    }
}

fn io_message(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed without an answer".into(),
        _ => error.to_string(),
    }
}

fn tls_failure(error: &ureq::Error) -> Option<Failure> {
    use rustls::{CertificateError, Error as Tls};
    let error = match error {
        ureq::Error::Rustls(error) => error,
        // The handshake runs inside reads and writes.
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref::<Tls>()?,
        _ => return None,
    };
    let hint = match error {
        Tls::InvalidCertificate(CertificateError::UnknownIssuer) => Some(
            "if the server's certificate comes from a private CA, give that CA's certificate with \
             --ca-file or SSL_CERT_FILE",
        ),
        _ => None,
    };
    Some(Failure {
        message: format!("TLS: {error}"),
        setback: Setback::Lasting,
        hint,
    })
}

//! The one module that opens sockets.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::TlsConfig;
use ureq::{Agent, Proxy};

use crate::answer::{Answer, Identity};
use crate::cli::{NetworkArgs, Origins};
use crate::env::Env;
use crate::error::Error;
use crate::proxy;
use crate::request::Request;
use crate::retry::Setback;
use crate::tls;

/// What is read of an answer's body.
const LONGEST_BODY: u64 = 64 * 1024;

/// How long it may take to look at a certificate that was not believed.
const LOOK: Duration = Duration::from_secs(2);

/// How requests get out.
#[derive(Debug)]
pub struct Client {
    server: Uri,
    proxy: Option<Proxy>,
    tls: TlsConfig,
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// What happened.
    pub(crate) message: String,
    /// Whether it may go better.
    pub(crate) setback: Setback,
    /// What may help.
    pub(crate) hint: Option<&'static str>,
}

impl Client {
    /// Gets ready to call `url`. Reads the certificates, opens nothing.
    pub fn new(args: &NetworkArgs, origins: &Origins, url: &str, env: &Env) -> Result<Self, Error> {
        Ok(Self {
            server: url.parse().unwrap_or_default(),
            proxy: proxy::for_url(url, env)?,
            tls: tls::config(args, origins)?,
        })
    }

    /// The way to the server, for people.
    pub fn way(&self) -> String {
        match &self.proxy {
            Some(proxy) if !proxy.is_no_proxy(&self.server) => {
                format!("through the proxy {}:{}", proxy.host(), proxy.port())
            }
            _ => "without a proxy".into(),
        }
    }

    /// Sends `request` once. Everything together may take `limit`.
    pub(crate) fn attempt(&self, request: &Request, limit: Duration) -> Result<Answer, Failure> {
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
        let mut response = sent.map_err(|error| self.failure(&error, &request.url, limit))?;
        let mut answer = answer(response.status().as_u16(), response.headers());
        // Not through ureq's own limit, which calls a longer body an error.
        let body = response.body_mut().as_reader();
        body.take(LONGEST_BODY)
            .read_to_end(&mut answer.body)
            .map_err(|error| self.failure(&error.into(), &request.url, limit))?;
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
            .tls_config(self.tls.clone())
            .build()
    }

    fn failure(&self, error: &ureq::Error, url: &str, limit: Duration) -> Failure {
        let Some(error) = tls::error(error) else {
            return failure(error);
        };
        let about_certificate = tls::is_about_certificate(error);
        let presented = about_certificate
            .then(|| self.presented(url, limit))
            .flatten();
        Failure {
            message: match presented {
                Some(presented) => format!("TLS: {error} (it is that of {presented})"),
                None => format!("TLS: {error}"),
            },
            setback: Setback::Lasting,
            hint: tls::hint(error),
        }
    }

    /// Whose certificate the server presents. Behind a proxy that is not asked for.
    fn presented(&self, url: &str, limit: Duration) -> Option<String> {
        let uri: Uri = url.parse().ok()?;
        let is_direct = |proxy: &Proxy| proxy.is_no_proxy(&uri);
        if !self.proxy.as_ref().is_none_or(is_direct) {
            return None;
        }
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let look = TcpStream::connect((host.as_str(), port)).ok();
            let look = look.and_then(|stream| tls::presented(stream, &host));
            // Nobody listens any more if it took too long.
            let _ = tell.send(look);
        });
        told.recv_timeout(LOOK.min(limit / 2)).ok().flatten()
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
        identity: Identity {
            scopes: text("x-oauth-scopes"),
            credential_type: text("x-credential-type"),
            user: text("x-ausername"),
        },
        body: Vec::new(),
    }
}

/// Says what went wrong below HTTP, and whether it may go better.
fn failure(error: &ureq::Error) -> Failure {
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
            "check the network, BITBUCKET_API_ROOT or BITBUCKET_SERVER_URL, and whether a proxy is \
             needed (HTTPS_PROXY, NO_PROXY)",
        ),
    }
}

fn io_message(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed without an answer".into(),
        _ => error.to_string(),
    }
}

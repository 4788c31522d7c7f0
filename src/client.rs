//! The one module that opens sockets, as `dial` says.

use std::io::Read as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Proxy};

use crate::answer::{Answer, Identity};
use crate::cli::{NetworkArgs, Origins};
use crate::dial;
use crate::env::Env;
use crate::error::Error;
use crate::failure::Failure;
use crate::proxy;
use crate::request::Request;
use crate::secret::Redactor;
use crate::tls;

/// What is read of an answer's body.
const LONGEST_BODY: u64 = 64 * 1024;

/// How long it may take to look at a certificate that was not believed.
const LOOK: Duration = Duration::from_secs(2);

/// How requests get out.
#[derive(Debug)]
pub struct Client {
    proxy: Option<Proxy>,
    tls: TlsConfig,
    /// How many attempts have failed: the next one begins with the next of the host's addresses.
    failed: AtomicUsize,
}

impl Client {
    /// Gets ready to call `url`. Reads the certificates, opens nothing.
    pub fn new(args: &NetworkArgs, origins: &Origins, url: &str, env: &Env) -> Result<Self, Error> {
        Ok(Self {
            proxy: proxy::for_url(url, env)?,
            tls: tls::config(args, origins)?,
            failed: AtomicUsize::new(0),
        })
    }

    /// The way to `url`, for people.
    pub fn way(&self, url: &str) -> String {
        match self.proxy_for(url) {
            Some(proxy) => format!("through the proxy {}:{}", proxy.host(), proxy.port()),
            None => "without a proxy".into(),
        }
    }

    /// Sends `request` once. Everything together may take `limit`.
    pub(crate) fn attempt(&self, request: &Request, limit: Duration) -> Result<Answer, Failure> {
        let result = self.exchange(request, limit);
        if result.as_ref().map_or(true, |answer| answer.status >= 500) {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    fn exchange(&self, request: &Request, limit: Duration) -> Result<Answer, Failure> {
        let turn = self.failed.load(Ordering::Relaxed);
        let connector = dial::connector(turn, Instant::now() + limit);
        let agent = Agent::with_parts(self.config(limit), connector, DefaultResolver::default());
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
        let read = body.take(LONGEST_BODY).read_to_end(&mut answer.body);
        let is_success = (200..300).contains(&answer.status);
        match read {
            // Whether it was stored is not known: what ought to be JSON is not.
            Err(error) if is_success => {
                return Err(self.failure(&error.into(), &request.url, limit));
            }
            // A refusal is one without all of its words: asking again may lock the account.
            Err(_) => answer.body_was_cut(),
            Ok(length) if length as u64 == LONGEST_BODY && !is_success => answer.body_was_cut(),
            Ok(_) => {}
        }
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

    /// What `error` means, with what only this module can find out: whose certificate it was, and
    /// which proxy was in between.
    fn failure(&self, error: &ureq::Error, url: &str, limit: Duration) -> Failure {
        let mut failure = Failure::new(error);
        if self.proxy_for(url).is_some() {
            return failure.on(&self.way(url), error);
        }
        if failure.about_certificate
            && let Some(presented) = look_at_certificate(url, limit)
        {
            failure.message = format!("{} (it is that of {presented})", failure.message);
        }
        failure
    }

    fn proxy_for(&self, url: &str) -> Option<&Proxy> {
        let uri: Uri = url.parse().ok()?;
        self.proxy.as_ref().filter(|proxy| !proxy.is_no_proxy(&uri))
    }
}

/// Whose certificate the server at `url` presents: of several behind a name, the first that answers.
fn look_at_certificate(url: &str, limit: Duration) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(443);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let stream = TcpStream::connect((host.as_str(), port)).ok();
        let presented = stream.and_then(|stream| tls::presented(stream, &host));
        // Nobody listens any more if it took too long.
        let _ = tell.send(presented);
    });
    told.recv_timeout(LOOK.min(limit / 2)).ok().flatten()
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
        secrets: Redactor::default(),
    }
}

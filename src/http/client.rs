//! The one module that opens sockets, as `dial` says.

use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ureq::config::Config;
use ureq::http::{HeaderName, HeaderValue, Uri};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, Proxy};

use crate::cli::{NetworkArgs, Origins};
use crate::env::Env;
use crate::error::Error;
use crate::http::dial::{self, Until};
use crate::http::failure::{Failure, Hints};
use crate::http::proxy;
use crate::http::request::Request;
use crate::http::resolve::Names;
use crate::http::response::Response;
use crate::http::tls;

/// The longest URL and headers together. Servers take no more than 8 KiB; ureq never ends where they do
/// not fit its buffer.
const LONGEST_HEAD: usize = 8 * 1024;

/// How requests get out.
#[derive(Debug)]
pub struct Client {
    /// With the variable that names it.
    proxy: Option<(&'static str, Proxy)>,
    tls: TlsConfig,
    /// The file of the only CAs that are trusted, with what names it.
    cas: Option<String>,
    /// How many attempts have failed: the next one begins with the next of the host's addresses.
    failed: AtomicUsize,
    until: Until,
    /// Has the connection that the last request has left open.
    agent: Mutex<Option<Agent>>,
    hints: &'static Hints,
}

fn described(ca_file: Option<&str>, origin: &str) -> Option<String> {
    ca_file.map(|path| format!("{path} (from {origin})"))
}

impl Client {
    /// Gets ready to call `url`. Reads the certificates, opens nothing.
    pub fn new(args: &NetworkArgs, origins: &Origins, url: &str, env: &Env) -> Result<Self, Error> {
        let cas = described(args.ca_file.as_deref(), &origins.name("ca_file"));
        let tls = tls::config(args, origins)?;
        Self::with_tls(tls, cas, url, env, &Hints::BITBUCKET)
    }

    /// The same for a server of other certificates: those in `ca_file`, which `origin` names.
    pub(crate) fn trusting(
        ca_file: Option<&str>,
        origin: &str,
        url: &str,
        env: &Env,
        hints: &'static Hints,
    ) -> Result<Self, Error> {
        let tls = tls::trusting(ca_file, origin)?;
        Self::with_tls(tls, described(ca_file, origin), url, env, hints)
    }

    fn with_tls(
        tls: TlsConfig,
        cas: Option<String>,
        url: &str,
        env: &Env,
        hints: &'static Hints,
    ) -> Result<Self, Error> {
        Ok(Self {
            proxy: proxy::for_url(url, env)?,
            tls,
            cas,
            failed: AtomicUsize::new(0),
            until: Until::now(),
            agent: Mutex::new(None),
            hints,
        })
    }

    /// The way to `url`, for people.
    pub(crate) fn way(&self, url: &str) -> String {
        match self.proxy_for(url) {
            Some((variable, proxy)) => {
                let (host, port) = (proxy.host(), proxy.port());
                format!("through the proxy {host}:{port} (from {variable})")
            }
            None => "without a proxy".into(),
        }
    }

    /// Sends `request` once. Everything together may take `limit`.
    pub(crate) fn attempt(&self, request: &Request, limit: Duration) -> Result<Response, Failure> {
        let result = self.exchange(request, limit);
        if result
            .as_ref()
            .map_or(true, |response| response.status >= 500)
        {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// Sends it over the connection that is open, if one is: a server that closes it meanwhile is one
    /// that does not answer, and the next attempt opens another.
    fn exchange(&self, request: &Request, limit: Duration) -> Result<Response, Failure> {
        if request.url.starts_with("https") && SystemTime::now() < SystemTime::UNIX_EPOCH {
            return Err(Failure::clock());
        }
        let mut builder = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        let mut head = request.url.len();
        for (name, value) in &request.headers {
            let value = value.expose();
            head += name.len() + value.len() + 4;
            builder = builder.header(*name, value);
        }
        if head > LONGEST_HEAD {
            return Err(Failure::long_headers(head));
        }
        self.until.set(Instant::now() + limit);
        let mut kept = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        let open = kept.take();
        let exchanged = builder
            .body(request.body.as_str())
            .map_err(ureq::Error::Http)
            .and_then(|http| match open {
                None => {
                    let agent = self.agent(limit);
                    Ok((agent.run(http)?, agent))
                }
                Some(agent) => {
                    let http = agent
                        .configure_request(http)
                        // A function's next event may be a while off; load balancers close after a minute.
                        .max_idle_age(Duration::from_secs(50))
                        .timeout_global(Some(limit))
                        .timeout_connect(Some(limit / 2))
                        .build();
                    Ok((agent.run(http)?, agent))
                }
            })
            .and_then(|(answer, agent)| Ok((read(answer, request.longest_body)?, agent)));
        let (response, agent) = exchanged.map_err(|error| self.failure(&error, &request.url))?;
        // One that is in trouble may have a better address.
        *kept = Some(agent).filter(|_| response.status < 500);
        Ok(response)
    }

    fn agent(&self, limit: Duration) -> Agent {
        let turn = self.failed.load(Ordering::Relaxed);
        let below_tls = Config::builder()
            .input_buffer_size(4 * 1024)
            .output_buffer_size(2 * 1024)
            .build();
        let connector = dial::connector(turn, self.until.clone(), below_tls);
        Agent::with_parts(self.config(limit), connector, Names::default())
    }

    fn config(&self, limit: Duration) -> Config {
        Config::builder()
            // A redirected POST becomes a GET, and a login page looks like success.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // ureq zeroes 128 KiB for each: an eighth of all instructions. Headers must fit.
            .input_buffer_size(16 * 1024)
            .output_buffer_size(LONGEST_HEAD)
            .timeout_global(Some(limit))
            // Of several addresses, the first may be a black hole.
            .timeout_connect(Some(limit / 2))
            .proxy(self.proxy.as_ref().map(|(_, proxy)| proxy.clone()))
            .tls_config(self.tls.clone())
            .build()
    }

    /// What `error` means, and which proxy was in between.
    fn failure(&self, error: &ureq::Error, url: &str) -> Failure {
        let failure = Failure::new(error, self.hints, self.cas.as_deref());
        match self.proxy_for(url) {
            Some(_) => failure.on(&self.way(url), error),
            None => failure,
        }
    }

    fn proxy_for(&self, url: &str) -> Option<&(&'static str, Proxy)> {
        let uri: Uri = url.parse().ok()?;
        let proxy = self.proxy.as_ref();
        proxy.filter(|(_, proxy)| !proxy.is_no_proxy(&uri))
    }
}

/// Reads the response, as far as it matters.
fn read(mut from: ureq::http::Response<Body>, longest: u64) -> Result<Response, ureq::Error> {
    let mut response = Response {
        status: from.status().as_u16(),
        headers: from.headers().iter().map(text).collect(),
        ..Response::default()
    };
    // Not through ureq's own limit, which calls a longer body an error.
    let body = from.body_mut().as_reader();
    let read = body.take(longest).read_to_end(&mut response.body);
    let is_success = (200..300).contains(&response.status);
    match read {
        // Whether it was stored is not known: what ought to be JSON is not.
        Err(error) if is_success => return Err(error.into()),
        // A refusal is one without all of its words: asking again may lock the account.
        Err(_) => response.body_was_cut(),
        Ok(length) if length as u64 == longest && !is_success => response.body_was_cut(),
        Ok(_) => {}
    }
    Ok(response)
}

fn text((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    let value = String::from_utf8_lossy(value.as_bytes());
    (name.to_string(), value.into_owned())
}

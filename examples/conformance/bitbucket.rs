//! The Bitbucket that is asked, with a client of its own: it shows what is said, and decides nothing.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use build_status::bitbucket::credentials::Credentials;
use build_status::output;
use build_status::secret::Redactor;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::HeaderMap;

/// How often a request is sent that the limit of requests refuses.
const ATTEMPTS: u32 = 5;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Who {
    /// The token that is tested with.
    We,
    /// The second token.
    Another,
    /// A token that nobody was given.
    Stranger,
    /// No credentials.
    Nobody,
}

/// A Bitbucket, a commit in it, and the keys that are ours.
pub(crate) struct Bitbucket {
    pub(crate) agent: Agent,
    /// The base URL of the API, without a slash at its end.
    pub(crate) root: String,
    pub(crate) workspace: String,
    pub(crate) repository: String,
    pub(crate) commit: String,
    pub(crate) credentials: Credentials,
    pub(crate) another: Option<Credentials>,
    pub(crate) redactor: Redactor,
    /// What each of our keys begins with.
    pub(crate) prefix: String,
    pub(crate) stored: RefCell<Vec<Stored>>,
}

/// A status that was stored.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored {
    /// Where it was posted.
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) refname: Option<String>,
}

/// What was said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Bitbucket {
    /// A key of ours, unused before.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Sends one request, again when the limit of requests says so. The error is why there was no
    /// answer.
    pub(crate) fn ask(
        &self,
        who: Who,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Result<Answer, String> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.root))
            .header("accept", "application/json")
            .header("user-agent", "build_status-conformance");
        if !body.is_empty() {
            request = request.header("content-type", content_type);
        }
        let authorization = match (who, &self.another) {
            (Who::We, _) => Some(header(&self.credentials)),
            (Who::Another, another) => another.as_ref().map(header),
            (Who::Stranger, _) => Some("Bearer conformance-of-nobody".to_owned()),
            (Who::Nobody, _) => None,
        };
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(body).map_err(|error| error.to_string())?;
        for _ in 0..ATTEMPTS {
            let answer = self.ask_once(request.clone());
            match answer {
                Ok(answer) if answer.status == 429 => {
                    let wait = answer.header("retry-after").and_then(|it| it.parse().ok());
                    thread::sleep(Duration::from_secs(wait.unwrap_or(5).min(60)));
                }
                answer => return answer,
            }
        }
        Err("the limit of requests is used up".to_owned())
    }

    fn ask_once(&self, request: ureq::http::Request<&str>) -> Result<Answer, String> {
        let response = self.agent.run(request);
        let mut response = response.map_err(|error| self.line(&error.to_string()))?;
        let body = response.body_mut().with_config().limit(1024 * 1024);
        let text = body.read_to_string().map_err(|error| error.to_string())?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text,
        })
    }

    pub(crate) fn get(&self, who: Who, path: &str) -> Result<Answer, String> {
        self.ask(who, "GET", path, "", "")
    }

    /// Posts JSON, and notes what is stored.
    pub(crate) fn post(&self, who: Who, path: &str, body: &Value) -> Result<Answer, String> {
        let answer = self.ask(who, "POST", path, "application/json", &body.to_string())?;
        if (200..300).contains(&answer.status) {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let stored = Stored {
                path: path.to_owned(),
                key: text(&body["key"]).unwrap_or_default(),
                // Cloud says which one it is: not always the one that was sent.
                refname: text(&answer.json()["refname"]),
            };
            let mut known = self.stored.borrow_mut();
            if !known.contains(&stored) {
                known.push(stored);
            }
        }
        Ok(answer)
    }

    /// Text from outside on one line, without secrets.
    pub(crate) fn line(&self, text: &str) -> String {
        output::line(text, &self.redactor)
    }
}

fn header(credentials: &Credentials) -> String {
    let (scheme, secret) = credentials.authorization();
    format!("{scheme} {}", secret.expose())
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A good status under this key, with `changes` put over it; null takes a field away.
pub(crate) fn status(key: &str, changes: &Value) -> Value {
    let mut status = json!({
        "key": key,
        "state": "SUCCESSFUL",
        "url": "https://ci.example.com/conformance",
        "name": "conformance test",
        "description": "Left by a conformance test; it says nothing about the commit.",
    });
    let fields = status.as_object_mut().expect("it is one");
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(fields.remove(name)),
            value => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    status
}

/// An agent that follows no redirect and shows every answer.
pub(crate) fn agent(
    roots: Option<ureq::tls::RootCerts>,
    proxy: Option<ureq::Proxy>,
    timeout: Duration,
) -> Agent {
    let mut tls = ureq::tls::TlsConfig::builder();
    if let Some(roots) = roots {
        tls = tls.root_certs(roots);
    }
    Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(proxy)
        .timeout_global(Some(timeout))
        .tls_config(tls.build())
        .build()
        .into()
}

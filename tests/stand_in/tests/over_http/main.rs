//! The server as a client sees it.

mod answers;
mod data_center;
mod gitlab;
mod limits;
mod oauth;
mod remembered;
mod scopes;
mod tls;
mod web_page;

use serde_json::Value;
use stand_in::{DEFAULT_COMMIT, DEFAULT_TOKEN, StandIn};
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Response;

type Answered = Result<Response<ureq::Body>, ureq::Error>;

/// A client that shows what it gets, as `build_status` configures it.
fn agent() -> Agent {
    Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into()
}

fn build_url(bitbucket: &StandIn) -> String {
    format!(
        "{}/repositories/my-workspace/my-repo/commit/{DEFAULT_COMMIT}/statuses/build",
        bitbucket.api_root()
    )
}

/// Posts a good status with this key.
fn post(agent: &Agent, bitbucket: &StandIn, key: &str) -> Answered {
    agent
        .post(build_url(bitbucket))
        .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
        .header("content-type", "application/json")
        .send(format!(
            r#"{{"key":"{key}","state":"FAILED","url":"https://ci.example.com/1"}}"#
        ))
}

fn code(answered: &Answered) -> u16 {
    answered.as_ref().expect("an answer").status().as_u16()
}

/// An answer, read to its end.
struct Reply {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: String,
}

/// Sends a request. Headers without a value are left out.
fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    let mut response = agent().run(request.body(body).unwrap()).unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.body_mut().read_to_string().unwrap(),
    }
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

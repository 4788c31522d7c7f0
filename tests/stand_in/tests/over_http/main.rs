//! The server as a client sees it.

mod answers;
mod remembered;
mod tls;

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

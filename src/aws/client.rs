//! Asking AWS: credentials first, a signature for each attempt.

use std::time::{Duration, SystemTime};

use crate::aws::api::Call;
use crate::aws::credentials::{self, Credentials, Need, Source};
use crate::aws::refusal;
use crate::aws::signature::Unsigned;
use crate::aws::stored_token::StoredToken;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::failure::Hints;
use crate::http::request::{Request, Value};
use crate::http::response::Response;
use crate::http::retry::{Policy, RetryHint};
use crate::http::session::{self, Answer, Session, Verdict};
use crate::output::log::Log;
use crate::secret::Secret;
use crate::status::state::State;
use crate::status::url;

const HINTS: Hints = Hints {
    network: "check the network and AWS_ENDPOINT_URL; in a VPC, a NAT gateway or an endpoint of the \
              service leads there",
    certificate: None,
};

/// The container's endpoint is on this machine or next to it.
const CONTAINER: Duration = Duration::from_secs(6);

/// Some builds have whole scripts in their environment.
const LONGEST_ANSWER: u64 = 2 * 1024 * 1024;

/// A client of AWS's APIs, with the credentials of the environment.
#[derive(Debug)]
pub(crate) struct Aws {
    env: Env,
    source: Source,
    credentials: Option<Credentials>,
    client: Option<Client>,
}

impl Aws {
    /// Gets ready. Asks for nothing yet.
    pub(crate) fn from_env(env: &Env, need: &Need) -> Result<Self, Error> {
        Ok(Self {
            env: env.clone(),
            source: Source::from_env(env, need)?,
            credentials: None,
            client: None,
        })
    }

    /// Asks for the token that is stored.
    pub(crate) fn token(
        &mut self,
        stored: &StoredToken,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Secret, Error> {
        let answer = self.ask(&stored.call, deadline, log)?;
        let token = stored.token(&answer);
        token.map_err(|problem| Error::unusable("BITBUCKET_ACCESS_TOKEN_ARN", problem))
    }

    /// Asks once more with new credentials when a session has ended.
    pub(crate) fn ask(
        &mut self,
        call: &Call,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Vec<u8>, Error> {
        let was_kept = self.credentials.is_some();
        let (mut response, mut refusal) = self.attempts(call, deadline, log)?;
        let may_renew = matches!(self.source, Source::Container(_));
        if was_kept && may_renew && refusal::is_expired(&response) {
            self.credentials = None;
            (response, refusal) = self.attempts(call, deadline, log)?;
        }
        refusal.map_or(Ok(response.body), Err)
    }

    fn attempts(&mut self, call: &Call, deadline: Deadline, log: &mut Log<'_>) -> Answer {
        let url = call.url(&self.env)?;
        let credentials = match self.credentials.take() {
            Some(kept) => kept,
            None => self.fetch(deadline, log)?,
        };
        log.hide(credentials.secrets());
        let client = match self.client.take() {
            Some(client) => client,
            None => Client::trusting(None, "", &url, &self.env, &HINTS)?,
        };
        let policy = Policy::new(State::Successful, deadline.total());
        let sent = Session::new(&client, policy, deadline, log).send_anew(
            &|| signed(call, &url, &credentials, SystemTime::now()),
            &|response| refusal::judge(call, response),
        );
        self.credentials = Some(credentials);
        self.client = Some(client);
        sent
    }

    fn fetch(&self, deadline: Deadline, log: &mut Log<'_>) -> Result<Credentials, Error> {
        let url = match &self.source {
            Source::Keys(credentials) => return Ok(credentials.clone()),
            Source::Container(url) => url,
        };
        let mut request = Request::get(url.clone());
        if let Some(token) = credentials::authorization(&self.env)? {
            log.hide([token.clone()]);
            request = request.with("Authorization", Value::Token(token));
        }
        // No proxy gets to see them.
        let client = Client::trusting(None, "", url, &Env::default(), &HINTS)?;
        let deadline = deadline.part(CONTAINER);
        let policy = Policy::new(State::Successful, deadline.total());
        let mut to_container = Session::new(&client, policy, deadline, log);
        let response = session::accepted(to_container.send(&request, &judge))?;
        Credentials::read(&response.body).map_err(|problem| refused(&response, problem))
    }
}

/// What the container's endpoint answers. What it says is not repeated.
fn judge(response: &Response) -> Verdict {
    match response.status {
        200 => Verdict::Accepted,
        429 | 500.. => Verdict::Failing {
            error: Error::Failing {
                status: response.status,
                message: CONTAINER_ENDPOINT.to_owned(),
                request_id: None,
                gave_up: None,
                hint: None,
            },
            retry_hint: RetryHint::Passing,
        },
        _ => Verdict::Refused(refused(response, "it gives no credentials")),
    }
}

const CONTAINER_ENDPOINT: &str = "the container's endpoint of AWS credentials";

fn refused(response: &Response, problem: &str) -> Error {
    Error::Refused {
        status: response.status,
        message: format!("{CONTAINER_ENDPOINT}: {problem}"),
        request_id: None,
        hint: Some(
            "check AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN",
        ),
    }
}

fn signed(call: &Call, to: &str, credentials: &Credentials, time: SystemTime) -> Request {
    const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
    let target = call.target();
    let unsigned = Unsigned {
        host: &url::authority(to),
        headers: &[("Content-Type", CONTENT_TYPE), ("X-Amz-Target", &target)],
        body: &call.body,
        region: call.region.as_str(),
        service: call.service.name,
    };
    let signature = unsigned.sign(credentials, time);
    let mut request = Request::get(to.to_owned())
        .with("Content-Type", Value::Plain(CONTENT_TYPE))
        .with("X-Amz-Target", Value::Token(Secret::new(&target)));
    request.method = "POST";
    request.body.clone_from(&call.body);
    request.longest_body = LONGEST_ANSWER;
    request.headers.extend(signature);
    request
}

//! Lambda's Runtime API: events are asked for, one after the other.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::failure::Hints;
use crate::http::request::{Request, Value};
use crate::http::response::Response;
use crate::status::url;

/// The variable that says where the API is. Lambda sets it.
pub(crate) const VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

/// The process is frozen until there is an event: however long that takes, it is in time.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// An answer is for a process on the same machine.
const ANSWER: Duration = Duration::from_secs(5);

/// What is left to Lambda of the time for an event, so that our answer is not too late.
const MARGIN: Duration = Duration::from_millis(500);

/// More than Lambda takes for an asynchronous event.
const LONGEST_EVENT: u64 = 2 * 1024 * 1024;

const HINTS: Hints = Hints {
    network: "this is Lambda's own API, on the same machine",
    certificate: None,
};

/// The API.
#[derive(Debug)]
pub(crate) struct Runtime {
    root: String,
    client: Client,
}

/// An event, and how long there is for it.
#[derive(Debug, PartialEq)]
pub(crate) struct Invocation {
    pub(crate) id: String,
    /// `None`: Lambda does not say.
    pub(crate) left: Option<Duration>,
    /// An error: it is longer than any event.
    pub(crate) event: Result<String, Error>,
}

impl Runtime {
    /// Finds the API.
    pub(crate) fn from_env(env: &Env) -> Result<Self, Error> {
        let host = env.get(VARIABLE).ok_or_else(|| {
            let hint = "Lambda sets it; elsewhere, call `build_status event FILE`";
            Error::setting(VARIABLE, "it is not set", hint)
        })?;
        let root = format!("http://{host}/2018-06-01/runtime");
        // No proxy is between us and this machine.
        let client = Client::trusting(None, "", &root, &Env::default(), &HINTS)?;
        Ok(Self { root, client })
    }

    /// Waits for the next event.
    pub(crate) fn next(&self) -> Result<Invocation, Error> {
        let mut request = Request::get(format!("{}/invocation/next", self.root));
        request.longest_body = LONGEST_EVENT + 1;
        let response = self.send(&request, FOR_EVER)?;
        let id = response.header("lambda-runtime-aws-request-id");
        let id = id.ok_or_else(|| refused(&response, "there is no request id"))?;
        Ok(Invocation {
            id: id.to_owned(),
            left: left(&response, SystemTime::now()),
            event: event(&response.body),
        })
    }

    /// Answers that all is done that can be. The body is what the console shows.
    pub(crate) fn succeed(&self, id: &str, body: String) -> Result<(), Error> {
        let url = format!("{}/invocation/{id}/response", self.root);
        self.send(&Request::post_json(url, body), ANSWER).map(drop)
    }

    /// Answers that Lambda is to try the event again, and why, in a text without secrets.
    pub(crate) fn fail(&self, id: &str, text: &str) -> Result<(), Error> {
        self.report(&format!("invocation/{id}/error"), text)
    }

    /// Says that no event can be worked on.
    pub(crate) fn fail_to_start(&self, text: &str) -> Result<(), Error> {
        self.report("init/error", text)
    }

    fn report(&self, path: &str, text: &str) -> Result<(), Error> {
        const KIND: &str = "Function.NotDelivered";
        let body = json!({"errorType": KIND, "errorMessage": text, "stackTrace": []});
        let url = format!("{}/{path}", self.root);
        let request = Request::post_json(url, body.to_string())
            .with("Lambda-Runtime-Function-Error-Type", Value::Plain(KIND));
        self.send(&request, ANSWER).map(drop)
    }

    /// Sends it once more where no answer comes: the connection may be an old one.
    fn send(&self, request: &Request, limit: Duration) -> Result<Response, Error> {
        let first = self.client.attempt(request, limit);
        let response = first.or_else(|_| self.client.attempt(request, limit));
        let response = response.map_err(|failure| Error::Unreachable {
            server: url::authority(&self.root),
            message: failure.message,
            gave_up: None,
            hint: failure.hint,
        })?;
        match response.status {
            200..=299 => Ok(response),
            _ => Err(refused(&response, "Lambda's API does not take it")),
        }
    }
}

fn event(body: &[u8]) -> Result<String, Error> {
    if body.len() as u64 > LONGEST_EVENT {
        let problem = format!("it is longer than {LONGEST_EVENT} bytes, which no event is");
        return Err(Error::unusable("event", problem));
    }
    Ok(String::from_utf8_lossy(body).into_owned())
}

fn refused(response: &Response, message: &str) -> Error {
    Error::Refused {
        status: response.status,
        message: message.to_owned(),
        request_id: None,
        hint: None,
    }
}

fn left(response: &Response, now: SystemTime) -> Option<Duration> {
    let text = response.header("lambda-runtime-deadline-ms")?;
    let deadline = Duration::from_millis(text.parse().ok()?);
    let now = now.duration_since(UNIX_EPOCH).ok()?;
    Some(deadline.saturating_sub(now).saturating_sub(MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_the_time_is_lambdas_and_a_strange_deadline_is_none() {
        let at = |text: &str| {
            let headers = vec![("lambda-runtime-deadline-ms".to_owned(), text.to_owned())];
            let response = Response {
                headers,
                ..Response::default()
            };
            left(&response, UNIX_EPOCH + Duration::from_secs(100))
        };
        for (text, expected) in [
            ("160000", Some(59_500)),
            ("100100", Some(0)),
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX - 100_500)),
            ("", None),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(at(text), expected.map(Duration::from_millis), "{text}");
        }
    }
}

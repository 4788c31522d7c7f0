//! Judges responses: accepted, refused, worth a retry, or not Bitbucket's at all.

use std::time::SystemTime;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::bitbucket::hint::{self, Sender};
use crate::error::{Error, Server};
use crate::http::judge;
use crate::http::response::Response;
use crate::http::retry::RetryHint;
use crate::http::session::Verdict;

/// Judges the response to a request of `sender`. A date in `Retry-After` is relative to `now`.
pub fn judge(response: &Response, sender: Sender<'_>, now: SystemTime) -> Verdict {
    let says = || {
        let (status, message) = (response.status, message(response));
        let hint = match RetryHint::of_status(status, None) {
            Some(_) => hint::for_failing(status, sender.product),
            None => hint::for_refusal(status, &message, sender),
        };
        (message, hint)
    };
    match judge::judge(response, Server::Bitbucket, now, says) {
        Verdict::Accepted => judge_success(response),
        other => other,
    }
}

/// Bitbucket answers with nothing or an object. Gateways send errors with a status of success.
fn judge_success(response: &Response) -> Verdict {
    // What is cut may end in anything.
    let is_whole = response.body.len() < 1024;
    if response.body.trim_ascii().is_empty() && is_whole {
        return Verdict::Accepted;
    }
    // serde reads a list as a struct, too.
    let is_object = response.body.trim_ascii_start().starts_with(b"{");
    match serde_json::from_slice::<Success>(&response.body) {
        Ok(body) if is_object && !body.is_error() => Verdict::Accepted,
        Ok(_) if is_object => Verdict::Refused(refused(response, message(response), None)),
        _ => Verdict::Refused(not_bitbucket(response)),
    }
}

/// The fields that make an object an error.
#[derive(Deserialize)]
struct Success {
    #[serde(rename = "type", default)]
    kind: Value,
    error: Option<IgnoredAny>,
    #[serde(default)]
    errors: Value,
}

impl Success {
    fn is_error(&self) -> bool {
        let is_empty = match &self.errors {
            Value::Array(errors) => errors.is_empty(),
            Value::Object(errors) => errors.is_empty(),
            errors => errors.is_null(),
        };
        self.kind == "error" || self.error.is_some() || !is_empty
    }
}

/// The error, if the response to a report shows another state than `body` has.
pub(crate) fn contradiction(response: &Response, body: &str) -> Option<Error> {
    #[derive(Deserialize)]
    struct Shown {
        #[serde(default)]
        state: Value,
    }
    let shown = |json: &[u8]| serde_json::from_slice(json).map(|shown: Shown| shown.state);
    let state = shown(&response.body)
        .ok()
        .filter(|state| !state.is_null())?;
    let sent = shown(body.as_bytes()).ok().filter(|sent| *sent != state)?;
    let (sent, state) = (flat(&sent), response.secrets.redact_outside(&flat(&state)));
    let message = format!("sent {sent}, and the answer shows `{state}`");
    let hint = "something between here and Bitbucket changes or repeats answers";
    Some(refused(response, message, Some(hint)))
}

fn refused(response: &Response, message: String, hint: Option<&'static str>) -> Error {
    Error::Refused {
        status: response.status,
        message,
        request_id: response.request_id(),
        hint,
    }
}

/// The error for a 2xx that is not Bitbucket's.
pub(crate) fn not_bitbucket(response: &Response) -> Error {
    judge::not_from(Server::Bitbucket, response)
}

/// Whether the response may be Bitbucket's: not a redirect, and empty or JSON.
pub(crate) fn is_from_bitbucket(response: &Response) -> bool {
    !(300..400).contains(&response.status) && response.is_empty_or_json()
}

/// The account's name in Cloud's response to `/user`.
pub fn user_name(response: &Response) -> Option<String> {
    #[derive(Deserialize)]
    struct User {
        display_name: Option<String>,
        nickname: Option<String>,
    }
    let user: User = serde_json::from_slice(&response.body).ok()?;
    user.display_name.or(user.nickname)
}

/// The error message in the body, in one line and redacted.
pub(crate) fn message(response: &Response) -> String {
    let parsed: Option<Failure> = serde_json::from_slice(&response.body).ok();
    let message = parsed
        .and_then(Failure::message)
        .or_else(|| response.first_line())
        .unwrap_or_else(|| "no message".into());
    let mut secrets = response.secrets.clone();
    for token in issued(&response.body) {
        secrets.add(&token);
    }
    secrets.redact_outside(&message)
}

/// The tokens in an answer of the OAuth token endpoint, which may be an error all the same.
fn issued(body: &[u8]) -> impl Iterator<Item = String> {
    #[derive(Default, Deserialize)]
    struct Issued {
        access_token: Option<String>,
        refresh_token: Option<String>,
    }
    let issued: Issued = serde_json::from_slice(body).unwrap_or_default();
    issued.access_token.into_iter().chain(issued.refresh_token)
}

/// The error bodies of Bitbucket. `detail` is text in its schema, but an object for a missing scope.
/// `fields` is not in the schema.
#[derive(Deserialize)]
struct Failure {
    error: Option<Detail>,
    #[serde(default)]
    errors: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    message: Option<String>,
    #[serde(default)]
    detail: Value,
    #[serde(default)]
    fields: Value,
}

impl Failure {
    fn message(self) -> Option<String> {
        let details = self.error.into_iter().chain(self.errors);
        let messages: Vec<_> = details.filter_map(Detail::text).collect();
        (!messages.is_empty()).then(|| messages.join("; "))
    }
}

impl Detail {
    fn text(self) -> Option<String> {
        let mut parts = vec![self.message?];
        if let Value::Object(fields) = &self.fields {
            let new = fields
                .iter()
                .filter(|(_, problems)| !parts[0].contains(&flat(problems)));
            let new: Vec<_> = new.map(named).collect();
            parts.extend(new);
        }
        match &self.detail {
            Value::Null => {}
            Value::Object(detail) => parts.extend(detail.iter().map(named)),
            other => parts.push(flat(other)),
        }
        Some(parts.join("; "))
    }
}

fn named((name, value): (&String, &Value)) -> String {
    format!("{name}: {}", flat(value))
}

/// A list with commas, text without quotes, anything else as JSON.
fn flat(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitbucket::credentials::Credentials;
    use std::time::Duration;

    use crate::secret::{Redactor, Secret};
    use crate::status::product::Product;

    fn response(status: u16, content_type: &str, body: &str) -> Response {
        Response {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            ..Response::default()
        }
    }

    fn verdict(response: &Response, now: SystemTime) -> Verdict {
        let credentials = Credentials::Bearer {
            token: Secret::new("t0ken"),
        };
        let sender = Sender {
            credentials: Some(&credentials),
            product: Product::Cloud,
        };
        judge(response, sender, now)
    }

    fn retry_hint_in(verdict: &Verdict) -> Option<RetryHint> {
        match verdict {
            Verdict::Failing { retry_hint, .. } => Some(*retry_hint),
            Verdict::Accepted | Verdict::Refused(_) => None,
        }
    }

    #[test]
    fn success_is_empty_or_json_and_nothing_else() {
        for (status, body, accepted) in [
            (201, r#"{"key":"k"}"#, true),
            (200, "{}", true),
            (204, "", true),
            (202, " \n", true),
            (200, "<html>Log in</html>", false),
            (200, "{\"key\":", false),
            (200, "null", false),
            (200, "[]", false),
            (200, "\"ok\"", false),
            (200, r#"{"type":"error","error":{"message":"no"}}"#, false),
            (201, r#"{"errors":[{"message":"no"}]}"#, false),
            (200, r#"{"error":"no"}"#, false),
            (201, r#"{"error":null,"errors":[]}"#, true),
            (203, "{}", false),
            (206, "{}", false),
        ] {
            let response = response(status, "application/json", body);
            let verdict = verdict(&response, SystemTime::now());
            assert_eq!(verdict == Verdict::Accepted, accepted, "{status} {body}");
        }
    }

    #[test]
    fn messages_are_found_in_every_shape_of_body() {
        for (body, expected) in [
            (
                r#"{"type":"error","error":{"fields":{"url":["Enter a valid URL."]},"message":"url: Enter a valid URL."}}"#,
                "url: Enter a valid URL.",
            ),
            (
                r#"{"type":"error","error":{"fields":{"key":["Too long."],"url":["Bad."]},"message":"Bad request"}}"#,
                "Bad request; key: Too long.; url: Bad.",
            ),
            (
                r#"{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"granted":["pullrequest"],"required":["repository"]}}}"#,
                "Your credentials lack one or more required privilege scopes.; granted: pullrequest; required: repository",
            ),
            (r#"{"error":{"message":"A","detail":"B"}}"#, "A; B"),
            (
                r#"{"errors":[{"context":null,"message":"A","exceptionName":null},{"message":"B"}]}"#,
                "A; B",
            ),
            (r#"{"error":"x"}"#, r#"{"error":"x"}"#),
        ] {
            assert_eq!(message(&response(400, "application/json", body)), expected);
        }
        let html = "text/html; charset=utf-8";
        for (content_type, body, expected) in [
            ("text/plain", "\n Rate limit\nmore", "Rate limit"),
            (html, "<html><title> x\ny</title>", "an HTML page, \"x y\""),
            ("", "<!doctype html>", "an HTML page"),
            ("", "", "no message"),
        ] {
            assert_eq!(message(&response(400, content_type, body)), expected);
        }
    }

    /// Found by fuzzing.
    #[test]
    fn a_secret_at_the_place_where_a_message_is_cut_is_not_shown_in_part() {
        let mut secrets = Redactor::default();
        secrets.add("hidden-t0ken");
        for (content_type, before, cut) in [("text/plain", "", 300), ("text/html", "<title>", 100)]
        {
            for at in cut - 13..=cut {
                let body = format!("{before}{}hidden-t0ken and more", "x".repeat(at));
                let response = response(502, content_type, &body);
                let message = message(&Response {
                    secrets: secrets.clone(),
                    ..response
                });
                assert!(!message.contains("xh"), "{message}");
            }
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 10:00:00 GMT").unwrap();
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("9223372036854775807", Some(9_223_372_036_854_775_807)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sat, 21 Nov 2026 10:00:09 GMT", Some(9)),
            ("Sat, 21 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let response = Response {
                status: 429,
                headers: vec![("retry-after".into(), text.into())],
                ..Response::default()
            };
            let retry_hint = expected.map_or(RetryHint::Passing, |seconds| {
                RetryHint::Wait(Duration::from_secs(seconds))
            });
            let verdict = verdict(&response, now);
            assert_eq!(retry_hint_in(&verdict), Some(retry_hint), "{text}");
        }
    }

    #[test]
    fn only_what_may_pass_is_worth_a_retry() {
        for status in 400..600 {
            let verdict = verdict(&response(status, "text/plain", "no"), SystemTime::now());
            let expected = match status {
                408 | 425 | 429 | 500 | 502..=504 | 520..=530 => Some(RetryHint::Passing),
                500.. => Some(RetryHint::Lasting),
                _ => None,
            };
            assert_eq!(retry_hint_in(&verdict), expected, "{status}");
        }
    }
}

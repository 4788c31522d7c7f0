//! What Bitbucket said: told apart from what others said in its place.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::hint::{self, Asker};
use crate::retry::Setback;
use crate::secret::Redactor;

/// An HTTP answer, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Location`
    pub location: Option<String>,
    /// `Retry-After`, in seconds or as a date.
    pub retry_after: Option<String>,
    /// The request's id on the other side.
    pub request_id: Option<String>,
    /// What the server says of the credentials.
    pub identity: Identity,
    /// The first 64 KiB of the body.
    pub body: Vec<u8>,
    /// What must not be repeated of it.
    pub secrets: Redactor,
}

/// What a server says, in headers, of the credentials that it was called with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    /// Cloud: what the credentials allow, as `X-OAuth-Scopes` has it.
    pub scopes: Option<String>,
    /// Cloud: what they are, as `X-Credential-Type` has it.
    pub credential_type: Option<String>,
    /// Data Center: whose they are; none for nobody's.
    pub user: Option<String>,
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The status is stored.
    Accepted,
    /// It is not, and asking again will not change that.
    Refused(Error),
    /// It is not, this time.
    Failing {
        /// What it said.
        error: Error,
        /// How soon to try again.
        setback: Setback,
    },
}

impl Answer {
    /// Forgets the last word of a body that did not arrive whole: it may be half of a secret.
    pub(crate) fn body_was_cut(&mut self) {
        let whole = self.body.iter().rposition(u8::is_ascii_whitespace);
        self.body.truncate(whole.unwrap_or(0));
    }

    /// Keeps secrets out of what is repeated of it.
    pub fn keeping(&mut self, secrets: &Redactor) -> &Self {
        let clean = |text: &mut Option<String>| {
            *text = text.take().map(|text| secrets.redact_outside(&text));
        };
        clean(&mut self.content_type);
        clean(&mut self.location);
        clean(&mut self.request_id);
        self.secrets = secrets.clone();
        self
    }

    /// Judges the answer to a request of `asker`'s.
    pub fn verdict(&self, asker: Asker<'_>, now: SystemTime) -> Verdict {
        match self.status {
            200 | 201 | 202 | 204 if self.is_empty_or_json() => Verdict::Accepted,
            200..=299 => Verdict::Refused(Error::NotBitbucket {
                status: self.status,
                content_type: self.content_type.clone(),
            }),
            300..=399 => Verdict::Refused(Error::Redirected {
                status: self.status,
                location: self.location.clone(),
            }),
            408 | 425 | 429 | 500 | 502 | 503 | 504 => Verdict::Failing {
                error: self.failing(asker),
                setback: self.wait(now).map_or(Setback::Passing, Setback::Wait),
            },
            500.. => Verdict::Failing {
                error: self.failing(asker),
                setback: Setback::Lasting,
            },
            _ => Verdict::Refused(Error::Refused {
                status: self.status,
                message: self.message(),
                request_id: self.request_id.clone(),
                hint: hint::for_refusal(self.status, &self.message(), asker),
            }),
        }
    }

    /// Whether Bitbucket may have said it: not a redirect, and no page for a browser.
    pub fn is_from_bitbucket(&self) -> bool {
        !(300..400).contains(&self.status) && self.is_empty_or_json()
    }

    /// The name of the account that Cloud's answer to `/user` describes.
    pub fn user_name(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct User {
            display_name: Option<String>,
            nickname: Option<String>,
        }
        let user: User = serde_json::from_slice(&self.body).ok()?;
        user.display_name.or(user.nickname)
    }

    fn failing(&self, asker: Asker<'_>) -> Error {
        Error::Failing {
            status: self.status,
            message: self.message(),
            request_id: self.request_id.clone(),
            gave_up: None,
            hint: hint::for_failing(self.status, asker.product),
        }
    }

    fn is_empty_or_json(&self) -> bool {
        self.body.trim_ascii().is_empty() || serde_json::from_slice::<&RawValue>(&self.body).is_ok()
    }

    /// `Retry-After`: seconds, which have been seen as large as 2^63 - 1, or a date.
    fn wait(&self, now: SystemTime) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(now).unwrap_or_default())
    }

    /// What the body says went wrong, in one line.
    pub fn message(&self) -> String {
        let parsed: Option<Failure> = serde_json::from_slice(&self.body).ok();
        let message = parsed
            .and_then(Failure::message)
            .or_else(|| self.first_line())
            .unwrap_or_else(|| "no message".into());
        self.secrets.redact_outside(&message)
    }

    fn first_line(&self) -> Option<String> {
        let html = |kind: &String| kind.to_ascii_lowercase().contains("html");
        // Before it is cut: most of a secret is not found any more.
        let text = (self.secrets).redact_outside(&String::from_utf8_lossy(&self.body));
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        let is_html = self.content_type.as_ref().is_some_and(html);
        if is_html || line.is_some_and(|line| line.starts_with('<')) {
            return Some(match title(&text) {
                Some(title) => format!("{HTML_PAGE}, \"{title}\""),
                None => HTML_PAGE.into(),
            });
        }
        let line = line?;
        Some(line.chars().take(300).collect())
    }
}

/// What stands for a page that is meant for a browser.
pub(crate) const HTML_PAGE: &str = "an HTML page";

/// The title of an HTML page, which often says what the body hides.
fn title(html: &str) -> Option<String> {
    let (_, rest) = html
        .split_once("<title>")
        .or_else(|| html.split_once("<TITLE>"))?;
    let title = rest
        .split('<')
        .next()?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    (!title.is_empty()).then(|| title.chars().take(100).collect())
}

/// The error bodies of Bitbucket. Its schema has `detail` as text; for a missing scope it is an
/// object. `fields` is in no schema.
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

/// A list as words with commas, text as it is, anything else as JSON.
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
    use crate::auth::Credentials;
    use crate::destination::Product;
    use crate::secret::Secret;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            status,
            content_type: Some(content_type.into()),
            body: body.into(),
            ..Answer::default()
        }
    }

    fn verdict(answer: &Answer, now: SystemTime) -> Verdict {
        let credentials = Credentials::Bearer {
            token: Secret::new("t0ken"),
        };
        let asker = Asker {
            credentials: Some(&credentials),
            product: Product::Cloud,
        };
        answer.verdict(asker, now)
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
            (203, "{}", false),
            (206, "{}", false),
        ] {
            let verdict = verdict(&answer(status, "application/json", body), SystemTime::now());
            assert_eq!(verdict == Verdict::Accepted, accepted, "{status} {body}");
        }
    }

    #[test]
    fn messages_are_found_in_every_shape_of_body() {
        const JSON: &str = "application/json";
        for (content_type, body, expected) in [
            (
                JSON,
                r#"{"type":"error","error":{"fields":{"url":["Enter a valid URL."]},"message":"url: Enter a valid URL."}}"#,
                "url: Enter a valid URL.",
            ),
            (
                JSON,
                r#"{"type":"error","error":{"fields":{"key":["Too long."],"url":["Bad."]},"message":"Bad request"}}"#,
                "Bad request; key: Too long.; url: Bad.",
            ),
            (
                JSON,
                r#"{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"granted":["pullrequest"],"required":["repository"]}}}"#,
                "Your credentials lack one or more required privilege scopes.; granted: pullrequest; required: repository",
            ),
            (
                JSON,
                r#"{"type":"error","error":{"message":"A","detail":"B"}}"#,
                "A; B",
            ),
            (
                JSON,
                r#"{"errors":[{"context":null,"message":"A","exceptionName":null},{"message":"B"}]}"#,
                "A; B",
            ),
            (JSON, r#"{"error":"x"}"#, r#"{"error":"x"}"#),
            (
                "text/plain",
                "\n Rate limit for this resource has been exceeded\nmore",
                "Rate limit for this resource has been exceeded",
            ),
            (
                "text/html; charset=utf-8",
                "<html><title> x\ny</title>",
                "an HTML page, \"x y\"",
            ),
            ("", "<!doctype html>", "an HTML page"),
            ("", "", "no message"),
        ] {
            assert_eq!(answer(400, content_type, body).message(), expected);
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
                let mut answer = answer(502, content_type, &body);
                let message = answer.keeping(&secrets).message();
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
            let answer = Answer {
                status: 503,
                retry_after: Some(text.into()),
                ..Answer::default()
            };
            let setback = expected.map_or(Setback::Passing, |seconds| {
                Setback::Wait(Duration::from_secs(seconds))
            });
            let Verdict::Failing { setback: found, .. } = verdict(&answer, now) else {
                panic!("503 is worth a retry")
            };
            assert_eq!(found, setback, "{text}");
        }
    }

    #[test]
    fn only_what_may_pass_is_worth_a_retry() {
        for status in 400..600 {
            let verdict = verdict(&answer(status, "text/plain", "no"), SystemTime::now());
            let expected = match status {
                408 | 425 | 429 | 500 | 502 | 503 | 504 => Some(Setback::Passing),
                500.. => Some(Setback::Lasting),
                _ => None,
            };
            let found = match verdict {
                Verdict::Failing { setback, .. } => Some(setback),
                _ => None,
            };
            assert_eq!(found, expected, "{status}");
        }
    }
}

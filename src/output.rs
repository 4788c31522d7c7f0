//! What is printed, as text. Nothing here prints.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::commit::Found;
use crate::context::Context;
use crate::destination::Destination;
use crate::error::Error;
use crate::escape;
use crate::link;
use crate::outcome::Outcome;
use crate::provider::About;
use crate::refname::Refname;
use crate::report::Report;
use crate::repository::Repository;
use crate::request::Request;
use crate::retry;
use crate::secret::Redactor;
use crate::state::State;

/// Everything that is known at the end of a report, as far as it got.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    /// The CI.
    pub provider: Option<&'static str>,
    /// What was claimed.
    pub report: Option<Report>,
    /// Where.
    pub destination: Option<Destination>,
    /// In a dry run, what would have been sent.
    pub dry_run: Option<Request>,
    /// What Bitbucket said.
    pub outcome: Option<Outcome>,
    /// What kept the status from being stored.
    pub error: Option<Error>,
}

impl Told {
    /// For people: one line for a stored status, the request for a dry run, nothing for a failure,
    /// which stderr tells.
    pub fn text(&self, redactor: &Redactor) -> String {
        let line = |text: &str| line(text, redactor) + "\n";
        if self.error.is_some() {
            return String::new();
        }
        if let Some(request) = &self.dry_run {
            let mut text = line(&format!("{} {}", request.method, request.url));
            for (name, value) in &request.headers {
                text += &line(&format!("{name}: {}", value.masked()));
            }
            return text + "\n" + &redacted_json(&request.body, redactor) + "\n";
        }
        let (Some(report), Some(destination), Some(outcome)) =
            (&self.report, &self.destination, &self.outcome)
        else {
            return String::new();
        };
        let commit: String = report.commit.chars().take(12).collect();
        line(&format!(
            "{} {} -> {}@{commit} ({}, {}, {} s)",
            report.state,
            report.key,
            destination.repository(),
            outcome.http_status.unwrap_or_default(),
            retry::count(outcome.attempts),
            retry::seconds(outcome.elapsed),
        ))
    }

    /// For programs: one object on one line. Fields are only ever added.
    pub fn json(&self, redactor: &Redactor) -> String {
        #[derive(Serialize)]
        struct Fields<'a> {
            state: Option<State>,
            key: Option<&'a str>,
            name: Option<&'a str>,
            url: Option<&'a str>,
            commit: Option<&'a str>,
            refname: Option<&'a str>,
            repository: Option<String>,
            destination: Option<&'a str>,
            provider: Option<&'a str>,
            http_status: Option<u16>,
            attempts: u32,
            elapsed_ms: u128,
            dry_run: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            request: Option<Value>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<Value>,
        }
        let report = self.report.as_ref();
        let outcome = self.outcome.as_ref();
        let destination = self.destination.as_ref();
        let fields = Fields {
            state: report.map(|it| it.state),
            key: report.map(|it| it.key.as_str()),
            name: report.map(|it| it.name.as_str()),
            url: report.map(|it| it.url.as_str()),
            commit: report.map(|it| it.commit.as_str()),
            refname: report.and_then(|it| it.refname.as_ref()).map(Refname::name),
            repository: destination.map(Destination::repository),
            destination: destination.map(|it| it.product().as_str()),
            provider: self.provider,
            http_status: outcome.and_then(|it| it.http_status),
            attempts: outcome.map_or(0, |it| it.attempts),
            elapsed_ms: outcome.map_or(0, |it| it.elapsed.as_millis()),
            dry_run: self.dry_run.is_some(),
            request: self.dry_run.as_ref().map(request_json),
            error: self.error.as_ref().map(error_json),
        };
        printable_json(&fields, redactor)
    }
}

fn request_json(request: &Request) -> Value {
    let headers = request.headers.iter();
    let headers: Map<String, Value> = headers
        .map(|(name, value)| ((*name).to_owned(), value.masked().into()))
        .collect();
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    json!({"method": request.method, "url": request.url, "headers": headers, "body": body})
}

fn error_json(error: &Error) -> Value {
    json!({"kind": error.kind(), "message": error.to_string(), "hint": error.hint()})
}

/// One line of JSON, safe to print.
pub fn printable_json(fields: &impl Serialize, redactor: &Redactor) -> String {
    let text = serde_json::to_string(fields).expect("text, numbers and lists always serialize");
    redacted_json(&text, redactor) + "\n"
}

/// JSON without secrets, safe to print.
fn redacted_json(text: &str, redactor: &Redactor) -> String {
    let mut redacted = redactor.redact(text);
    // A secret of digits, or of quotes and commas, may be a part of JSON itself.
    if serde_json::from_str::<IgnoredAny>(&redacted).is_err() {
        let mut value: Value = serde_json::from_str(text).unwrap_or_default();
        redact_text(&mut value, redactor);
        redacted = value.to_string();
    }
    escape::json(&redacted)
}

fn redact_text(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redact(text),
        Value::Array(items) => items.iter_mut().for_each(|it| redact_text(it, redactor)),
        Value::Object(fields) => fields.values_mut().for_each(|it| redact_text(it, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One line, safe to print.
pub fn line(text: &str, redactor: &Redactor) -> String {
    escape::text(&redactor.redact(text))
}

/// A time since 1970 in milliseconds, or, as old versions of Bitbucket have it, in seconds.
pub fn rfc3339(time: u64) -> String {
    // Seconds reach this number in the year 5138.
    let time = if time < 100_000_000_000 {
        time * 1000
    } else {
        time
    };
    // The year 9999 is the last that the format has.
    let time = Duration::from_millis(time.min(253_402_300_799_000));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + time).to_string()
}

/// The lines that stderr gets for an error, safe to print.
pub fn error_lines(error: &Error, redactor: &Redactor) -> Vec<String> {
    let text = error.to_string();
    let mut lines: Vec<_> = match error {
        // clap's text has lines of its own.
        Error::Usage { .. } => text.lines().map(|text| line(text, redactor)).collect(),
        _ => vec![line(&text, redactor)],
    };
    if let Some(hint) = error.hint() {
        lines.push(format!("hint: {}", line(&hint, redactor)));
    }
    lines
}

/// What was read from the CI, for people.
pub fn context_text(about: Option<&About>, context: &Context, redactor: &Redactor) -> String {
    let provider = about.map(|about| format!("{} ({})", about.id, about.name));
    let commit = match &context.commit {
        Found::Hash(hash) => Some(hash.clone()),
        Found::Refused { reason, .. } => Some(format!("- ({reason})")),
        Found::Nothing => None,
    };
    let repository = context.repository.as_ref();
    let state = context.state.map(|state| state.to_string());
    let fields = [
        ("provider", provider),
        ("commit", commit),
        ("branch", context.branch.clone()),
        ("tag", context.tag.clone()),
        ("repository", repository.map(Repository::path)),
        ("repository host", repository.and_then(|it| it.host.clone())),
        ("job name", context.job_name.clone()),
        ("url", context.url.as_deref().map(link::without_user)),
        (
            "pipeline url",
            context.pipeline_url.as_deref().map(link::without_user),
        ),
        ("build number", context.build_number.clone()),
        ("pull request", context.pull_request.clone()),
        ("state", state),
    ];
    let mut text = String::new();
    for (name, value) in fields {
        let value = line(value.as_deref().unwrap_or("-"), redactor);
        let _ = writeln!(text, "{name:<15} {value}");
    }
    if let Some(About {
        state: Some(variable),
        state_caveat,
        ..
    }) = about
    {
        let _ = writeln!(text, "{:<15} ({variable}: {state_caveat})", "");
    }
    text
}

/// What was read from the CI, for programs.
pub fn context_json(about: Option<&About>, context: &Context, redactor: &Redactor) -> String {
    #[derive(Serialize)]
    struct Fields<'a> {
        provider: Option<&'a str>,
        provider_name: Option<&'a str>,
        #[serde(flatten)]
        context: &'a Context,
    }
    let fields = Fields {
        provider: about.map(|about| about.id),
        provider_name: about.map(|about| about.name),
        context,
    };
    printable_json(&fields, redactor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing.
    #[test]
    fn a_secret_that_looks_like_json_leaves_json_whole() {
        for secret in [r#"","name":"#, "12345678", "nabcdefg", r#"\"x\"x\"x"#] {
            let mut redactor = Redactor::default();
            redactor.add(secret);
            let fields = json!({"key": format!("a {secret}\nabcdefg"), "name": 12_345_678});
            let text = printable_json(&fields, &redactor);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(
                value["key"].as_str().unwrap().starts_with("a ***"),
                "{text}"
            );
            assert_eq!(value["name"], 12_345_678, "{text}");
        }
    }
}

//! The result of a command, as text or JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bitbucket::delivery::{Kept, Outcome};
use crate::bitbucket::destination::Destination;
use crate::command::plan::Plan;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::retry;
use crate::output::{line, printable_json, redacted_json};
use crate::report::Report;
use crate::secret::Redactor;
use crate::status::refname::Refname;
use crate::status::state::State;

/// Everything that is known at the end of a report. Steps that were not reached are `None`.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// The id of the CI.
    pub provider: Option<&'static str>,
    /// The report that was sent, or was to be sent.
    pub report: Option<Report>,
    /// The repository on Bitbucket.
    pub destination: Option<Destination>,
    /// In a dry run, the request that was not sent.
    pub dry_run: Option<Request>,
    /// How the delivery ended.
    pub outcome: Option<Outcome>,
    /// Why the status is not stored.
    pub error: Option<Error>,
    /// The repository and where it came from.
    pub place: Option<String>,
}

impl Summary {
    /// What is known before anything is sent.
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        Self {
            provider: plan.info.map(|info| info.id),
            destination: plan.destination.clone().ok(),
            place: plan.place(),
            ..Self::default()
        }
    }

    /// Only `error` is known.
    pub fn failed(error: Error) -> Self {
        Self::default().with_error(error)
    }

    /// The same with `error`.
    #[must_use]
    pub(crate) fn with_error(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }

    /// Notes how the delivery ended.
    pub(super) fn end(&mut self, outcome: Outcome, report: &Report) {
        let error = outcome.error.clone();
        self.error = error.map(|error| error.about(self.place.as_deref(), &report.commit));
        self.outcome = Some(outcome);
    }

    /// The status that Bitbucket keeps.
    pub(super) fn kept(&self) -> Option<&Kept> {
        self.outcome.as_ref()?.kept.as_ref()
    }

    /// The text for stdout: one line for a stored status, or the request in a dry run. Empty after an
    /// error, which goes to stderr.
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
        let claim = format!(
            "{} {} -> {}@{commit}",
            report.state,
            report.key,
            destination.repository()
        );
        if let Some(kept) = &outcome.kept {
            return line(&format!("{claim}: {kept}"));
        }
        line(&format!(
            "{claim} ({}, {}, {} s)",
            outcome.http_status.unwrap_or_default(),
            retry::count(outcome.attempts),
            retry::seconds(outcome.elapsed),
        ))
    }

    /// One JSON object on one line. Fields may be added, but not removed or renamed.
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
            kept: Option<&'a str>,
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
            kept: self.kept().map(|it| it.state.as_str()),
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

pub(super) fn error_json(error: &Error) -> Value {
    json!({"kind": error.kind(), "message": error.to_string(), "hint": error.hint()})
}

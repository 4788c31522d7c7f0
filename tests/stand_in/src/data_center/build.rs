//! The body of a POST, and what may be in it.

use serde_json::{Map, Value};

use super::refusal::{self, Problem};
use crate::build_url;
use crate::received::Received;
use crate::reply::Reply;
use crate::status::{DataCenterDetails, Status, TestResults};
use crate::version::Version;

const STATES: [&str; 5] = ["SUCCESSFUL", "FAILED", "INPROGRESS", "CANCELLED", "UNKNOWN"];

/// Reads the body of a build, for a commit in a repository, or says what is wrong with it.
pub(super) fn rich(request: &Received, version: Version) -> Result<Status, Reply> {
    // BBS#606: the last two came with 8.0.
    let known = if version.since(8, 0) { 5 } else { 3 };
    let mut fields = Fields::read(request)?;
    let status = Status {
        key: fields.required("key", 255),
        state: fields.one_of("state", &STATES[..known]),
        url: fields.url(),
        name: fields.text("name", 255),
        description: fields.text("description", usize::MAX),
        refname: fields.reference(),
        data_center: Some(DataCenterDetails {
            parent: fields.text("parent", 1024),
            build_number: fields.text("buildNumber", 255),
            duration: fields.integer("duration"),
            test_results: fields.test_results(),
        }),
        ..Status::default()
    };
    fields.done(status)
}

/// Reads the body of a build status of the old kind, for a commit.
pub(super) fn legacy(request: &Received) -> Result<Status, Reply> {
    let mut fields = Fields::read(request)?;
    let status = Status {
        key: fields.required("key", 255),
        state: fields.one_of("state", &STATES[..3]),
        url: fields.url(),
        name: fields.text("name", 255),
        description: fields.text("description", 255),
        data_center: Some(DataCenterDetails::default()),
        ..Status::default()
    };
    // Its errors were seen without a context (danger/danger-js#588).
    for problem in &mut fields.problems {
        problem.context = None;
    }
    fields.done(status)
}

struct Fields {
    body: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    fn read(request: &Received) -> Result<Self, Reply> {
        if !request.is_of("application/json") {
            return Err(refusal::unsupported_media_type());
        }
        match serde_json::from_str(&request.body) {
            Ok(Value::Object(body)) => Ok(Self {
                body,
                problems: Vec::new(),
            }),
            _ => Err(refusal::not_json()),
        }
    }

    fn done(self, status: Status) -> Result<Status, Reply> {
        if self.problems.is_empty() {
            Ok(status)
        } else {
            Err(refusal::bad_fields(&self.problems))
        }
    }

    fn wrong(&mut self, name: &'static str, message: impl Into<String>) {
        self.problems.push(Problem {
            context: Some(name),
            message: message.into(),
        });
    }

    /// What is there and not null.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.body.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &'static str, limit: usize) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if text.chars().count() <= limit => return Some(text),
            Value::String(_) => self.wrong(name, format!("size must be between 0 and {limit}")),
            _ => self.wrong(name, "must be a string"),
        }
        None
    }

    fn required(&mut self, name: &'static str, limit: usize) -> String {
        let before = self.problems.len();
        let text = self.text(name, limit).unwrap_or_default();
        if text.trim().is_empty() && self.problems.len() == before {
            self.wrong(name, format!("{name} is required and must not be blank"));
        }
        text
    }

    fn one_of(&mut self, name: &'static str, words: &[&str]) -> String {
        let word = self.required(name, usize::MAX);
        if !word.is_empty() && !words.contains(&word.as_str()) {
            let words = words.join(", ");
            self.wrong(name, format!("'{word}' is not one of {words}"));
        }
        word
    }

    fn url(&mut self) -> String {
        let before = self.problems.len();
        let url = self.required("url", 450);
        let has_host = build_url::host(&url).is_some_and(|host| !host.is_empty());
        if !has_host && self.problems.len() == before {
            self.wrong("url", "Please specify a valid url");
        }
        url
    }

    fn reference(&mut self) -> Option<String> {
        let reference = self.text("ref", 1024)?;
        if !reference.starts_with("refs/") {
            self.wrong("ref", r#"must match "^refs\/.*""#);
        }
        Some(reference)
    }

    fn integer(&mut self, name: &'static str) -> Option<i64> {
        let number = self.take(name)?.as_i64();
        if number.is_none() {
            self.wrong(name, "must be an integer");
        }
        number
    }

    fn test_results(&mut self) -> Option<TestResults> {
        let results = self.take("testResults")?;
        let count = |name| match &results[name] {
            Value::Null if results.is_object() => Some(0),
            count => count.as_i64(),
        };
        let counts = [count("failed"), count("skipped"), count("successful")];
        if let [Some(failed), Some(skipped), Some(successful)] = counts {
            return Some(TestResults {
                failed,
                skipped,
                successful,
            });
        }
        self.wrong("testResults", "must be an object of integers");
        None
    }
}

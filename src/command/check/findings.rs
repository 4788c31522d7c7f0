//! The questions of `check` and their answers.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use crate::error::Error;
use crate::output;
use crate::secret::Redactor;

/// The verdict on a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Level {
    /// A report can be delivered.
    #[serde(rename = "ok")]
    Ok,
    /// A report can be delivered, but something may be wrong.
    #[serde(rename = "warn")]
    Warn,
    /// A report cannot be delivered.
    #[serde(rename = "FAIL")]
    Fail,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Finding {
    question: &'static str,
    #[serde(rename = "verdict")]
    level: Level,
    answer: String,
    hint: Option<String>,
    #[serde(skip)]
    code: i32,
}

/// The answers so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, question: &'static str, answer: impl Into<String>) {
        self.add(question, Level::Ok, answer.into(), None, 0);
    }

    pub(super) fn warn(&mut self, question: &'static str, answer: impl Into<String>, hint: &str) {
        let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
        self.add(question, Level::Warn, answer.into(), hint, 0);
    }

    pub(super) fn fail(&mut self, question: &'static str, error: &Error) {
        let hint = error.hint().map(Cow::into_owned);
        let text = error.to_string();
        // The printed line begins with the question.
        let answer = text
            .strip_prefix(question)
            .and_then(|text| text.strip_prefix(": "));
        let answer = answer.unwrap_or(&text).to_owned();
        self.add(question, Level::Fail, answer, hint, error.exit_code());
    }

    /// Adds a question that cannot be asked, because of an earlier answer.
    pub(super) fn not_asked(&mut self, question: &'static str, because: &str) {
        self.warn(question, format!("not asked: {because}"), "");
    }

    fn add(
        &mut self,
        question: &'static str,
        level: Level,
        answer: String,
        hint: Option<String>,
        code: i32,
    ) {
        self.0.push(Finding {
            question,
            level,
            answer,
            hint,
            code,
        });
    }

    /// Adds a result, and returns its value.
    pub(super) fn result<T>(
        &mut self,
        question: &'static str,
        result: Result<T, Error>,
        answer: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.ok(question, answer(&value));
                Some(value)
            }
            Err(error) => {
                self.fail(question, &error);
                None
            }
        }
    }
}

impl Findings {
    /// The exit code: that of the first failure, which a report would have too.
    pub(super) fn code(&self) -> i32 {
        let codes = self.0.iter().map(|finding| finding.code);
        codes.into_iter().find(|code| *code != 0).unwrap_or(0)
    }

    /// The findings as a JSON array on one line.
    pub(super) fn json(&self, redactor: &Redactor) -> String {
        output::printable_json(&self.0, redactor)
    }

    /// The findings as text: a line for each question, then the hints.
    pub(super) fn text(&self, redactor: &Redactor) -> String {
        let mut text = String::new();
        for finding in &self.0 {
            let level = match finding.level {
                Level::Ok => "ok  ",
                Level::Warn => "warn",
                Level::Fail => "FAIL",
            };
            let answer = output::line(&finding.answer, redactor);
            let _ = writeln!(text, "{level}  {:<11}  {answer}", finding.question);
        }
        // Several questions may have the same hint.
        let mut said: Vec<&str> = Vec::new();
        for finding in self.0.iter().filter(|it| it.level != Level::Ok) {
            let Some(hint) = finding.hint.as_deref() else {
                continue;
            };
            if said.contains(&hint) {
                continue;
            }
            let separator = if said.is_empty() { "\n" } else { "" };
            let line = output::line(hint, redactor);
            let _ = writeln!(text, "{separator}{}: {line}", finding.question);
            said.push(hint);
        }
        text
    }
}
